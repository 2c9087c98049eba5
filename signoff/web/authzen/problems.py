"""What enforcement points are told where something is wrong: the profile's types of problems, and our own."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.datastructures import Headers, MutableHeaders
from starlette.requests import Request
from starlette.responses import Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from signoff.errors import Duplicate, Limited, NotApproved
from signoff.web.problems import Problem, translated

URN = "urn:openid:authzen:access-request:error:"
KINDS = {
    "not_requestable": (400, "Nobody can be asked for this"),
    "invalid_denial_binding": (400, "The request is not bound to the denial"),
    "expired_denial": (410, "The denial is too old: evaluate again"),
    "duplicate_request": (409, "The Idempotency-Key was used for another request"),
    "unknown_task": (404, "There is no such task here"),
    "task_expired": (410, "The task is over"),
    "invalid_task_state": (409, "The task cannot do this any more"),
}
"""The profile's types, the status that it gives each, and a title."""
REQUEST_ID = "X-Request-ID"
UNDER = ("/access/", "/.well-known/authzen-configuration")
"""Where this door's addresses are."""
NONE: Mapping[str, str] = {}


class AccessProblem(Problem):
    """A problem of one of the profile's types."""

    def __init__(self, kind: str, detail: str) -> None:
        super().__init__(KINDS[kind][0], kind, detail)

    def response(self, request: Request) -> Response:
        """As it is sent."""
        title = KINDS[self.slug][1]
        said = {"type": URN + self.slug, "title": title, "status": self.status, "detail": self.detail}
        return Response(
            json.dumps(said, ensure_ascii=False).encode(errors="replace"), self.status, self.headers,
            media_type="application/problem+json",
        )  # fmt: skip


def answer(values: Mapping[str, Any], status: int = 200, headers: Mapping[str, str] = NONE) -> Response:
    """JSON as it is sent: what may be answered is somebody's own."""
    said = json.dumps(values, ensure_ascii=False, separators=(",", ":")).encode(errors="replace")
    more = {"Cache-Control": "no-store", **headers}
    return Response(said, status, more, media_type="application/json")


class Named:
    """ASGI middleware, around all others: every answer of this door has the caller's X-Request-ID, one that
    no endpoint gives too, such as 404, 405, 408 and 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        named = None
        if scope["type"] == "http" and scope["path"].startswith(UNDER):
            named = Headers(scope=scope).get(REQUEST_ID)

        async def answered(message: Message) -> None:
            if message["type"] == "http.response.start":
                MutableHeaders(scope=message)[REQUEST_ID] = str(named)
            await send(message)

        await self._app(scope, receive, send if named is None else answered)


def endpoint(function: Callable[[Any, Request], Response]) -> Callable[[Any, Request], Response]:
    """An endpoint whose problems are this door's."""

    @functools.wraps(function)
    def answered(self: Any, request: Request) -> Response:
        try:
            return function(self, request)
        except Exception as error:
            return _problem(error).response(request)

    return answered


def _problem(error: Exception) -> Problem:
    """As the API's others, but that here what is malformed is a 400."""
    if isinstance(error, NotApproved) and not isinstance(error, Duplicate | Limited):
        return Problem(400, "invalid", error.detail)
    return translated(error)
