"""Whose streams are read next, and what is wrong with one of them costs the others nothing."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Collection

from signoff.queue.entries import Entry, Found
from signoff.queue.news import News
from signoff.queue.requests import Stream
from signoff.queue.stream import agent_of, is_stream_key
from signoff.queue.tally import Tally

BATCH = 10
"""Entries of each agent in one read: a noisy one delays the others by no more."""
MOST = 100
"""Entries in one read, but one of each agent: what is read has to be done before others claim it."""
FIND_SECONDS = 0.5
"""How often a part of all keys is looked through for streams that nobody told us of."""
CLAIM_IDLE_MS = 5000
"""An entry that was read so long ago and not acked: whoever read it died, or met an outage."""
CLAIM_SECONDS = 1.0
"""How often all agents are looked after: what was left is claimed, what nobody told us of is found."""
ROUND = 200
"""Agents that are looked after at once; where there are more, the next have their turn so much sooner."""
ROUND_SECONDS = 0.2
TIDY_SECONDS = 60.0
OVERSIZED = 8
"""Entries and bodies of an agent in a minute that are larger than any client sends."""


class Reader:
    """Gives entries, a few of each agent in turn; `over` is told of agents that send too much, and why."""

    def __init__(self, stream: Stream, tally: Tally, over: Callable[[str, str], object]) -> None:
        self._stream = stream
        self._tally = tally
        self._over = over
        self._news = News(stream.client)
        self._agents: dict[str, None] = {}
        self._ready: dict[str, None] = {}
        """Who may have something to read, the longest first."""
        self._proven: set[str] = set()
        """Who has sent something whole. They do not wait behind any number of others."""
        self._round: list[str] = []
        self._untidy: set[str] = set()
        self._oversized: Counter[str] = Counter()
        self._due: dict[str, float] = {}
        self._cursor = 0
        self._whole = True

    def next(self, wait_seconds: float, but: Collection[str] = ()) -> list[Entry]:
        """Entries to process, of any agents `but` these; waits so long for one. Raises RedisError."""
        if self._is_due("agents", FIND_SECONDS):
            self.find_agents()
        entries: list[Entry] = []
        if self._is_due("claim", CLAIM_SECONDS if len(self._agents) <= ROUND else ROUND_SECONDS):
            entries = self._look_after(but)
        heard = self._news.wait(0 if entries or self._ready else wait_seconds)
        self._whole |= heard.all
        for agent in (*heard.agents, *(list(self._agents)[:ROUND] if heard.all else ())):
            self._ready.setdefault(agent)
        return entries + self._read(but)

    def note_oversized(self, agent: str) -> None:
        """It has sent what is larger than any client sends."""
        if self._is_due("oversized", 60):
            self._oversized.clear()
        self._oversized[agent] += 1
        if self._oversized[agent] >= OVERSIZED:
            del self._oversized[agent]
            self._over(agent, f"{OVERSIZED} entries in a minute that are too large")

    def leave(self) -> None:
        """Take this consumer's name off the groups, and end; raises RedisError."""
        self._news.close()
        self._stream.leave(list(self._agents))

    def find_agents(self) -> None:
        """Look through a part of all keys, or all where anything may have changed, for streams."""
        started = time.monotonic()
        self._cursor = 0 if self._whole else self._cursor
        while True:
            self._cursor, keys = self._stream.some_keys(self._cursor)
            for key in keys:
                agent = agent_of(key)
                if agent and is_stream_key(key) and agent not in self._agents:
                    self._agents[agent] = self._ready[agent] = None
            if not self._whole or not self._cursor:
                break
        self._whole = False
        # Looking takes longer the more stands in Redis: never more than a tenth of the time.
        now = time.monotonic()
        self._due["agents"] = now + max(FIND_SECONDS, 9 * (now - started))

    def _look_after(self, but: Collection[str]) -> list[Entry]:
        """The next agents in turn: take over what was left, and see whether anything is to be read."""
        if not self._round:
            self._round = list(self._agents)
            if self._is_due("tidy", TIDY_SECONDS):
                self._untidy = set(self._agents)
        some, self._round = self._round[:ROUND], self._round[ROUND:]
        if tidy := [agent for agent in some if agent in self._untidy]:
            self._untidy.difference_update(tidy)
            self._stream.drop_idle_consumers(tidy)
        entries: list[Entry] = []
        for found in self._stream.claim([one for one in some if one not in but], CLAIM_IDLE_MS, BATCH):
            if found.length > found.held:
                self._ready.setdefault(found.agent)
            entries += self._judge(found)
        return entries

    def _read(self, but: Collection[str]) -> list[Entry]:
        """A few of each of those who may have something, in turn."""
        free = [agent for agent in self._ready if agent not in but]
        proven = [agent for agent in free if agent in self._proven][: MOST // 2]
        some = (proven + [agent for agent in free if agent not in proven])[:MOST]
        if not some:
            return []
        for agent in some:
            del self._ready[agent]
        most = max(1, min(BATCH, MOST // len(some)))
        entries: list[Entry] = []
        for found in self._stream.read(some, most):
            if found.entries and found.length > len(found.entries):
                self._ready[found.agent] = None  # there is more: at its next turn
            entries += self._judge(found)
        return entries

    def _judge(self, found: Found) -> tuple[Entry, ...]:
        agent = found.agent
        match found.state:
            case "":
                self._agents.setdefault(agent)
                if any(entry.whole for entry in found.entries):
                    self._proven.add(agent)
                return found.entries
            case "over":
                self._over(agent, f"{found.size:,} bytes in {found.length:,} entries")
            case "type":
                self._tally.add("a stream is none: it goes", agent)
                self._stream.clear(agent)
            case "full":
                self._tally.add("a stream takes nothing more: it begins anew", agent)
            case "fault":
                self._tally.add("a stream cannot be read", agent, found.error)
                return ()
        self._agents.pop(agent, None)
        self._proven.discard(agent)
        return ()

    def _is_due(self, what: str, seconds: float) -> bool:
        now = time.monotonic()
        if now < self._due.get(what, 0):
            return False
        self._due[what] = now + seconds
        return True
