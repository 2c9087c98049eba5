"""An agent's connections to Redis: replies however they are cut, and commands over an outage."""

from __future__ import annotations

import asyncio
import math
import socket
import uuid
from collections.abc import Iterator
from functools import partial
from itertools import pairwise
from typing import Any

import pytest
from faults.proxy import Proxy
from hypothesis import given, settings
from hypothesis import strategies as st
from redis.exceptions import ConnectionError as RedisConnectionError
from redis.exceptions import InvalidResponse, ResponseError
from support import RedisServer, eventually

from signoff import NotVerified, Unreachable
from signoff.client import exchange, resend
from signoff.client.exchange import RedisExchange
from signoff.models.messages import Response
from signoff.queue import connections, notifications, stream

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


def test_a_proxy_that_forgets_idle_connections_delays_no_answer(
    proxy: Proxy, own_redis: RedisServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """One that forgets after 20 s, and all else, fifty times as fast."""
    proxy.forget_after = 20.0 / 50
    for name in ("PING_SECONDS", "PONG_SECONDS", "LOOK_SECONDS"):
        monkeypatch.setattr(notifications, name, getattr(notifications, name) / 50)
    assert proxy.forget_after / 1.5 > notifications.PING_SECONDS

    async def go() -> list[float]:
        link = RedisExchange(f"redis://127.0.0.1:{proxy.port}", "billing-bot")
        writer = connections.commands(own_redis.url)
        heard = []
        try:
            for n in range(3):
                request = f"0192b1de-0000-7000-8000-00000000000{n}"
                waiting = asyncio.create_task(link.wait(request, 60))
                await asyncio.sleep(proxy.forget_after * 4)  # as long as a person takes
                await writer.set(stream.decision("billing-bot", request), Response(status="expired").encode())
                await writer.publish(stream.notification("billing-bot", request), "1")
                started = asyncio.get_running_loop().time()
                assert (await waiting).status == "expired"
                heard.append(asyncio.get_running_loop().time() - started)
            return heard
        finally:
            await writer.aclose()
            await link.close()

    times = asyncio.run(go())
    print("heard after", [f"{one * 1000:.0f} ms" for one in times], "over", proxy.links, "connections")
    assert proxy.links == 2, "neither connection was forgotten"
    assert max(times) < 0.3


def test_an_answer_that_comes_along_is_taken_and_what_cannot_be_read_is_looked_up(
    own_redis: RedisServer,
) -> None:
    """What comes along is checked like what is looked up: by who verifies the receipt."""

    async def go() -> list[str]:
        link = RedisExchange(own_redis.url, "billing-bot")
        writer = connections.commands(own_redis.url)
        topic = stream.notification("billing-bot", REQUEST)
        found = []
        try:
            for told in (Response(status="expired").encode(), "no JSON", '{"v":1}'):
                await writer.delete(stream.decision("billing-bot", REQUEST))
                waiting = asyncio.create_task(link.wait(REQUEST, 60))
                while await writer.pubsub_numsub(topic) != [(topic.encode(), 1)]:
                    await asyncio.sleep(0.01)
                if told != Response(status="expired").encode():
                    await writer.set(
                        stream.decision("billing-bot", REQUEST), Response(status="cancelled").encode()
                    )
                await writer.publish(topic, told)
                found.append((await waiting).status)
            return found
        finally:
            await writer.aclose()
            await link.close()

    assert asyncio.run(go()) == ["expired", "cancelled", "cancelled"]


def test_a_dead_connection_is_found_by_the_kernel_too(redis_url: str) -> None:
    async def go() -> tuple[Any, Any]:
        commands, bare = connections.commands(redis_url), connections.bare(redis_url)
        await commands.ping()
        await bare.connect()
        found = [
            writer.get_extra_info("socket").getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            for writer in (commands.connection._writer, bare._writer)  # type: ignore[union-attr, attr-defined]
        ]
        await bare.disconnect()
        await commands.aclose()
        return found[0], found[1]

    assert all(asyncio.run(go()))
    assert connections.bare("unix:///tmp/no-such-socket") is not None, "which has nothing to keep alive"


def test_sending_again_while_no_server_is_there_does_not_multiply(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """3,000 requests and an hour without a server, 900 times as fast: before, 18,000 entries a minute."""
    for name in ("RESEND_SECONDS", "POINT_SECONDS"):
        monkeypatch.setattr(resend, name, tuple(pause / 900 for pause in getattr(resend, name)))
    body = '{"payload":"' + "x" * 1500 + '"}'

    async def go() -> tuple[int, int, int]:
        link, reader = RedisExchange(redis_url, "billing-bot"), connections.commands(redis_url)
        try:
            ids = [str(uuid.uuid4()) for _ in range(3000)]
            await asyncio.gather(*(link.send("request", one, body) for one in ids))
            started = asyncio.get_running_loop().time()
            entries = []
            while asyncio.get_running_loop().time() - started < 3600 / 900:
                await asyncio.sleep(60 / 900)
                entries.append(await reader.xlen(stream.requests("billing-bot")))
            used = await reader.info("memory")
            return entries[0], entries[-1], int(used["used_memory"])
        finally:
            await link.close()
            await reader.aclose()

    minute, hour, used = asyncio.run(go())
    print(f"3,000 requests: {minute:,} entries after a minute, {hour:,} after an hour; Redis {used:,} bytes")
    assert minute == 3000
    assert hour <= 3000 * 4


def test_a_hundred_large_requests_that_wait_take_their_own_size_and_no_more(
    redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """100 of 150 KB filled 1.8 GB an hour."""
    for name in ("RESEND_SECONDS", "POINT_SECONDS"):
        monkeypatch.setattr(resend, name, tuple(pause / 1800 for pause in getattr(resend, name)))
    body = '{"payload":"' + "x" * 150_000 + '"}'

    async def go() -> tuple[int, int]:
        link, reader = RedisExchange(redis_url, "billing-bot"), connections.commands(redis_url)
        try:
            before = int((await reader.info("memory"))["used_memory"])
            await asyncio.gather(*(link.send("request", str(uuid.uuid4()), body) for _ in range(100)))
            await asyncio.sleep(3600 / 1800)
            entries = await reader.xlen(stream.requests("billing-bot"))
            return entries, int((await reader.info("memory"))["used_memory"]) - before
        finally:
            await link.close()
            await reader.aclose()

    entries, used = asyncio.run(go())
    print(f"100 requests of 150 KB: {entries} entries and {used:,} bytes after an hour")
    assert used < 100 * 150_000 * 1.5 and entries <= 400


def test_a_pointer_is_small(redis_url: str) -> None:
    words = stream.entry("request", REQUEST)
    assert sum(len(name) + len(value) for name, value in words.items()) < 100 and "body" not in words


def test_what_is_lost_is_sent_again_body_and_all(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resend, "RESEND_SECONDS", (0.05,))

    async def go() -> None:
        link, other = RedisExchange(redis_url, "billing-bot"), connections.commands(redis_url)
        try:
            await link.send("request", REQUEST, "the body")
            for lose in (other.flushall, partial(other.delete, stream.body("billing-bot", REQUEST))):
                await lose()
                while await other.get(stream.body("billing-bot", REQUEST)) != b"the body":
                    await asyncio.sleep(0.01)
                while not await other.xlen(stream.requests("billing-bot")):
                    await asyncio.sleep(0.01)
        finally:
            await link.close()
            await other.aclose()

    asyncio.run(asyncio.wait_for(go(), 30))


@pytest.mark.parametrize("junk", ["hash", "list", "stream", "garbage", "deep", "huge number"])
def test_what_somebody_put_under_a_decisions_key_costs_no_other_waiter_anything(
    redis_url: str, junk: str
) -> None:
    other_id = "0192b1de-0000-7000-8000-00000000000f"

    async def go() -> tuple[Any, Response]:
        link, writer = RedisExchange(redis_url, "billing-bot"), connections.commands(redis_url)
        key = stream.decision("billing-bot", REQUEST)
        try:
            match junk:
                case "hash":
                    await writer.hset(key, "a", "b")  # type: ignore[misc]
                case "list":
                    await writer.rpush(key, "a")  # type: ignore[misc]
                case "stream":
                    await writer.xadd(key, {"a": "b"})
                case _:
                    texts = {"garbage": b"\xff\x00{", "deep": b"[" * 100_000, "huge number": b'{"v":1e999}'}
                    await writer.set(key, texts[junk])
            spoilt = asyncio.create_task(link.wait(REQUEST, 60))
            waiting = asyncio.create_task(link.wait(other_id, 60))
            with pytest.raises(NotVerified):
                await link.lookup(REQUEST)
            await asyncio.sleep(0.1)
            await writer.set(stream.decision("billing-bot", other_id), Response(status="expired").encode())
            await writer.publish(stream.notification("billing-bot", other_id), "1")
            found = await asyncio.wait_for(waiting, 10)
            if not spoilt.done():  # nobody's response yet: it is covered by the server's
                await writer.set(key, Response(status="expired").encode())
                await writer.publish(stream.notification("billing-bot", REQUEST), "1")
            return (await asyncio.gather(spoilt, return_exceptions=True))[0], found
        finally:
            await link.close()
            await writer.aclose()

    spoilt, found = asyncio.run(go())
    assert found.status == "expired"
    assert isinstance(spoilt, NotVerified | Response)


def test_spending_asks_again_at_growing_pauses(redis_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(exchange, "SPEND_SECONDS", tuple(pause / 900 for pause in exchange.SPEND_SECONDS))

    async def go() -> int:
        link, reader = RedisExchange(redis_url, "billing-bot"), connections.commands(redis_url)
        try:
            with pytest.raises(TimeoutError):
                await link.spend(REQUEST, '{"by":"me"}', 3600 / 900)
            return int(await reader.xlen(stream.requests("billing-bot")))
        finally:
            await link.close()
            await reader.aclose()

    assert asyncio.run(go()) <= 6
