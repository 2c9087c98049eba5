"""Entries that met an outage: they are tried again, and keep nobody else's waiting."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Collection
from typing import Literal

from signoff.queue.entries import Entry

OUTAGES = 20
"""As often an entry may meet an outage that others, taken in between, do not meet: then it is its own."""
LONGEST_SECONDS = 60.0
KEPT = 10_000


class Later:
    """By agent, and an agent's in their order: a request comes before what withdraws it."""

    def __init__(self) -> None:
        self._waiting: dict[str, list[Entry]] = {}
        self._due: dict[str, float] = {}
        self._failures: Counter[tuple[str, bytes]] = Counter()
        self._seen: dict[tuple[str, bytes], int] = {}
        self._taken = 0

    @property
    def agents(self) -> Collection[str]:
        """Those of whom something waits here: nothing of theirs is read meanwhile."""
        return self._waiting.keys()

    def holds(self, entry: Entry) -> bool:
        """Whether it waits here."""
        return any(one.stream_id == entry.stream_id for one in self._waiting.get(entry.agent, ()))

    def put(self, entries: list[Entry]) -> Literal["outage", "suspect", "guilty"]:
        """Entries of one agent of which the first met an outage, and what kind of outage that may be.

        Where nobody else's was taken since it met the last one, a real one. Else it is suspect, and waits
        longer each time; and in the end it is guilty, and does not wait here.
        """
        first = entries[0].agent, entries[0].stream_id
        self._failures[first] += self._taken > self._seen.get(first, self._taken)
        if len(self._seen) > KEPT:
            self._seen.clear()
        self._seen[first] = self._taken
        failures = self._failures[first]
        if failures >= OUTAGES:
            del self._failures[first]
            return "guilty"
        self._waiting[entries[0].agent] = entries
        pause = min(0.5 * 2**failures, LONGEST_SECONDS) if failures else 0.0
        self._due[entries[0].agent] = time.monotonic() + pause
        return "suspect" if failures else "outage"

    def due(self) -> list[Entry]:
        """What is tried again now; it waits here no longer."""
        now, found = time.monotonic(), []
        for agent in [agent for agent, due in self._due.items() if due <= now]:
            del self._due[agent]
            found += self._waiting.pop(agent)
        return found

    def rest(self, most: float) -> float:
        """Seconds until something is due, or `most`."""
        return max(0.0, min([most, *(due - time.monotonic() for due in self._due.values())]))

    def done(self, entry: Entry) -> None:
        """This one was taken."""
        self._taken += 1
        self._failures.pop((entry.agent, entry.stream_id), None)
        self._seen.pop((entry.agent, entry.stream_id), None)
