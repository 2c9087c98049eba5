"""An agent's connections to Redis: replies however they are cut, and commands over an outage."""

from __future__ import annotations

import asyncio
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, ResponseError
from support import RedisServer

from signoff.client.resp import Commands, Replies

replies = st.recursive(
    st.none() | st.integers(-(2**63), 2**63 - 1) | st.binary(max_size=200),
    lambda inner: st.lists(inner, max_size=5),
    max_leaves=15,
)


def written(reply: Any) -> bytes:
    """A reply as Redis sends it."""
    if reply is None:
        return b"$-1\r\n"
    if isinstance(reply, int):
        return b":%d\r\n" % reply
    if isinstance(reply, bytes):
        return b"$%d\r\n%b\r\n" % (len(reply), reply)
    return b"*%d\r\n" % len(reply) + b"".join(map(written, reply))


class Link:
    """As much of a connection as a parser sees."""

    def __init__(self, pieces: list[bytes]) -> None:
        self._reader = self
        self._pieces = pieces

    async def read(self, most: int) -> bytes:
        return self._pieces.pop(0) if self._pieces else b""


def parser(*pieces: bytes) -> Replies:
    found = Replies()
    found.on_connect(Link([piece for piece in pieces if piece]))
    return found


def read(found: Replies, count: int) -> list[Any]:
    async def all_of_them() -> list[Any]:
        return [await found.read_response() for _ in range(count)]

    return asyncio.run(all_of_them())


@settings(max_examples=150, deadline=None)
@given(st.lists(replies, min_size=1, max_size=6), st.data())
def test_replies_come_out_as_they_went_in_wherever_they_were_cut(
    sent: list[Any], data: st.DataObject
) -> None:
    text = b"".join(map(written, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    edges = [0, *cuts, len(text)]
    pieces = [text[start:end] for start, end in pairwise(edges)]
    assert read(parser(*pieces), len(sent)) == sent


def test_a_list_that_is_null_is_none_and_a_status_is_its_text() -> None:
    assert read(parser(b"*-1\r\n+OK\r\n"), 2) == [None, b"OK"]


def test_an_error_is_handed_over_and_what_follows_is_still_read() -> None:
    error, after = read(parser(b"-NOGROUP no such group\r\n:7\r\n"), 2)
    assert isinstance(error, ResponseError)
    assert after == 7


def test_a_closed_connection_and_what_is_no_reply_are_errors() -> None:
    with pytest.raises(RedisConnectionError):
        read(parser(b"$10\r\nhal"), 1)
    with pytest.raises(InvalidResponse):
        read(parser(b"HTTP/1.1 400 Bad Request\r\n"), 1)


def test_many_commands_are_one_round_trip_and_each_has_its_reply(redis_url: str) -> None:
    async def go() -> list[Any]:
        commands = Commands(redis_url)
        try:
            return await commands.run(
                ("SET", "name", "ä"), ("GET", "name"), ("GET", "nothing"), ("INCRBY", "count", 41),
                ("LPUSH", "list", b"\x00\r\n"), ("LRANGE", "list", 0, -1),
            )  # fmt: skip
        finally:
            await commands.close()

    assert asyncio.run(go()) == [b"OK", "ä".encode(), None, 41, 1, [b"\x00\r\n"]]


def test_a_refused_command_raises_and_the_next_gets_its_own_reply(redis_url: str) -> None:
    async def go() -> list[Any]:
        commands = Commands(redis_url)
        try:
            with pytest.raises(ResponseError):
                await commands.run(("LPUSH", "list", 1), ("GET", "list"), ("GET", "other"))
            return await commands.run(("LLEN", "list"))
        finally:
            await commands.close()

    assert asyncio.run(go()) == [1]


def test_a_command_given_up_half_way_leaves_no_reply_behind_for_the_next(redis_url: str) -> None:
    async def go() -> list[Any]:
        commands = Commands(redis_url)
        try:
            await commands.run(("SET", "answer", 42))
            waiting = asyncio.create_task(commands.run(("BLPOP", "nothing", 0)))
            other = Commands(redis_url)
            while b"blpop" not in (await other.run(("CLIENT", "LIST")))[0]:
                await asyncio.sleep(0.01)
            await other.close()
            waiting.cancel()
            await asyncio.gather(waiting, return_exceptions=True)
            return await commands.run(("GET", "answer"))
        finally:
            await commands.close()

    assert asyncio.run(go()) == [b"42"]


def test_commands_go_on_after_redis_was_away(own_redis: RedisServer) -> None:
    async def go() -> list[Any]:
        commands = Commands(own_redis.url)
        try:
            await commands.run(("SET", "kept", 1))
            own_redis.stop()
            with pytest.raises((RedisConnectionError, OSError)):
                await commands.run(("GET", "kept"))
            own_redis.start()
            return await commands.run(("GET", "kept"))
        finally:
            await commands.close()

    assert asyncio.run(go()) == [b"1"]
