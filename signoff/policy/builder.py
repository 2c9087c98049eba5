"""The `rules` of a policy's file → rules: globs, conditions and headlines compiled; pure."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from signoff.models import undo_plan
from signoff.models.amounts import Sum
from signoff.models.seating import Seat
from signoff.models.undo_plan import UndoPlan
from signoff.policy import times
from signoff.policy.conditions import Condition
from signoff.policy.document import Document, Path
from signoff.policy.durations import seconds
from signoff.policy.faults import Faults
from signoff.policy.feedback import share
from signoff.policy.globs import Globs
from signoff.policy.headline import Headline
from signoff.policy.rules import Match, QuestionRules, Rule
from signoff.policy.typed import fields

MAX_TALK = 86400
"""Seconds that a talk with its agent gives a request, at most."""
LONGEST_GRACE = 86_400
"""Seconds that what is allowed may wait to be held."""
LONGEST_SESSION = 1800
"""Seconds that one code may count for several."""
T = TypeVar("T")


def build_rules(found: Document, faults: Faults) -> tuple[Rule, ...]:
    """The rules in their order. What is wrong with a part goes to `faults`, and the part is left out."""
    rules: list[dict[str, Any]] = found.values.get("rules", [])
    return tuple(_rule(found, values, ("rules", index), faults) for index, values in enumerate(rules))


def build_questions(found: Document, faults: Faults) -> QuestionRules:
    """What the file says of questions."""
    values: dict[str, Any] = found.values.get("questions", {})
    length = None
    if "expires_in" in values:
        try:
            length = seconds(values["expires_in"])
        except ValueError as error:
            faults.add(("questions", "expires_in"), f"expires_in: {error}")
    return QuestionRules(
        approvers=_many(values.get("approvers", ())),
        conversation=values.get("channel"),
        per_hour=int(values["per_hour"]) if "per_hour" in values else None,
        expires_in=length,
    )


def more_time(value: str) -> int:
    """`+10m` → seconds; raises ValueError for over a day."""
    length = seconds(value.removeprefix("+"))
    if length > MAX_TALK:
        raise ValueError("write a time from +1s to +1d")
    return length


def grace(value: int | str) -> int:
    """How long what is allowed waits, in seconds; raises ValueError for more than a day."""
    length = seconds(value)
    if length > LONGEST_GRACE:
        raise ValueError("write a time from 1s to 1d: what may wait longer is better asked about")
    return length


def session(value: int | str) -> int:
    """For how long one code counts, in seconds; raises ValueError for more than half an hour."""
    length = seconds(value)
    if length > LONGEST_SESSION:
        raise ValueError("write a time from 1s to 30m: after that a code is asked for again")
    return length


def _undo(said: dict[str, Any], values: dict[str, Any]) -> UndoPlan:
    """What undoes what a rule reports; a fault of `undo_for` is told by the shape."""
    undo_plan.check(said["payload"])
    try:
        length = seconds(values.get("undo_for", 3600))
    except ValueError as error:
        raise ValueError(f"undo_for: {error}") from None
    return UndoPlan(action=said["action"], payload=said["payload"], seconds=length)


def _rule(found: Document, values: dict[str, Any], path: Path, faults: Faults) -> Rule:
    def part(name: str, build: Callable[[Any], T]) -> T | None:
        if name not in values:
            return None
        try:
            return build(values[name])
        except ValueError as error:
            faults.add((*path, name), f"{name}: {error}")
            return None

    seats = seats_of(values.get("approvers", ()))
    return Rule(
        name=values["name"],
        verdict=values["verdict"],
        match=_match(values.get("match", {})),
        when=part("when", Condition),
        headline=part("headline", Headline),
        conversation=values.get("channel"),
        approvers=_named(seats, values.get("approvers", ())),
        seats=seats,
        reject=int(values.get("reject", 1)),
        exclude=tuple(values["exclude"]) if "exclude" in values else None,
        require=_many(values.get("require", ())),
        editable=tuple(values["editable"]) if "editable" in values else None,
        expires_in=part("expires_in", seconds),
        talk=part("talk", more_time) or 0,
        after=part("after", grace),
        undo=part("undo", lambda said: _undo(said, values)),
        second_factor=values.get("second_factor"),
        session=part("session", session) or 0,
        confirm=part("confirm", fields) or (),
        sums=sums_of(values.get("limits", {}), values["name"]),
        feedback=part("feedback", share),
        reason=values.get("reason", ""),
        timing=times.build(values, path, faults),
        line=found.place(path)[0],
    )


def seats_of(said: Any) -> tuple[Seat, ...]:
    """`approvers` as a list of {from, need} → seats; none of a plain list."""
    if isinstance(said, str) or not said or isinstance(said[0], str):
        return ()
    named = [(tuple(dict.fromkeys(_many(one["from"]))), int(one.get("need", 1))) for one in said]
    return tuple(Seat(name=", ".join(names), named=names, need=need) for names, need in named)


def _named(seats: tuple[Seat, ...], said: Any) -> tuple[str, ...]:
    """All whom `approvers` names."""
    return tuple(dict.fromkeys(name for seat in seats for name in seat.named)) if seats else _many(said)


def sums_of(limits: dict[str, Any], place: str) -> tuple[Sum, ...]:
    """The sums among limits; `place` is the rule's name, empty for an agent's."""
    said = limits.get("per_day")
    if said is None:
        return ()
    # As it is written: a float's shortest spelling has every digit that YAML was read from.
    most = format(Decimal(repr(said["most"])), "f")
    return (Sum(place=place, field=said["sum"], by=said.get("by"), most=most),)


def _match(values: dict[str, Any]) -> Match:
    def one_of(name: str) -> frozenset[Any] | None:
        return frozenset(_many(values[name])) if name in values else None

    return Match(
        action=Globs(_many(values["action"])) if "action" in values else None,
        agent=Globs(_many(values["agent"])) if "agent" in values else None,
        action_class=one_of("class"),
        tags=one_of("tags"),
        risk=one_of("risk"),
        reversibility=one_of("reversibility"),
    )


def _many(value: Any) -> tuple[str, ...]:
    return (value,) if isinstance(value, str) else tuple(value)
