"""People's questions to agents, in Redis: the text under a key, its id on the stream of decisions.

Who does not know the kind of such an entry passes it over: no response stands under its id.
"""

from __future__ import annotations

from typing import Any

from redis.exceptions import ResponseError

from signoff.queue import stream
from signoff.queue.refusals import refuses_all
from signoff.queue.stream import ID_IN_STREAM, Redis

KIND = "kind"
MESSAGE = "message"
"""What the field `kind` of an entry says that is a question, and no decision."""
GROUP = "signoff:questions"
"""The group of readers that an agent's processes share for them: each question is one process's to answer."""
BLOCK_MS = 2_000
"""How long one read waits, at most: then whoever reads looks for what others have passed on."""
PASSED_MS = 500
"""After so long without an acknowledgement, what one process was given and did not take is another's."""
NOTHING = "18446744073709551615-18446744073709551614"
"""An id after which nobody reads anything. Redis 7.0 notes that a reader was there only where it looked for
something older than what is new."""
BY_OTHERS = "http"
"""The reader of the group that stands for all that listen by HTTP."""
LISTENS_MS = 15_000
"""Whoever has read within this time listens still."""


def publish(client: Redis, agent: str, talk_id: str, text: str, seconds: int, stream_seconds: int) -> None:
    """Put a question where its agent finds it, for `seconds`, and wake who reads; raises RedisError.

    `stream_seconds` is how long the stream itself stands. Twice does no harm: the id is the same.
    """
    for _ in range(stream.TRIES):
        pipe = client.pipeline(transaction=True)
        pipe.set(stream.message(agent, talk_id), text, ex=seconds)
        pipe.xadd(stream.decisions(agent), {ID_IN_STREAM: talk_id, KIND: MESSAGE})
        pipe.expire(stream.decisions(agent), stream_seconds)
        pipe.publish(stream.arrivals(agent), "1")
        try:
            pipe.execute()
            return
        except ResponseError as error:
            if refuses_all(error):
                raise
            # Something else stands where the stream should, or it takes no more entries: it begins anew.
            stream.forget(client, stream.decisions(agent))
    raise ResponseError("It is put there again and again.")


def stands(client: Redis, agent: str, talk_id: str) -> bool:
    """Whether a question was published here: its text and its entry come together. Raises RedisError."""
    return bool(client.exists(stream.message(agent, talk_id)))


def listens(client: Redis, agent: str) -> bool:
    """Whether a process of this agent reads questions now; raises RedisError."""
    try:
        readers: Any = client.xinfo_consumers(stream.decisions(agent), GROUP)
    except ResponseError as error:
        if refuses_all(error):
            raise
        return False  # there is no such stream or group: nobody ever has
    return any(reader["idle"] <= LISTENS_MS for reader in readers)


def note_listening(client: Redis, agent: str, stream_seconds: int) -> None:
    """A process of this agent listens now by another way than this stream; raises RedisError.

    What is new stays for those who read here. `stream_seconds` is how long the stream stands, if it is new.
    """
    key = stream.decisions(agent)
    for _ in range(stream.TRIES):
        try:
            client.xreadgroup(GROUP, BY_OTHERS, {key: NOTHING}, count=1)
            return
        except ResponseError as error:
            if not str(error).startswith("NOGROUP"):
                raise
        try:
            client.xgroup_create(key, GROUP, id="0", mkstream=True)
        except ResponseError as error:
            if not str(error).startswith("BUSYGROUP"):
                raise
        if client.ttl(key) < 0:
            client.expire(key, stream_seconds)
    raise ResponseError("It is taken away again and again.")
