"""An agent's connections to Redis: replies however they are cut, and commands over an outage."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import pytest
from faults.proxy import Proxy
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, ResponseError
from support import RedisServer, eventually

from signoff import Unreachable
from signoff.client import connections, exchange, notifications
from signoff.client.exchange import RedisExchange
from signoff.models.messages import Response
from signoff.queue import stream

REQUEST = "0192b1de-0000-7000-8000-000000000000"
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


def read(pieces: list[bytes], count: int) -> list[Any]:
    """What a subscriber reads of a server that sends these pieces, then hangs up; errors are given back."""

    async def talk(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for _ in range(2):  # the client says who it is
            while (await reader.readline()).strip() not in (b"LIB-NAME", b"LIB-VER"):
                pass
            writer.write(b"+OK\r\n")
        for piece in pieces:
            writer.write(piece)
            await writer.drain()
        writer.close()

    async def read_all() -> list[Any]:
        server = await asyncio.start_server(talk, "127.0.0.1", 0)
        connection = connections.bare(f"redis://127.0.0.1:{server.sockets[0].getsockname()[1]}")
        try:
            await connection.connect()
            return [await read_one(connection) for _ in range(count)]
        finally:
            await connection.disconnect()
            server.close()

    async def read_one(connection: Any) -> Any:
        try:
            return await connection.read_response(timeout=math.inf)
        except ResponseError as refusal:
            return refusal

    return asyncio.run(read_all())


@settings(max_examples=100, deadline=None)
@given(st.lists(replies, min_size=1, max_size=6), st.data())
def test_replies_come_out_as_they_went_in_wherever_they_were_cut(
    sent: list[Any], data: st.DataObject
) -> None:
    text = b"".join(map(written, sent))
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=8)))
    edges = [0, *cuts, len(text)]
    pieces = [text[start:end] for start, end in pairwise(edges)]
    assert read(pieces, len(sent)) == sent


def test_a_list_that_is_null_is_none_and_a_status_is_its_text() -> None:
    assert read([b"*-1\r\n+OK\r\n"], 2) == [None, b"OK"]


def test_an_error_is_handed_over_and_what_follows_is_still_read() -> None:
    error, after = read([b"-NOGROUP no such group\r\n:7\r\n"], 2)
    assert isinstance(error, ResponseError)
    assert after == 7


def test_a_closed_connection_and_what_is_no_reply_are_errors() -> None:
    with pytest.raises(RedisConnectionError):
        read([b"$10\r\nhal"], 1)
    with pytest.raises(InvalidResponse):
        read([b"HTTP/1.1 400 Bad Request\r\n"], 1)


def test_the_reader_is_the_quick_one() -> None:
    assert type(connections.bare("redis://h")._parser).__name__ == "_AsyncHiredisParser"


def test_many_keys_are_one_round_trip_and_each_has_its_reply(redis_url: str) -> None:
    async def go() -> list[Any]:
        commands = connections.commands(redis_url)
        try:
            await commands.set("name", "ä")
            await commands.lpush("list", b"\x00\r\n")
            found = await commands.mget(["name", "nothing", "name"])
            return [found, await commands.lrange("list", 0, -1), await commands.incrby("count", 41)]
        finally:
            await commands.aclose()

    assert asyncio.run(go()) == [["ä".encode(), None, "ä".encode()], [b"\x00\r\n"], 41]


def test_a_refused_command_raises_and_the_next_gets_its_own_reply(redis_url: str) -> None:
    async def go() -> list[Any]:
        commands = connections.commands(redis_url)
        try:
            await commands.lpush("list", 1)
            refused, *others = await asyncio.gather(
                commands.get("list"), commands.get("other"), commands.llen("list"), return_exceptions=True
            )
            assert isinstance(refused, ResponseError)
            return others
        finally:
            await commands.aclose()

    assert asyncio.run(go()) == [None, 1]


def test_a_command_given_up_half_way_leaves_no_reply_behind_for_the_next(redis_url: str) -> None:
    async def go() -> Any:
        commands, other = connections.commands(redis_url), connections.commands(redis_url)
        try:
            await commands.set("answer", 42)
            pending = asyncio.create_task(commands.blpop("nothing", 0))
            while not any(client["cmd"] == "blpop" for client in await other.client_list()):
                await asyncio.sleep(0.01)
            pending.cancel()
            await asyncio.gather(pending, return_exceptions=True)
            return await commands.get("answer")
        finally:
            await commands.aclose()
            await other.aclose()

    assert asyncio.run(go()) == b"42"


def test_commands_go_on_after_redis_was_away(own_redis: RedisServer) -> None:
    async def go() -> Any:
        commands = connections.commands(own_redis.url)
        try:
            await commands.set("kept", 1)
            own_redis.stop()
            with pytest.raises((RedisConnectionError, OSError)):
                await commands.get("kept")
            own_redis.start()
            return await commands.get("kept")
        finally:
            await commands.aclose()

    assert asyncio.run(go()) == b"1"


@pytest.fixture
def proxy(own_redis: RedisServer) -> Iterator[Proxy]:
    """A way to Redis that can go silent."""
    found = Proxy(own_redis.port)
    yield found
    found.close()


def test_a_redis_that_takes_all_and_says_nothing_is_unreachable_before_long(
    proxy: Proxy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(exchange, "CONNECT_SECONDS", 0.2)
    proxy.half_open()

    async def go() -> None:
        link = RedisExchange(f"redis://127.0.0.1:{proxy.port}", "billing-bot")
        try:
            for call in (
                link.send("cancel", REQUEST, "{}"), link.lookup(REQUEST), link.wait(REQUEST, 60),
            ):  # fmt: skip
                with pytest.raises(Unreachable):
                    await asyncio.wait_for(call, 5)
        finally:
            await link.close()

    asyncio.run(go())


def test_a_connection_that_never_comes_to_stand_is_given_up_and_the_next_one_serves(
    proxy: Proxy, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "CONNECT_SECONDS", 0.2)

    async def go() -> Response:
        link = RedisExchange(f"redis://127.0.0.1:{proxy.port}", "billing-bot")
        writer = connections.commands(own_redis.url)
        try:
            assert await link.lookup(REQUEST) is None
            proxy.half_open()
            waiting = asyncio.create_task(link.wait(REQUEST, 60))
            await asyncio.to_thread(eventually, lambda: link._notifications.fault)
            proxy.heal()
            await writer.set(stream.decision("billing-bot", REQUEST), Response(status="expired").encode())
            return await waiting
        finally:
            await writer.aclose()
            await link.close()

    assert asyncio.run(go()).status == "expired"
