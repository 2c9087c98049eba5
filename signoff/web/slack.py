"""`POST /slack/events`: Slack over HTTP. One address for events, buttons and forms, searches, and commands.

A listener may take a second, so all of them run in threads of their own: no other door waits behind them.
"""

from __future__ import annotations

import asyncio
import logging
import threading
import time
from collections.abc import Callable
from concurrent.futures import Executor

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from signoff.bot.incoming import Dispatch, Reply, Signing, parsed
from signoff.bot.slack.manifest import PATH
from signoff.errors import Invalid
from signoff.web.bodies import raw
from signoff.web.problems import Problem, translated, unavailable
from signoff.web.replays import Known, Replays

log = logging.getLogger("signoff.web")

BODY_BYTES = 2 * 1024 * 1024
"""A form as large as Slack makes it (250 KB), with what was typed in it, in a form's encoding."""
THREADS = 32
"""As over Socket Mode."""
MOST = 128
"""Calls that run or wait for a thread. More could not be answered within Slack's three seconds."""
SAID_SECONDS = 60.0
"""Of calls that are not Slack's, one in so long is in the log."""
SEARCH = "block_suggestion"
"""Changes nothing, and holds nothing of its own: who types the same twice in a second sends the same call."""
_RETRY = ("x-slack-retry-num", "x-slack-retry-reason")


class SlackDoor:
    """Takes Slack's calls, once `open` has given it who answers them. `pool` is for that alone."""

    def __init__(self, signing: Signing, replays: Replays, pool: Executor, most: int = MOST) -> None:
        self._signing, self._replays, self._pool = signing, replays, pool
        self._room = threading.Semaphore(most)
        self._dispatch: Dispatch | None = None
        self._said = float("-inf")

    def open(self, dispatch: Dispatch) -> None:
        """From here on calls reach the listeners."""
        self._dispatch = dispatch

    def routes(self) -> list[Route]:
        """Where Slack calls."""
        return [Route(PATH, self.receive, methods=["POST"])]

    async def receive(self, request: Request) -> Response:
        """One call. Raises Problem where it is not Slack's, cannot be read, or there is too much."""
        time_of, signature = self._verified(request)
        try:
            body = parsed(raw(request), request.headers.get("content-type", ""))
        except Invalid as error:
            raise Problem(400, "invalid", error.detail) from None
        if body.get("type") == "url_verification" and isinstance(body.get("challenge"), str):
            return Response(body["challenge"], media_type="text/plain")
        if body.get("ssl_check") == "1":
            return Response()
        dispatch = self._dispatch
        if dispatch is None or not self._room.acquire(blocking=False):
            raise unavailable()
        retries = {name: request.headers[name] for name in _RETRY if name in request.headers}
        left = self._signing.left(time_of)

        def work() -> Reply:
            try:
                if body.get("type") == SEARCH:
                    return dispatch(body, retries)
                return self._once(signature, left, lambda: dispatch(body, retries))
            finally:
                self._room.release()

        try:
            reply = await asyncio.get_running_loop().run_in_executor(self._pool, work)
        except Exception as error:  # else the log has its text, which may repeat what was sent
            raise translated(error) from None
        if reply.status != 200:
            log.warning("a call of Slack's was answered by %d", reply.status)
        return Response(reply.text, reply.status, media_type=reply.kind)

    def _verified(self, request: Request) -> tuple[str, str]:
        """The time and signature of a call; raises Problem where it is not Slack's."""
        given = [request.headers.getlist(name) for name in ("x-slack-request-timestamp", "x-slack-signature")]
        time_of, signature = (found[0] if len(found) == 1 else "" for found in given)
        fault = self._signing.fault(raw(request), time_of, signature)
        if not fault:
            return time_of, signature
        if time.monotonic() - self._said >= SAID_SECONDS:
            self._said = time.monotonic()
            log.warning("a call at /slack/events was refused: %s", fault)
        raise Problem(
            401, "not-slacks", "Only Slack calls here, with its signature.",
            {"WWW-Authenticate": "X-Slack-Signature"},
        )  # fmt: skip

    def _once(self, signature: str, left: int, answer: Callable[[], Reply]) -> Reply:
        """What is answered, in a thread; to a call that was answered before, nothing."""
        known = self._replays.begin(signature)
        if known is Known.ANSWERED:
            return Reply(200)
        if known is Known.RUNS:
            raise unavailable()
        answered = False
        try:
            reply = answer()
            answered = reply.status == 200
            return reply
        finally:
            self._replays.end(signature, left if answered else 0)
