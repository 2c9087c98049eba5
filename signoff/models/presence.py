"""Who is asked now, who later, and who decides in whose place: as is known when a card is drawn; frozen."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Later:
    """Somebody in their quiet hours: pinged at `at` (microseconds since 1970). `name` is as they write it."""

    id: str
    name: str
    at: int


@dataclass(frozen=True)
class StandIn:
    """`deputy` (an id) decides in the place of `person`, away until `until`; `name` is that person's."""

    person: str
    name: str
    deputy: str
    until: int


@dataclass(frozen=True)
class Called:
    """Whom a card asks. `people` are those whom it mentions (ids); `later` and `stand_ins` it tells of."""

    people: tuple[str, ...]
    later: tuple[Later, ...] = ()
    stand_ins: tuple[StandIn, ...] = ()
