"""What a process that ends still waits for: an undo that it has spent, until that is run and reported.

The thread that takes undos is a daemon, so that no program hangs on it. It dies right after the functions of
`atexit`: what is under way is waited for there, and nothing new is taken any more. A task that takes undos is
cancelled: it ends once what is under way has.
"""

from __future__ import annotations

import asyncio
import atexit
import logging
import os
import threading
from collections.abc import Awaitable, Callable, Coroutine, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

log = logging.getLogger("signoff")
T = TypeVar("T")
SECONDS = 10.0
"""How long all of it together may take."""


class Exit:
    """What is under way in this process, and whether it ends."""

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._under_way = 0
        self._ends = False

    @contextmanager
    def held(self) -> Iterator[bool]:
        """The end of the process waits for this block; False where it ends already: begin nothing."""
        with self._changed:
            free = not self._ends
            self._under_way += free
        try:
            yield free
        finally:
            with self._changed:
                self._under_way -= free
                self._changed.notify_all()

    def end(self) -> None:
        """The process ends: waits for what is under way."""
        with self._changed:
            self._ends = True
            self._changed.wait_for(lambda: not self._under_way, SECONDS)


process = Exit()


async def to_its_end(work: Coroutine[Any, Any, None]) -> None:
    """Await it; a task that is cancelled meanwhile lets it end first, up to 10 s."""
    running = asyncio.ensure_future(work)
    try:
        await asyncio.shield(running)
    except asyncio.CancelledError:
        await asyncio.wait({running}, timeout=SECONDS)
        if running.cancel():
            await asyncio.wait({running}, timeout=SECONDS)
        if not running.cancelled() and (fault := running.exception()):
            log.error("what was under way did not end", exc_info=fault)
        raise


async def insisted(do: Callable[[], Awaitable[T]], first: Callable[[], Awaitable[object]] | None = None) -> T:
    """What it gives; where the loop ends, and cancels every task, it is done once more, after `first`: up to
    10 s.
    """
    try:
        return await do()
    except asyncio.CancelledError:
        async with asyncio.timeout(SECONDS):
            if first is not None:
                await first()
            return await do()


def _end() -> None:
    process.end()


def _forked() -> None:
    """A child has none of its parent's threads, and waits for nothing of theirs."""
    global process
    process = Exit()


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
