"""What is easily got wrong in asking, each with the one thing to do; pure.

What the wire takes is for `signoff.models.messages` to say, and it says so of everything. Here stand the
slips of who writes an agent, in their words: `tags="money"`, `expires_in="1h"`, a payload that is no dict.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Callable, Collection, Mapping
from datetime import timedelta
from difflib import get_close_matches
from math import isfinite
from typing import Any, Final, get_args

from signoff.errors import Invalid
from signoff.models import codes
from signoff.models.messages import MAX_EXPIRES_IN, Reversibility, Risk
from signoff.models.receipt import Receipt
from signoff.models.talks import MOST_TURNS
from signoff.payload.advice import instead

RISKS: Final = get_args(Risk)
REVERSIBLE: Final = get_args(Reversibility)
ACTION: Final = re.compile(r"[A-Za-z0-9_][A-Za-z0-9_.:/@-]{0,99}")
TAG: Final = re.compile(r"[a-z0-9-]{1,40}")
EXAMPLE_ID: Final = "3f1c9a52-7d0e-8b64-9a1f-0c2d4e6f8a90"
TEXTS: Final = (
    "reason",
    "undo",
    "impact",
    "run",
    "key",
    "title",
    "conversation",
    "requested_by",
    "interpretation",
)
_UNITS: Final = {"s": 1, "m": 60, "h": 3600, "d": 86400}
_SPAN = re.compile(r"\s*([0-9]{1,9})\s*([smhd])[a-z]*\s*")


def unknown(names: Collection[str], known: Collection[str], what: str) -> str:
    """One sentence on names that there are not, with the nearest that there are; empty for none."""
    told = []
    for name in sorted(set(names) - set(known)):
        near = get_close_matches(name, known, 1, 0.6)
        told.append(f"{name[:60]} (did you mean {near[0]}?)" if near else name[:60])
    return f"{what} {', '.join(told[:5])}." if told else ""


def check_action(action: object) -> None:
    """Raise Invalid unless it names an action."""
    if not isinstance(action, str):
        raise Invalid(f'The action is {kind_of(action)}: write its name, such as "refund.create".')
    if not ACTION.fullmatch(action):
        raise Invalid(
            f'The action {action[:60]!r} is no name such as "refund.create": it has 1 to 100 of a-z, A-Z, '
            "0-9 and . _ : / @ -, with no spaces, and begins with a letter, a digit or _."
        )


def check_payload(payload: object) -> None:
    """Raise Invalid unless it is an object; what is in it is for canonical JSON to say."""
    if isinstance(payload, Mapping):
        return
    if payload is None:
        fix = "write {} where there is nothing to show"
    elif isinstance(payload, str | bytes):
        fix = "json.loads(payload) makes one of JSON text"
    elif isinstance(payload, list | tuple | set | frozenset):
        fix = 'put it into one, {"items": [...]}'
    elif isinstance(payload, int | float):
        fix = 'name it, {"amount": 120}'
    else:
        fix = instead(payload)
    raise Invalid(f"The payload is {kind_of(payload)}: it has to be an object (a dict); {fix}.")


def check_timeout(timeout: object) -> None:
    """Raise Invalid unless it is a number of seconds, or None."""
    if timeout is None or (isinstance(timeout, int | float) and not isinstance(timeout, bool)):
        if isinstance(timeout, float) and timeout != timeout:
            raise Invalid("timeout is NaN: write seconds, such as timeout=600.")
        return
    raise Invalid(f"timeout is {kind_of(timeout)}: {_seconds('timeout', timeout)}.")


def check_runs(runs: object) -> None:
    """Raise Invalid unless it says how often an approval may run."""
    if runs not in ("once", "at-least-once"):
        raise Invalid(f'runs is {_shown(runs)}: write "once" or "at-least-once".')


def check_receipt(receipt: object) -> None:
    """Raise Invalid unless it is one."""
    if not isinstance(receipt, Receipt):
        raise Invalid(f"spend takes the receipt that ask() or wait() gives, not {kind_of(receipt)}.")


def checked_id(given: str) -> str:
    """A request's id as it is written everywhere; raises Invalid, with what to write, for what is none."""
    try:
        return str(uuid.UUID(given))
    except (ValueError, AttributeError, TypeError):
        raise Invalid(_about_id(given)) from None


