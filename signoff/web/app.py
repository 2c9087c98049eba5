"""The application: every door's routes, and what stands before all of them."""

from __future__ import annotations

from starlette.applications import Starlette
from starlette.middleware import Middleware

from signoff.web.bodies import Bodies
from signoff.web.doors import Doors
from signoff.web.problems import HANDLERS
from signoff.web.v1 import keys, pages, requests, spend


def build_app(doors: Doors) -> Starlette:
    """The doors as one ASGI application. There is no CORS: pages of other sites read none of its answers."""
    routes = [*requests.routes(doors), *spend.routes(doors), *keys.routes(doors), *pages.routes(doors)]
    app = Starlette(routes=routes, middleware=[Middleware(Bodies)], exception_handlers=HANDLERS)
    app.state.public_url = doors.public_url
    return app
