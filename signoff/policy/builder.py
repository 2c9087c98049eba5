"""The `rules` of a policy's file → rules: globs, conditions and headlines compiled; pure."""

from __future__ import annotations

import re
from collections.abc import Callable
from decimal import Decimal
from typing import Any, TypeVar

from signoff.models import undo_plan
from signoff.models.amounts import Sum
from signoff.models.messages import MAX_EXPIRES_IN
from signoff.models.undo_plan import UndoPlan
from signoff.policy.conditions import Condition
from signoff.policy.document import Document, Path
from signoff.policy.faults import Faults
from signoff.policy.feedback import share
from signoff.policy.globs import Globs
from signoff.policy.headline import Headline
from signoff.policy.rules import Match, QuestionRules, Rule

_DURATION = re.compile(r"([0-9]{1,7})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}
MAX_TALK = 86400
"""Seconds that a talk with its agent gives a request, at most."""
LONGEST_GRACE = 86_400
"""Seconds that what is allowed may wait to be held."""
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


def seconds(value: int | str) -> int:
    """`90s`, `30m`, `2h`, `1d` or a number → seconds; raises ValueError for none and for over 30 days."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    length = int(found[1]) * _SECONDS[found[2]] if found else int(value)
    if not 1 <= length <= MAX_EXPIRES_IN:
        raise ValueError("write a time from 1s to 30d")
    return length


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

    return Rule(
        name=values["name"],
        verdict=values["verdict"],
        match=_match(values.get("match", {})),
        when=part("when", Condition),
        headline=part("headline", Headline),
        conversation=values.get("channel"),
        approvers=_many(values.get("approvers", ())),
        require=_many(values.get("require", ())),
        editable=tuple(values["editable"]) if "editable" in values else None,
        expires_in=part("expires_in", seconds),
        talk=part("talk", more_time) or 0,
        after=part("after", grace),
        undo=part("undo", lambda said: _undo(said, values)),
        sums=sums_of(values.get("limits", {}), values["name"]),
        feedback=part("feedback", share),
        reason=values.get("reason", ""),
        line=found.place(path)[0],
    )


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
