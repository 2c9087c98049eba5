"""A whole flood: an agent under its own user, the server under its own, and who switches the agent off."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from typing import Any

import pytest
import redis
from support import Core, RedisServer, a_request, eventually, send_entry

from signoff.models.identity import new_id
from signoff.queue import acl, stream
from signoff.queue.bounds import Bounds
from signoff.queue.intake import Intake
from signoff.queue.requests import Stream
from signoff.queue.users import Users

FLOODER, OTHER = "flood-bot", "other-bot"


@pytest.fixture
def database_url(tmp_path: Any) -> str:
    """Redis does not care which database it is."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


@pytest.fixture
def users(own_redis: RedisServer) -> Iterator[Users]:
    with Users(own_redis.url) as made:
        yield made


@pytest.fixture
def redis_url(own_redis: RedisServer, users: Users) -> str:
    """The server's user."""
    with redis.Redis.from_url(own_redis.url) as client:
        client.execute_command("ACL", "SETUSER", acl.SERVER, "on", ">pw", *acl.server_rules())
    return acl.with_user(own_redis.url, acl.SERVER, "pw")


def one_large(client: Any) -> None:
    client.xadd(stream.requests(FLOODER), {"body": b"x" * 9_000_000})


def large_bodies(client: Any) -> None:
    client.set(stream.body(FLOODER, str(new_id())), b"x" * 20_000_000)


def many_small(client: Any) -> None:
    pipe = client.pipeline(transaction=False)
    for _ in range(2_000):
        pipe.xadd(stream.requests(FLOODER), {"v": "1"})
    pipe.execute()


@pytest.mark.parametrize("write", [one_large, large_bodies, many_small])
def test_who_floods_is_off_in_a_moment_and_the_others_are_served(
    core: Core, redis_url: str, own_redis: RedisServer, users: Users, write: Callable[[Any], None]
) -> None:
    flooder = redis.Redis.from_url(acl.with_user(own_redis.url, FLOODER, users.add(FLOODER)))
    other = redis.Redis.from_url(acl.with_user(own_redis.url, OTHER, users.add(OTHER)))
    admin, stop = redis.Redis.from_url(own_redis.url), threading.Event()
    server = [redis.Redis.from_url(redis_url, socket_timeout=10) for _ in range(2)]
    limits = Bounds(Stream(server[0], "bounds"), users.switch_off)
    intake = Intake(core.approvals, Stream(server[1], "intake"), limits.enforce)
    running = [threading.Thread(target=part.run, args=(stop,)) for part in (limits, intake)]
    for one in running:
        one.start()
    try:
        times, most = list[float](), 0
        started = time.monotonic()
        with pytest.raises((redis.ConnectionError, redis.AuthenticationError)):
            while True:
                assert time.monotonic() - started < 60
                write(flooder)
                most = max(most, int(admin.info("memory")["used_memory"]))
        took = time.monotonic() - started
        for _ in range(5):
            asked, request = time.monotonic(), a_request(agent=OTHER)
            send_entry(other, OTHER, "request", str(request.id), request.encode())
            eventually(lambda one=request: stream.response(admin, OTHER, str(one.id)))  # type: ignore[misc]
            times.append(time.monotonic() - asked)
        print(f"{write.__name__}: off after {took:.2f} s, Redis at most {most:,}; others {max(times):.3f} s")
        assert max(times) < 5
        eventually(lambda: not list(admin.scan_iter(f"signoff:*:{FLOODER}*")))
        assert [user.on for user in users.agents() if user.name == FLOODER] == [False]
        assert limits.tally.counts["too much waits"]
    finally:
        stop.set()
        for one in running:
            one.join(20)
        for client in (flooder, other, admin, *server):
            client.close()
