"""What may wait of one agent, and what happens beyond: it goes, and the agent's user is switched off.

Redis bounds neither how much a user writes nor how large it is. So what changes is measured as it changes, in
a thread of its own that waits for no database. What is too much goes at once: an honest client never comes
near, and sends again what it waits for.
"""

from __future__ import annotations

import logging
import time
from collections import defaultdict
from threading import Event
from typing import Protocol

from signoff.queue.news import News
from signoff.queue.outage import is_outage
from signoff.queue.requests import STREAM_BYTES, STREAM_ENTRIES, Stream
from signoff.queue.stream import BODIES, agent_of
from signoff.queue.tally import Tally

log = logging.getLogger("signoff.intake")

BODIES_BYTES = 128 * 1024 * 1024
"""All bodies of one agent that wait: 256 of the largest, or 100,000 small ones."""
BODIES_MOST = 100_000
DECISIONS_BYTES = 64 * 1024 * 1024
"""An agent reads its decisions as consumers that it names: what these take, beside the ids themselves."""
KEY_BYTES = 200
"""What a key takes besides its text."""
LOOK_SECONDS = 0.25
LATE_SECONDS = 10.0
"""How long what still arrives of an agent goes after all that waited of it went."""
CHUNK = 1000
"""Keys that are measured in one round trip."""
GATHER_SECONDS = 0.05
"""What changes meanwhile is measured at once: each request changes two keys twice."""
SCAN_SECONDS = 2.0
"""How often a part of all keys is looked through, for what nobody told us of."""
PAUSES = (0.1, 0.5, 1.0, 2.0)


class SwitchOff(Protocol):
    """Takes a user's rights away: `signoff.queue.users` does so, with an administrator's credentials."""

    def __call__(self, agent: str, /) -> object:
        """Its user can do nothing any more, and its connections are cut; None: it has none. May raise."""


class Bounds:
    """Measures what waits. Without `switch_off`, where nobody has that right, what waits only goes."""

    def __init__(self, stream: Stream, switch_off: SwitchOff | None = None) -> None:
        self.tally = Tally(log)
        self._stream = stream
        self._switch_off = switch_off
        self._news = News(stream.client)
        self._sizes: defaultdict[str, dict[bytes, int]] = defaultdict(dict)
        self._late: dict[str, float] = {}
        self._cursor = self._decided = 0
        self._whole = False
        self._scan_at = 0.0

    def run(self, stop: Event) -> None:
        """Until `stop` is set; nothing ends it."""
        failures = 0
        while not stop.is_set():
            try:
                self.step(LOOK_SECONDS)
                failures = 0
                stop.wait(GATHER_SECONDS)
            except Exception as error:
                if not is_outage(error):
                    self.tally.add("measuring failed", detail=type(error).__name__)
                stop.wait(PAUSES[min(failures, len(PAUSES) - 1)])
                failures += 1
        self._news.close()

    def step(self, wait_seconds: float = 0.0) -> None:
        """Once: what has changed, or changes within so many seconds, is measured."""
        heard = self._news.wait(wait_seconds)
        agents, bodies = heard.agents, heard.bodies
        self._whole |= heard.all
        if time.monotonic() >= self._scan_at:
            for key in self._scan():
                if key.startswith(BODIES.encode()):
                    bodies.add(key)
                else:
                    agents.setdefault(agent_of(key) or "")
            self._measure_decisions()
        self._measure_streams([agent for agent in agents if agent])
        self._measure_bodies(list(bodies))

    def enforce(self, agent: str, why: str) -> None:
        """Too much waits of this agent, or what it sends is too large: see the module."""
        started = time.monotonic()
        off = self._switched_off(agent)
        self._late[agent] = time.monotonic() + LATE_SECONDS
        self._stream.clear(agent, self._sizes.pop(agent, {}))
        done = (time.monotonic() - started) * 1000
        what = "its user is switched off" if off else "what waits of it is thrown away"
        self.tally.add("too much waits", agent, f"({why}): {what}, after {done:.0f} ms")

    def _switched_off(self, agent: str) -> bool:
        if self._switch_off is None:
            return False
        try:
            return self._switch_off(agent) is not None
        except Exception as error:  # whatever it is: what waits is thrown away all the same
            self.tally.add("cannot be switched off", agent, type(error).__name__)
            return False

    def _scan(self) -> list[bytes]:
        """Keys of streams and bodies: a part of all, or all where any may have changed."""
        started, found, whole = time.monotonic(), [], self._whole
        if whole:
            self._sizes.clear()
            self._cursor = 0
        while True:
            self._cursor, keys = self._stream.some_keys(self._cursor)
            found += keys
            if not whole or not self._cursor:
                break
        self._whole = False
        now = time.monotonic()
        self._scan_at = now + max(SCAN_SECONDS, 9 * (now - started))
        return found

    def _measure_decisions(self) -> None:
        """A part of them. What is there is the server's, and stays: its agent is switched off."""
        self._decided, found = self._stream.some_decisions(self._decided)
        for agent, size in found:
            if size > DECISIONS_BYTES:
                self.enforce(agent, f"{size:,} bytes of consumers on its decisions")

    def _measure_streams(self, agents: list[str]) -> None:
        for start in range(0, len(agents), CHUNK):
            some = agents[start : start + CHUNK]
            for agent, size, length in self._stream.measure(some):
                if size > STREAM_BYTES or length > STREAM_ENTRIES:
                    self.enforce(agent, f"{size:,} bytes in {length:,} entries")

    def _measure_bodies(self, keys: list[bytes]) -> None:
        touched = set()
        for start in range(0, len(keys), CHUNK):
            some = keys[start : start + CHUNK]
            for key, size in zip(some, self._stream.lengths(some), strict=True):
                agent = agent_of(key) or ""
                if agent and size and time.monotonic() < self._late.get(agent, 0.0):
                    self._stream.clear(agent, [key])  # it was on its way when all else of it went
                elif agent and size:
                    self._sizes[agent][key] = size + KEY_BYTES
                    touched.add(agent)
                elif agent in self._sizes:
                    self._sizes[agent].pop(key, None)
        for agent in touched:
            sizes = self._sizes[agent]
            total = sum(sizes.values())
            if len(sizes) > BODIES_MOST or total > BODIES_BYTES:
                self.enforce(agent, f"{total:,} bytes in {len(sizes):,} bodies")
