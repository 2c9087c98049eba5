"""Entries that were read, in turns by the time that they take: what one agent asks for delays no other's."""

from __future__ import annotations

from collections import deque
from collections.abc import Collection, Iterable

from signoff.queue.entries import Entry


class Turns:
    """By agent, an agent's in their order. The agent whose entries have taken the least time is next.

    Who was not waiting begins where the least of those who do stands: nobody saves time up.
    """

    def __init__(self) -> None:
        self._waiting: dict[str, deque[Entry]] = {}
        self._taken: dict[str, float] = {}

    def __bool__(self) -> bool:
        return bool(self._waiting)

    @property
    def agents(self) -> Collection[str]:
        """Those of whom something waits here: nothing more of theirs needs to be read."""
        return self._waiting.keys()

    def add(self, entries: Iterable[Entry]) -> None:
        """What was read."""
        least = min((self._taken[agent] for agent in self._waiting), default=0.0)
        for entry in entries:
            if entry.agent not in self._waiting:
                self._waiting[entry.agent] = deque()
                self._taken[entry.agent] = max(least, self._taken.get(entry.agent, 0.0))
            self._waiting[entry.agent].append(entry)

    def next(self) -> Entry:
        """The next entry; it waits here no longer."""
        agent = min(self._waiting, key=self._taken.__getitem__)
        entry = self._waiting[agent].popleft()
        if not self._waiting[agent]:
            del self._waiting[agent]
        return entry

    def all_of(self, agent: str) -> list[Entry]:
        """What waits here of an agent; it waits here no longer."""
        return list(self._waiting.pop(agent, ()))

    def note(self, agent: str, seconds: float) -> None:
        """An entry of an agent has taken so long."""
        self._taken[agent] = self._taken.get(agent, 0.0) + seconds
        if not self._waiting:
            self._taken.clear()
