"""What a policy's file says of time → Timing; and what of it cannot be meant; pure."""

from __future__ import annotations

import difflib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any
from zoneinfo import available_timezones

from signoff.models.messages import Risk
from signoff.models.people import MEMBERS
from signoff.models.quiet import PERSON, is_always
from signoff.models.timing import Escalation, Quiet, Timing
from signoff.policy.document import Document, Path
from signoff.policy.durations import seconds
from signoff.policy.faults import Faults
from signoff.policy.rules import Contents, Rule

KEYS = ("remind", "escalate", "valid", "clock")
"""Keys of a rule, all of them about what a person is asked."""
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")


def build(values: dict[str, Any], path: Path, faults: Faults) -> Timing | None:
    """A rule's; None where it says nothing. What is wrong goes to `faults`, and is left out."""
    if not any(key in values for key in KEYS):
        return None
    return Timing(
        remind=tuple(_each(values.get("remind", ()), (*path, "remind"), faults)),
        escalate=tuple(_escalations(values.get("escalate", ()), (*path, "escalate"), faults)),
        valid=_one(values, "valid", path, faults),
        clock=values.get("clock", "asked"),
    )


def _one(values: dict[str, Any], key: str, path: Path, faults: Faults) -> int | None:
    found = list(_each([values[key]] if key in values else (), (*path, key), faults, alone=True))
    return found[0] if found else None


def _each(said: Sequence[Any], path: Path, faults: Faults, *, alone: bool = False) -> Iterator[int]:
    for index, value in enumerate(said):
        try:
            yield seconds(value)
        except ValueError as error:
            faults.add(path if alone else (*path, index), f"{path[-1]}: {error}")


def _escalations(said: Sequence[dict[str, Any]], path: Path, faults: Faults) -> Iterator[Escalation]:
    for index, one in enumerate(said):
        for after in _each([one["after"]], (*path, index, "after"), faults, alone=True):
            to = one["to"]
            yield Escalation(after=after, to=(to,) if isinstance(to, str) else tuple(to))


def build_quiet(values: dict[str, Any]) -> tuple[Quiet, ...]:
    """The file's quiet hours."""
    said = values.get("quiet", ())
    return tuple(
        Quiet(
            start=_minute(one["from"]),
            end=_minute(one["to"]),
            days=tuple(sorted({_DAYS.index(day) for day in one.get("days", _DAYS)})),
            zone=one.get("zone", PERSON),
            but=tuple(one.get("except", ())),
        )
        for one in ([said] if isinstance(said, dict) else said)
    )


def _minute(clock: str) -> int:
    hours, _, minutes = clock.partition(":")
    return int(hours) * 60 + int(minutes)


def of(rule: Rule | None, contents: Contents, risk: Risk) -> Timing | None:
    """What holds for what a rule asks about, or for what is asked by default; None where that is nothing."""
    quiet = tuple(one for one in contents.quiet if risk not in one.but)
    own = rule.timing if rule else None
    if not quiet:
        return own
    return (own or Timing()).model_copy(update={"quiet": quiet})


def told(timing: Timing) -> dict[str, Any]:
    """As `explain --json` says it, by the names of the file; lengths of time in seconds."""
    return {
        "remind": list(timing.remind),
        "escalate": [{"after": one.after, "to": list(one.to)} for one in timing.escalate],
        "valid": timing.valid,
        "clock": timing.clock,
        "quiet": [
            {"from": _clock(one.start), "to": _clock(one.end), "zone": one.zone}
            | {"days": [_DAYS[day] for day in one.days]}
            for one in timing.quiet
        ],
    }


def _clock(minutes: int) -> str:
    return f"{minutes // 60:02}:{minutes % 60:02}"


def wanted(values: dict[str, Any], path: Path, faults: Faults) -> dict[str, Any]:
    """What an example wants of a verdict, in the form of `told`."""
    timing = build(values, path, faults)
    return {key: value for key, value in told(timing).items() if key in values} if timing else {}


def check(values: dict[str, Any], contents: Contents, faults: Faults) -> None:
    """Add what the file's quiet hours and deputies cannot mean."""
    if is_always(contents.quiet):
        faults.add(("quiet",), "nobody would ever be pinged: leave some hours of the week")
    for index, one in enumerate(contents.quiet):
        several = isinstance(values["quiet"], list)
        if one.zone != PERSON and one.zone not in _zones():
            close = difflib.get_close_matches(one.zone, _zones(), 1)
            hint = f"did you mean {close[0]}?" if close else "write person, or a zone such as Europe/Berlin"
            place: Path = ("quiet", index, "zone") if several else ("quiet", "zone")
            faults.add(place, f"there is no zone {one.zone}: {hint}")
    for name, deputies in contents.deputies.items():
        for index, deputy in enumerate(deputies):
            if contents.groups.get(name) == (deputy,):
                faults.add(
                    ("groups", name, "deputies", index),
                    f"{deputy} is all of {name}, and nobody's own deputy: name somebody else",
                )


@cache
def _zones() -> frozenset[str]:
    return frozenset(available_timezones())


def check_rule(values: dict[str, Any], rule: Rule, path: Path, contents: Contents, faults: Faults) -> None:
    """Add what a rule's own times cannot mean."""
    for key in KEYS:
        if key in values and rule.verdict != "ask":
            faults.add(
                (*path, key), f"{key} means nothing in a rule whose verdict is {rule.verdict}: take it out"
            )
    timing = rule.timing
    if timing is None:
        return
    ends = rule.expires_in
    _rises(timing.remind, (*path, "remind"), ends, faults)
    _rises([one.after for one in timing.escalate], (*path, "escalate"), ends, faults)
    for index, one in enumerate(timing.escalate):
        for name in one.to:
            if name[:1].islower() and name != MEMBERS and name not in contents.groups:
                close = difflib.get_close_matches(name, contents.groups, 1)
                hint = f"did you mean {close[0]}?" if close else "add it to groups"
                faults.add((*path, "escalate", index, "to"), f"there is no group {name}: {hint}")


def _rises(steps: Sequence[int], path: Path, ends: int | None, faults: Faults) -> None:
    for index, after in enumerate(steps):
        if index and after <= steps[index - 1]:
            faults.add((*path, index), "each has to come later than the one before it: put them in order")
        elif ends is not None and after >= ends:
            faults.add((*path, index), "its time to decide is over by then: make it shorter than expires_in")


def doubts(found: Document, contents: Contents) -> Iterator[tuple[Path, str]]:
    """What holds, and may not be meant."""
    for index, rule in enumerate(one for one in contents.rules if not one.source):
        asked = set(_ids(rule.approvers, contents))
        for number, one in enumerate(rule.timing.escalate if rule.timing else ()):
            added = set(_ids(one.to, contents))
            if asked and (added <= asked or MEMBERS in asked):
                yield (
                    ("rules", index, "escalate", number),
                    "it adds nobody who may not decide from the start: name others",
                )
            asked |= added
    for name in contents.deputies:
        if not any(set(contents.groups.get(name, ())) <= asked for asked in _asked(contents)):
            yield (
                ("groups", name, "deputies"),
                f"nothing asks {name}, so nobody of it needs a deputy: name it among approvers",
            )


def _asked(contents: Contents) -> Iterator[set[str]]:
    for rule in contents.rules:
        yield set(_ids(rule.approvers, contents))
        for one in rule.timing.escalate if rule.timing else ():
            yield set(_ids(one.to, contents))
    yield set(_ids(contents.questions.approvers, contents))


def _ids(named: Sequence[str], contents: Contents) -> Iterator[str]:
    for name in named:
        yield from contents.groups.get(name, (name,))