def checked_name(request_id: str | None, key: str | None) -> str:
    """The id of a request that is named by its id or its key; "" for a key. Raises TypeError or Invalid."""
    if request_id is None and key is None:
        raise TypeError("Which request? Give its id, ticket.id or receipt.id, or its key=.")
    if request_id is not None and key is not None:
        raise TypeError("Give a request's id or its key, and not both.")
    if request_id is not None:
        return checked_id(request_id)
    check_claims({"key": key})
    return ""


def _about_id(given: object) -> str:
    if not isinstance(given, str) and isinstance(found := getattr(given, "id", None), str):
        return f"{kind_of(given)} is not a request's id: pass its .id, {found[:40]!r}.".capitalize()
    if not isinstance(given, str):
        return f"A request's id is text, ticket.id or receipt.id, and not {kind_of(given)}."
    if codes.read(given):
        return f"{given!r} is a code for people: an agent names a request by its id, ticket.id or receipt.id."
    return (
        f"{given[:60]!r} is not a request's id: that is 36 characters, as ticket.id and receipt.id have "
        f"them, such as {EXAMPLE_ID}."
    )


def check_claims(values: Mapping[str, Any]) -> None:
    """Raise Invalid, with what to write, for what is said with a request; None is nothing said."""
    for name, value in values.items():
        if value is None:
            continue
        if name in TEXTS and not isinstance(value, str):
            raise Invalid(f"{name} is {kind_of(value)}: write text{_such(name)}.")
        if check := _CHECKS.get(name):
            check(value)


def _reversible(value: Any) -> None:
    if not isinstance(value, bool) and value not in REVERSIBLE:
        raise Invalid(f"reversible is {_shown(value)}: write True, False or {_either(REVERSIBLE)}.")


def _risk(value: Any) -> None:
    if value not in RISKS:
        raise Invalid(f"risk is {_shown(value)}: write {_either(RISKS)}.")


def _tags(value: Any) -> None:
    _texts("tags", value, '["money", "external"]')
    for tag in value:
        if not TAG.fullmatch(tag):
            meant = re.sub(r"[^a-z0-9-]+", "-", tag.lower()).strip("-")[:40] or "own-tag"
            raise Invalid(f'tags: {tag[:60]!r} may hold a-z, 0-9 and -, at most 40: write "{meant}".')


def _alternatives(value: Any) -> None:
    if not isinstance(value, str):
        _texts("alternatives", value, '["Credit the next invoice"]')


def _editable(value: Any) -> None:
    if not isinstance(value, bool):
        _texts("editable", value, '["amount"]', "True, False or ")


def _texts(name: str, value: Any, example: str, others: str = "") -> None:
    """Raise Invalid unless it is several texts in an order of their own."""
    if isinstance(value, str):
        raise Invalid(f"{name} is one text: write {others}a list, {name}=[{value[:60]!r}].")
    if not isinstance(value, Collection) or isinstance(value, Mapping | bytes | bytearray):
        raise Invalid(f"{name} is {kind_of(value)}: write {others}a list, {name}={example}.")
    for one in value:
        if not isinstance(one, str):
            raise Invalid(f"{name} holds {kind_of(one)}: write texts only, {name}={example}.")


def _expires_in(value: Any) -> None:
    if isinstance(value, timedelta):
        value = value.total_seconds()
    seconds = _float(value)
    if seconds is None:
        raise Invalid(f"expires_in is {_shown(value)}: {_seconds('expires_in', value)}, or a timedelta.")
    if not 1 <= seconds <= MAX_EXPIRES_IN:
        raise Invalid(
            f"expires_in is {seconds:g} seconds: at least 1, and at most {MAX_EXPIRES_IN:,} (30 days) are "
            "taken; leave it out for 24 hours."
        )


