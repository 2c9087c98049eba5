"""An agent that people reject again and again, or whose actions fail, is stopped by itself.

The policy says after how many, in which time. What counted before the agent was resumed does not again.
"""

from __future__ import annotations

import logging
from collections.abc import Callable

from signoff.approvals.stopping import Stopping
from signoff.models import breakers
from signoff.models.stops import SIGNOFF, StopScope
from signoff.models.store import Store
from signoff.policy.policy import Policy

log = logging.getLogger("signoff.approvals")


class Breaker:
    """Counts in the rows, after each rejection and each failure. Never raises: what counts is committed."""

    def __init__(self, store: Store, policy: Callable[[], Policy], stopping: Stopping) -> None:
        self._store = store
        self._policy = policy
        self._stopping = stopping

    def rejected(self, agent: str) -> None:
        """People have rejected something of this agent's."""
        self._look(agent, "denied", self._policy().breaker.denied)

    def failed(self, agent: str) -> None:
        """This agent has reported that something failed."""
        self._look(agent, "failed", self._policy().breaker.failed)

    def _look(self, agent: str, what: breakers.What, most: int | None) -> None:
        if most is None:
            return
        within = self._policy().breaker.within
        try:
            with self._store.reading() as connection:
                count = breakers.count(connection, agent, what, within, most)
            if count >= most:
                words = "were rejected" if what == "denied" else "failed"
                reason = f"{count:,} of its requests {words} within {_time(within)}."
                self._stopping.stop(StopScope("agent", agent), by=SIGNOFF, reason=reason)
        except Exception as error:
            log.error("a breaker could not look: agent=%s %s", agent, type(error).__name__)


def _time(seconds: int) -> str:
    for length, word in ((86_400, "d"), (3600, "h"), (60, "min")):
        if seconds % length == 0:
            return f"{seconds // length} {word}"
    return f"{seconds} s"
