"""A TCP proxy between two parts, which cuts, refuses, delays, throttles, forgets, or goes silent.

`half-open` is what a router's crash leaves behind: nobody is told, bytes are taken and go nowhere.
"""

from __future__ import annotations

import asyncio
import contextlib
import socket
import threading
from collections.abc import Callable, Coroutine
from typing import Any

CHUNK = 16_384


class Proxy:
    """Listens on `port` of this machine, and forwards to `upstream`, another port of it."""

    def __init__(self, upstream: int) -> None:
        self.upstream = upstream
        self.delay = 0.0
        """Seconds that each piece waits."""
        self.rate = 0
        """Bytes a second, each way; 0 is no limit."""
        self.forget_after = 0.0
        """Seconds after which a connection on which nothing went is forgotten, as many a firewall does: its
        bytes go nowhere from then on, and nobody is told; 0 is never. For connections made from then on."""
        self.links = 0
        """How many connections were made through it."""
        self._refusing = False
        self._count = self._forgotten = 0
        """Connections taken so far; and how many of them, the first, lead nowhere."""
        self._flows = asyncio.Event()
        self._links: set[asyncio.StreamWriter] = set()
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._run, name="proxy", daemon=True)
        self._thread.start()
        server = self._call(self._listen())
        self.port = int(server.sockets[0].getsockname()[1])
        self._server = server

    def cut(self) -> None:
        """End all connections there are; new ones are taken."""
        self._call(self._cut())

    def refuse(self) -> None:
        """End all, and take no new ones, until `heal`."""
        self._refusing = True
        self.cut()

    def half_open(self) -> None:
        """Forward nothing any more, and tell nobody, until `heal`."""
        self._loop.call_soon_threadsafe(self._flows.clear)

    def forget(self) -> None:
        """As a firewall with what was quiet: the connections there are lead nowhere any more, and nobody
        is told. New ones are taken.
        """
        self._forgotten = self._count

    def heal(self) -> None:
        """As before. What was half-open is cut: its bytes are gone."""
        self._refusing, self.delay, self.rate = False, 0.0, 0
        if not self._flows.is_set():
            self.cut()
            self._loop.call_soon_threadsafe(self._flows.set)

    def close(self) -> None:
        """End it."""
        if self._thread.is_alive():
            self._server.get_loop().call_soon_threadsafe(self._server.close)
            self.cut()
            self._loop.call_soon_threadsafe(self._loop.stop)
            self._thread.join(10)

    def _run(self) -> None:
        asyncio.set_event_loop(self._loop)
        self._flows.set()
        self._loop.run_forever()
        for task in asyncio.all_tasks(self._loop):
            task.cancel()
        self._loop.run_until_complete(asyncio.sleep(0))
        self._loop.close()

    def _call(self, work: Coroutine[Any, Any, Any]) -> Any:
        return asyncio.run_coroutine_threadsafe(work, self._loop).result(10)

    async def _listen(self) -> asyncio.Server:
        return await asyncio.start_server(self._link, "127.0.0.1", 0)

    async def _cut(self) -> None:
        for writer in list(self._links):
            _abort(writer)

    async def _link(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._links.add(writer)
        self._count += 1
        number = self._count
        there: asyncio.StreamWriter | None = None
        try:
            if self._refusing:
                return
            back, there = await asyncio.open_connection("127.0.0.1", self.upstream)
            self._links.add(there)
            self.links += 1
            seen = [self._loop.time()]
            ways = [
                asyncio.create_task(self._pump(number, *way, seen))
                for way in ((reader, there), (back, writer))
            ]
            await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
            for way in ways:
                way.cancel()
        except OSError:
            pass  # nobody listens there now: the other side finds its connection ended
        finally:
            for end in (writer, there):
                if end is not None:
                    self._links.discard(end)
                    _abort(end)

    async def _pump(
        self, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, seen: list[float]
    ) -> None:
        with contextlib.suppress(OSError):
            while piece := await reader.read(CHUNK):
                if self.forget_after and self._loop.time() - seen[0] > self.forget_after:
                    continue
                seen[0] = self._loop.time()
                if self.delay:
                    await asyncio.sleep(self.delay)
                if self.rate:
                    await asyncio.sleep(len(piece) / self.rate)
                await self._flows.wait()
                if number <= self._forgotten:
                    continue
                writer.write(piece)
                await writer.drain()


def _abort(writer: asyncio.StreamWriter) -> None:
    transport = writer.transport
    found: Callable[..., None] | None = getattr(transport, "abort", None)
    if found is not None and not transport.is_closing():
        raw = writer.get_extra_info("socket")
        if raw is not None:  # no goodbye: the other side gets a reset
            with contextlib.suppress(OSError):
                raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
        found()
