"""What a model is told when its action was not run; pure.

No host, port, path, process or exception of ours stands in such a text: only what was not run, who said so
and why, and what comes next.
"""

from __future__ import annotations

import re
from uuid import UUID

from signoff.errors import (
    AlreadySpent,
    ConfigError,
    Duplicate,
    NotApproved,
    NotVerified,
    OtherAction,
    OtherPayload,
    Refused,
    SignoffError,
    Stopped,
    Unreachable,
    WaitTimeout,
)
from signoff.models.identity import short_code
from signoff.payload.corrections import one_line

_ID = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
"""Another request's, in why one was refused unread: a model is told its code, which stands on the card."""
_RESUBMIT = "You may ask again once it has been changed in that way."
_NEVER_SHOWN = "It could not be shown to anyone; a person has to look at why."
_LATER = "You may ask again later."
_TELL = "Tell whoever you work for; you may ask again later."
_WAITS = (
    "Do not ask for it again while it waits: what is decided of it runs nothing. Tell whoever you work for."
)
"""Of one without a key: asking again would be another request, and that a duplicate of this one."""
_LOOK = "Do not ask for it again: a person has to look at why."

_FAULTS: tuple[tuple[type[SignoffError], str, str], ...] = (
    (WaitTimeout, "nobody has decided yet. This is not a rejection: it stays pending.", _LATER),
    (Unreachable, "those who approve cannot be reached now. This is not a rejection.", _TELL),
    (OtherAction, "what was approved is another action.", _LOOK),
    (OtherPayload, "what was approved has other content.", _LOOK),
    (NotVerified, "an answer came that cannot be trusted.", _LOOK),
    (ConfigError, "nobody can be asked, as the way to them is not set up.", _LOOK),
    (SignoffError, "something went wrong while it was asked.", _LOOK),
)
"""What is no answer of a person's, the narrower first: why it was not run, and what comes next."""


def explain(error: SignoffError) -> str:
    """A text for a model: what did not run, who said so and why, what to change, whether it may ask again.

    Each error reads differently, a timeout never as a rejection, and none suggests a way round. What the
    person wrote stands in it as they wrote it.
    """
    action = error.action or "The action"
    if not isinstance(error, NotApproved):
        why, what_next = _fault(error)
        return f"{action} was not run: {why} {what_next}"
    receipt = error.receipt
    status = error.status
    who = (one_line(receipt.decided_by.name) if receipt and receipt.decided_by else "") or "a person"
    asked = "They ask for changes: " if receipt and receipt.resubmit else "Reason: "
    reason = _reason(error)
    parts = [
        f"{action} was not run: {_why(error, status, who)}",
        asked + _sentence(reason) if reason else "",
        _NEVER_SHOWN if receipt and receipt.never_shown else "",
        _RESUBMIT if receipt and receipt.resubmit else _next(error, status),
    ]
    return " ".join(part for part in parts if part)


def has_begun(error: SignoffError) -> bool:
    """Whether it is a duplicate of what was approved and begun, not of what only waits or was asked.

    Another process has spent the approval, or the receipt is of a request that was taken (it names the
    action): such a receipt says `duplicate` only once that runs, or has run.
    """
    if isinstance(error, AlreadySpent):
        return True
    receipt = error.receipt if isinstance(error, Duplicate) else None
    return receipt is not None and bool(receipt.action)


def _fault(error: SignoffError) -> tuple[str, str]:
    if isinstance(error, WaitTimeout) and error.approved:
        return "it is approved, and who may run it cannot be told now.", _LATER
    if isinstance(error, WaitTimeout) and not error.attaches:
        return "nobody has decided yet. This is not a rejection: it stays pending.", _WAITS
    return next((why, then) for kind, why, then in _FAULTS if isinstance(error, kind))


def _reason(error: NotApproved) -> str:
    if isinstance(error, Stopped) or has_begun(error):
        return ""  # their detail is for operators: a process and its host, the store of stops
    said = (error.receipt.reason if error.receipt else "") or (
        error.detail if error.status in ("invalid", "duplicate") else ""
    )
    unread = error.receipt is None or not error.receipt.action
    return _ID.sub(lambda found: short_code(UUID(found[0])), said) if unread else said


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else text + "."


def _why(error: NotApproved, status: Refused, who: str) -> str:
    if isinstance(error, Stopped):
        return "this agent has been stopped, or whether it has cannot be told. Nothing of it may run."
    if has_begun(error):
        return "under this approval it runs already, or has run."
    match status:
        case "rejected":
            return f"{who} rejected it."
        case "expired":
            return "nobody answered in time. This is not a rejection."
        case "blocked":
            return "the policy blocks it. Nobody can approve it."
        case "cancelled":
            return "the request was withdrawn."
        case "duplicate":
            return "the same request has been made already."
        case "limited":
            return "too much was asked for at once."
        case "invalid":
            return "the request is not valid."


def _next(error: NotApproved, status: Refused) -> str:
    if isinstance(error, Stopped):
        return "Do not go on until you are told to."
    match status:
        case "rejected":
            return "This answer is final: do not ask for it again."
        case "expired":
            return "If it is still needed, you may ask again."
        case "blocked":
            return "Asking again will not change that."
        case "cancelled":
            return "Do not ask for it again unless you are told to."
        case "duplicate":
            return "Do not ask for it again: there is an answer to the first, or there will be."
        case "limited":
            return "Nobody has looked at it. You may ask again later."
        case "invalid":
            return "Correct it, then you may ask again."
