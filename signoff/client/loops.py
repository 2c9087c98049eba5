"""A client's private event loop, in a daemon thread of its own: it never meets one that the program runs."""

from __future__ import annotations

import asyncio
import os
import threading
import weakref
from collections.abc import Callable
from typing import Any


class Loop:
    """Started when it is first needed, by whichever thread that is."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._loop: asyncio.AbstractEventLoop | None = None

    @property
    def runs(self) -> bool:
        """Whether it was started, and not stopped since."""
        return self._loop is not None

    def started(self) -> asyncio.AbstractEventLoop:
        """The loop, running."""
        with self._lock:
            if self._loop is None:
                self._loop = asyncio.new_event_loop()
                threading.Thread(target=_serve_calls, args=(self._loop,), name="signoff", daemon=True).start()
            return self._loop

    def stop(self) -> None:
        """End it, once what it is at has been told so; nothing happens where it does not run."""
        loop, self._loop = self._loop, None
        if loop is not None:
            loop.call_soon_threadsafe(loop.stop)


def _serve_calls(loop: asyncio.AbstractEventLoop) -> None:
    try:
        loop.run_forever()
        loop.run_until_complete(_end_the_rest())
    finally:
        loop.close()


async def _end_the_rest() -> None:
    """What other threads still wait for: they are told that it is over."""
    left = asyncio.all_tasks() - {asyncio.current_task()}
    for task in left:
        task.cancel()
    await asyncio.gather(*left, return_exceptions=True)


_abandon: weakref.WeakKeyDictionary[Any, Callable[[Any], object]] = weakref.WeakKeyDictionary()
_left_to_the_parent: list[object] = []


def after_fork(client: Any, abandon: Callable[[Any], object]) -> None:
    """Have `abandon(client)` called in a forked child: it begins anew there, and gives what is the parent's.

    That is kept, unused, for ever: closed there, it would leave the selector that both share.
    """
    _abandon[client] = abandon


def _in_child() -> None:
    for client, abandon in list(_abandon.items()):
        _left_to_the_parent.append(abandon(client))


if hasattr(os, "register_at_fork"):  # Windows does not fork
    os.register_at_fork(after_in_child=_in_child)
