"""Who waits for what this thread does, and whether they have given up.

A function that blocks in a thread of a pool cannot be interrupted: where its caller was cancelled or timed
out, it would go on, and run later what nobody waits for. So whoever blocks here looks at the caller: at the
task that awaits `asyncio.to_thread` or `run_in_executor`, at anyio's cancel scopes, at a `Future` that
somebody cancelled while it ran, at the main thread on its way out after Ctrl-C. And it looks beyond: where a
pool's work waits for another pool's, or runs an event loop of its own, at who waits for that.

Python and anyio do not say who that is. It is read from the threads' frames; where they look otherwise one
day nobody is found, and the call blocks as any other.
"""

from __future__ import annotations

import asyncio
import concurrent.futures.thread
import gc
import importlib
import sys
import threading
import weakref
from collections.abc import AsyncIterator, Callable, Iterator
from concurrent.futures import Future
from contextlib import ExitStack, asynccontextmanager, suppress
from types import CodeType, FrameType
from typing import Any, TypeVar

from signoff.client import spare, waiters
from signoff.errors import Cancelled

T = TypeVar("T")
LOOK_SECONDS = 0.25
"""Between two looks at a caller: a cancel scope of anyio's wakes nobody."""
DEPTH = 8
"""How many threads are looked through, each of which waits for the one before."""


class GaveUp(Cancelled):
    """Whoever waited for this call has given up: it does not run."""


_LOOKING = threading.Lock()


class Caller:
    """Whoever waits for a thread's work. `work` is its future, a pool's or the event loop's; None where the
    thread itself is what is waited for. `scope` is anyio's.
    """

    def __init__(self, thread: int, work: Any = None, scope: Any = None, depth: int = 0) -> None:
        self._thread, self._work, self._scope, self._depth = thread, work, scope, depth
        self._told = _told_of(work) if isinstance(work, Future) else None

    def is_known(self) -> bool:
        """Whether there is anybody now whose mind could be known."""
        return self._work is not None or _scope_is_cancelled() is not None or any(self.beyond())

    def gave_up(self) -> bool:
        """Whether nobody waits any more."""
        if self._told is not None and self._told.cancelled:
            return True
        if any(future.cancelled() for future in _awaited(self._work)):
            return True
        if self._depth == 0 and (_scope_is_cancelled() or _is_interrupted()):
            return True
        if getattr(self._scope, "_effectively_cancelled", False) is True:
            return True
        beyond = list(self.beyond())
        return bool(beyond) and all(left or caller.gave_up() for caller, left in beyond)

    def beyond(self) -> Iterator[tuple[Caller, bool]]:
        """Who waits for the threads that wait for this work; True where such a thread takes no result."""
        if self._depth == DEPTH:
            return
        frames = _frames()
        loops = [getattr(future.get_loop(), "_thread_id", None) for future in _awaited(self._work)]
        found = [(loop, False) for loop in loops] or waiters.waiting(self._work, self._thread, frames)
        for thread, left in found:
            if thread in frames:
                yield _caller_of(thread, frames[thread], self._depth + 1), left

    def result(self, future: Future[T]) -> T:
        """`future.result()`; raises GaveUp as soon as the caller has, also where a result is there."""
        ready = threading.Event()
        future.add_done_callback(lambda _: ready.set())
        with ExitStack() as stack:
            if self._told is not None:
                stack.enter_context(self._told.waking(ready))
            elif asyncio.isfuture(self._work):
                with suppress(RuntimeError):  # its loop is closed
                    wake = self._work.get_loop().call_soon_threadsafe
                    wake(self._work.add_done_callback, lambda _: ready.set())
            pause = spare.MOMENT_SECONDS
            while not self.gave_up():
                if future.done():
                    return future.result()
                if not ready.wait(pause) and pause != LOOK_SECONDS:
                    pause = LOOK_SECONDS
                    stack.enter_context(spare.one_more())
        raise GaveUp()


def _frames() -> dict[int, FrameType]:
    """What each thread runs.

    Without a collection meanwhile: CPython 3.11 holds a lock here that it needs to clear a `threading.local`,
    and would wait for itself for ever.
    """
    with _LOOKING:
        collects = gc.isenabled()
        gc.disable()
        try:
            return sys._current_frames()
        finally:
            if collects:
                gc.enable()


def find() -> Caller | None:
    """The caller of what runs in this thread; None in the main one, which nobody waits for."""
    if threading.current_thread() is threading.main_thread():
        return None
    return _caller_of(threading.get_ident(), sys._getframe(1))


