"""Redis as the road between agents and the server: the names of every key, and what is done to them.

All in Redis can be rebuilt from the rows, except requests not yet read: agents send those again. Only agents
write to `signoff:req:*` and `signoff:body:*`, and whatever they please: what is read there is measured first.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from typing import Any, NamedTuple

import redis

from signoff.errors import Invalid
from signoff.models.messages import AGENT, Response
from signoff.queue.entries import Fields
from signoff.queue.names import BATCH as BATCH
from signoff.queue.names import BODIES as BODIES
from signoff.queue.names import BODY_SECONDS as BODY_SECONDS
from signoff.queue.names import DECISIONS as DECISIONS
from signoff.queue.names import KEYED as KEYED
from signoff.queue.names import MESSAGES as MESSAGES
from signoff.queue.names import NOTIFICATIONS as NOTIFICATIONS
from signoff.queue.names import REQUESTS as REQUESTS
from signoff.queue.names import arrivals as arrivals
from signoff.queue.names import batch_id as batch_id
from signoff.queue.names import batch_name as batch_name
from signoff.queue.names import body as body
from signoff.queue.names import decision as decision
from signoff.queue.names import decisions as decisions
from signoff.queue.names import entry as entry
from signoff.queue.names import frozen as frozen
from signoff.queue.names import keyed as keyed
from signoff.queue.names import message as message
from signoff.queue.names import notification as notification
from signoff.queue.names import requests as requests
from signoff.queue.names import spent as spent
from signoff.queue.refusals import refuses_all

DEAD = "signoff:dead"
INSTANCE = DECISIONS + "_run"
"""Where the Redis is noted that has all responses, by its run_id. No agent's name holds a `_`."""
MAX_RESPONSE = 4 * 1024 * 1024
"""Ours have at most a payload, written as JSON once more, and a receipt."""
ID_IN_STREAM = "id"
MAX_TOLD = 16 * 1024
"""Bytes of a response that its notification brings along; a larger one is looked up by who is woken."""
TOPICS = 500
"""Channels that one command asks about."""
TRIES = 3
"""To put something where something else stands."""

Redis = redis.Redis


class Pointer(NamedTuple):
    """What leads from a request's key to its id: a nonce that only who knows the key can make, and how many
    seconds it stands.
    """

    nonce: str
    seconds: int


class Told(NamedTuple):
    """A final response to a request of an agent's, and what leads to it from its key, where it has one."""

    agent: str
    request_id: str
    response: Response
    pointer: Pointer | None


def agent_of(key: bytes) -> str | None:
    """Whose a stream's or a body's key is; None: nobody's."""
    kind = REQUESTS if key.startswith(REQUESTS.encode()) else BODIES
    agent = key[len(kind) :].decode(errors="replace").partition(":")[0]
    return (
        agent if AGENT.fullmatch(agent) and (kind == BODIES or len(key) == len(kind) + len(agent)) else None
    )


def is_stream_key(key: bytes) -> bool:
    """Whether it is an agent's stream, by its name."""
    return key.startswith(REQUESTS.encode())


def flat(entries: Any) -> list[tuple[bytes, Fields]]:
    """One stream's entries as redis-py gives them: RESP3 wraps them once more than RESP2 does."""
    if entries and isinstance(entries[0], list):
        entries = [item for chunk in entries for item in chunk]
    return [(entry_id, fields) for entry_id, fields in entries]


def mark_received(
    client: Redis,
    agent: str,
    request_id: str,
    pending: Response,
    seconds: int,
    pointer: Pointer | None = None,
) -> None:
    """Tell the agent that its request is in the database, and until when it waits; of what stands there
    it covers nothing but an earlier time.

    `pointer` leads to it from its key, where it has one.
    """
    key = decision(agent, request_id)
    for _ in range(TRIES):
        pipe = client.pipeline(transaction=False)
        pipe.set(key, pending.encode(), ex=seconds, nx=True)
        if pointer:
            pipe.set(keyed(agent, pointer.nonce), request_id, ex=pointer.seconds)
        pipe.publish(notification(agent, request_id), "1")
        if pipe.execute()[0]:
            return
        if client.type(key) != b"string":
            forget(client, key)  # it is no text, so nobody's response
        elif _cover_earlier(client, agent, request_id, pending, seconds):
            return


def _cover_earlier(client: Redis, agent: str, request_id: str, pending: Response, seconds: int) -> bool:
    """Put it over one that says an earlier time, as a talk may have given it more. False: look once more."""
    key = decision(agent, request_id)
    with client.pipeline(transaction=True) as pipe:
        pipe.watch(key)  # type: ignore[no-untyped-call]
        try:
            standing = response(client, agent, request_id)
        except Invalid:
            return True
        if standing is None:
            return False
        if standing.status != "pending" or (standing.expires_at or 0) >= (pending.expires_at or 0):
            return True
        pipe.multi()
        pipe.set(key, pending.encode(), ex=seconds)
        try:
            pipe.execute()
        except redis.WatchError:
            return False
    return True


