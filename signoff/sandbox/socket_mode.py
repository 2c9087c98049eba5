"""Socket Mode: up to ten WebSockets, each envelope to one of them, acknowledged within three seconds.

A link is one WebSocket. Its address comes from apps.connections.open and holds a single-use ticket.

What Slack does with what an app sends: a frame over 20,480 bytes closes the link (1009), and a message that
comes in more than one frame is passed over, so that its envelope stays unacknowledged. *Ghosts* are links
that broke off without Slack noticing: they count in hello's `num_connections` and towards the ten, get their
turn of the envelopes, and lose them.
"""

from __future__ import annotations

import asyncio
import json
import logging
import secrets
import time
from dataclasses import dataclass, field
from typing import Any, Final
from uuid import uuid4

from aiohttp import WSMessage, WSMsgType, web

from signoff.sandbox import json_text
from signoff.sandbox.delivery import Ack
from signoff.sandbox.errors import ActError
from signoff.sandbox.frames import TOO_LARGE, TOO_LARGE_TEXT, Frames, watch
from signoff.sandbox.journal import Journal
from signoff.sandbox.team import APP_ID

log = logging.getLogger("signoff.sandbox")

JSON = dict[str, Any]
MOST_LINKS: Final = 10
TICKET_SECONDS: Final = 30.0
HALF_OPEN: Final = "half_open"
"""Not a reason that Slack gives: the links break off, and stay behind as ghosts."""
REASONS: Final = ("warning", "refresh_requested", "link_disabled", "too_many_websockets", HALF_OPEN)


@dataclass(slots=True, eq=False)
class Link:
    """One WebSocket of the app. `cut`: it sent what Slack closes it for, and counts no more."""

    id: str
    socket: web.WebSocketResponse
    transport: asyncio.Transport
    cut: bool = False


