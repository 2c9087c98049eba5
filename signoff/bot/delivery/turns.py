"""Delivering what is due, in its order: when woken for a change, and on a timer.

A wake-up only says that something is due. What is done next is read from the rows, so that a flood of one
agent delays a click's effect not at all, and another agent's card by one.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from threading import Event

from redis.exceptions import RedisError

from signoff.bot.delivery.delivery import Delivery
from signoff.models import threads, turns
from signoff.models.engine import OUTAGE as DATABASE_OUTAGE
from signoff.models.store import Store

log = logging.getLogger("signoff.turns")

OUTAGE = (*DATABASE_OUTAGE, RedisError, OSError)
LOOK_SECONDS = 2.0
"""The timer looks as often, if only for what a lost wake-up left undone."""
STRETCH_SECONDS = 2.0
"""For how long one wake-up, or one look, goes on: then others have their turn in this process."""
BROKEN_SECONDS = 60.0
"""Pause before a card is tried again on which we fail: it must not hold up the others."""


class Turns:
    """Has cards delivered in their order. Any number share the work: a card's lease tells them apart."""

    def __init__(self, store: Store, delivery: Delivery, beside: Callable[[], bool] = lambda: False) -> None:
        """`beside` does what is due beside cards, True where there may be more: `Delivery.beside`."""
        self._store = store
        self._delivery = delivery
        self._beside = beside

    def wake(self, about: str) -> None:
        """Something about this approval is due, and maybe else: a job of the worker's.

        The database's outage is only logged: the timer comes back for what was due.
        """
        try:
            self._deliver()
        except OUTAGE as error:
            log.warning("deliver paused: id=%s %s", about, type(error).__name__)

    def run(self, stop: Event) -> None:
        """The timer: until `stop` is set. As soon as Slack's pause is over, and at least every 2 s."""
        pause = 0.0
        while not stop.wait(pause):
            try:
                pause = self.step()
            except OUTAGE as error:
                log.warning("deliver paused: %s", type(error).__name__)
                pause = LOOK_SECONDS

    def step(self) -> float:
        """Once; seconds until the next look."""
        done = self._deliver()
        if not turns.paused(self._store, turns.UPDATE):
            for thread_id in threads.due(self._store):
                self._delivery.tell(thread_id)
            if self._beside():
                return 0.0
        return max(0.02, turns.rest(self._store, LOOK_SECONDS)) if done else 0.0

    def _deliver(self) -> bool:
        """What is due, for a while; True where that was all of it."""
        end = time.monotonic() + STRETCH_SECONDS
        self._delivery.batches.step()
        while turn := turns.next_turn(self._store):
            self._take(turn)
            if time.monotonic() > end:
                return False
        return True

    def _take(self, turn: turns.Turn) -> None:
        try:
            if turn.moved_in is None or turns.move(self._store, turn):
                self._delivery.take(turn)
        except OUTAGE:
            raise
        except Exception as error:
            # Its text may repeat a payload: only the type is logged.
            log.error("deliver failed: id=%s %s", turn.approval_id, type(error).__name__)
            self._delivery.postpone(turn.approval_id, BROKEN_SECONDS)
