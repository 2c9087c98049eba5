"""RQ is not trusted: each attack does its harm in a plain worker, and the same bytes do none in ours."""

from __future__ import annotations

import json
import pickle
import subprocess
import threading
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import redis
from redis.backoff import NoBackoff
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from rq_attacks import ATTACKS, KEY, OURS, PICKLED, PLAIN, STALLS, Attack, Bomb, job, start
from support import RedisServer, eventually

from signoff.queue import jobs
from signoff.queue.jobs import Refusals, SignoffJob, SignoffWorker
from signoff.queue.mac import Mac
from signoff.queue.wakeups import DELIVER, QUEUE, Enqueue

MAC = Mac(KEY)
REFUSED = "refused a job"
SECONDS = 60.0


@dataclass
class Worker:
    """A worker in a process of its own, with a Redis of its own."""

    folder: Path
    server: RedisServer
    connection: Any
    process: subprocess.Popen[bytes] | None = None

    @property
    def log(self) -> str:
        return (self.folder / "log").read_text(errors="replace")

    @property
    def marks(self) -> Path:
        return self.folder / "marks"

    def marked(self, name: str) -> int:
        """How often harm was done, or a right job."""
        found = self.marks / name
        return max(1, len(found.read_text())) if found.exists() else 0

    def run_plain(self, serializer: str = "json", how: str = "burst", kind: str = "SimpleWorker") -> None:
        """An unmodified worker of RQ; in `burst` until there is nothing left to do."""
        self.process = start(PLAIN, self.folder, self.server.url, serializer, how, kind)
        if how == "burst":
            self.process.wait(SECONDS)

    def right_job(self, name: str) -> str:
        """What this server itself would queue; the job's id."""
        job_id = MAC.job_id(QUEUE, DELIVER, [name])
        job(self.connection, job_id, DELIVER, [name])
        return job_id


def worker(folder: Path) -> Iterator[Worker]:
    server = RedisServer(folder)
    server.start()
    (folder / "marks").mkdir()
    connection = redis.Redis.from_url(server.url)
    found = Worker(folder, server, connection)
    yield found
    if found.process and found.process.poll() is None:
        found.process.kill()
        found.process.wait()
    connection.close()
    server.stop(kill=True)


@pytest.fixture
def plain(tmp_path: Path) -> Iterator[Worker]:
    yield from worker(tmp_path)


