"""An answer that is waited for: JSON, with white space before it that keeps the connection."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from typing import Any

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from signoff.web.hooks.denials import NOT_KEPT

Beat = Callable[[], Awaitable[None]]
"""Sends a blank, which JSON may begin with: what stands between forgets silent connections."""


class Held(Response):
    """Sends its head at once, and what `waited` returns once it does; `leave` is called at its end."""

    media_type = "application/json"

    def __init__(
        self, waited: Callable[[Beat], Awaitable[dict[str, Any]]], leave: Callable[[], None]
    ) -> None:
        super().__init__(headers=NOT_KEPT | {"X-Accel-Buffering": "no"})
        del self.headers["content-length"]
        self._waited, self._leave = waited, leave

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def say(body: bytes, more: bool) -> None:
            await send({"type": "http.response.body", "body": body, "more_body": more})

        async def beat() -> None:
            await say(b" ", True)

        try:
            await send({"type": "http.response.start", "status": 200, "headers": self.raw_headers})
            await beat()
            await say(json.dumps(await self._waited(beat)).encode(), False)
        finally:
            self._leave()