def _seconds(name: str, value: object) -> str:
    found = _SPAN.fullmatch(value) if isinstance(value, str) else None
    if found:
        return f"write seconds, {name}={int(found[1]) * _UNITS[found[2]]}"
    if isinstance(value, timedelta):
        return f"write seconds, {name}={value.total_seconds():g}"
    return f"write seconds from now, such as {name}=600"


def _float(value: object) -> float | None:
    """A finite number, as such or as text; None for what is none."""
    try:
        found = None if isinstance(value, bool) else float(value)  # type: ignore[arg-type]
    except (TypeError, ValueError, OverflowError):
        return None
    return found if found is not None and isfinite(found) else None


def _number(name: str, fix: str) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if _float(value) is None:
            raise Invalid(f"{name} is {_shown(value)}: {fix}.")

    return check


def _confidence(value: Any) -> None:
    _number("confidence", "write a number from 0 to 1, confidence=0.9")(value)
    found = _float(value) or 0.0
    if not 0 <= found <= 1:
        meant = f", confidence={found / 100:g}" if 1 < found <= 100 else ""
        raise Invalid(f"confidence is {found:g}: write a number from 0 to 1{meant}.")


def _attempts(value: Any) -> None:
    found = _float(value)
    if found is None or found < 0 or found != int(found):
        raise Invalid(f"attempts is {_shown(value)}: write how often it has failed before, attempts=2.")


def _object(name: str) -> Callable[[Any], None]:
    def check(value: Any) -> None:
        if isinstance(value, Mapping):
            return
        fix = "json.loads makes one of JSON text" if isinstance(value, str | bytes) else instead(value)
        raise Invalid(f"{name} is {kind_of(value)}: it has to be an object (a dict); {fix}.")

    return check


def _context(value: Any) -> None:
    """More turns than people are shown of a conversation are no conversation: who wrote it would not know."""
    _object("context")(value)
    said = value.get("conversation")
    if not isinstance(said, list | tuple) or len(said) <= MOST_TURNS:
        return
    if all(isinstance(one, Mapping) and "role" in one for one in said):
        raise Invalid(
            f"context holds a conversation of {len(said)} turns: up to {MOST_TURNS} turns are taken. Send "
            f'the last ones, {{"conversation": turns[-{MOST_TURNS}:]}}.'
        )


def _schema(value: Any) -> None:
    """A list or a boolean is for `schemas` to judge: nothing that is wrong with one stops a request."""
    if isinstance(value, type):
        raise Invalid(f"schema is a class: write {value.__name__}.model_json_schema(), or a JSON Schema.")
    if not isinstance(value, list | bool):
        _object("schema")(value)


_CHECKS: Final[Mapping[str, Callable[[Any], None]]] = {
    "reversible": _reversible,
    "risk": _risk,
    "tags": _tags,
    "alternatives": _alternatives,
    "editable": _editable,
    "expires_in": _expires_in,
    "cost": _number("cost", "write a number, without its currency, cost=12.5"),
    "confidence": _confidence,
    "attempts": _attempts,
    "context": _context,
    "schema": _schema,
}


def _such(name: str) -> str:
    examples = {
        "key": ', key="refund-991"',
        "run": ', run="nightly"',
        "requested_by": ', requested_by="Ana Lee"',
    }
    return examples.get(name, "")


def _either(words: tuple[str, ...]) -> str:
    *first, last = [f'"{word}"' for word in words]
    return f"{', '.join(first)} or {last}"


def _shown(value: object) -> str:
    return repr(value[:60]) if isinstance(value, str) else kind_of(value, number=True)


def kind_of(value: object, *, number: bool = False) -> str:
    """What a value is: its class, as people say it."""
    if isinstance(value, type):
        return f"the class {value.__name__}"
    if value is None:
        return "None"
    if number and isinstance(value, int | float):
        return f"{value}"
    kind = type(value).__name__
    return f"{'an' if kind[0].lower() in 'aeiou' else 'a'} {kind}"
