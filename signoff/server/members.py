"""What is kept running: started again when it dies, after a pause that grows where it goes on dying."""

from __future__ import annotations

import logging
import time
from abc import ABC, abstractmethod

from signoff.errors import ConfigError

log = logging.getLogger("signoff.serve")

PAUSES = (0.0, 0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before something that died is started again: the first time at once; the last one goes on."""
STEADY_SECONDS = 60.0
"""After this long a death counts as the first again."""
AWAY_SECONDS = 2.0
"""The longest pause after an end for what is around it (Redis, say): that comes back at some moment."""
AWAY = (1, 7)
"""Exit codes of such an end: Slack or the database, and Redis."""
BAD_SETTINGS = 2
"""The exit code of what cannot run with these settings, as it has said: that is no better the next time."""


class Member(ABC):
    """One process that is kept running. `ready` is set once it has said so, the first time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready = False
        self._failures = 0
        self._started = 0.0
        self._due: float | None = None

    @abstractmethod
    def start(self) -> None:
        """Start its process; raises OSError or ConfigError."""

    @abstractmethod
    def code(self) -> int | None:
        """Its exit code; None while it runs."""

    def hopeless(self) -> bool:
        """Whether it ends for its settings: it is not started again, and nothing can go on without it."""
        return False

    def startable(self) -> bool:
        """Whether what it is started with is there."""
        return True

    def keep(self) -> None:
        """Look after it: where it has ended, start it again in a while."""
        code = self.code()
        if self._due is None:
            if code is None or (code == BAD_SETTINGS and self.hopeless()):
                return
            pause = self._wait(code)
            when = f"in {pause:g} s" if pause else "now"
            log.error("%s ended with %s; starting it again %s", self.name, code, when)
        if time.monotonic() >= (self._due or 0.0) and self.startable():
            try:
                self.begin()
            except (OSError, ConfigError) as error:
                pause = self._wait(AWAY[0])  # no room, no forker: that changes without us
                log.error("%s cannot be started: %s; again in %g s", self.name, type(error).__name__, pause)

    def begin(self) -> None:
        """Start it, and remember when; raises as `start` does."""
        self._due, self._started = None, time.monotonic()
        self.start()

    def _wait(self, code: int = 0) -> float:
        """Set when it is started again; in how many seconds."""
        now = time.monotonic()
        steady = now - self._started > STEADY_SECONDS
        self._failures = 1 if steady else self._failures + 1
        pause = PAUSES[min(self._failures, len(PAUSES)) - 1]
        self._due = now + (pause := min(pause, AWAY_SECONDS) if code in AWAY else pause)
        return pause
