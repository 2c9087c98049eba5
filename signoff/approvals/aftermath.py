"""What follows once an agent was told: it is noted that it was, and whoever draws the card is woken.

Nobody waits for either, and what is lost of them by a crash sweep does again. So a process that takes clicks
does it in a thread of its own: there what has gathered is noted in one transaction.
"""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence

MOST = 100
"""Approvals that are noted in one transaction."""
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
        self._ending = False

    def start(self) -> None:
        """From now on, in a thread."""
        self._thread = threading.Thread(target=self._run, name="aftermath", daemon=True)
        self._thread.start()

    def finish(self, seconds: float) -> None:
        """Do what is left, for at most so long; from then on it is done at once again."""
        thread, self._thread = self._thread, None
        if thread is None:
            return
        with self._given:
            self._ending = True
            self._given.notify()
        thread.join(seconds)

    def add(self, approval_id: str) -> None:
        """One more."""
        if self._thread is None:
            self._work([approval_id])
            return
        with self._given:
            self._ids.append(approval_id)
            self._given.notify()

    def _run(self) -> None:
        while True:
            with self._given:
                self._given.wait_for(lambda: self._ids or self._ending)
                if not self._ids:
                    return
                found, self._ids = self._ids[:MOST], self._ids[MOST:]
            self._work(found)
