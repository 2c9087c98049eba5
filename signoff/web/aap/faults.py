"""What a client is told where something is wrong: in the protocol's own shape."""

from __future__ import annotations

import functools
import json
import secrets
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from signoff.errors import Duplicate, Limited, NotApproved
from signoff.web.problems import Problem, translated

CONFLICTS = {
    "idempotency_conflict": "Its Idempotency-Key was used for another request.",
    "already_pending": "The same call waits for a decision already, under another key.",
    "already_terminal": "It has ended: it cannot be cancelled any more.",
    "already_consumed": "It was run already, or is being run.",
    "approval_expired": "The approval's time is over.",
    "not_approved": "It is not approved.",
    "not_consumed": "It was not consumed: nothing has run by it.",
    "outcome_conflict": "Another outcome was reported before.",
}
"""The codes of a 409."""


class Fault(Exception):
    """A client is told this, and nothing else has happened."""

    def __init__(self, status: int, kind: str, code: str, message: str) -> None:
        super().__init__(code)
        self.status, self.kind, self.code, self.message = status, kind, code, message


def conflict(code: str) -> Fault:
    """A 409, of one of the codes above."""
    return Fault(409, "conflict", code, CONFLICTS[code])


def invalid(message: str, code: str = "invalid_request") -> Fault:
    """A 400."""
    return Fault(400, "invalid_request", code, message)


def endpoint(
    function: Callable[[Any, Request], Awaitable[Response]],
) -> Callable[[Any, Request], Awaitable[Response]]:
    """An endpoint whose problems are told in the protocol's shape."""

    @functools.wraps(function)
    async def answered(self: Any, request: Request) -> Response:
        try:
            return await function(self, request)
        except Exception as error:
            return _response(error)

    return answered


def _response(error: Exception) -> Response:
    headers = dict[str, str]()
    match error:
        case Fault():
            fault = error
        case Duplicate():
            fault = conflict("already_pending")
        case NotApproved() if not isinstance(error, Limited):
            fault = invalid(error.detail)
        case _:
            problem = translated(error)
            fault, headers = _of(problem), problem.headers
    said = {
        "type": fault.kind, "code": fault.code, "message": fault.message, "request_id": secrets.token_hex(16),
    }  # fmt: skip
    body = json.dumps({"error": said}, ensure_ascii=False).encode(errors="replace")
    return Response(body, fault.status, headers, media_type="application/json")


def _of(problem: Problem) -> Fault:
    kinds = {401: "authentication", 403: "permission", 404: "not_found", 429: "rate_limit"}
    kind = kinds.get(problem.status, "invalid_request" if problem.status < 500 else "server")
    return Fault(problem.status, kind, problem.slug.replace("-", "_"), problem.detail)
