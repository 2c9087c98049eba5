"""Redis as the road between agents and the server: the names of every key, and what is done to them.

All in Redis can be rebuilt from the rows, except requests not yet read: agents send those again.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import redis
from redis.exceptions import ClusterDownError

from signoff.models.messages import AGENT, VERSION, Response

REQUESTS = "signoff:req:"
DECISIONS = "signoff:dec:"
NOTIFICATIONS = "signoff:ntf:"
DEAD = "signoff:dead"
INSTANCE = DECISIONS + "_run"
"""Where the Redis is noted that has all responses, by its run_id. No agent's name holds a `_`."""
GROUP = "intake"
DEAD_KEPT = 1000
"""Entries of the dead-letter stream; older ones go."""
CONSUMER_IDLE_MS = 3_600_000
ID_IN_STREAM = "id"

REFUSES_ALL = (redis.OutOfMemoryError, redis.ReadOnlyError, ClusterDownError)
"""Answers that have nothing to do with what was asked: it is full, or no longer the primary."""
_REFUSES_ALL = re.compile("(^|error: )(MISCONF|NOREPLICAS|UNBLOCKED) ")
"""Such replies that redis-py has no class for: it cannot save, or has just become a replica."""

Redis = redis.Redis
Fields = dict[bytes, bytes]


def refuses_all(error: BaseException) -> bool:
    """Whether Redis is in no state to take anything now: an outage, whoever asks for whatever."""
    if isinstance(error, REFUSES_ALL):
        return True
    return isinstance(error, redis.ResponseError) and bool(_REFUSES_ALL.search(str(error)))


def requests(agent: str) -> str:
    """The stream that an agent asks on. Its name says who sent an entry; the body does not."""
    return REQUESTS + agent


def decisions(agent: str) -> str:
    """The stream of ids that an agent's decisions() reads."""
    return DECISIONS + agent


def decision(agent: str, request_id: str) -> str:
    """The key under which a request's response stands."""
    return f"{DECISIONS}{agent}:{request_id}"


def spent(request_id: str) -> str:
    """Where it stands who has spent a request: takes the place of its id in a key or channel."""
    return f"{request_id}:spent"


def notification(agent: str, request_id: str) -> str:
    """The channel that wakes who waits for a request."""
    return f"{NOTIFICATIONS}{agent}:{request_id}"


def entry(kind: str, request_id: str, body: str) -> dict[Any, Any]:
    """The fields of a stream entry: `request`, `cancel`, `spend` or `outcome`."""
    return {"v": str(VERSION), "kind": kind, "id": request_id, "body": body}


@dataclass(frozen=True)
class Entry:
    """One entry as read: whose it is, its stream id, and its raw fields (None: trimmed while pending)."""

    agent: str
    stream_id: bytes
    fields: Fields | None


class Stream:
    """The server's end. `group` reads each entry once among all intakes; what is not acked comes again.

    Methods raise redis.exceptions.RedisError: whether that is an outage is the caller's to say.
    """

    def __init__(self, client: Redis, consumer: str) -> None:
        self._redis = client
        self.consumer = consumer
        self._name = consumer.encode()

    def agents(self) -> list[str]:
        """Every agent that has a stream, seen by SCAN: agents may create theirs at any time."""
        names = self._redis.scan_iter(match=REQUESTS + "*", count=5000, _type="stream")
        found = (name.decode(errors="replace").removeprefix(REQUESTS) for name in names)
        return sorted(agent for agent in found if AGENT.fullmatch(agent))

    def join(self, agent: str) -> None:
        """Make sure that the group exists; a new one starts at the stream's beginning."""
        try:
            self._redis.xgroup_create(requests(agent), GROUP, id="0", mkstream=True)
        except redis.ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise

    def read(self, agents: Iterable[str], count: int, block_ms: int) -> list[Entry]:
        """New entries of these agents, `count` at most of each; waits `block_ms` for the first, if at all."""
        streams: dict[Any, Any] = {requests(agent): ">" for agent in agents}
        block = block_ms or None  # to Redis, 0 is for ever
        found: Any = self._redis.xreadgroup(GROUP, self.consumer, streams, count=count, block=block)
        rows = found.items() if isinstance(found, dict) else found or []
        return [
            Entry(name.decode().removeprefix(REQUESTS), entry_id, fields)
            for name, entries in rows
            for entry_id, fields in flat(entries)
        ]

    def claim(self, agent: str, idle_ms: int, count: int = 100) -> list[Entry]:
        """Entries that some intake read and has not acked for `idle_ms`: it died, or met an outage."""
        _, entries, gone = self._redis.xautoclaim(
            requests(agent), GROUP, self.consumer, min_idle_time=idle_ms, start_id="0-0", count=count
        )[:3]
        claimed = [Entry(agent, entry_id, fields) for entry_id, fields in entries]
        return claimed + [Entry(agent, entry_id, None) for entry_id in gone]

    def ack(self, entries: Iterable[Entry]) -> None:
        """Done with these: acknowledge and delete, so that the stream stays as short as its backlog."""
        pipe = self._redis.pipeline(transaction=False)
        for item in entries:
            pipe.xack(requests(item.agent), GROUP, item.stream_id)
            pipe.xdel(requests(item.agent), item.stream_id)
        pipe.execute()

    def bury(self, item: Entry, reason: str, keep: int) -> None:
        """Put an entry that cannot be processed on the dead-letter stream, `keep` bytes of each field."""
        fields: dict[Any, Any] = {b"agent": item.agent, b"entry": item.stream_id, b"reason": reason}
        for name in (b"v", b"kind", b"id", b"body"):
            value = (item.fields or {}).get(name, b"")
            fields[name] = value[:keep]
        self._redis.xadd(DEAD, fields, maxlen=DEAD_KEPT, approximate=True)

    def leave(self, agent: str) -> None:
        """Forget this consumer, unless it still holds something: then it is claimed first."""
        mine = [c for c in self._redis.xinfo_consumers(requests(agent), GROUP) if c["name"] == self._name]
        if mine and mine[0]["pending"] == 0:
            self._redis.xgroup_delconsumer(requests(agent), GROUP, self.consumer)

    def drop_idle_consumers(self, agent: str, idle_ms: int = CONSUMER_IDLE_MS) -> None:
        """Forget consumers of processes long gone that hold nothing."""
        for consumer in self._redis.xinfo_consumers(requests(agent), GROUP):
            if consumer["pending"] == 0 and consumer["idle"] > idle_ms:
                self._redis.xgroup_delconsumer(requests(agent), GROUP, consumer["name"])


