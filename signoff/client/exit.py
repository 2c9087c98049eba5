"""What a process that ends still waits for: an undo that it has spent, until that is run and reported.

The thread that takes undos is a daemon, so that no program hangs on it. It dies right after the functions of
`atexit`: what is under way is waited for there, and nothing new is taken any more.
"""

from __future__ import annotations

import atexit
import os
import threading
from collections.abc import Iterator
from contextlib import contextmanager

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


def _end() -> None:
    process.end()


def _forked() -> None:
    """A child has none of its parent's threads, and waits for nothing of theirs."""
    global process
    process = Exit()


atexit.register(_end)
if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_forked)
