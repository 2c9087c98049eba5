"""A call that one thread or loop makes and another runs: its result is never lost between them."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Coroutine
from concurrent.futures import Future
from contextlib import nullcontext, suppress
from typing import Any, Generic, TypeVar

from signoff.client import asked, callers

T = TypeVar("T")


class Handover(Generic[T]):
    """A coroutine that runs in `loop`. `made` makes it there.

    `unused` takes its result where the caller had left when it came; with it the caller's mind is looked at
    while it waits (see `callers`).
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        made: Callable[[], Coroutine[Any, Any, T]],
        unused: Callable[[T], Coroutine[Any, Any, None]] | None = None,
    ) -> None:
        self._loop, self._made, self._unused = loop, made, unused
        self._lock = threading.Lock()
        self._left = False
        self._results: list[T] = []
        self._ended: Future[None] = Future()
        self._future = asyncio.run_coroutine_threadsafe(self._run(), loop)

    def result(self) -> T:
        """What it returned or raised; raises GaveUp where whoever waits for this thread has given up."""
        caller = callers.find() if self._unused is not None else None
        try:
            return self._future.result() if caller is None else caller.result(self._future)
        except BaseException:  # Ctrl-C, too: nobody waits for it any more
            if self._leave():
                with suppress(TimeoutError):
                    self._ended.result(asked.LEAVE_SECONDS)
            raise

    async def result_async(self) -> T:
        """`result`, for a coroutine of any event loop: it leaves where it is cancelled."""
        try:
            async with nullcontext() if self._unused is None else callers.watched():
                return await asyncio.wrap_future(self._future)
        except (asyncio.CancelledError, callers.GaveUp):
            if self._leave():
                await asyncio.wait({asyncio.wrap_future(self._ended)}, timeout=asked.LEAVE_SECONDS)
            raise

    async def _run(self) -> T:
        try:
            result = await self._made()
            with self._lock:
                if not self._left:
                    self._results.append(result)
                    return result
            await asyncio.shield(asked.apart(self._put_away(result)))
            return result
        finally:
            self._ended.set_result(None)

    def _leave(self) -> bool:
        """Nobody takes the result any more. True where there was something to be ended."""
        with self._lock:
            self._left = True
        if self._results:
            asyncio.run_coroutine_threadsafe(self._put_away(self._results[0]), self._loop)
            return False
        return self._future.cancel()

    async def _put_away(self, result: T) -> None:
        if self._unused is not None:
            await self._unused(result)
