"""Whether people can be heard: every process that takes clicks says so each second, by the database's clock.

What the policy lets run after a while may be held for that while, so it does not run where a click may have
been lost: while nobody listened, or a process stood still that may have one in its hands.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal, NamedTuple

import redis

KEY = "rq:signoff:heard"
"""Where no agent may read or write: a hash, of each process by a name of its own."""
SECOND = 1_000_000
BEAT_SECONDS = 1.0
CALM = 2 * SECOND
"""Who was late by more stood still: what had come meanwhile is still to be handled."""
SETTLED = 4 * SECOND
"""What came before is handled by then. It is more than `CALM`: whoever stood still has had time since."""
GONE = 10 * SECOND
"""Who has said nothing for so long does not hear: what was pressed then may be lost."""
FORGOTTEN = 3600 * SECOND
Heard = Literal["yes", "not yet", "no"]


class Ears(NamedTuple):
    """Since when a process hears people, since when without standing still, and when it last said so.

    All in microseconds since 1970, by the database's clock.
    """

    since: int
    calm: int
    last: int


def said(before: Ears | None, at: int) -> Ears:
    """A process hears people now; `before` is what it said last."""
    if before is None or at - before.last > GONE:
        return Ears(at, at, at)
    return Ears(before.since, at if at - before.last > CALM else before.calm, at)


def heard(found: Iterable[Ears], start: int, end: int, now: int) -> Heard:
    """Whether all that was pressed between two moments was heard, and is handled; `not yet` while some
    process may still do so, or nobody hears at all; pure.
    """
    ears = [*found]
    living = [one for one in ears if now - one.last <= GONE]
    if not living or any(one.last < max(end, one.calm) + SETTLED for one in living):
        return "not yet"
    silent = (one for one in ears if one not in living)
    fell_silent = any(start <= one.last < max(end, one.calm) + SETTLED for one in silent)
    return "no" if fell_silent or all(one.since > start for one in living) else "yes"


def note(client: redis.Redis, name: str, ears: Ears) -> None:
    """What a process of this name says; raises RedisError."""
    client.hset(KEY, name, " ".join(map(str, ears)))


def leave(client: redis.Redis, name: str) -> None:
    """It has handled all that it took, and ends; raises RedisError."""
    client.hdel(KEY, name)


def read(client: redis.Redis, now: int) -> list[Ears]:
    """What each process has said last; those that are long gone are forgotten. Raises RedisError."""
    found = []
    for name, value in client.hgetall(KEY).items():
        ears = Ears(*map(int, value.split()))
        if now - ears.last > FORGOTTEN:
            client.hdel(KEY, name)
        else:
            found.append(ears)
    return found
