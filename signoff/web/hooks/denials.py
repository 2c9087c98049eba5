"""Every fault of a call from a hook as a denial, also of one that no endpoint has seen."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import parse_qsl

from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from signoff.errors import NotApproved, SignoffError, Unreachable
from signoff.models import tool_calls
from signoff.models.explanation import explain
from signoff.queue.outage import is_outage
from signoff.web.problems import Problem

log = logging.getLogger("signoff.web")

UNDER: Final = "/v1/hooks/"
CLAUDE_CODE: Final = f"{UNDER}claude-code"
NOT_KEPT: Final = {"Cache-Control": "no-store"}
_LOOK: Final = "Do not try another way: whoever set Signoff up has to look at it."
_SETUP: Final = f"the hook's token is not taken. {_LOOK}"
_UNREAD: Final = f"what the hook has sent could not be read. {_LOOK}"
_TOLD: Final[Mapping[int, str]] = {
    400: _UNREAD,
    401: _SETUP,
    403: _SETUP,
    404: f"the hook calls another address. {_LOOK}",
    408: "what the hook has sent came too slowly. You may ask again later.",
    413: "it is too large to be shown to those who approve. Make it smaller.",
    415: _UNREAD,
    429: "too much was asked for at once. You may ask again later.",
    503: "those who approve cannot be reached now. This is not a rejection. You may ask again later.",
}
"""A problem's status → what a model is told of it."""
_OTHER: Final = f"something went wrong while it was asked. {_LOOK}"


def told(error: Exception, action: str) -> str:
    """What a model is told of whatever kept its call from being decided; nothing of our insides."""
    if isinstance(error, Problem):
        return of_status(error.status, action)
    if is_outage(error):
        error = Unreachable()
    elif not isinstance(error, SignoffError):
        # Its text may repeat what was sent: only the type is logged.
        log.error("a hook's call failed: %s", type(error).__name__)
        error = SignoffError()
    elif not isinstance(error, NotApproved):
        log.error("a hook's call failed: %s", type(error).__name__)
    error.action = error.action or action
    return explain(error)


def of_status(status: int, action: str = "The call") -> str:
    """The same of a problem that has become an answer already."""
    return f"{action} was not run: {_TOLD.get(status, _OTHER)}"


def answer(said: dict[str, Any]) -> JSONResponse:
    """A decision as it is sent."""
    return JSONResponse(said, headers=NOT_KEPT)


def said_event(query: str | bytes) -> str:
    """For which event a hook calls, as its address says (`?event=…`); else it is the call of a tool."""
    text = query.decode("latin-1") if isinstance(query, bytes) else query
    (found, *_) = [value for name, value in parse_qsl(text) if name == "event"] or [""]
    return found if found in (*tool_calls.BEFORE, *tool_calls.AFTER) else "PreToolUse"


def denial(event: str, text: str) -> dict[str, Any]:
    """A fault, as it is told at this event: of a call that has run there is nothing to deny."""
    return {} if event in tool_calls.AFTER else tool_calls.denied(event, text)


class Denials:
    """ASGI middleware, outermost: what a hook is answered that is no 200 becomes a 200 that denies.

    The event is known there by the address alone.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or not _is_hooks(scope):
            await self._app(scope, receive, send)
            return
        denied = False

        async def passed(message: Message) -> None:
            nonlocal denied
            if message["type"] == "http.response.start" and message["status"] != 200:
                denied = True
                for one in _denial(message, said_event(scope["query_string"])):
                    await send(one)
            elif denied:
                await send({**message, "body": b""})
            else:
                await send(message)

        await self._app(scope, receive, passed)


def _is_hooks(scope: Scope) -> bool:
    """Whether a hook calls, be it where none is."""
    return scope["method"] == "POST" and str(scope["path"]).startswith(UNDER)


def _denial(message: Message, event: str) -> tuple[Message, Message]:
    """The start of an answer that is a problem → the start and the body of a denial."""
    said = json.dumps(denial(event, of_status(message["status"]))).encode()
    headers = [
        (b"content-type", b"application/json"), (b"content-length", b"%d" % len(said)),
        *((name, value) for name, value in message.get("headers", ()) if name.lower() == b"connection"),
    ]  # fmt: skip
    return (
        {"type": "http.response.start", "status": 200, "headers": headers},
        {"type": "http.response.body", "body": said, "more_body": True},
    )
