"""What is read of agents' streams."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import redis

from signoff.queue.refusals import refuses_all

Fields = dict[bytes, bytes]


@dataclass(frozen=True)
class Entry:
    """One entry as read: whose it is, its stream id, its raw fields.

    `whole` is False for one that is too large: then there is no more of it than tells which request it was
    about. `deliveries` is 0 when it is read first; else how many intakes have begun with it, and did not end.
    """

    agent: str
    stream_id: bytes
    fields: Fields
    whole: bool = True
    deliveries: int = 0

    @property
    def kind(self) -> str:
        """What it says that it is."""
        return self.fields.get(b"kind", b"").decode(errors="replace")


@dataclass(frozen=True)
class Found:
    """One agent's stream, as it was when it was read.

    `state` is empty where all is well, `gone`, `type` (it is no stream), `over` (more waits than may: nothing
    was read), `full` (it took no more entries, and begins anew), or `fault` (Redis refuses: `error`).
    `held` entries were read and are not acknowledged.
    """

    agent: str
    state: str
    size: int = 0
    length: int = 0
    held: int = 0
    entries: tuple[Entry, ...] = ()
    error: str = ""


def found(agent: str, reply: Any) -> Found:
    """What a script replied about one agent's stream; raises it where that is an outage."""
    if isinstance(reply, Exception):
        if refuses_all(reply) or not isinstance(reply, redis.ResponseError):
            raise reply
        return Found(agent, "fault", error=str(reply).split(" ")[0][:40])
    state, size, length, held, entries = reply
    return Found(
        agent, state.decode(), size, length, held,
        tuple(
            Entry(agent, entry_id, dict(zip(words[::2], words[1::2], strict=True)), bool(whole), deliveries)
            for entry_id, deliveries, whole, words in entries
        ),
    )  # fmt: skip
