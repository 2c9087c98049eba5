"""What a model is told when its action was not approved; pure."""

from __future__ import annotations

from signoff.errors import NotApproved

_WHAT = {
    "rejected": "{action} was not run: {who} rejected it.",
    "expired": "{action} was not run: nobody answered in time. This is not a rejection.",
    "blocked": "{action} was not run: the policy blocks it. Nobody can approve it.",
    "cancelled": "{action} was not run: the request was withdrawn.",
    "duplicate": "{action} was not run: the same request has been made already.",
    "limited": "{action} was not run: too much was asked for at once.",
    "invalid": "{action} was not run: the request is not valid.",
}
_NEXT = {
    "rejected": "This answer is final: do not ask for it again.",
    "expired": "If it is still needed, you may ask again.",
    "blocked": "Asking again will not change that.",
    "cancelled": "Do not ask for it again unless you are told to.",
    "duplicate": "Do not ask for it again: there is an answer to the first, or there will be.",
    "limited": "Nobody has looked at it. You may ask again later.",
    "invalid": "Correct it, then you may ask again.",
}
_RESUBMIT = "You may ask again once it has been changed in that way."
_NEVER_SHOWN = "It could not be shown to anyone; a person has to look at why."


def explain(error: NotApproved) -> str:
    """A text for a model: what did not run, who said so and why, what to change, whether it may ask again.

    Each status reads differently, a timeout never as a rejection, and none suggests a way round. What the
    person wrote stands in it as they wrote it.
    """
    receipt = error.receipt
    status = error.status or "rejected"
    action = receipt.action if receipt else "The action"
    who = receipt.decided_by.name if receipt and receipt.decided_by else "a person"
    reason = (receipt.reason if receipt else "") or (
        error.detail if status in ("invalid", "duplicate") else ""
    )
    asked = "They ask for changes: " if receipt and receipt.resubmit else "Reason: "
    parts = [
        _WHAT[status].format(action=action, who=who),
        asked + _sentence(reason) if reason else "",
        _NEVER_SHOWN if receipt and receipt.never_shown else "",
        _RESUBMIT if receipt and receipt.resubmit else _NEXT[status],
    ]
    return " ".join(part for part in parts if part)


def _sentence(text: str) -> str:
    text = text.strip()
    return text if text.endswith((".", "!", "?", "…")) else text + "."
