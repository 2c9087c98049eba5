"""How often an agent may call: so that one that calls for ever leaves room for the others."""

from __future__ import annotations

import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import SlidingWindowCounterRateLimiter

from signoff.web.problems import Problem

PER_MINUTE = 6_000
"""Calls of one agent, in each process. How much it may *ask* for is for the policy to say."""


class Rates:
    """Counts calls, in this process's memory."""

    def __init__(self, per_minute: int = PER_MINUTE) -> None:
        self._limit = RateLimitItemPerMinute(per_minute)
        self._limiter = SlidingWindowCounterRateLimiter(MemoryStorage())

    def count(self, who: str, calls: int = 1) -> None:
        """So many calls more; raises Problem where that is too many."""
        if not calls or self._limiter.hit(self._limit, who, cost=calls):
            return
        until = self._limiter.get_window_stats(self._limit, who).reset_time
        raise Problem(
            429, "limited", f"{who} has called {self._limit.amount:,} times in a minute: wait a little.",
            {"Retry-After": str(max(1, min(60, round(until - time.time()))))},
        )  # fmt: skip
