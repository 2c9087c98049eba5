"""Tells agents that what they wait for is held, since somebody has stopped it; and that it is no longer."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import redis

from signoff.errors import Invalid
from signoff.models.messages import Response
from signoff.queue.names import decision, notification

CHUNK = 200
"""Requests that one transaction tells of."""
TRIES = 3


class Waiting(NamedTuple):
    """A request that waits, and what its agent is told of that."""

    agent: str
    request_id: str
    pending: Response


def tell(client: redis.Redis, waiting: Sequence[Waiting]) -> None:
    """Put it over what stands of each that is still pending, and wake who waits; raises RedisError.

    A final response is never covered: where one comes in between, the others are told once more.
    """
    for start in range(0, len(waiting), CHUNK):
        left = waiting[start : start + CHUNK]
        for _ in range(TRIES):
            if _told(client, left):
                break


def _told(client: redis.Redis, waiting: Sequence[Waiting]) -> bool:
    keys = [decision(one.agent, one.request_id) for one in waiting]
    with client.pipeline(transaction=True) as pipe:
        pipe.watch(*keys)  # type: ignore[no-untyped-call]
        stands = _all(client, keys)
        pipe.multi()
        for one, key, text in zip(waiting, keys, stands, strict=True):
            if _is_pending(text):
                pipe.set(key, one.pending.encode(), keepttl=True)
                pipe.publish(notification(one.agent, one.request_id), one.pending.encode())
        try:
            pipe.execute()
        except redis.WatchError:
            return False
    return True


def _all(client: redis.Redis, keys: Sequence[str]) -> list[Any]:
    with client.pipeline(transaction=False) as pipe:
        for key in keys:
            pipe.get(key)
        return pipe.execute(raise_on_error=False)


def _is_pending(text: Any) -> bool:
    if not isinstance(text, bytes):
        return False
    try:
        return Response.decode(text).status == "pending"
    except Invalid:
        return False
