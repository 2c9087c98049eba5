"""What is passed over is counted, and said now and then: never a line for each that somebody else makes."""

from __future__ import annotations

import logging
import time
from collections import Counter

SAY_SECONDS = 60.0
"""Between two lines about the same."""
KEPT = 10_000
"""Different things that are counted; beyond, all starts anew."""


class Tally:
    """Counts by kind and agent. The first is said at once, and then how many there were, once a minute."""

    def __init__(self, log: logging.Logger) -> None:
        self.counts: Counter[str] = Counter()
        """How often each kind has come, of all agents together."""
        self._log = log
        self._said: dict[tuple[str, str], tuple[float, int]] = {}

    def add(self, kind: str, agent: str = "", detail: str = "") -> None:
        """One more. `detail` must not repeat what an agent has sent: an error's type, a number."""
        self.counts[kind] += 1
        now = time.monotonic()
        due, unsaid = self._said.get((kind, agent), (0.0, 0))
        if now < due:
            self._said[kind, agent] = due, unsaid + 1
            return
        if len(self._said) >= KEPT:
            self._said.clear()
        self._said[kind, agent] = now + SAY_SECONDS, 0
        more = f" (and {unsaid} more since)" if unsaid else ""
        self._log.warning(
            "%s%s%s%s", kind, f": agent={agent}" if agent else "", f" {detail}" * bool(detail), more
        )