@pytest.fixture(scope="module")
def _ours(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    for found in worker(tmp_path_factory.mktemp("ours")):
        found.process = start(OURS, found.folder, found.server.url)
        eventually(lambda log=found.folder / "log": "starts" in log.read_text(), SECONDS)
        yield found


@pytest.fixture
def ours(_ours: Worker) -> Worker:
    """One worker of ours, the same for all attacks: it has to outlive them."""
    _ours.connection.flushall()
    for mark in _ours.marks.iterdir():
        mark.unlink()
    return _ours


@pytest.fixture(scope="module")
def harmed(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Worker]:
    """A plain worker after all attacks that it survives."""
    for found in worker(tmp_path_factory.mktemp("plain")):
        for attack in ATTACKS:
            attack.plant(found.connection, attack.name, found.marks)
        found.run_plain("json")
        found.connection.flushall()
        for attack in PICKLED:
            attack.plant(found.connection, attack.name, found.marks)
        found.run_plain("pickle")
        yield found


def stands(worker: Worker, attack: str) -> None:
    """Ours does nothing of it, lives, and goes on to run a right job."""
    right = f"after-{attack}"
    worker.right_job(right)
    eventually(lambda: worker.marked(right), SECONDS)
    assert worker.process is not None and worker.process.poll() is None
    assert worker.marked(right) == 1
    assert not worker.marked(attack)
    assert "Traceback" not in worker.log


@pytest.mark.parametrize("attack", [*ATTACKS, *PICKLED], ids=lambda attack: attack.name)
def test_an_attack_works_on_a_plain_worker_and_not_on_ours(
    harmed: Worker, ours: Worker, attack: Attack
) -> None:
    assert harmed.marked(attack.name) >= attack.times, harmed.log[-3000:]
    said = ours.log.count(REFUSED)
    attack.plant(ours.connection, attack.name, ours.marks)
    stands(ours, attack.name)
    assert ours.log.count(REFUSED) == said + attack.queued


@pytest.mark.parametrize("attack", STALLS, ids=lambda attack: attack.name)
def test_what_stalls_a_plain_worker_does_not_stall_ours(plain: Worker, ours: Worker, attack: Attack) -> None:
    attack.plant(plain.connection, attack.name, plain.marks)
    if attack.name != "queue-is-no-list":
        job(plain.connection, "right", "harm.mark", ["right"])
    plain.run_plain()
    assert not plain.marked("right"), plain.log[-3000:]

    attack.plant(ours.connection, attack.name, ours.marks)
    if attack.name == "queue-is-no-list":
        ours.connection.delete(f"rq:queue:{QUEUE}")
    stands(ours, attack.name)


def test_a_webhook_is_called_by_a_plain_worker_and_not_by_ours(plain: Worker, ours: Worker) -> None:
    called: list[str] = []

    class Inside(BaseHTTPRequestHandler):
        """A service that trusts this machine."""

        def do_GET(self) -> None:
            called.append(self.path)
            self.send_response(200)
            self.end_headers()

        def log_message(self, *_: Any) -> None:
            """Nothing."""

    with HTTPServer(("127.0.0.1", 0), Inside) as inside:
        threading.Thread(target=inside.serve_forever, daemon=True).start()
        hooks = [{"url": f"http://127.0.0.1:{inside.server_port}/internal", "job_status": "finished"}]
        job(plain.connection, "hook", "builtins.len", ["abc"], webhooks=json.dumps(hooks))
        plain.run_plain()
        assert called == ["/internal"]
        job(ours.connection, "hook", "builtins.len", ["abc"], webhooks=json.dumps(hooks))
        signed = ours.right_job("hooked")
        ours.connection.hset(f"rq:job:{signed}", "webhooks", json.dumps(hooks))  # on a job that is right
        eventually(lambda: ours.marked("hooked"), SECONDS)
        stands(ours, "hook")
        inside.shutdown()
    assert called == ["/internal"]


def test_commands_by_pubsub_stop_a_plain_worker_and_reach_none_of_ours(plain: Worker, ours: Worker) -> None:
    """stop-job calls back, kill-horse ends a job, shutdown ends the worker."""
    job(plain.connection, "stopped", "time.sleep", [600], stopped_callback_name="harm.mark")
    plain.run_plain(how="for-ever", kind="Worker")
    name = eventually(lambda: plain.log.partition("starts ")[2].partition("\n")[0], SECONDS)
    eventually(lambda: plain.connection.hget("rq:job:stopped", "status") == b"started", SECONDS)

    def send(to: Worker, command: str, channel: str, **more: Any) -> int:
        return int(to.connection.publish(channel, json.dumps({"command": command, **more})))

    channel = f"rq:pubsub:{name}"
    eventually(lambda: send(plain, "stop-job", channel, job_id="stopped"), SECONDS)
    eventually(lambda: plain.marked("stopped"), SECONDS)
    job(plain.connection, "killed", "time.sleep", [600])
    eventually(lambda: plain.connection.hget("rq:job:killed", "status") == b"started", SECONDS)
    eventually(
        lambda: (
            send(plain, "kill-horse", channel)
            and plain.connection.hget("rq:job:killed", "status") == b"failed"
        ),
        SECONDS,
    )
    send(plain, "shutdown", channel)
    assert plain.process is not None and plain.process.wait(SECONDS) is not None

    ours.right_job("before-commands")
    eventually(lambda: ours.marked("before-commands"), SECONDS)
    assert ours.connection.pubsub_channels() == [] and ours.connection.pubsub_numpat() == 0
    stands(ours, "commands")


def changed(name: str, arguments: list[Any], **more: Any) -> bytes:
    return zlib.compress(
        json.dumps([name, more.get("instance"), arguments, more.get("keywords", {})]).encode()
    )


@pytest.mark.parametrize(
    "fields",
    [
        {"data": changed(DELIVER, ["other"])},
        {"data": changed("home", ["tampered"])},
        {"data": changed("harm.mark", ["tampered"])},
        {"data": changed(DELIVER, ["tampered", "more"])},
        {"data": changed(DELIVER, [["tampered"]])},
        {"data": changed(DELIVER, [])},
        {"data": changed(DELIVER, ["tampered"], keywords={"about": "other"})},
        {"data": changed(DELIVER, ["tampered"], instance="abc")},
        {"data": b"no zlib"},
        {"data": zlib.compress(b"no JSON")},
        {"data": zlib.compress(b'["deliver",null,["' + b" " * 50_000_000 + b'"],{}]')},
        {"data": zlib.compress(b"[" * 900)},
    ],
    ids=range(12),
)
def test_a_signed_job_that_was_changed_is_refused(ours: Worker, fields: dict[str, Any]) -> None:
    before = ours.log.count(REFUSED)
    job_id = MAC.job_id(QUEUE, DELIVER, ["tampered"])
    job(ours.connection, job_id, DELIVER, ["tampered"], **fields)
    eventually(lambda: ours.log.count(REFUSED) == before + 1, SECONDS)
    stands(ours, "tampered")
    assert not ours.marked("other")


def test_what_is_added_to_a_signed_job_is_not_read(ours: Worker) -> None:
    """Each of these does its harm with an unsigned job in a plain worker: see the attacks."""
    job_id, bomb = MAC.job_id(QUEUE, DELIVER, ["added"]), pickle.dumps(Bomb("bomb"))
    calls = {f"{when}_callback_name": "harm.mark" for when in ("success", "failure", "stopped")}
    again = {"retries_left": 2, "repeats_left": 2, "repeat_intervals": "[0]"}
    broken = {
        "status": "nonsense",
        "enqueued_at": "nonsense",
        "timeout": "nonsense",
        "result_ttl": "nonsense",
    }
    pickled = {"meta": bomb, "result": bomb, "exc_info": bomb}
    job(ours.connection, job_id, DELIVER, ["added"], **calls, **again, **broken, **pickled)
    eventually(lambda: ours.marked("added"), SECONDS)
    stands(ours, job_id)
    assert ours.marked("added") == 1 and not ours.marked("bomb")


def test_our_own_job_without_a_mac_or_with_anothers_is_refused(ours: Worker) -> None:
    before = ours.log.count(REFUSED)
    job(ours.connection, "no-mac", DELIVER, ["unsigned"])
    job(ours.connection, Mac(b"x" * 32).job_id(QUEUE, DELIVER, ["unsigned"]), DELIVER, ["unsigned"])
    signed = MAC.job_id(QUEUE, DELIVER, ["another"])
    job(ours.connection, signed, DELIVER, ["unsigned"])
    eventually(lambda: ours.log.count(REFUSED) == before + 3, SECONDS)
    stands(ours, "unsigned")


def test_an_old_job_that_is_put_back_is_only_a_wake_up_too_many(ours: Worker) -> None:
    """It names a row, which is brought up to date from the row: nothing to gain by it."""
    job_id = ours.right_job("again")
    eventually(lambda: ours.marked("again") == 1, SECONDS)
    job(ours.connection, job_id, DELIVER, ["again"])
    eventually(lambda: ours.marked("again") == 2, SECONDS)
    assert eventually(lambda: not ours.connection.exists(f"rq:job:{job_id}"), SECONDS)


def test_refusals_are_counted_and_told_once_a_while(caplog: pytest.LogCaptureFixture) -> None:
    refusals = Refusals()
    for _ in range(1000):
        refusals.add()
    assert refusals.count == 1000 and len(caplog.records) == 1
    refusals._next = 0.0
    refusals.add()
    assert "1001 so far" in caplog.records[1].getMessage()


@pytest.fixture
def connection(redis_url: str) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(redis_url)
    yield client
    client.close()


def run(connection: redis.Redis, monkeypatch: pytest.MonkeyPatch, function: Any) -> None:
    monkeypatch.setattr(SignoffJob, "functions", {DELIVER: function})
    monkeypatch.setattr(SignoffJob, "mac", MAC, raising=False)
    queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer, job_class=SignoffJob)
    SignoffWorker([queue], connection=connection, serializer=JSONSerializer).work(burst=True)