def flat(entries: Any) -> list[tuple[bytes, Fields]]:
    """One stream's entries as redis-py gives them: RESP3 wraps them once more than RESP2 does."""
    if entries and isinstance(entries[0], list):
        entries = [item for chunk in entries for item in chunk]
    return [(entry_id, fields) for entry_id, fields in entries]


def mark_received(client: Redis, agent: str, request_id: str, response: Response, seconds: int) -> None:
    """Tell the agent that its request is in the database; never covers an response that stands there."""
    key = decision(agent, request_id)
    pipe = client.pipeline(transaction=False)
    pipe.set(key, response.encode(), ex=seconds, nx=True)
    pipe.publish(notification(agent, request_id), "1")
    pipe.execute()


def publish(
    client: Redis, agent: str, request_id: str, response: Response, seconds: int, trim_before_ms: int
) -> None:
    """Put a final response where its agent finds it, for `seconds`, and wake who waits.

    In one transaction, so that the key never stands without its id in the stream. Ids of before
    `trim_before_ms` (milliseconds since 1970) leave the stream: their receipts are no longer valid.
    """
    pipe = client.pipeline(transaction=True)
    pipe.set(decision(agent, request_id), response.encode(), ex=seconds)
    pipe.xadd(decisions(agent), {ID_IN_STREAM: request_id}, minid=str(trim_before_ms), approximate=True)
    pipe.expire(decisions(agent), seconds)
    pipe.publish(notification(agent, request_id), "1")
    pipe.execute()


def publish_notice(client: Redis, agent: str, request_id: str, response: Response, seconds: int) -> None:
    """Tell all processes that want to run a request which of them may."""
    pipe = client.pipeline(transaction=False)
    pipe.set(decision(agent, spent(request_id)), response.encode(), ex=seconds)
    pipe.publish(notification(agent, spent(request_id)), "1")
    pipe.execute()


def instance_id(client: Redis) -> str:
    """Names this start of this Redis: another one may have lost what the last had."""
    found: Any = client.info("server")
    return str(found["run_id"])


def known_instance(client: Redis) -> str | None:
    """The Redis that all responses were published to; None: a Redis that was emptied, or a new one."""
    found: Any = client.get(INSTANCE)
    return found.decode() if found else None


def remember_instance(client: Redis, name: str) -> None:
    """All responses are, or will be, published to this one."""
    client.set(INSTANCE, name)


def responses(client: Redis) -> Iterator[tuple[str, str]]:
    """(agent, request id) of every response that stands, `received` or final; seen by SCAN, maybe twice."""
    for key in client.scan_iter(match=DECISIONS + "*:*", count=5000, _type="string"):
        agent, _, request_id = key.decode(errors="replace").removeprefix(DECISIONS).partition(":")
        if AGENT.fullmatch(agent):
            yield agent, request_id


def response(client: Redis, agent: str, request_id: str) -> Response | None:
    """What stands under a request's key now."""
    found: Any = client.get(decision(agent, request_id))
    return Response.decode(found) if found else None
