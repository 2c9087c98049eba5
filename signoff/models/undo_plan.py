"""What undoes an action, as a policy names it: another action, and its payload made of values that are known.

A text of the payload that is `$payload.amount` stands for that value of what ran, one that is `$result.id`
for that value of the result which the agent reports. Numbers take an entry of a list: `$result.items.0.id`.
`$$` at the beginning is a dollar sign. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from signoff.models.messages import Action
from signoff.models.receipt import Wire
from signoff.payload.blank import is_blank

REFERENCE = re.compile(r"\$(payload|result)((?:\.[A-Za-z0-9_-]{1,100}){0,10})", re.ASCII)
_INSIDE = re.compile(r"\$(?:payload|result)\b")
_ID = re.compile(
    r"(?:^|[._$-])(?:ids?|uuids?|guids?|keys?|refs?|references?|sha|slug|arn|urn|ur[li]s?)$"
    r"|(?:[a-z0-9](?:Id|ID|Uuid|UUID|Key|Ref|Sha|Arn|Url)s?)$",
    re.ASCII,
)
_NUMBERS = re.compile(r"(?:\.[0-9]+)+$", re.ASCII)
"""Places in lists, at the end of a path."""
MOST = 100
"""Values that an undo's payload may have."""
_MISSING = object()


class UndoPlan(Wire):
    """The action that undoes, its payload with references in it, and for how many seconds it is offered."""

    action: Action
    payload: dict[str, Any]
    seconds: int


@dataclass(frozen=True)
class Filled:
    """An undo's payload; None where a value is `missing`, by its reference.

    `of_agent` names the places of the payload whose values come from the agent's result: its word alone.
    """

    payload: dict[str, Any] | None
    missing: str = ""
    of_agent: tuple[str, ...] = ()


def check(payload: Mapping[str, Any]) -> None:
    """Raise ValueError, in words for who writes a policy, for a text that only looks like a reference."""
    found = list(_texts(payload))
    if len(found) > MOST:
        raise ValueError(f"it has more than {MOST} values")
    for text in found:
        if text.startswith("$$"):
            continue
        if text.startswith("$") and not REFERENCE.fullmatch(text):
            raise ValueError(
                f"{text[:60]} names nothing: write $payload.field or $result.field, or $$ for a dollar sign"
            )
        if text == "$payload":
            continue
        if not text.startswith("$") and _INSIDE.search(text):
            raise ValueError(f"a reference stands alone: {text[:60]!r} has words around it")


def uses_result(payload: Mapping[str, Any]) -> bool:
    """Whether anything in it comes from what the agent reports."""
    return any(text == "$result" or text.startswith("$result.") for text in _texts(payload))


def fill(plan: UndoPlan, payload: Mapping[str, Any], result: Any) -> Filled:
    """The undo of what ran with this payload and came to this result."""
    missing: list[str] = []
    of_agent: list[str] = []

    def made(value: Any, place: str) -> Any:
        if isinstance(value, Mapping):
            return {name: made(one, f"{place}.{name}" if place else name) for name, one in value.items()}
        if isinstance(value, list | tuple):
            return [made(one, f"{place}.{number}") for number, one in enumerate(value)]
        if not isinstance(value, str) or not value.startswith("$"):
            return value
        if value.startswith("$$"):
            return value[1:]
        named = REFERENCE.fullmatch(value)
        found = _look_up({"payload": payload, "result": result}[named[1]], named[2]) if named else _MISSING
        of_result = value.startswith("$result")
        if found is _MISSING or found is None or (of_result and _names_nothing(value, place, found)):
            missing.append(value)
            return None
        if of_result:
            of_agent.append(place)
        return found

    filled = made(plan.payload, "")
    if missing:
        return Filled(None, missing[0])
    return Filled(filled, "", tuple(of_agent))


def _names_nothing(reference: str, place: str, found: Any) -> bool:
    """Whether an id is asked of a result, and what it has there is none: nothing at all, or a yes or no.

    An id is known by the name that it has in the result, or in the payload. Elsewhere what is empty stands:
    a title may well have been empty before.
    """
    empty = is_blank(found) if isinstance(found, str) else isinstance(found, bool) or found in ({}, [])
    return empty and any(_ID.search(_NUMBERS.sub("", name)) for name in (reference, place))


def _look_up(value: Any, path: str) -> Any:
    for step in path.split(".")[1:]:
        if isinstance(value, Mapping) and step in value:
            value = value[step]
        elif isinstance(value, list) and step.isdigit() and int(step) < len(value):
            value = value[int(step)]
        else:
            return _MISSING
    return value


def _texts(value: Any) -> Iterator[str]:
    """All texts in a payload, and an empty one for each other value."""
    if isinstance(value, Mapping):
        for one in value.values():
            yield from _texts(one)
    elif isinstance(value, list | tuple):
        for one in value:
            yield from _texts(one)
    else:
        yield value if isinstance(value, str) else ""