def test_a_wake_up_carries_an_id_only_and_leaves_nothing_behind(
    connection: redis.Redis, monkeypatch: pytest.MonkeyPatch
) -> None:
    found: list[str] = []
    Enqueue(connection, MAC)("an-id")
    [key] = connection.keys("rq:job:*")
    assert json.loads(zlib.decompress(connection.hget(key, "data"))) == [DELIVER, None, ["an-id"], {}]  # type: ignore[arg-type]
    run(connection, monkeypatch, found.append)
    assert found == ["an-id"]
    assert [key for key in connection.keys("rq:*") if b":worker" not in key] == [b"rq:queues"]


def test_a_wake_up_that_fails_is_not_tried_again_and_says_only_the_kind_of_error(
    connection: redis.Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def fail(about: str) -> None:
        raise RuntimeError("a-secret of the payload")

    Enqueue(connection, MAC)("an-id")
    run(connection, monkeypatch, fail)
    assert "deliver failed: id=an-id RuntimeError" in caplog.text and "a-secret" not in caplog.text
    assert [key for key in connection.keys("rq:*") if b":worker" not in key] == [b"rq:queues"]


def test_a_wake_up_that_takes_too_long_is_ended(
    connection: redis.Redis, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(jobs, "JOB_SECONDS", 1)
    Enqueue(connection, MAC)("an-id")
    run(connection, monkeypatch, lambda about: threading.Event().wait(SECONDS))
    assert "deliver failed: id=an-id JobTimeoutException" in caplog.text


def test_a_wake_up_that_cannot_be_sent_does_not_raise() -> None:
    client = redis.Redis(port=9, socket_connect_timeout=0.2, retry=Retry(NoBackoff(), 0))
    Enqueue(client, MAC)("an-id")
    client.close()
