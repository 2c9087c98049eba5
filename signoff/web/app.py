"""The application: every door's routes, and what stands before all of them."""

from __future__ import annotations

from functools import partial
from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware

from signoff.bot.slack.manifest import PATH
from signoff.web.aap import door as aap
from signoff.web.authzen import door as authzen
from signoff.web.authzen.problems import Named
from signoff.web.bodies import BODY, Bodies
from signoff.web.callers import of
from signoff.web.doors import Doors
from signoff.web.hooks import claude_code
from signoff.web.hooks.denials import CLAUDE_CODE, Denials
from signoff.web.problems import HANDLERS, Problems
from signoff.web.slack import BODY_BYTES
from signoff.web.turns import Turns, by_turns
from signoff.web.v1 import (
    batches,
    decisions,
    events,
    keys,
    lessons,
    messages,
    pages,
    requests,
    spend,
    stops,
    undo,
)


def build_app(doors: Doors, **bounds: Any) -> Starlette:
    """The doors as one ASGI application. There is no CORS: pages of other sites read none of its answers.

    `bounds` are those of `Bodies`.
    """
    ours = (
        requests, batches, messages, lessons, undo, events, decisions, spend, stops, keys, pages, authzen,
        aap, claude_code,
    )  # fmt: skip
    routes = [by_turns(route) for door in ours for route in door.routes(doors)]
    if doors.slack is not None:
        routes += doors.slack.routes()
    sizes = {PATH: BODY_BYTES} if doors.slack is not None else {}
    larger = {CLAUDE_CODE: claude_code.MOST, batches.BATCHES: batches.MOST_BYTES}
    around = [
        Middleware(Denials),
        Middleware(Named),
        Middleware(Problems),
        Middleware(Bodies, known=partial(_agent, doors), of=sizes, larger=larger, **bounds),
        Middleware(Turns, BODY),
    ]
    app = Starlette(routes=routes, middleware=around, exception_handlers=HANDLERS)
    app.router.redirect_slashes = False  # it would send callers wherever their Host says, and by http
    app.state.public_url = doors.public_url
    return app


def _agent(doors: Doors, authorization: str) -> str | None:
    token = of(doors.store, authorization)
    return token.agent if token else None