def _caller_of(thread: int, top: FrameType, depth: int = 0) -> Caller:
    """The caller of what a thread runs, from its topmost frame on."""
    frame: FrameType | None = top
    pool, worker = _code(concurrent.futures.thread, "_WorkItem"), _code(_anyio(), "WorkerThread")
    while frame is not None:
        if frame.f_code is pool:
            return Caller(thread, getattr(_local(frame, "self"), "future", None), depth=depth)
        if frame.f_code is worker:
            return Caller(thread, _local(frame, "future"), _local(frame, "cancel_scope"), depth)
        frame = frame.f_back
    return Caller(thread, depth=depth)


def gave_up() -> bool:
    """Whether whoever waits for this thread's work has given up."""
    caller = find()
    return caller is not None and caller.gave_up()


@asynccontextmanager
async def watched() -> AsyncIterator[None]:
    """What stands inside runs in an event loop, and that in a thread: once whoever waits for the thread has
    given up it is cancelled, and GaveUp raised, also where it has just ended.
    """
    caller, task = find(), asyncio.current_task()
    if caller is None or task is None:
        yield
        return
    loop, left, others = asyncio.get_running_loop(), False, task.cancelling()
    timer: asyncio.Handle | None = None

    def look(first: bool = False) -> None:
        nonlocal left, timer
        left = caller.gave_up()
        if left:
            task.cancel()
        elif first or caller.is_known():  # a thread of nobody's, as a server's, is not looked at for ever
            timer = loop.call_later(LOOK_SECONDS, look)

    timer = loop.call_soon(look, True)
    try:
        yield
    except asyncio.CancelledError:
        if left and task.uncancel() <= others:
            raise GaveUp() from None
        raise
    finally:
        timer.cancel()
    if caller.gave_up():
        raise GaveUp()


class _Told:
    """Stands in the place of a running future's `cancel`: that it was called leaves no other trace."""

    def __init__(self, future: Future[Any]) -> None:
        self.cancelled = False
        self._future = weakref.ref(future)
        self._ready: list[threading.Event] = []

    def __call__(self) -> bool:
        self.cancelled = True
        for ready in tuple(self._ready):
            ready.set()
        future = self._future()
        return future is not None and type(future).cancel(future)

    def waking(self, ready: threading.Event) -> ExitStack:
        """A context in which `ready` is set once the future is cancelled."""
        stack = ExitStack()
        self._ready.append(ready)
        stack.callback(self._ready.remove, ready)
        return stack


def _told_of(future: Future[Any]) -> _Told | None:
    told = vars(future).get("cancel")
    if told is None:
        told = _Told(future)
        future.cancel = told  # type: ignore[method-assign]
    return told if isinstance(told, _Told) else None


def _awaited(work: Any) -> Iterator[asyncio.Future[Any]]:
    """The event loops' futures that stand for a pool's: `wrap_future` leaves them with its callback."""
    if asyncio.isfuture(work):
        yield work
    for callback in tuple(getattr(work, "_done_callbacks", ())):
        for cell in getattr(callback, "__closure__", None) or ():
            with suppress(ValueError):  # an empty cell
                if asyncio.isfuture(cell.cell_contents):
                    yield cell.cell_contents


def _scope_is_cancelled() -> bool | None:
    """Whether the cancel scope of anyio's that this thread works for has been; None where there is none."""
    if "anyio" not in sys.modules:  # nothing of its runs here
        return None
    try:  # it loads its own modules late
        check: Callable[[], None] = importlib.import_module("anyio.from_thread").check_cancelled
        check()
    except Exception:  # this thread is none of anyio's
        return None
    except BaseException:  # its event loop's own kind of cancellation
        return True
    return False


def _is_interrupted() -> bool:
    """Whether Ctrl-C has reached the main thread: it waits for its pools now, and tells them nothing."""
    found: Any = sys._current_exceptions().get(threading.main_thread().ident or 0)
    error = found[1] if isinstance(found, tuple) else found  # before Python 3.12 as of sys.exc_info()
    return isinstance(error, KeyboardInterrupt | SystemExit)


def _anyio() -> Any:
    return sys.modules.get("anyio._backends._asyncio")


def _code(module: Any, name: str) -> CodeType | None:
    """The code of a class's `run`."""
    return getattr(getattr(getattr(module, name, None), "run", None), "__code__", None)


def _local(frame: FrameType, name: str) -> Any:
    found = frame.f_locals
    value = found.get(name)
    if type(found) is dict:  # before 3.13 a copy, which lives as long as the frame: let its values go
        found.clear()
    return value
