"""What a caller is told where something is wrong: problem details (RFC 9457), of types of docs/errors.md."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response

from signoff.errors import AlreadySpent, Duplicate, Invalid, Limited, NotApproved, NotVerified, SignoffError
from signoff.queue.outage import is_outage

log = logging.getLogger("signoff.web")

ERRORS = "/v1/errors"
"""The page of all types; a type is that page and a heading of it."""
TITLES = {
    "not-json": "The body is not JSON that everybody reads alike",
    "invalid": "The request is not valid",
    "no-token": "No valid token",
    "not-allowed": "The token is not for this",
    "not-found": "There is no such thing here",
    "method-not-allowed": "Not by this method",
    "too-slow": "The body came too slowly",
    "duplicate": "It is asked, decided or run already",
    "already-spent": "It runs, or has run, already",
    "too-large": "The body is too large",
    "media-type": "The body is not application/json",
    "not-verified": "The receipt does not approve this",
    "limited": "Too much at once",
    "failed": "Signoff failed",
    "unavailable": "Signoff cannot do this now",
}
"""Every type that there is, and its title."""
RETRY_SECONDS = 2
"""When who met an outage tries again, unless it is known better."""
LIMITED_SECONDS = 60


class Problem(Exception):
    """A caller is told this, and nothing else has happened.

    `slug` names the type; `members` are more of the details. No text holds what the caller may not know.
    """

    def __init__(
        self,
        status: int,
        slug: str,
        detail: str = "",
        headers: Mapping[str, str] | None = None,
        **members: Any,
    ) -> None:
        super().__init__(f"{slug}: {detail}")
        self.status, self.slug, self.detail = status, slug, detail
        self.headers, self.members = dict(headers or {}), members

    def response(self, request: Request) -> Response:
        """As it is sent."""
        base = str(getattr(request.app.state, "public_url", ""))
        said = {
            "type": f"{base}{ERRORS}#{self.slug}", "title": TITLES[self.slug], "status": self.status,
            "detail": self.detail, **self.members,
        }  # fmt: skip
        return Response(
            json.dumps(said, ensure_ascii=False).encode(errors="replace"), self.status, self.headers,
            media_type="application/problem+json",
        )  # fmt: skip


def unavailable(seconds: int = RETRY_SECONDS) -> Problem:
    """Redis or the database is away, or this process ends: nothing is lost that was answered."""
    return Problem(503, "unavailable", "Try again: nothing was lost.", {"Retry-After": str(seconds)})


def translated(error: Exception) -> Problem:
    """What was raised → what the caller is told. Only our own errors say what they say."""
    match error:
        case Problem():
            return error
        case HTTPException(status_code=404):
            return Problem(404, "not-found", "Nothing is under this address.")
        case HTTPException(status_code=405):
            return Problem(405, "method-not-allowed", "This address takes another method.", error.headers)
        case HTTPException():
            return Problem(error.status_code, "invalid", "The request cannot be read.")
        case AlreadySpent():
            return Problem(409, "already-spent", error.detail)
        case Duplicate():
            return Problem(409, "duplicate", error.detail)
        case Limited():
            return Problem(429, "limited", error.detail, {"Retry-After": str(LIMITED_SECONDS)})
        case Invalid() | NotApproved():
            return Problem(422, "invalid", error.detail)
        case NotVerified():
            return Problem(422, "not-verified", error.detail)
        case _ if is_outage(error):
            return unavailable()
    # Its text may repeat what was sent: only the type is logged, and nothing is told.
    log.error("a call failed: %s", type(error).__name__)
    return Problem(500, "failed", "It was not foreseen; the log has its kind. Nothing was approved by it.")


def handle(request: Request, error: Exception) -> Response:
    """Starlette's handler of every exception."""
    return translated(error).response(request)


HANDLERS: dict[Any, Any] = {
    kind: handle for kind in (Problem, HTTPException, SignoffError, OSError, Exception)
}
