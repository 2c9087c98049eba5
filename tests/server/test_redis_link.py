"""The server's connections to Redis behind a firewall that drops what was quiet, and tells nobody."""

from __future__ import annotations

import os
import signal
import socket
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import urlsplit

import pytest
import redis
from faults.proxy import Proxy
from support import RedisServer

from signoff.server import redis_link

SECONDS = 0.5


@pytest.fixture
def behind(redis_url: str) -> Iterator[tuple[redis.Redis, Proxy]]:
    """A quick client behind a proxy."""
    port = urlsplit(redis_url).port or 6379
    proxy = Proxy(port)
    client = redis_link.quick(redis_url.replace(f":{port}", f":{proxy.port}"), SECONDS)
    yield client, proxy
    client.close()
    proxy.close()


def be_quiet(client: redis.Redis) -> None:
    """As if its connections had not been used for a while."""
    for connection in client.connection_pool._available_connections:
        connection.next_health_check = 0.0


def test_what_was_dropped_silently_costs_the_first_call_its_pause_and_not_its_answer(
    behind: tuple[redis.Redis, Proxy],
) -> None:
    client, proxy = behind
    client.set("signoff:test:link", 1)
    proxy.forget()
    be_quiet(client)
    began = time.monotonic()
    pipe = client.pipeline()
    pipe.incr("signoff:test:link").incr("signoff:test:link")
    assert pipe.execute() == [2, 3], "once each"
    assert time.monotonic() - began < 2.5
    assert client.get("signoff:test:link") == b"3"
    client.delete("signoff:test:link")


def test_where_nobody_is_there_it_fails_as_before(behind: tuple[redis.Redis, Proxy]) -> None:
    client, proxy = behind
    client.ping()
    proxy.refuse()
    be_quiet(client)
    began = time.monotonic()
    with pytest.raises(redis.RedisError):
        client.set("signoff:test:link", 1)
    assert time.monotonic() - began < 2.5


def test_a_redis_that_hangs_costs_little_more_than_the_calls_own_time(tmp_path: Path) -> None:
    server = RedisServer(tmp_path)
    server.start()
    assert server.process
    client = redis_link.quick(server.url, SECONDS)
    client.ping()
    os.kill(server.process.pid, signal.SIGSTOP)
    be_quiet(client)
    try:
        for _ in range(2):
            began = time.monotonic()
            with pytest.raises(redis.RedisError):
                client.set("signoff:test:link", 1)
            assert time.monotonic() - began < 1.5, "0.7 s, then 0.5 s, on a machine that has time"
    finally:
        os.kill(server.process.pid, signal.SIGCONT)
        server.stop(kill=True)
        client.close()


def test_a_call_that_is_under_way_is_not_repeated(behind: tuple[redis.Redis, Proxy]) -> None:
    client, proxy = behind
    client.set("signoff:test:once", 0)
    client.incr("signoff:test:once")
    proxy.forget()
    with pytest.raises(redis.RedisError):
        client.incr("signoff:test:once")
    assert client.get("signoff:test:once") == b"1"
    client.delete("signoff:test:once")


def test_the_kernel_asks_every_half_minute(redis_url: str) -> None:
    for client in (redis_link.quick(redis_url, SECONDS), redis_link.patient(redis_url, 5)):
        client.ping()
        wire = client.connection_pool.get_connection()._sock
        assert wire.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
        assert wire.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPIDLE) == 30
        client.close()
