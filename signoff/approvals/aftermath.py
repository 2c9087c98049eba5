"""What follows once an agent was told: it is noted that it was, and whoever draws the card is woken.

Nobody waits for either, and what is lost of them by a crash sweep does again. So a process that takes clicks
does it in a thread of its own, once the rush is over: what has gathered is noted in one transaction, and
nothing of it takes a processor from those who wait.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Sequence

QUIET_SECONDS = 0.02
"""For so long nothing else was decided: then the rush is over."""
LATE_SECONDS = 0.5
"""So long it waits for that, at most."""
Work = Callable[[Sequence[str]], None]


class Aftermath:
    """Calls `work`, which must not raise, with the ids of approvals that are given to it: at once, or from
    `start` until `finish` in a thread.
    """

    def __init__(self, work: Work) -> None:
        self._work = work
        self._ids: list[str] = []
        self._given = threading.Condition()
        self._thread: threading.Thread | None = None
        self._ending = threading.Event()

    def start(self) -> None:
        """From now on, in a thread."""
        self._thread = threading.Thread(target=self._run, name="aftermath", daemon=True)
        self._thread.start()

    def finish(self, seconds: float) -> None:
        """Do what is left, for at most so long; from then on it is done at once again."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        self._ending.set()
        with self._given:
            self._given.notify()
        thread.join(seconds)

    def add(self, *approval_ids: str) -> None:
        """One more, or several that ended together."""
        if self._thread is None:
            self._work(approval_ids)
            return
        with self._given:
            first = not self._ids
            self._ids.extend(approval_ids)
            if first:
                self._given.notify()

    def _run(self) -> None:
        while True:
            with self._given:
                self._given.wait_for(lambda: self._ids or self._ending.is_set())
                if not self._ids:
                    return
            self._gather()
            with self._given:
                found, self._ids = self._ids, []
            self._work(found)

    def _gather(self) -> None:
        end, known = time.monotonic() + LATE_SECONDS, 0
        while len(self._ids) != known and time.monotonic() < end and not self._ending.is_set():
            known = len(self._ids)
            self._ending.wait(QUIET_SECONDS)
