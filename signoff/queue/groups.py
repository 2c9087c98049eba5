"""Groups of readers of an agent's stream of decisions: what one of them reads and does not acknowledge comes
again after a minute, to whichever asks next. Agents' own processes read so too, and share a group's entries.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any

from redis.exceptions import ResponseError

from signoff.errors import Limited
from signoff.queue import stream
from signoff.queue.stream import ID_IN_STREAM, Redis

IDLE_MS = 60_000
"""After this long without an ack, what one reader was given is given to another."""
MOST_GROUPS = 100
"""Of one agent's. Redis keeps each for as long as the stream."""
UNREAD_MS = 7 * 24 * 3600 * 1000
"""A group that nobody has read for so long, and only by HTTP before, gives way where there are so many."""
_ROUNDS = 50
_LAST = "18446744073709551615-18446744073709551614"
CONSUMER = "http"
"""One for all processes of the web: they keep nothing of what they have handed on."""


def read(client: Redis, agent: str, group: str, count: int) -> list[tuple[str, str]]:
    """(stream entry, request id), `count` at most: what was left behind first, then what is new.

    Raises RedisError, or Limited where the agent has too many groups.
    """
    key = stream.decisions(agent)
    try:
        return _read(client, key, group, count)
    except ResponseError as error:
        if not str(error).startswith("NOGROUP"):
            raise
    _join(client, key, group)
    return _read(client, key, group, count)


def acknowledge(client: Redis, agent: str, group: str, entries: list[str]) -> None:
    """These entries are done with; what is none of the group's is passed over. Raises RedisError."""
    client.xack(stream.decisions(agent), group, *entries)


def leave(client: Redis, agent: str, group: str) -> None:
    """Redis keeps nothing of this group any more, where there is one. Raises RedisError."""
    key = stream.decisions(agent)
    if client.exists(key):
        client.xgroup_destroy(key, group)


def _read(client: Redis, key: str, group: str, count: int) -> list[tuple[str, str]]:
    found = _claim(client, key, group, count)
    if not found:
        replies: Any = client.xreadgroup(group, CONSUMER, {key: ">"}, count=count)
        rows = replies.items() if isinstance(replies, dict) else replies or []
        found = [item for _, entries in rows for item in stream.flat(entries)]
    if not found:
        # Redis 7.0 notes that a reader was there only where it looked for something older.
        client.xreadgroup(group, CONSUMER, {key: _LAST}, count=1)
    name = ID_IN_STREAM.encode()
    return [(entry.decode(), fields.get(name, b"").decode(errors="replace")) for entry, fields in found]


def _claim(client: Redis, key: str, group: str, count: int) -> list[tuple[bytes, Any]]:
    """What was left behind. Redis looks at a part of what is not acknowledged at a time."""
    start: Any = "0-0"
    for _ in range(_ROUNDS):
        start, entries, *_ = client.xautoclaim(
            key, group, CONSUMER, min_idle_time=IDLE_MS, start_id=start, count=count
        )
        found = [(entry, fields) for entry, fields in entries if fields]
        if found or start in (b"0-0", "0-0"):
            return found
    return []


def _make_room(client: Redis, key: str, groups: list[bytes]) -> bool:
    """Let go of the group that nobody has read for longest, where that is long → whether there was one."""
    unread = {}
    with suppress(ResponseError):  # not allowed, by rules of before; or another caller was faster
        for group in groups:
            readers: Any = client.xinfo_consumers(key, group)
            if [reader["name"].decode() for reader in readers] == [
                CONSUMER
            ]:  # of Python's own it is not known
                unread[group] = readers[0]["idle"]
        longest = max(unread, key=unread.__getitem__, default=None)
        if longest is not None and unread[longest] >= UNREAD_MS:
            return bool(client.xgroup_destroy(key, longest))
    return False


def _join(client: Redis, key: str, group: str) -> None:
    try:
        groups: Any = client.xinfo_groups(key)
    except ResponseError:
        groups = []  # there is no stream yet
    if len(groups) >= MOST_GROUPS and not _make_room(client, key, [one["name"] for one in groups]):
        raise Limited(
            f"{MOST_GROUPS} groups read this agent's decisions, and no more may. Read as one of them, or let "
            "go of one: DELETE /v1/decisions?group=… does. One that nobody reads for a week gives way itself."
        )
    try:
        client.xgroup_create(key, group, id="0", mkstream=True)
    except ResponseError as error:
        if not str(error).startswith("BUSYGROUP"):
            raise
