"""Why somebody's decision on several requests did not reach one of them: sentences."""

from __future__ import annotations

from collections.abc import Mapping

from signoff.approvals.errors import (
    AlreadyDecided,
    BlockedNow,
    EditedMeanwhile,
    NotRecorded,
    Restored,
    TimeRanOut,
    UnknownApproval,
)
from signoff.approvals.factor_errors import Unproven
from signoff.approvals.stop_errors import Held

UNSEEN = "It was not shown whole."
NEVER_SHOWN = "It was not shown yet."
BY_ITSELF = "It has to be looked at by itself: %s."
_ENDED: Mapping[str | None, str] = {
    "approved": "approved it",
    "rejected": "rejected it",
    "answered": "answered it",
}


def why_left(error: NotRecorded) -> str:
    """A sentence on why somebody's decision did not reach a request."""
    match error:
        case AlreadyDecided(status="cancelled"):
            return "Its agent withdrew it."
        case AlreadyDecided(status="blocked") | BlockedNow():
            return "The policy blocks it."
        case AlreadyDecided():
            did = _ENDED.get(error.status, "decided it")
            return f"{error.by} {did} meanwhile." if error.by else "It was decided meanwhile."
        case TimeRanOut():
            return "Its time ran out."
        case EditedMeanwhile():
            return "It was edited meanwhile: look at it again."
        case Restored():
            return "Signoff was restored from a backup, and it ended with that."
        case Held():
            return f"It is {error.stop.said}."
        case Unproven():
            return "It wants a code, or a value typed, of its own."
        case UnknownApproval():
            return "It is not there any more."
    return error.detail or "It could not be decided."
