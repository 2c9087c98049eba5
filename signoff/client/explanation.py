"""What a model is told when its action was not approved; pure."""

from __future__ import annotations

from signoff.errors import NotApproved, Refused

_RESUBMIT = "You may ask again once it has been changed in that way."
_NEVER_SHOWN = "It could not be shown to anyone; a person has to look at why."


def explain(error: NotApproved) -> str:
    """A text for a model: what did not run, who said so and why, what to change, whether it may ask again.

    Each status reads differently, a timeout never as a rejection, and none suggests a way round. What the
    person wrote stands in it as they wrote it.
    """
    receipt = error.receipt
    status = error.status
    action = error.action or "The action"
    who = receipt.decided_by.name if receipt and receipt.decided_by else "a person"
    reason = (receipt.reason if receipt else "") or (
        error.detail if status in ("invalid", "duplicate") else ""
    )
    asked = "They ask for changes: " if receipt and receipt.resubmit else "Reason: "
    parts = [
        f"{action} was not run: {_why(status, who)}",
        asked + _sentence(reason) if reason else "",
        _NEVER_SHOWN if receipt and receipt.never_shown else "",
        _RESUBMIT if receipt and receipt.resubmit else _next(status),
    ]
    return " ".join(part for part in parts if part)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else text + "."


def _why(status: Refused, who: str) -> str:
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


def _next(status: Refused) -> str:
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
