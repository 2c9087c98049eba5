"""What enforcement points are told where something is wrong: the profile's types of problems, and our own."""

from __future__ import annotations

import functools
import json
from collections.abc import Callable, Mapping
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

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


def endpoint(function: Callable[[Any, Request], Response]) -> Callable[[Any, Request], Response]:
    """An endpoint whose every answer, problems too, has the caller's X-Request-ID."""

    @functools.wraps(function)
    def answered(self: Any, request: Request) -> Response:
        try:
            response = function(self, request)
        except Exception as error:
            response = _problem(error).response(request)
        if named := request.headers.get(REQUEST_ID):
            response.headers[REQUEST_ID] = named
        return response

    return answered


def _problem(error: Exception) -> Problem:
    """As the API's others, but that here what is malformed is a 400."""
    if isinstance(error, NotApproved) and not isinstance(error, Duplicate | Limited):
        return Problem(400, "invalid", error.detail)
    return translated(error)
