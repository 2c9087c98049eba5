"""The server behind the gate: a program of its own, spoken to by lines on its standard streams."""

from __future__ import annotations

import asyncio
import os
import shutil
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import suppress
from typing import Protocol, Self

from signoff.adapters.mcp.messages import MAX_LINE
from signoff.errors import ConfigError

PATIENCE = 2.0
"""Seconds for a server to end by itself once its input has ended, and again once it was told to."""


class Upstream(Protocol):
    """A server: lines to it, and lines from it until it ends."""

    async def __aenter__(self) -> Self: ...

    async def __aexit__(self, *_: object) -> None: ...

    async def send(self, line: bytes) -> None:
        """Give it a message, a line without its end. Raises ServerEnded, and NotSent."""

    def lines(self) -> AsyncIterator[bytes]:
        """Its messages; ends with it. Raises ServerEnded for one that is too long."""

    async def finish(self) -> None:
        """Tell it that nothing more comes: it may still say something, and ends."""


class NotSent(Exception):
    """A message that its way to the server does not carry; the text is for the client."""


class ServerEnded(Exception):
    """The server takes or gives nothing more."""


class Child:
    """A server that is started here, and ended here, with all that it has started; raises ConfigError."""

    def __init__(self, command: Sequence[str], env: Mapping[str, str], umask: int = -1) -> None:
        self._command, self._env, self._umask = list(command), dict(env), umask
        self._process: asyncio.subprocess.Process | None = None
        program = shutil.which(self._command[0], path=self._env.get("PATH"))
        if program is None:
            raise ConfigError(f"there is no program {self._command[0]!r} here that could be run.")
        self._program = program

    async def __aenter__(self) -> Self:
        try:
            self._process = await asyncio.create_subprocess_exec(
                self._program, *self._command[1:], env=self._env, limit=MAX_LINE,
                stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE,
                start_new_session=True, umask=self._umask,
            )  # fmt: skip
        except OSError as error:
            raise ConfigError(f"{self._command[0]} could not be started: {error.strerror}.") from None
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.finish()
        process = self._started()
        for number in (signal.SIGTERM, getattr(signal, "SIGKILL", signal.SIGTERM)):
            # Not process.wait() alone: a child of the server's may hold its output.
            with suppress(TimeoutError):
                await asyncio.wait_for(process.wait(), PATIENCE)
                break
            self._kill(number)
        self._kill(getattr(signal, "SIGKILL", signal.SIGTERM))  # whatever it has left behind
        process._transport.close()  # type: ignore[attr-defined]  # else a grandchild keeps the pipe

    async def send(self, line: bytes) -> None:
        writer = self._started().stdin
        assert writer is not None
        try:
            writer.write(line + b"\n")
            await writer.drain()
        except (ConnectionError, RuntimeError):
            raise ServerEnded from None

    async def lines(self) -> AsyncIterator[bytes]:
        reader = self._started().stdout
        assert reader is not None
        while True:
            try:
                line = await reader.readuntil(b"\n")
            except asyncio.IncompleteReadError:  # half a message is none
                return
            except asyncio.LimitOverrunError:
                raise ServerEnded(f"It wrote a message of more than {MAX_LINE:,} bytes.") from None
            if line := line.strip():
                yield line

    async def finish(self) -> None:
        writer = self._started().stdin
        assert writer is not None
        with suppress(ConnectionError, RuntimeError):
            writer.close()

    def _started(self) -> asyncio.subprocess.Process:
        assert self._process is not None
        return self._process

    def _kill(self, number: int) -> None:
        with suppress(ProcessLookupError, PermissionError):
            if hasattr(os, "killpg"):
                os.killpg(self._started().pid, number)
            else:
                self._started().terminate()
