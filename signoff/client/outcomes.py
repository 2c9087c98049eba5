"""What a gate reports of a call that ran: never an exception's text, and a result only where asked to."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any, Final

from signoff.client import callers
from signoff.client.asked import GAVE_UP
from signoff.errors import Invalid
from signoff.models.bodies import MAX_RESULT
from signoff.payload.canonical import canonical

CANCELLED: Final = "it was cancelled while it ran"
Shows = bool | Callable[[Any], Any] | None
"""What of a call's result people see: nothing, all of it (True), or what a function makes of it."""
log = logging.getLogger("signoff")


def outcome(error: BaseException | None, shows: Shows = None, result: Any = None) -> dict[str, Any]:
    """What `report` is told of a call that returned `result`, or raised."""
    # The text of an exception may hold secrets, and the card is read by others.
    if isinstance(error, callers.GaveUp):
        return {"succeeded": False, "note": GAVE_UP}
    if error is not None and not isinstance(error, Exception):
        return {"succeeded": False, "note": CANCELLED}
    if error is not None:
        return {"succeeded": False, "note": type(error).__name__}
    return {"succeeded": True, "note": "", **shown(shows, result)}


def shown(shows: Shows, result: Any) -> dict[str, Any]:
    """The result as people see it; nothing where it is no JSON, or more than fits, which is logged."""
    if not shows:
        return {}
    try:
        found = result if shows is True else shows(result)
        if found is None:
            return {}
        if (size := len(canonical(found, "result").encode())) <= MAX_RESULT:
            return {"result": found}
        log.warning("the result is not shown: it has %d bytes, and %d fit", size, MAX_RESULT)
    except Invalid as error:
        log.warning("the result is not shown: %s", error.detail)
    except Exception as error:  # the function's own: its text may hold anything
        log.warning("the result is not shown: %s", type(error).__name__)
    return {}
