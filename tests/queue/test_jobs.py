"""RQ is not trusted: each attack runs on a plain worker, and is refused by ours."""

from __future__ import annotations

import json
import zlib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import redis
from rq import Queue, SimpleWorker
from rq.job import Job
from rq.serializers import JSONSerializer
from support import eventually

from signoff.app import DELIVER, QUEUE, Enqueue
from signoff.queue.jobs import SignoffJob, SignoffWorker


@pytest.fixture
def connection(redis_url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(redis_url)
    yield client
    client.close()


@pytest.fixture
def delivered(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """What our worker was asked to deliver."""
    found: list[str] = []
    monkeypatch.setattr(SignoffJob, "functions", {DELIVER: found.append})
    return found


def inject(connection: redis.Redis, function: str, args: list[Any], **fields: Any) -> None:
    """What somebody who can write RQ's keys does: a job by hand."""
    data = zlib.compress(json.dumps([function, None, args, {}]).encode())
    job = {"data": data, "origin": QUEUE, "status": "queued", "created_at": "2026-01-01T00:00:00.000000Z"}
    connection.hset("rq:job:evil", mapping={**job, **fields})
    connection.rpush(f"rq:queue:{QUEUE}", "evil")


def run(connection: redis.Redis, worker: Any, job: Any) -> None:
    queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer, job_class=job)
    worker([queue], connection=connection, serializer=JSONSerializer, job_class=job).work(burst=True)


def attacks(mark: Path) -> list[tuple[str, list[Any], dict[str, Any]]]:
    touch = f"touch {mark}"
    callback = {"success_callback_name": "os.system", "success_callback_timeout": "60"}
    return [
        ("os.system", [touch], {}),
        ("builtins.exec", [f"open({str(mark)!r}, 'w').close()"], {}),
        ("subprocess.getoutput", [touch], {}),
        ("posix.system", [touch], callback),
    ]


@pytest.mark.parametrize("number", range(4))
def test_a_planted_function_runs_in_a_plain_worker_and_not_in_ours(
    connection: redis.Redis, delivered: list[str], tmp_path: Path, number: int
) -> None:
    plain, ours = tmp_path / "plain", tmp_path / "ours"
    function, args, fields = attacks(plain)[number]
    inject(connection, function, args, **fields)
    run(connection, SimpleWorker, Job)
    assert plain.exists()
    connection.flushall()
    function, args, fields = attacks(ours)[number]
    inject(connection, function, args, **fields)
    run(connection, SignoffWorker, SignoffJob)
    assert not ours.exists() and delivered == []


@pytest.mark.parametrize("args", [[], ["id", "more"], [["id"]], [5], [None]])
def test_our_own_job_takes_one_id_and_nothing_else(
    connection: redis.Redis, delivered: list[str], args: list[Any]
) -> None:
    inject(connection, DELIVER, args)
    run(connection, SignoffWorker, SignoffJob)
    assert delivered == []


def test_callbacks_and_webhooks_of_a_good_job_are_dropped(
    connection: redis.Redis, delivered: list[str], tmp_path: Path
) -> None:
    hook = [{"url": "http://127.0.0.1:9/", "statuses": ["finished"]}]
    inject(
        connection, DELIVER, ["an-id"],
        success_callback_name="os.abort", failure_callback_name="os.abort", stopped_callback_name="os.abort",
        webhooks=json.dumps(hook), meta=b"\x80\x04junk",
    )  # fmt: skip
    job = SignoffJob.fetch("evil", connection=connection, serializer=JSONSerializer)
    assert job.success_callback is None and job.failure_callback is None and not job.webhooks
    run(connection, SignoffWorker, SignoffJob)
    assert delivered == ["an-id"]


def test_our_worker_does_not_listen_to_commands(connection: redis.Redis, delivered: list[str]) -> None:
    queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer, job_class=SignoffJob)
    worker = SignoffWorker([queue], connection=connection, serializer=JSONSerializer)
    worker.subscribe()
    shutdown = json.dumps({"command": "shutdown"})
    assert connection.publish(worker.pubsub_channel_name, shutdown) == 0


def test_a_wake_up_carries_an_id_only_and_leaves_nothing_behind(
    connection: redis.Redis, delivered: list[str]
) -> None:
    Enqueue(connection)("an-id")
    [key] = [key for key in connection.keys("rq:job:*")]
    assert json.loads(zlib.decompress(connection.hget(key, "data"))) == [DELIVER, None, ["an-id"], {}]  # type: ignore[arg-type]
    run(connection, SignoffWorker, SignoffJob)
    assert delivered == ["an-id"]
    assert eventually(lambda: not connection.keys("rq:job:*"))


def test_a_wake_up_that_cannot_be_sent_does_not_raise() -> None:
    client = redis.Redis(port=9, socket_connect_timeout=0.2)
    Enqueue(client)("an-id")
    client.close()
