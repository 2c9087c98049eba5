"""What a model is told: why nothing ran, or what a person changed before it did; pure."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from signoff.client.explanation import explain
from signoff.errors import NotApproved, SignoffError, WaitTimeout
from signoff.models.receipt import ApprovedReceipt

MAX_CHANGES = 20
MAX_VALUE = 200
"""Characters of a value, before it is cut."""

_TOO_LATE = (
    "was not run: nobody has decided in time. This is not a rejection. If it is still needed, you may ask "
    "again."
)
_NO_WAY = (
    "was not run: for a technical reason no approval can be had now. Do not try another way: tell whoever "
    "you work for."
)


def stopped(action: str, error: SignoffError) -> str:
    """Why an action did not run. No host, port or path stands in it."""
    if isinstance(error, NotApproved):
        error.action = error.action or action
        return explain(error)
    if isinstance(error, WaitTimeout):
        return f"{action} {_TOO_LATE}"
    return f"{action} {_NO_WAY}"


def is_expected(error: SignoffError) -> bool:
    """Whether it belongs to the course of things, and is nothing that an operator has to look at."""
    return isinstance(error, NotApproved | WaitTimeout)


def told(receipt: ApprovedReceipt, sent: Mapping[str, Any]) -> str:
    """Who changed what before it ran, and their note; empty where there is neither."""
    who = receipt.decided_by.name if receipt.decided_by else "a person"
    parts = []
    if receipt.edited:
        changes = list(_changes(dict(sent), receipt.payload, ""))
        more = f"; and {len(changes) - MAX_CHANGES} more" if len(changes) > MAX_CHANGES else ""
        listed = "; ".join(changes[:MAX_CHANGES]) + more
        parts.append(f"{who} approved this with changes, and it ran as changed: {listed}.")
    if receipt.reason and receipt.decided_by:
        parts.append(f"Note by {who}: {receipt.reason}")
    return " ".join(parts)


def _changes(before: Any, after: Any, path: str) -> Iterator[str]:
    if isinstance(before, dict) and isinstance(after, dict):
        for name in [*before, *(name for name in after if name not in before)]:
            place = f"{path}.{name}" if path else str(name)
            if name not in after:
                yield f"{place} was removed"
            elif name not in before:
                yield f"{place} was added: {_shown(after[name])}"
            else:
                yield from _changes(before[name], after[name], place)
    elif type(before) is not type(after) or before != after:
        yield f"{path} is {_shown(after)} instead of {_shown(before)}"


def _shown(value: Any) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= MAX_VALUE else text[: MAX_VALUE - 1] + "…"
