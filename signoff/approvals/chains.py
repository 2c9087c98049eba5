"""Deputies of deputies: who decides in somebody's place, and circles among them; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping

LONGEST = 10
"""Steps that a chain is followed: nobody can overlook more."""


def stand_in(person: str, deputies: Mapping[str, str], allowed: Collection[str]) -> str | None:
    """Who decides in the place of somebody who is away: their deputy, or whoever that one has left it to.

    `deputies` has everybody who is away. None where they are not, where the chain ends in a circle, or where
    one on it is not `allowed`: then nobody does.
    """
    seen = {person}
    while person in deputies:
        person = deputies[person]
        if person in seen or person not in allowed or len(seen) > LONGEST:
            return None
        seen.add(person)
    return person if len(seen) > 1 else None


def circle(person: str, deputy: str, deputies: Mapping[str, str]) -> tuple[str, ...]:
    """Those who would stand in for each other, were this deputy theirs; empty where nobody would."""
    found = [person]
    while deputy not in found:
        found.append(deputy)
        if deputy not in deputies or len(found) > LONGEST:
            return ()
        deputy = deputies[deputy]
    return tuple(found) if deputy == person else ()
