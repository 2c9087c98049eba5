"""Which of Slack's calls were answered, so that none of them has an effect twice; for all web processes.

A call is known by the SHA-256 of its signature. The keys stand among those of decisions, where a server may
write and no agent can read: no agent's name holds a `_`.
"""

from __future__ import annotations

import redis

from signoff.queue.stream import DECISIONS

CALLS = DECISIONS + "_slack-"
RUNS, IS_ANSWERED = b"runs", b"answered"
RUNS_SECONDS = 15
"""How long a call may run. Of a process that died with it, the same call is taken again after that."""


class Answered:
    """The calls that this Redis knows of. Methods raise RedisError."""

    def __init__(self, client: redis.Redis) -> None:
        self._client = client

    def begin(self, call: str) -> bytes | None:
        """Note that a call runs; None, or where it is known already, `RUNS` or `IS_ANSWERED`."""
        found = self._client.set(CALLS + call, RUNS, ex=RUNS_SECONDS, nx=True, get=True)
        return found if isinstance(found, bytes) else None

    def end(self, call: str, seconds: int) -> None:
        """It was answered, which is remembered for so long; with 0 it was not, and may come again."""
        if seconds > 0:
            self._client.set(CALLS + call, IS_ANSWERED, ex=seconds)
        else:
            self._client.expire(CALLS + call, -1)  # DEL is not among the server's rights there
