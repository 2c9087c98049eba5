"""All requests of a batch on their way at once, in few round trips."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from typing import Any

from signoff.models import crash
from signoff.queue import stream

CHUNK = 100
"""Bodies that one round trip brings, at most."""


async def put_together(
    redis: Any,
    agent: str,
    requests: Sequence[tuple[str, str]],
    frozen: tuple[str, str],
    within_bounds: Callable[[Callable[[], Awaitable[Any]]], Awaitable[Any]],
) -> None:
    """All bodies, then all that points to them, and last what freezes the batch: (id, body) each.

    Whoever dies before the end has left bodies that nothing leads to, or a batch that is never frozen.
    """
    for start in range(0, len(requests), CHUNK):
        pipe = redis.pipeline(transaction=False)
        for request_id, text in requests[start : start + CHUNK]:
            pipe.set(stream.body(agent, request_id), text, ex=stream.BODY_SECONDS)
        await within_bounds(pipe.execute)
    crash.here("client.gathered")
    pipe = redis.pipeline(transaction=False)
    for request_id, _ in requests:
        pipe.xadd(stream.requests(agent), stream.entry("request", request_id))
    pipe.xadd(stream.requests(agent), stream.entry(stream.BATCH, *frozen))
    await within_bounds(pipe.execute)
    crash.here("client.frozen")
