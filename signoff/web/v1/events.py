"""Where a request stands, told as it changes: `/v1/requests/{id}/events`, server-sent events."""

from __future__ import annotations

import logging
from collections.abc import AsyncIterator, Callable
from contextlib import ExitStack

from starlette.requests import Request
from starlette.responses import Response, StreamingResponse
from starlette.routing import Route
from starlette.types import Receive, Scope, Send

from signoff.queue.outage import is_outage
from signoff.web.doors import Doors
from signoff.web.problems import Problem
from signoff.web.turns import in_turn
from signoff.web.v1.requests import NOT_KEPT, REQUESTS, Requests, Standing
from signoff.web.v1.waits import only_get

log = logging.getLogger("signoff.web")

HEADERS = NOT_KEPT | {"X-Accel-Buffering": "no"}
"""A proxy that collects what it passes on would keep the end of a request to itself."""
HEARTBEAT = b":\n\n"
ASKED_AGAIN = 4
"""At each fourth heartbeat, once a minute, whether the token still stands."""


class Stream(StreamingResponse):
    """An event stream; `leave` is called at its end, however it comes to that."""

    def __init__(self, content: AsyncIterator[bytes], leave: Callable[[], None]) -> None:
        super().__init__(content, headers=HEADERS, media_type="text/event-stream")
        self._leave = leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        try:
            await super().__call__(scope, receive, send)
        finally:
            self._leave()


class Events:
    """The endpoint."""

    def __init__(self, doors: Doors) -> None:
        self._hub = doors.hub
        self._requests = Requests(doors)
        self._heartbeat_seconds = doors.heartbeat_seconds

    async def stream(self, request: Request) -> Response:
        """The state, and each other one that it comes to, until the final one."""
        stands = await in_turn(self._requests.standing, request)
        place = ExitStack()
        place.enter_context(self._hub.place(stands.agent))
        return Stream(self._told(request, stands), place.close)

    async def _told(self, request: Request, stands: Standing) -> AsyncIterator[bytes]:
        yield _event(stands)
        if stands.ended:
            return
        with self._hub.for_request(stands.agent, stands.state.id, stands.approval_id) as waiter:
            again, silent = False, 0
            while True:
                woken = await waiter.woken(self._heartbeat_seconds)
                if waiter.over:
                    return
                if not woken:
                    yield HEARTBEAT
                    silent += 1
                    if not again and silent % ASKED_AGAIN:
                        continue
                try:
                    found = await in_turn(self._requests.again, request, stands)
                except Problem:
                    return  # its token is worthless by now
                except Exception as error:
                    again = is_outage(error)
                    if again:
                        continue
                    log.error("a stream of events ends: %s", type(error).__name__)
                    return
                again = False
                if found != stands:
                    stands = found
                    yield _event(stands)
                if stands.ended:
                    return


def routes(doors: Doors) -> list[Route]:
    """Where the endpoint is."""
    return [only_get(REQUESTS + "/{id}/events", Events(doors).stream)]


def _event(stands: Standing) -> bytes:
    return b"event: state\ndata: %s\n\n" % stands.state.model_dump_json(exclude_none=True).encode()
