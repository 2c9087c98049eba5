"""The client of a gate: lines on this process's own standard streams, which nothing else may touch then."""

from __future__ import annotations

import asyncio
import os
import queue
import sys
import threading
from collections.abc import AsyncIterator
from contextlib import suppress

from signoff.adapters.mcp.messages import MAX_LINE

CHUNK = 65536
AHEAD = 16
"""Lines that are read ahead of what the server takes."""
TOO_LONG = b"\x00too long"
"""Stands for a line that was longer than is taken: it is no JSON, and is answered so."""


class Stdio:
    """Reads and writes in threads of its own: pipes, files and terminals alike, on every system.

    `write` never raises: a client that takes nothing more has gone, and its lines end.
    """

    def __init__(self, source: int, target: int) -> None:
        self._source, self._target = source, target
        self._loop = asyncio.get_running_loop()
        self._lines: asyncio.Queue[bytes | None] = asyncio.Queue(AHEAD)
        self._out: queue.SimpleQueue[tuple[bytes, asyncio.Future[None]]] = queue.SimpleQueue()
        self._gone = False
        for work in (self._read, self._write):
            threading.Thread(target=work, name="signoff-mcp", daemon=True).start()

    async def lines(self) -> AsyncIterator[bytes]:
        """The client's messages, each a line without its end; until it goes."""
        while not self._gone and (line := await self._lines.get()) is not None:
            yield line

    async def write(self, line: bytes) -> None:
        """Give it one."""
        if not self._gone:
            written = self._loop.create_future()
            self._out.put((line + b"\n", written))
            await written

    def _read(self) -> None:
        with suppress(RuntimeError):  # the loop has ended
            buffer, dropping = bytearray(), False
            while chunk := self._chunk():
                *whole, rest = chunk.split(b"\n")
                for end in whole:
                    line = TOO_LONG if dropping else bytes(buffer + end).strip()
                    buffer, dropping = bytearray(), False
                    if line:
                        self._hand_over(line)
                buffer += rest
                if len(buffer) > MAX_LINE:
                    buffer, dropping = bytearray(), True
            self._hand_over(None)

    def _chunk(self) -> bytes:
        try:
            return os.read(self._source, CHUNK)
        except OSError:
            return b""

    def _hand_over(self, line: bytes | None) -> None:
        asyncio.run_coroutine_threadsafe(self._lines.put(line), self._loop).result()

    def _write(self) -> None:
        while True:
            left, written = self._out.get()
            try:
                while left:
                    left = left[os.write(self._target, left) :]
            except OSError:
                self._gone = True
            with suppress(RuntimeError):
                self._loop.call_soon_threadsafe(self._written, written)

    def _written(self, written: asyncio.Future[None]) -> None:
        if not written.done():
            written.set_result(None)
        if self._gone:
            self._lines.put_nowait(None) if not self._lines.full() else None


def claim() -> tuple[int, int]:
    """This process's standard input and output, for a protocol: what is printed from here on is on stderr."""
    source, target = os.dup(0), os.dup(1)
    nothing = os.open(os.devnull, os.O_RDONLY)
    os.dup2(nothing, 0)
    os.close(nothing)
    sys.stdout.flush()
    os.dup2(2, 1)
    return source, target
