"""One connection of a caller, slow and hostile ones among them: what uvicorn's own does not bound.

A head has a size and a time, a pipeline a depth, and an answer has to be read. There is room for so many
connections; where one more comes, it takes the place of the one that has been idle for longest, so that
whoever only holds connections keeps nobody out. Behind a proxy all come from one address, so that addresses
tell nothing.
"""

from __future__ import annotations

import asyncio
import http
import json
import re
from dataclasses import dataclass, field
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

HEAD_SECONDS = 10.0
"""From the first byte of a request, or of a connection, to the end of the head."""
HEAD_BYTES = 64 * 1024
DEEPEST = 100
"""Requests that stand in line on one connection."""
UNREAD_SECONDS = 30.0
"""How long an answer may stand still because nobody reads it."""
MOST_CONNECTIONS = 10_000
_UPGRADE = re.compile(rb"\r\nupgrade(?=[ \t]*:)", re.IGNORECASE)


@dataclass
class Limits:
    """What a connection may, and those of a server that have no whole request yet, the oldest first."""

    head_seconds: float = HEAD_SECONDS
    head_bytes: int = HEAD_BYTES
    deepest: int = DEEPEST
    unread_seconds: float = UNREAD_SECONDS
    most: int = MOST_CONNECTIONS
    idle: dict[Connection, None] = field(default_factory=dict, repr=False)

    def protocol(self) -> type[Connection]:
        """The class of a server's connections that keeps to these."""
        return type("Limited", (Connection,), {"limits": self})


class Connection(HttpToolsProtocol):
    """A connection that is bounded. `limits` are those of its server."""

    limits: Limits
    _timer: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _in_head = True
    _head = 0

    def connection_made(self, transport: Any) -> None:
        """Make room for it, or turn it away."""
        super().connection_made(transport)
        if len(self.connections) > self.limits.most and not self._take_anothers_place():
            self._turn_away(503, "unavailable", "As many connections stand as may: try again.")
            return
        self.limits.idle[self] = None
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing of it stays."""
        self.limits.idle.pop(self, None)
        self._stop_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes of a request, or of several."""
        if self._in_head:
            self._head += len(data)
            data = _without_upgrade(data)
        if self._timer is None and (self._in_head or not self._answers()):
            self._expect_head()
        super().data_received(data)
        if self._in_head and self._head > self.limits.head_bytes:
            self._turn_away(431, "too-large", f"A head has at most {self.limits.head_bytes:,} bytes.")

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head. What comes behind a body is none, whatever it calls itself."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is here; raises where too many stand in line, and then the connection ends."""
        self._in_head = False
        self._stop_timer()
        if len(self.pipeline) >= self.limits.deepest:
            raise ValueError("too many in line")
        super().on_headers_complete()

    def on_message_complete(self) -> None:
        """The whole request is here; what follows is another's head."""
        self.limits.idle.pop(self, None)
        self._in_head, self._head = True, 0
        super().on_message_complete()

    def on_response_complete(self) -> None:
        """It is answered."""
        super().on_response_complete()
        if not self.pipeline and not self.transport.is_closing():
            self.limits.idle[self] = None

    def pause_writing(self) -> None:
        """The caller does not read."""
        super().pause_writing()
        if self._unread is None:
            self._unread = self.loop.call_later(self.limits.unread_seconds, self.transport.abort)

    def resume_writing(self) -> None:
        """It does."""
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None
        super().resume_writing()

    def _take_anothers_place(self) -> bool:
        for other in self.limits.idle:
            del self.limits.idle[other]
            other.transport.abort()
            return True
        return False

    def _expect_head(self) -> None:
        self._timer = self.loop.call_later(self.limits.head_seconds, self._is_late)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _answers(self) -> bool:
        """Whether a request is being answered."""
        return self.cycle is not None and not self.cycle.response_complete

    def _is_late(self) -> None:
        self._timer = None
        if self._answers():  # what came meanwhile, an empty line, say, has time until that is over
            self._expect_head()
        elif self._head:
            detail = f"Send a request's head within {self.limits.head_seconds:g} s."
            self._turn_away(408, "too-slow", detail)
        else:
            self.transport.close()

    def _turn_away(self, status: int, slug: str, detail: str) -> None:
        """Answer, where nothing else is being answered, and end."""
        if self.transport.is_closing():
            return
        if not self._answers():
            said = {"type": f"/v1/errors#{slug}", "title": http.HTTPStatus(status).phrase,
                    "status": status, "detail": detail}  # fmt: skip
            body = json.dumps(said).encode()
            head = (
                f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n"
                "content-type: application/problem+json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()


def _without_upgrade(data: bytes) -> bytes:
    """The same, its head not asking for another protocol: we have no other (RFC 9110, section 7.8, lets us
    pass over it), and the parser would read no body behind one that does, as Java's client does by itself.
    """
    head, end, rest = data.partition(b"\r\n\r\n")
    return _UPGRADE.sub(b"\r\nx-upgrade", head) + end + rest
