"""What a caller is told where something is wrong: problem details (RFC 9457); docs/errors.md has them."""

from __future__ import annotations

import json
import logging
from collections.abc import Mapping
from typing import Any, NamedTuple

from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from signoff.errors import AlreadySpent, Duplicate, Invalid, Limited, NotApproved, NotVerified
from signoff.queue.outage import is_outage

log = logging.getLogger("signoff.web")

ERRORS = "/v1/errors"
"""The page of all types; a type is that page and a heading of it."""


class Type(NamedTuple):
    """A type of problem: the status it usually has, its title, and what to do."""

    status: int
    title: str
    advice: str


TYPES: Mapping[str, Type] = {
    "not-json": Type(
        400, "The body is not JSON that everybody reads alike",
        "Send one JSON object in UTF-8: no name twice, no NaN, no more than 10,000 values.",
    ),
    "invalid": Type(
        422, "The request is not valid",
        "The detail names what is wrong, a number of 2^53 or more, say, or more than 32 levels. Correct it "
        "and send it anew; nothing was asked of anybody.",
    ),
    "no-token": Type(
        401, "No valid token",
        "Send `Authorization: Bearer sgt_…`. `signoff agent add` makes a token; one that was revoked, or "
        "whose agent is switched off, is worthless.",
    ),
    "not-slacks": Type(
        401, "The call is not signed by Slack",
        "Only Slack calls `/slack/events`. Where it is Slack: SLACK_SIGNING_SECRET is another app's, or a "
        "clock is more than five minutes wrong.",
    ),
    "not-allowed": Type(
        403, "The token is not for this",
        "Each token has scopes: `signoff agent tokens` lists them, `signoff agent token` makes others.",
    ),
    "stopped": Type(
        403, "It is stopped, or its agent is kept out",
        "Somebody has stopped it, or an operator has switched its agent off, or revoked all of its tokens. "
        "Run nothing of it, and ask again once it is let in again: what was approved before stays void.",
    ),
    "same-person": Type(
        403, "Somebody else has to resume it",
        "Who stopped it does not resume it: another person does, or the operator in the shell.",
    ),
    "not-found": Type(
        404, "There is no such thing here",
        "The address is wrong, or the id is of no request of this agent. Another agent's is not there.",
    ),
    "method-not-allowed": Type(405, "Not by this method", "`Allow` has the methods that this address takes."),
    "too-slow": Type(408, "The body came too slowly", "Send the whole body within 10 seconds."),
    "duplicate": Type(
        409, "It is asked, decided or run already",
        "Do not run it. The detail has the first request's id: ask how that one stands.",
    ),
    "already-spent": Type(
        409, "It runs, or has run, already",
        "Another process was told that it may run this. Do not run it again; ask with another key.",
    ),
    "restored": Type(
        409, "The database was put back since",
        "Whether it has run is not known any more. Run nothing; ask again, under another key.",
    ),
    "not-approved": Type(
        409, "It is not approved",
        "Nobody has decided yet, or not for it: nothing is to run, and nothing to report.",
    ),
    "answered": Type(
        409, "No answer is waited for",
        "The question has one already, or the request that it is about waits no more: leave it.",
    ),
    "too-large": Type(
        413, "The body is too large",
        "Send less: a summary, and where the rest is. A payload has at most 256 KiB. A head that is too "
        "large, of more than 64 KiB, is a 431.",
    ),
    "media-type": Type(
        415, "The body is not application/json",
        "Send `Content-Type: application/json`, and no `Content-Encoding`: nothing is unpacked.",
    ),
    "not-verified": Type(
        422, "The receipt does not approve this",
        "It is of another action, payload, agent or deployment, was changed, or is too old. Run nothing.",
    ),
    "limited": Type(
        429, "Too much at once", "Wait for `Retry-After` seconds, then send the same: nothing was lost.",
    ),
    "failed": Type(500, "Signoff failed", "Send the same again later, and tell who runs the server."),
    "unavailable": Type(
        503, "Signoff cannot do this now",
        "Redis or the database is away, or the server restarts. Send the same after `Retry-After` seconds.",
    ),
}  # fmt: skip
"""Every type that there is, by its slug."""
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
            "type": f"{base}{ERRORS}#{self.slug}", "title": TYPES[self.slug].title, "status": self.status,
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
    problem = translated(error)
    if problem.status == 405:
        problem.headers["Allow"] = ", ".join(sorted(_methods(request)))
    return problem.response(request)


def _methods(request: Request) -> set[str]:
    """All that the address takes: it may have several routes, and Starlette tells of the first."""
    routes = [one for one in request.app.routes if isinstance(one, Route)]
    return {
        method for one in routes if one.matches(request.scope)[0] is not Match.NONE
        for method in one.methods or ()
    }  # fmt: skip


HANDLERS: dict[Any, Any] = {kind: handle for kind in (Problem, HTTPException)}


class Problems:
    """ASGI middleware: whatever else is raised is told as a problem, and no more of it to anybody.

    A handler of `Exception` would do, but Starlette raises what that has answered again: then the connection
    ends before its caller has read the answer, and all texts of the error are in the log.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        begun = False

        async def noted(message: Message) -> None:
            nonlocal begun
            begun = True
            await send(message)

        try:
            await self._app(scope, receive, noted)
        except Exception as error:
            problem = translated(error)
            if not begun:
                await problem.response(Request(scope))(scope, receive, send)