def publish(
    client: Redis,
    agent: str,
    request_id: str,
    response: Response,
    seconds: int,
    trim_before_ms: int,
    over: Collection[str] | None = None,
    pointer: Pointer | None = None,
) -> bool:
    """Put a final response where its agent finds it, for `seconds`, and wake who waits: the notification
    brings it along, where it is no larger than `MAX_TOLD`, and spares a round trip.

    In one transaction, so that the key never stands without its id in the stream. Ids of before
    `trim_before_ms` (milliseconds since 1970) leave the stream: their receipts are no longer valid. It covers
    whatever stands there; or, where they are given, only nothing and responses `over` whose statuses it may
    go. False where it may not.
    """
    told = Told(agent, request_id, response, pointer)
    for _ in range(TRIES):
        pipe = client.pipeline(transaction=True)
        try:
            if over is not None:
                pipe.watch(decision(agent, request_id))  # type: ignore[no-untyped-call]
                if not _may_cover(client, agent, request_id, over):
                    return False
                pipe.multi()
            _put(pipe, (told,), seconds, trim_before_ms)
            pipe.execute()
            return True
        except redis.WatchError:
            continue
        except redis.ResponseError as error:
            if refuses_all(error):
                raise
            # Something else stands where the stream should, or it takes no more entries: it begins anew.
            forget(client, decisions(agent))
        finally:
            pipe.reset()
    raise redis.ResponseError("It is put there again and again.")


def publish_all(client: Redis, told: Sequence[Told], seconds: int, trim_before_ms: int) -> None:
    """As `publish` does, whatever stands there, of several in one transaction and one round trip."""
    try:
        with client.pipeline(transaction=True) as pipe:
            _put(pipe, told, seconds, trim_before_ms)
            pipe.execute()
    except redis.ResponseError as error:
        if refuses_all(error):
            raise
        for one in told:  # something else stands where a stream should: each by itself puts that right
            publish(
                client, one.agent, one.request_id, one.response, seconds, trim_before_ms, pointer=one.pointer
            )


def _put(pipe: Any, told: Sequence[Told], seconds: int, trim_before_ms: int) -> None:
    """What `publish` does, of each of these; their agents' streams are kept, and announced, once."""
    for agent, request_id, response, pointer in told:
        text = response.encode()
        pipe.set(decision(agent, request_id), text, ex=seconds)
        if pointer:
            pipe.set(keyed(agent, pointer.nonce), request_id, ex=pointer.seconds)
        pipe.xadd(decisions(agent), {ID_IN_STREAM: request_id}, minid=str(trim_before_ms), approximate=True)
        pipe.publish(notification(agent, request_id), text if len(text) <= MAX_TOLD else "1")
    for agent in dict.fromkeys(one.agent for one in told):
        pipe.expire(decisions(agent), seconds)
        pipe.publish(arrivals(agent), "1")


def _may_cover(client: Redis, agent: str, request_id: str, over: Collection[str]) -> bool:
    try:
        standing = response(client, agent, request_id)
    except Invalid:
        return True
    return standing is None or standing.status in over


def forget(client: Redis, key: str) -> None:
    """A key goes, whatever it is. By its time: DEL is not among the server's rights there, and EXPIRE is."""
    client.expire(key, -1)


def publish_notice(client: Redis, agent: str, request_id: str, response: Response, seconds: int) -> None:
    """Tell all processes that want to run a request which of them may."""
    pipe = client.pipeline(transaction=False)
    pipe.set(decision(agent, spent(request_id)), response.encode(), ex=seconds)
    pipe.publish(notification(agent, spent(request_id)), "1")
    pipe.execute()


def publish_lessons(client: Redis, agent: str, asked: str, response: Response, seconds: int) -> None:
    """Tell an agent lessons, where nothing stands under that id: it may name a request of its own."""
    pipe = client.pipeline(transaction=False)
    pipe.set(decision(agent, asked), response.encode(), ex=seconds, nx=True)
    pipe.publish(notification(agent, asked), "1")
    pipe.execute()


def backlog(client: Redis, agent: str) -> int:
    """How many entries of an agent no intake is done with."""
    try:
        return int(client.xlen(requests(agent)))
    except redis.ResponseError as error:
        if refuses_all(error):
            raise
        return 0  # what stands there is no stream


def subscribed(client: Redis, topics: Sequence[str]) -> Iterator[str]:
    """Those of these channels that somebody listens to."""
    for start in range(0, len(topics), TOPICS):
        found: Any = client.pubsub_numsub(*topics[start : start + TOPICS])
        for topic, count in found:
            if count:
                yield topic.decode(errors="replace")


def instance_id(client: Redis) -> str:
    """Names this start of this Redis: another one may have lost what the last had."""
    found: Any = client.info("server")
    return str(found["run_id"])


def known_instance(client: Redis) -> str | None:
    """The Redis that all responses were published to; None: a Redis that was emptied, or a new one."""
    try:
        found: Any = client.get(INSTANCE)
    except redis.ResponseError as error:
        if refuses_all(error):
            raise
        return None  # whatever stands there, it is not what we have put there
    return found.decode(errors="replace") if found else None


def remember_instance(client: Redis, name: str) -> None:
    """All responses are, or will be, published to this one."""
    client.set(INSTANCE, name)


def responses(client: Redis) -> Iterator[tuple[str, str]]:
    """(agent, request id) of every response that stands, `received` or final; seen by SCAN, maybe twice."""
    for key in client.scan_iter(match=DECISIONS + "*:*", count=5000, _type="string"):
        agent, _, request_id = key.decode(errors="replace").removeprefix(DECISIONS).partition(":")
        if AGENT.fullmatch(agent) and not request_id.startswith((KEYED, MESSAGES)):
            yield agent, request_id


def response(client: Redis, agent: str, request_id: str) -> Response | None:
    """What stands under a request's key now; raises Invalid where that is nothing of ours."""
    try:
        found: Any = client.getrange(decision(agent, request_id), 0, MAX_RESPONSE)
    except redis.ResponseError as error:
        if refuses_all(error):
            raise
        raise Invalid("Something else stands under its key.") from None
    return Response.decode(found) if found else None
