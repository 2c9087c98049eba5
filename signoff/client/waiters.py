"""Which threads wait for what another thread does: Python keeps no account of it.

It is read from the topmost frames of the threads; where those look otherwise one day, nobody is found.
"""

from __future__ import annotations

import concurrent.futures
import threading
from collections import deque
from collections.abc import Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from types import FrameType
from typing import Any

FRAMES = 6
"""So far from its top a blocked thread's frame stands that says what for."""
_FUTURES = concurrent.futures.wait.__code__.co_filename
_JOIN, _SHUTDOWN = threading.Thread.join.__code__, ThreadPoolExecutor.shutdown.__code__


def waiting(work: Any, thread: int | None, frames: Mapping[int, FrameType]) -> Iterator[tuple[int, bool]]:
    """The threads that are blocked until `work` (a pool's future, or None) or the thread it runs in ends.

    `thread` and what comes are threads' idents. True where one only tidies up: it leaves a `with` because of
    a timeout, a cancellation or Ctrl-C, and takes no result any more.
    """
    for ident, top in frames.items():
        frame: FrameType | None = top if ident != thread else None
        outmost: FrameType | None = None  # a pool that is shut down joins its threads
        for _ in range(FRAMES):
            if frame is None:
                break
            if _waits(frame, work, thread):
                outmost = frame
            frame = frame.f_back
        if outmost is not None:
            yield ident, _leaves(outmost.f_back)


def _waits(frame: FrameType, work: Any, thread: int | None) -> bool:
    code = frame.f_code
    if code is _JOIN:
        return getattr(frame.f_locals.get("self"), "ident", None) == thread
    if code is _SHUTDOWN:
        pool = frame.f_locals.get("self")
        return any(one.ident == thread for one in tuple(getattr(pool, "_threads", ())))
    if work is None or code.co_filename != _FUTURES:
        return False
    many = (list, set, tuple, deque)
    found = tuple(frame.f_locals.values())
    return any(value is work or (isinstance(value, many) and work in tuple(value)) for value in found)


def _leaves(frame: FrameType | None) -> bool:
    """Whether it is an `__exit__` that was given an exception by which a wait ends, not one of the work."""
    if frame is None or frame.f_code.co_name != "__exit__" or frame.f_code.co_argcount < 2:
        return False
    kind = frame.f_locals.get(frame.f_code.co_varnames[1])
    ends = (TimeoutError, concurrent.futures.CancelledError)
    return isinstance(kind, type) and (issubclass(kind, ends) or not issubclass(kind, Exception))