@dataclass(slots=True)
class SocketMode:
    """All links, and the envelopes that wait for their acknowledgement. Lives in one event loop."""

    journal: Journal
    ack_seconds: float = 3.0
    ghosts: int = 0
    enabled: bool = True
    """Where it is not, Slack sends each link away: the app is called by HTTP."""
    links: list[Link] = field(default_factory=list)
    _tickets: dict[str, float] = field(default_factory=dict)
    _waiting: dict[str, asyncio.Future[tuple[float, Any, int]]] = field(default_factory=dict)
    _late: dict[str, JSON] = field(default_factory=dict)
    _linked: asyncio.Event = field(default_factory=asyncio.Event)
    _turn: int = 0

    def ticket(self) -> str:
        """A new single-use ticket for one link."""
        now = time.monotonic()
        self._tickets = {name: end for name, end in self._tickets.items() if end > now}
        ticket = secrets.token_urlsafe(16)
        self._tickets[ticket] = now + TICKET_SECONDS
        return ticket

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """GET /link/{ticket}: one link, from its hello to its end."""
        expires = self._tickets.pop(request.match_info["ticket"], 0.0)
        if expires < time.monotonic():
            raise web.HTTPNotFound(
                text="This link was used before or has expired: call apps.connections.open."
            )
        if request.transport is None:
            raise ConnectionResetError
        socket = web.WebSocketResponse(compress=False, timeout=1.0)
        link = Link(secrets.token_hex(4), socket, request.transport)
        loop, closings = asyncio.get_running_loop(), list[asyncio.Task[None]]()
        frames = watch(link.transport, lambda size: closings.append(loop.create_task(self._cut(link, size))))
        await socket.prepare(request)
        if not self.enabled:
            await self._say_goodbye(socket, "link_disabled")
            return socket
        if len(self.links) + self.ghosts >= MOST_LINKS:
            await self._say_goodbye(socket, "too_many_websockets")
            return socket
        try:
            await socket.send_str(self._hello(link))
            self.links.append(link)
            self._linked.set()
            async for message in socket:
                self._take(link, frames, message)
        except ConnectionError:
            pass  # the app went away in the middle of a message
        finally:
            self._drop(link)
            await asyncio.gather(*closings)
        return socket

    def _hello(self, link: Link) -> str:
        debug = {"host": f"applink-{link.id}", "build_number": 1, "approximate_connection_time": 18060}
        count = len(self.links) + self.ghosts + 1
        hello: JSON = {"type": "hello", "num_connections": count, "debug_info": debug}
        return json.dumps(hello | {"connection_info": {"app_id": APP_ID}})

    async def _cut(self, link: Link, size: int) -> None:
        """Close a link whose frame is too large, as Slack does, with all that it still sends."""
        if link.cut:
            return
        link.cut = True
        self._drop(link)
        log.warning("%s: one of %d bytes came; the link is closed (%d)", TOO_LARGE_TEXT, size, TOO_LARGE)
        self.journal.add("frame", link=link.id, bytes=size, error=TOO_LARGE_TEXT)
        await link.socket.close(code=TOO_LARGE, message=TOO_LARGE_TEXT.encode())

    def _take(self, link: Link, frames: Frames, message: WSMessage) -> None:
        """A message that has come whole."""
        in_pieces = frames.came_in_pieces()
        if message.type is not WSMsgType.TEXT or link.cut:
            return
        if in_pieces:
            error = "a message in several frames is passed over"
            log.warning(error)
            self.journal.add("frame", link=link.id, bytes=len(message.data.encode()), error=error)
            return
        self._receive(message.data)

    def _drop(self, link: Link) -> None:
        if link in self.links:
            self.links.remove(link)
        if not self.links:
            self._linked.clear()

    def _receive(self, text: str) -> None:
        now = time.perf_counter()
        try:
            answer = json_text.parse(text)
        except ValueError:
            return  # Slack ignores what is no acknowledgement
        id_ = answer.get("envelope_id") if isinstance(answer, dict) else None
        waiting = self._waiting.get(id_) if isinstance(id_, str) else None
        if waiting is not None and not waiting.done():
            waiting.set_result((now, answer.get("payload"), len(text.encode())))
        elif isinstance(id_, str) and id_ in self._late:
            entry = self._late.pop(id_)
            entry["late"] = True
            self.journal.changed(entry)

    async def deliver(
        self,
        kind: str,
        payload: JSON,
        *,
        takes_response: bool = True,
        retry_attempt: int = 0,
        retry_reason: str = "",
    ) -> Ack:
        """Send an envelope to one link, in turn, and wait for its acknowledgement.

        `kind` is interactive, slash_commands or events_api; only the last counts its attempts. Where no link
        is up, one may come within the same `ack_seconds`.
        """
        id_ = str(uuid4())
        envelope: JSON = {"envelope_id": id_, "type": kind, "payload": payload}
        envelope["accepts_response_payload"] = takes_response
        if kind == "events_api":
            envelope |= {"retry_attempt": retry_attempt, "retry_reason": retry_reason}
        entry = self.journal.add(
            "envelope", type=kind, envelope_id=id_, payload=payload, link=None, acked=False
        )
        entry["accepts_response_payload"] = takes_response
        if retry_attempt:
            entry["retry_attempt"] = retry_attempt
        text = json.dumps(envelope, separators=(",", ":"))
        future: asyncio.Future[tuple[float, Any, int]] = asyncio.get_running_loop().create_future()
        self._waiting[id_] = future
        try:
            async with asyncio.timeout(self.ack_seconds):
                sent = await self._send(text, entry)
                received, response, size = await future
        except TimeoutError:
            entry["late"] = False
            self.journal.changed(entry)
            self._late[id_] = entry
            if len(self._late) > 1_000:
                self._late.pop(next(iter(self._late)))
            return Ack(False, reason="timeout")
        finally:
            del self._waiting[id_]
        ms = round((received - sent) * 1000, 3)
        entry |= {"acked": True, "ack_ms": ms, "ack_bytes": size, "response": response}
        self.journal.changed(entry)
        return Ack(True, ms, response)

    async def _send(self, text: str, entry: JSON) -> float:
        while True:
            await self._linked.wait()
            self._turn += 1
            turn = self._turn % (len(self.links) + self.ghosts)
            if turn >= len(self.links):
                entry["link"] = "ghost"
                return time.perf_counter()
            link = self.links[turn]
            sent = time.perf_counter()
            try:
                if not link.socket.closed:
                    await link.socket.send_str(text)
                    entry["link"] = link.id
                    return sent
            except ConnectionError:
                pass  # it went away just now: the next one gets the envelope
            self._drop(link)

    def haunt(self, ghosts: Any) -> None:
        """So many ghosts from now on. Raises ActError for what is no number from 0 to 10."""
        if type(ghosts) is not int or not 0 <= ghosts <= MOST_LINKS:
            raise ActError("invalid_fault", detail=f"ghosts is a whole number from 0 to {MOST_LINKS}")
        self.ghosts = ghosts

    async def disconnect(self, reason: str = "refresh_requested") -> None:
        """Tell every link to go, as Slack does every few hours. After a mere warning the links stay up."""
        if reason not in REASONS:
            raise ActError("invalid_fault", detail=f"reason is one of {', '.join(REASONS)}")
        for link in list(self.links):
            if reason == "warning":
                await link.socket.send_str(_goodbye(reason))
            elif reason == HALF_OPEN:
                self._drop(link)
                self.ghosts += 1
                link.transport.abort()
            else:
                self._drop(link)
                await self._say_goodbye(link.socket, reason)

    async def _say_goodbye(self, socket: web.WebSocketResponse, reason: str) -> None:
        try:
            await socket.send_str(_goodbye(reason))
            await socket.close()
        except ConnectionError:
            pass  # it has left already

    async def close(self) -> None:
        """Close every link without a word."""
        for link in list(self.links):
            await link.socket.close()


def _goodbye(reason: str) -> str:
    return json.dumps({"type": "disconnect", "reason": reason, "debug_info": {"host": "applink-sandbox"}})
