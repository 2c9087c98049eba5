"""The application: every door's routes, and what stands before all of them."""

from __future__ import annotations

from typing import Any

from starlette.applications import Starlette
from starlette.middleware import Middleware

from signoff.bot.slack.manifest import PATH
from signoff.web.aap import door as aap
from signoff.web.authzen import door as authzen
from signoff.web.bodies import BODY, Bodies
from signoff.web.doors import Doors
from signoff.web.problems import HANDLERS, Problems
from signoff.web.slack import BODY_BYTES
from signoff.web.turns import Turns, by_turns
from signoff.web.v1 import decisions, events, keys, pages, requests, spend


def build_app(doors: Doors, **bounds: Any) -> Starlette:
    """The doors as one ASGI application. There is no CORS: pages of other sites read none of its answers.

    `bounds` are those of `Bodies`.
    """
    ours = (requests, events, decisions, spend, keys, pages, authzen, aap)
    routes = [by_turns(route) for door in ours for route in door.routes(doors)]
    if doors.slack is not None:
        routes += doors.slack.routes()
    around = [
        Middleware(Problems),
        Middleware(Bodies, of={PATH: BODY_BYTES}, **bounds),
        Middleware(Turns, BODY),
    ]
    app = Starlette(routes=routes, middleware=around, exception_handlers=HANDLERS)
    app.state.public_url = doors.public_url
    return app
