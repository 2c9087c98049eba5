"""Whether somebody waits for what is pending: an agent's process that waits is subscribed in Redis."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable

from redis.exceptions import NoPermissionError

from signoff.models import waiters
from signoff.models.store import Store
from signoff.queue.publisher import Publisher

log = logging.getLogger("signoff.sweep")

LOOK_SECONDS = 15.0
"""Between two looks."""
BROKEN_SECONDS = 3 * LOOK_SECONDS
"""Without a look for so long, nobody knows who was there meanwhile: then absence counts from now on."""


class Attendance:
    """Looks now and then, all pending requests at once, and has the cards redrawn that say otherwise."""

    def __init__(
        self, store: Store, publisher: Publisher, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._store = store
        self._publisher = publisher
        self._clock = clock
        self._due = clock()
        self._since: float | None = None
        self._last = 0.0
        self._may = True

    def look(self) -> list[str]:
        """Look, where it is time to; the names of what there is to do after that: none.

        Raises RedisError or the database's errors: then it looks again at its time.
        """
        at = self._clock()
        if not self._may or at < self._due:
            return []
        self._due = at + LOOK_SECONDS
        looked = waiters.watched(self._store)
        try:
            waited_for = self._publisher.waited_for([(one.agent, one.request_id) for one in looked])
        except NoPermissionError:
            self._may = False
            log.warning(
                "Redis does not let this user see who waits (+pubsub|numsub, docs/operating.md): cards do "
                "not say where nobody does."
            )
            return []
        if self._since is None or at - self._last > BROKEN_SECONDS:
            self._since = at
        self._last = at
        there = {one.id for one in looked if (one.agent, one.request_id) in waited_for}
        waiters.note(self._store, looked, there, at - self._since)
        return []
