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

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from signoff.web.problems import ERRORS, RETRY_SECONDS, TYPES

HEAD_SECONDS = 10.0
"""From the first byte of a request, or of a connection, to the end of the head."""
HEAD_BYTES = 64 * 1024
DEEPEST = 100
"""Requests that stand in line on one connection."""
READ_ON = 8
"""With so many in line a connection is still read, as its end could not be seen else."""
UNREAD_SECONDS = 30.0
"""How long an answer may stand still because nobody reads it."""
MOST_CONNECTIONS = 10_000
_END = b"\r\n\r\n"
_LINES = re.compile(rb"[\r\n]*")
_BARE = re.compile(rb"(?<!\r)\n")
_HOST = re.compile(rb"[A-Za-z0-9._~!$&'()*+,;=%:\[\]-]*")
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
    """A connection that is bounded. `limits` are those of its server.

    A head is given to the parser once it is whole, and a body up to where it ends: so what is a head, and
    what a body, does not depend on how the bytes came, and where the parser should see it otherwise the
    connection ends.
    """

    limits: Limits
    _timer: asyncio.TimerHandle | None = None
    _unread: asyncio.TimerHandle | None = None
    _running: RequestResponseCycle | None = None
    _in_head = True
    _may_begin = False
    """A message may begin: the parser is given a head."""
    _left: int | None = None
    """Bytes that are left of a body; None where it comes in chunks."""
    _tail = b""
    """The last three bytes of the chunks until now."""
    _fault = ""

    def connection_made(self, transport: Any) -> None:
        """Make room for it, or turn it away."""
        super().connection_made(transport)
        self._held = bytearray()  # what has come of a head
        if len(self.connections) > self.limits.most and not self._take_anothers_place():
            self._turn_away(503, "unavailable", "As many connections stand as may: try again.")
            return
        self.limits.idle[self] = None
        self._expect_head()

    def connection_lost(self, exc: Exception | None) -> None:
        """Nothing of it stays; who is being answered has hung up, and who stood in line is not answered."""
        self.limits.idle.pop(self, None)
        self._stop_timer()
        self.resume_writing()
        self.pipeline.clear()
        if self._running is not None and not self._running.response_complete:
            self._running.disconnected = True
            self._running.message_event.set()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Some bytes of a request, or of several."""
        if self._timer is None and (self._in_head or not self._answers()):
            self._expect_head()
        at = 0
        while at < len(data) and not self.transport.is_closing():
            at = self._take_head(data, at) if self._in_head else self._take_body(data, at)

    def _take_head(self, data: bytes, at: int) -> int:
        """Take from there what is of a head → where that ends."""
        held, before, most = self._held, len(self._held), self.limits.head_bytes
        if not held:
            at = _LINES.match(data, at).end()  # type: ignore[union-attr]  # it always matches
        held += data[at : at + most + 1 - before]
        end = held.find(_END, max(0, before - 3)) + len(_END)
        whole = end >= len(_END)
        taken = at + (end if whole else len(held)) - before
        if _BARE.search(held, before, end if whole else len(held)):
            self._turn_away(400, "invalid", "The lines of a head end with CR LF.")
        elif whole:
            head = bytes(held[:end])
            held.clear()
            self._give_head(head)
        elif len(held) > most:
            self._turn_away(431, "too-large", f"A head has at most {most:,} bytes.")
        return taken

    def _give_head(self, head: bytes) -> None:
        self._may_begin, self._tail = True, b""
        super().data_received(_without_upgrade(head))
        if self._may_begin and not self.transport.is_closing():  # it saw no end of it
            self.send_400_response("")
        self._may_begin = False

    def _take_body(self, data: bytes, at: int) -> int:
        """Give the parser from there what is of the body → where that ends, or may end."""
        if self._left is not None:
            end = min(len(data), at + max(1, self._left))
            self._left -= end - at
        else:  # chunks end with an empty line, which the trailing fields stand before
            found = (self._tail + data[at : at + 3]).find(_END)
            if found >= 0:
                end = at + found + len(_END) - len(self._tail)
            else:
                found = data.find(_END, at)
                end = found + len(_END) if found >= 0 else len(data)
            self._tail = (self._tail + data[max(at, end - 3) : end])[-3:]
        super().data_received(data[at:end])
        return end

    def send_400_response(self, msg: str) -> None:
        """What cannot be parsed, or `on_headers_complete` refused, ends the connection."""
        self._turn_away(400, "invalid", self._fault or "This is no request of HTTP/1.1 as it has to be.")

    def on_message_begin(self) -> None:
        """The first byte of a head; raises where we have seen none."""
        if not self._may_begin:
            raise ValueError("what follows is no head")
        super().on_message_begin()

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head. What comes behind a body is none, whatever it calls itself."""
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        """The head is here; raises where there is something wrong with it, and then the connection ends."""
        self._in_head = self._may_begin = False
        self._stop_timer()
        self._fault = self._wrong()
        if self._fault:
            raise ValueError(self._fault)
        fields = dict(self.headers)
        length = None if b"transfer-encoding" in fields else fields.get(b"content-length")
        self._left = None if length is None else int(length)
        super().on_headers_complete()
        if 0 < len(self.pipeline) <= READ_ON:
            self.flow.resume_reading()  # else nobody sees that the caller hangs up while the first waits

    def on_message_complete(self) -> None:
        """The whole request is here; what follows is another's head."""
        self.limits.idle.pop(self, None)
        self._in_head = True
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

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._running = cycle
        super()._start_asgi_task(cycle, app)

    def _wrong(self) -> str:
        """What is wrong with a head that the parser has taken; "" where nothing is."""
        hosts = [value.strip() for name, value in self.headers if name == b"host"]
        if len(self.pipeline) >= self.limits.deepest:
            return "Too many requests stand in line."
        if self.parser.should_upgrade():
            return "No other protocol is spoken here."
        if len(hosts) > 1 or (not hosts and self.parser.get_http_version() != "1.0"):
            return "Send one field Host (RFC 9112, section 3.2)."
        return "" if all(map(_HOST.fullmatch, hosts)) else "Host is no name and port."

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
        elif self._held:
            detail = f"Send a request's head within {self.limits.head_seconds:g} s."
            self._turn_away(408, "too-slow", detail)
        else:
            self.transport.close()

    def _turn_away(self, status: int, slug: str, detail: str) -> None:
        """Answer, where nothing else is being answered, and end."""
        if self.transport.is_closing():
            return
        if not self._answers():
            base = str(getattr(getattr(self.config.app, "state", None), "public_url", ""))
            said = {"type": f"{base}{ERRORS}#{slug}", "title": TYPES[slug].title, "status": status,
                    "detail": detail}  # fmt: skip
            body = json.dumps(said, ensure_ascii=False).encode()
            again = f"retry-after: {RETRY_SECONDS}\r\n" if status == 503 else ""
            head = (
                f"HTTP/1.1 {status} {http.HTTPStatus(status).phrase}\r\n{again}"
                "content-type: application/problem+json\r\n"
                f"content-length: {len(body)}\r\nconnection: close\r\n\r\n"
            )
            self.transport.write(head.encode() + body)
        self.transport.close()


def _without_upgrade(head: bytes) -> bytes:
    """The same, not asking for another protocol: we have no other (RFC 9110, section 7.8, lets us pass over
    it), and the parser would read no body behind one that does, as Java's client does by itself.
    """
    return _UPGRADE.sub(b"\r\nx-upgrade", head)
