"""An agent writes more than anybody reads, with no more than its own rights."""

from __future__ import annotations

import time
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from redis.exceptions import RedisError

from attacks.world import World, held, until
from signoff.models.identity import new_id
from signoff.queue import stream
from signoff.queue.bounds import BODIES_BYTES

MOST = 5.0
"""Seconds that another agent may wait for an answer meanwhile."""
LAST = "18446744073709551615-18446744073709551615"


def _is_stopped(world: World, name: str, write: Callable[[Any], Any], times: int) -> None:
    """It writes until it may not; another agent is served all the same, and little of it is left."""
    with world.own(name) as client:
        with suppress(RedisError):
            for _ in range(times):
                write(client)
            until(f"{name} switched off", lambda: _is_off(world, name))
        took = world.serves()
    held(took < MOST, f"another agent waited {took:.1f} s")
    until("what waits of it gone", lambda: _left(world, name) < BODIES_BYTES)


def _is_off(world: World, name: str) -> bool:
    return any(user.name == name and not user.on for user in world.users.agents())


def _left(world: World, name: str) -> int:
    """Bytes that Redis holds of it."""
    keys = world.redis.scan_iter(f"signoff:*:{name}*", count=10_000)
    return sum(world.redis.memory_usage(key) or 0 for key in keys)


def one_entry_of_thirty_megabytes(world: World) -> None:
    """On its own stream, eight times: Redis or the server does not let it."""
    big = {"body": b"x" * 30_000_000}
    _is_stopped(world, "huge-bot", lambda client: client.xadd(stream.requests("huge-bot"), big), 8)


def entries_of_many_megabytes(world: World) -> None:
    """Forty entries of 7 MB."""
    big = {"body": b"x" * 7_000_000}
    _is_stopped(world, "big-bot", lambda client: client.xadd(stream.requests("big-bot"), big), 40)


def bodies_of_many_megabytes(world: World) -> None:
    """Forty bodies of 7 MB, for requests that never come."""
    big = b"x" * 7_000_000
    _is_stopped(world, "fat-bot", lambda client: client.set(stream.body("fat-bot", str(new_id())), big), 40)


def an_entry_of_half_a_million_fields(world: World) -> None:
    """`XADD … * f x f x …`, six times."""
    fields = ["f", "x" * 12] * 500_000
    key = stream.requests("wide-bot")
    _is_stopped(world, "wide-bot", lambda client: client.execute_command("XADD", key, "*", *fields), 6)


def many_entries(world: World) -> None:
    """250,000 entries of nothing."""

    def write(client: Any) -> None:
        pipe = client.pipeline(transaction=False)
        for _ in range(5_000):
            pipe.xadd(stream.requests("tiny-bot"), {"v": "1"})
        pipe.execute()

    _is_stopped(world, "tiny-bot", write, 50)


def the_last_id_of_a_stream(world: World) -> None:
    """The highest id there is, so that its stream takes no other: its own requests, and another agent's."""
    with world.own("last-bot") as client:
        client.execute_command("XADD", stream.requests("last-bot"), LAST, "a", "b")
    took = world.serves()
    held(took < MOST, f"another agent waited {took:.1f} s")
    until("its own stream again", lambda: _takes(world))


def _takes(world: World) -> bool:
    with world.own("last-bot") as client:
        try:
            client.xadd(stream.requests("last-bot"), {"v": "1"})
        except RedisError:
            time.sleep(0.2)
            return False
    return True


def a_thousand_requests_at_once(world: World) -> None:
    """One agent asks a thousand things; another one has its card and its answer all the same."""
    agent = world.agent("busy-bot")
    for number in range(1_000):
        agent.request("free.busy", {"n": number}, reversible=True)
    took = world.serves()
    held(took < MOST * 2, f"another agent waited {took:.1f} s")
