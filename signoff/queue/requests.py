"""What agents have sent and no server has taken yet: read, claimed, acknowledged, buried, thrown away."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any

import redis

from signoff.models.messages import AGENT, MAX_ENTRY
from signoff.queue import scripts
from signoff.queue.entries import Entry, Found, found
from signoff.queue.refusals import raise_for_all, refuses_all
from signoff.queue.stream import (
    BODY_SECONDS,
    DEAD,
    DECISIONS,
    REQUESTS,
    Redis,
    agent_of,
    body,
    decisions,
    requests,
)

GROUP = "intake"
STREAM_BYTES = 8 * 1024 * 1024
STREAM_ENTRIES = 200_000
PLAIN_BYTES = 120
"""What may wait on one agent's stream: so many entries, and 8 MiB beside 120 bytes for each. A pointer takes
some 90, so what an honest agent leaves while no server is there is bounded by its number alone."""
CAREFUL_BYTES = 256 * 1024
"""A stream with more is read one entry at a time."""
ENTRY_BYTES = 32 * 1024
ENTRY_WORDS = 32
"""Of one entry, names and values: a note of 4,000 characters is the most that stands in one."""
DEAD_KEPT = 1000
"""Entries of the dead-letter stream; older ones go."""
DEAD_BYTES = {b"v": 20, b"kind": 40, b"id": 64, b"body": 4000}
"""What is kept of an entry there."""
CONSUMER_IDLE_MS = 600_000


class Stream:
    """The server's end. `group` reads each entry once among all intakes; what is not acked comes again.

    Methods raise redis.exceptions.RedisError where that is an outage; what is wrong with one agent's
    stream is told in its Found.
    """

    def __init__(self, client: Redis, consumer: str) -> None:
        self.client = client
        self.consumer = consumer
        self._read = scripts.Script(client, scripts.READ)
        self._claim = scripts.Script(client, scripts.CLAIM)
        self._forget = scripts.Script(client, scripts.FORGET)

    def agents(self) -> list[str]:
        """Every agent that has a stream, seen by SCAN: agents may create theirs at any time."""
        names = self.client.scan_iter(match=REQUESTS + "*", count=5000, _type="stream")
        return sorted(filter(None, map(agent_of, names)))

    def some_keys(self, cursor: int) -> tuple[int, list[bytes]]:
        """A part of the keys that agents write, and where to go on; 0 is the beginning, and the end."""
        found: Any = self.client.scan(cursor, match="signoff:[br]*", count=5000)
        return found[0], [key for key in found[1] if agent_of(key)]

    def measure(self, agents: Sequence[str]) -> Iterator[tuple[str, int, int]]:
        """(agent, bytes beside plain ones, entries) of each stream that there is."""
        return self._sizes({agent: requests(agent) for agent in agents})

    def some_decisions(self, cursor: int) -> tuple[int, list[tuple[str, int]]]:
        """(agent, bytes beside the ids in it) of a part of the streams of decisions, and where to go on."""
        reply: Any = self.client.scan(cursor, match=DECISIONS + "*", count=5000, _type="stream")
        names = [key[len(DECISIONS) :].decode(errors="replace") for key in reply[1]]
        sizes = self._sizes({agent: decisions(agent) for agent in names if AGENT.fullmatch(agent)})
        return reply[0], [(agent, size) for agent, size, _ in sizes]

    def _sizes(self, streams: Mapping[str, str]) -> Iterator[tuple[str, int, int]]:
        """(agent, bytes beside plain entries, entries) of each of these streams that there is; by agent."""
        pipe = self.client.pipeline(transaction=False)
        for name in streams.values():
            pipe.memory_usage(name, samples=0)
            pipe.xlen(name)
        replies: list[Any] = pipe.execute(raise_on_error=False)
        raise_for_all(replies)
        for agent, size, length in zip(streams, replies[::2], replies[1::2], strict=True):
            if _are_numbers(size, length):
                yield agent, size - PLAIN_BYTES * length, length

    def lengths(self, keys: Sequence[bytes]) -> list[int]:
        """Bytes of each of these texts; what is no text goes, and none stays for longer than a body does."""
        pipe = self.client.pipeline(transaction=False)
        for key in keys:
            pipe.strlen(key)
        for key in keys:
            pipe.expire(key, BODY_SECONDS, nx=True)
        replies: list[Any] = pipe.execute(raise_on_error=False)[: len(keys)]
        raise_for_all(replies)
        if wrong := [key for key, reply in zip(keys, replies, strict=True) if isinstance(reply, Exception)]:
            self.client.unlink(*wrong)
        return [reply if isinstance(reply, int) else 0 for reply in replies]

    def join(self, agent: str) -> None:
        """Make sure that the group exists; a new one starts at the stream's beginning."""
        try:
            self.client.xgroup_create(requests(agent), GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    def read(self, agents: Sequence[str], count: int) -> list[Found]:
        """New entries of these agents, `count` at most of each, in one round trip; waits for none."""
        return self._ask(self._read, agents, count)

    def claim(self, agents: Sequence[str], idle_ms: int, count: int = 100) -> list[Found]:
        """Entries that some intake read and has not acked for `idle_ms`: it died, or met an outage."""
        return self._ask(self._claim, agents, count, idle_ms)

    def _ask(self, script: scripts.Script, agents: Sequence[str], count: int, *more: int) -> list[Found]:
        replies = script.run(
            [requests(agent) for agent in agents],
            GROUP, self.consumer, count,
            STREAM_BYTES, STREAM_ENTRIES, CAREFUL_BYTES, ENTRY_BYTES, ENTRY_WORDS, PLAIN_BYTES,
            *more,
        )  # fmt: skip
        return [found(agent, reply) for agent, reply in zip(agents, replies, strict=True)]

    def count(self, entry: Entry, deliveries: int) -> None:
        """Note how many intakes have begun with an entry that was left behind."""
        self.client.xclaim(
            requests(entry.agent),
            GROUP,
            self.consumer,
            0,
            [entry.stream_id],
            retrycount=deliveries,
            justid=True,
        )

    def body(self, agent: str, request_id: str) -> bytes | None:
        """A request's body, cut a byte after what is taken; None where there is none, or no text."""
        try:
            found: Any = self.client.getrange(body(agent, request_id), 0, MAX_ENTRY)
        except redis.ResponseError as error:
            if refuses_all(error):
                raise
            return None
        return found or None

    def ack(self, entries: Iterable[Entry]) -> None:
        """Done with these: they and their bodies go, so that a stream stays as short as its backlog."""
        pipe = self.client.pipeline(transaction=False)
        for item in entries:
            pipe.xack(requests(item.agent), GROUP, item.stream_id)
            pipe.xdel(requests(item.agent), item.stream_id)
            if item.kind == "request":
                pipe.unlink(body(item.agent, item.fields.get(b"id", b"").decode(errors="replace")))
        raise_for_all(pipe.execute(raise_on_error=False))

    def bury(self, item: Entry, reason: str, text: bytes = b"") -> None:
        """Put what an entry that cannot be processed begins with on the dead-letter stream."""
        fields: dict[Any, Any] = {b"agent": item.agent, b"entry": item.stream_id, b"reason": reason}
        for name, keep in DEAD_BYTES.items():
            fields[name] = item.fields.get(name, b"")[:keep]
        if text:
            fields[b"body"] = text[: DEAD_BYTES[b"body"]]
        self.client.xadd(DEAD, fields, maxlen=DEAD_KEPT, approximate=True)

    def clear(self, agent: str, bodies: Iterable[str | bytes] = ()) -> None:
        """Throw away what waits of an agent: its stream, and these keys. Its client sends them again."""
        self.client.unlink(requests(agent))  # by itself: a command's keys have to be in one of our rights
        keys = list(bodies)
        for start in range(0, len(keys), 1000):
            self.client.unlink(*keys[start : start + 1000])

    def leave(self, agents: Sequence[str]) -> None:
        """Forget this consumer, unless it still holds something: then it is claimed first."""
        pipe = self.client.pipeline(transaction=False)
        for agent in agents:
            pipe.xinfo_consumers(requests(agent), GROUP)
        mine = self.consumer.encode()
        for agent, consumers in zip(agents, pipe.execute(raise_on_error=False), strict=True):
            if isinstance(consumers, list) and any(c["name"] == mine and not c["pending"] for c in consumers):
                self.client.xgroup_delconsumer(requests(agent), GROUP, self.consumer)

    def drop_idle_consumers(self, agents: Sequence[str], idle_ms: int = CONSUMER_IDLE_MS) -> None:
        """Forget consumers of processes long gone that hold nothing."""
        raise_for_all(self._forget.run([requests(agent) for agent in agents], GROUP, idle_ms))


def _are_numbers(*replies: Any) -> bool:
    """Not where a key is gone, or of another type."""
    return all(isinstance(reply, int) for reply in replies)
