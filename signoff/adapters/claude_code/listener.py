"""Whether anybody is left to hear the hook's answer: a Claude Code that is killed tells nobody."""

from __future__ import annotations

import os
import select
import signal
from collections.abc import Callable

LOOK_SECONDS = 0.5
STDOUT = 1
_GONE = ("POLLERR", "POLLHUP", "POLLNVAL")


class Listener:
    """Who started this process, and reads what it writes. Make one at the start."""

    def __init__(self) -> None:
        self._parent = os.getppid()

    def is_gone(self) -> bool:
        """Whether the parent has ended, or nobody holds the other end of stdout (a shell may stand between).

        What no system tells (Windows) is taken for being there.
        """
        if os.getppid() != self._parent:
            return True
        if not hasattr(select, "poll"):
            return False
        poll = select.poll()
        poll.register(STDOUT, 0)
        marks = sum(getattr(select, name) for name in _GONE)
        return any(event & marks for _, event in poll.poll(0))

    def watch(self, look: Callable[[], None]) -> None:
        """Have `look` called in this thread, again and again; it may raise."""
        if hasattr(signal, "setitimer"):
            signal.signal(signal.SIGALRM, lambda *_: look())
            signal.setitimer(signal.ITIMER_REAL, LOOK_SECONDS, LOOK_SECONDS)


def leave_alone() -> None:
    """From here on no signal is listened to that has been: what is left to do is done quickly."""
    for name in ("SIGTERM", "SIGINT", "SIGHUP", "SIGALRM"):
        if hasattr(signal, name):
            signal.signal(getattr(signal, name), signal.SIG_IGN)
