"""Calls that were answered are not done again: a call that somebody caught could be sent for five minutes.

Clicks change a row once, whoever repeats them. But a command's answer lists what waits, and a word to one
person can be posted again: so a call that was answered 200 has no second effect, and is told nothing. One
that was not answered so is taken again: Slack sends it anew.

Redis remembers for all processes; while it is away, each one remembers what it has answered itself.
"""

from __future__ import annotations

import logging
import threading
import time
from collections import OrderedDict
from collections.abc import Callable
from enum import Enum
from hashlib import sha256

from redis import RedisError

from signoff.queue.answered import IS_ANSWERED, RUNS_SECONDS, Answered

log = logging.getLogger("signoff.web")

MOST = 20_000
"""Calls that one process remembers beside Redis: with five minutes each, 66 a second; some 4 MB."""


class Known(Enum):
    """What is known of a call."""

    NEW = "new"
    RUNS = "runs"
    ANSWERED = "answered"


class Replays:
    """The calls of the last minutes. Methods may be called from any thread."""

    def __init__(
        self, shared: Answered, clock: Callable[[], float] = time.monotonic, most: int = MOST
    ) -> None:
        self._shared, self._clock, self._most = shared, clock, most
        self._own: OrderedDict[str, tuple[Known, float]] = OrderedDict()
        self._lock = threading.Lock()
        self._away = False

    def begin(self, signature: str) -> Known:
        """Whether a call is to be done now: it is NEW, and from here on it RUNS, until `end`."""
        call = _name(signature)
        with self._lock:
            now = self._clock()
            known, until = self._own.get(call, (Known.NEW, 0.0))
            if until > now:
                return known
            self._own[call] = (Known.RUNS, now + RUNS_SECONDS)
            self._own.move_to_end(call)
            while len(self._own) > self._most:
                self._own.popitem(last=False)
        try:
            found = self._shared.begin(call)
        except (RedisError, OSError) as error:
            self._note(error)
            return Known.NEW
        self._note(None)
        if found is None:
            return Known.NEW
        with self._lock:
            self._own.pop(call, None)  # Redis knows more of it
        return Known.ANSWERED if found == IS_ANSWERED else Known.RUNS

    def end(self, signature: str, seconds: int) -> None:
        """It was answered, and would be taken for so many seconds; with 0 it was not, and may come again."""
        call = _name(signature)
        with self._lock:
            self._own.pop(call, None)
            if seconds:
                self._own[call] = (Known.ANSWERED, self._clock() + seconds)
        if self._away:
            return  # whoever pressed waits for this
        try:
            self._shared.end(call, seconds)
        except (RedisError, OSError) as error:
            self._note(error)

    def _note(self, error: Exception | None) -> None:
        """Say that Redis went away, once."""
        if error is not None and not self._away:
            log.warning("which calls were answered, only this process knows now: %s", type(error).__name__)
        self._away = error is not None


def _name(signature: str) -> str:
    """A signature is good for a call as long as that is new: what is kept is not."""
    return sha256(signature.encode()).hexdigest()[:32]
