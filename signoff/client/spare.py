"""One thread more for a pool, while one of its threads waits for a person.

A function that is not a coroutine can only block the thread that it is called in. A few such waits fill the
pool that every `asyncio.to_thread` of the program shares (six threads on two cores), and what needs
nobody's approval would wait for people, too. So a pool gets one thread more for each that waits, and
anyio's default limiter one token; both give it back. See docs/decisions/0016-a-spare-thread.md.
"""

from __future__ import annotations

import asyncio
import importlib
import logging
import queue
import sys
import threading
import weakref
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor, thread
from contextlib import AbstractContextManager, contextmanager, nullcontext, suppress
from typing import Any

log = logging.getLogger("signoff")
MOMENT_SECONDS = 0.005
"""A wait that is over by then needs no other thread."""
IDLE_SECONDS = 0.25
"""Between two looks of a stand-in without work at whether it is needed."""


def one_more() -> AbstractContextManager[object]:
    """A context in which another thread does the work of this thread's pool; nothing where it has none."""
    this = threading.current_thread()
    if isinstance(this, _StandIn):
        pool = this.pool()
    elif getattr(this, "_target", None) is getattr(thread, "_worker", this):
        reference, *_ = getattr(this, "_args", None) or (lambda: None,)
        pool = reference()
    else:
        worker = getattr(sys.modules.get("anyio._backends._asyncio"), "WorkerThread", None)
        found = worker is not None and isinstance(this, worker) and hasattr(this, "loop")
        return _token(this.loop) if found else nullcontext()  # type: ignore[attr-defined]
    return _stand_in(pool) if _fits(pool) else nullcontext()


def _fits(pool: Any) -> bool:
    """Whether a pool is as the stand-in knows it. One of a single thread promises that it stays the same."""
    needed = ("_work_queue", "_shutdown_lock", "_shutdown", "_threads", "_max_workers")
    run = getattr(getattr(thread, "_WorkItem", None), "run", None)
    takes = getattr(getattr(run, "__code__", None), "co_argcount", 0)
    known = takes == 1 or (takes == 2 and hasattr(pool, "_create_worker_context"))
    return (
        isinstance(pool, ThreadPoolExecutor)
        and known
        and all(hasattr(pool, name) for name in needed)
        and pool._max_workers > 1
    )


@contextmanager
def _stand_in(pool: Any) -> Iterator[None]:
    spare = _StandIn(pool)
    if not spare.enter(pool):
        yield
        return
    try:
        yield
    finally:
        spare.needed = False


class _StandIn(threading.Thread):
    """A thread more of a pool. It ends with the wait that it is for, or after the work that it is at then."""

    def __init__(self, pool: Any) -> None:
        super().__init__(name=f"{threading.current_thread().name}+", daemon=False)
        self.pool = weakref.ref(pool)
        self.needed = True
        self._queue = pool._work_queue

    def enter(self, pool: Any) -> bool:
        """Join the pool, which waits for it when it is shut down; False where that is under way."""
        with pool._shutdown_lock:
            if pool._shutdown:
                return False
            try:
                self.start()
            except RuntimeError:  # no thread can be started any more
                return False
            pool._max_workers += 1
            pool._threads.add(self)
            return True

    def run(self) -> None:
        """Do what the pool is given."""
        try:
            try:
                run = self._ready()
            except Exception as error:
                log.warning("a pool's initializer raised %s in a thread more", type(error).__name__)
                return
            while self.needed:
                with suppress(queue.Empty):
                    item = self._queue.get(timeout=IDLE_SECONDS)
                    if item is None:  # the pool is shut down, or nobody holds it any more
                        self._queue.put(None)  # the others have to hear it, too
                        return
                    run(item)
                    del item
        finally:
            self._leave()

    def _ready(self) -> Any:
        """Prepare this thread as the pool's others were, and say how work is run."""
        pool: Any = self.pool()
        if hasattr(pool, "_create_worker_context"):  # Python 3.14
            context = pool._create_worker_context()
            context.initialize()
            return lambda item: item.run(context)
        if pool is not None and pool._initializer is not None:
            pool._initializer(*pool._initargs)
        return lambda item: item.run()

    def _leave(self) -> None:
        pool: Any = self.pool()
        if pool is not None:
            with pool._shutdown_lock:
                if not pool._shutdown:  # who shuts it down goes through its threads just now
                    pool._threads.discard(self)
                    pool._max_workers -= 1


@contextmanager
def _token(loop: asyncio.AbstractEventLoop) -> Iterator[None]:
    """One token more of the default limiter of anyio's. Both changes are left to its loop, in this order."""
    limiter: Any = None

    async def widen() -> None:
        nonlocal limiter
        limiter = importlib.import_module("anyio.to_thread").current_default_thread_limiter()
        limiter.total_tokens += 1

    async def narrow() -> None:
        if limiter is not None:
            limiter.total_tokens -= 1

    _soon(loop, widen)
    try:
        yield
    finally:
        _soon(loop, narrow)


_changes: set[asyncio.Task[None]] = set()


def _soon(loop: asyncio.AbstractEventLoop, change: Any) -> None:
    def start() -> None:
        task = loop.create_task(change())
        _changes.add(task)
        task.add_done_callback(_changes.discard)

    with suppress(RuntimeError):  # the loop is closed, and its limiter gone
        loop.call_soon_threadsafe(start)
