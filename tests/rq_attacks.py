"""What somebody can do who may write RQ's keys: each attack as the bytes that they would write.

A plain worker (of RQ, unmodified) and ours run in processes of their own, with the module `harm` beside them:
it stands for any module that a server has, and leaves a mark when it is called.
"""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
import time
import zlib
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from signoff.queue.wakeups import QUEUE

HARM = '''
import os

def mark(*found):
    """Whatever called us: a job's id, or a job."""
    name = next(str(getattr(one, "id", one)) for one in found)
    with open(os.path.join(os.environ["MARKS"], name), "a") as file:
        file.write("x")

def mark_and_fail(*found):
    mark(*found)
    raise RuntimeError("failed, to be tried again")
'''
PLAIN = """
import sys
import redis, rq
from rq.serializers import resolve_serializer
url, serializer, burst, kind = sys.argv[1:]
serializer = resolve_serializer(serializer)
connection = redis.Redis.from_url(url)
queue = rq.Queue("signoff", connection=connection, serializer=serializer)
worker = getattr(rq, kind)([queue], connection=connection, serializer=serializer)
print("starts", worker.name, flush=True)
worker.work(burst=burst == "burst", with_scheduler=burst == "burst")
"""
OURS = """
import os, signal, sys, threading
from signoff.server import logs
from signoff.queue import jobs
from signoff.queue.mac import Mac
def deliver(about):
    with open(os.path.join(os.environ["MARKS"], about), "a") as file:
        file.write("x")
logs.setup("INFO")
jobs.REFUSED_EVERY = 0.0
jobs.SignoffJob.functions = {"deliver": deliver}
jobs.SignoffJob.mac = Mac(b"k" * 32)
stop = threading.Event()
signal.signal(signal.SIGTERM, lambda *_: stop.set())
print("starts", flush=True)
jobs.keep_working(sys.argv[1], stop)
"""
KEY = b"k" * 32
"""What our worker in a test checks MACs with."""


def start(program: str, folder: Path, *arguments: str) -> subprocess.Popen[bytes]:
    """A worker in a process of its own; its output is in `log`, marks are left in `marks`."""
    (folder / "marks").mkdir(exist_ok=True)
    (folder / "harm.py").write_text(HARM)
    root = Path(__file__).parents[1]
    environment = {"MARKS": str(folder / "marks"), "PYTHONPATH": f"{folder}:{root}", "PATH": "/usr/bin:/bin"}
    with (folder / "log").open("ab") as log:
        return subprocess.Popen(
            [sys.executable, "-c", program, *arguments], env=environment, cwd=folder, stdout=log, stderr=log
        )


@dataclass(frozen=True)
class Attack:
    """`plant` writes it as job `name` (its argument); a plain worker then does the harm so many `times`.

    `queued`: it stands in the queue, so that ours looks at it, and refuses it. Elsewhere ours does not look.
    """

    name: str
    plant: Callable[[Any, str, Path], None]
    times: int = 1
    queued: bool = True


def job(
    connection: Any, name: str, function: str, arguments: list[Any], *, queued: bool = True, **fields: Any
) -> None:
    """A job by hand."""
    call = json.dumps([function, fields.pop("instance", None), arguments, {}]).encode()
    made = {
        "data": zlib.compress(call),
        "origin": QUEUE,
        "status": "queued",
        "created_at": "2026-01-01T00:00:00.000000Z",
    }
    connection.hset(f"rq:job:{name}", mapping={**made, **fields})
    if queued:
        connection.rpush(f"rq:queue:{QUEUE}", name)


def _dotted(c: Any, name: str, marks: Path) -> None:
    job(c, name, "os.system", [f"touch {marks / name}"])


def _builtin(c: Any, name: str, marks: Path) -> None:
    job(c, name, "builtins.exec", [f"open({str(marks / name)!r}, 'w').close()"])


def _on_success(c: Any, name: str, marks: Path) -> None:
    job(c, name, "builtins.len", ["abc"], success_callback_name="harm.mark")


def _on_failure(c: Any, name: str, marks: Path) -> None:
    job(c, name, "builtins.int", ["abc"], failure_callback_name="harm.mark")


def _instance(c: Any, name: str, marks: Path) -> None:
    """A method of whatever JSON can hold; its result proves that it was called."""
    job(c, name, "upper", [], instance="abc", success_callback_name="harm.mark")


def _repeat(c: Any, name: str, marks: Path) -> None:
    job(c, name, "harm.mark", [name], repeats_left=2, repeat_intervals="[0]")


def _retry(c: Any, name: str, marks: Path) -> None:
    job(c, name, "harm.mark_and_fail", [name], retries_left=2)


def _dependent(c: Any, name: str, marks: Path) -> None:
    """One that waits for another job to be done."""
    job(c, name, "harm.mark", [name], queued=False, status="deferred", dependency_id=f"{name}-first")
    c.zadd(f"rq:deferred:{QUEUE}", {name: time.time() + 600})
    c.sadd(f"rq:job:{name}-first:dependents", name)
    job(c, f"{name}-first", "builtins.len", ["abc"])


def _intermediate(c: Any, name: str, marks: Path) -> None:
    """One that looks as if its worker had died: maintenance tries it again."""
    job(c, name, "harm.mark", [name], queued=False, retries_left=1)
    c.rpush(f"rq:queue:{QUEUE}:intermediate", name)
    c.set(f"rq:queue:{QUEUE}:intermediate:first_seen:{name}", time.time() - 600)


def _abandoned(c: Any, name: str, marks: Path) -> None:
    """One that looks as if it were running for too long: maintenance calls back."""
    job(c, name, "builtins.len", ["abc"], queued=False, status="started", failure_callback_name="harm.mark")
    c.zadd(f"rq:wip:{QUEUE}", {f"{name}:one": time.time() - 600})


def _ready(c: Any, name: str, marks: Path) -> None:
    job(c, name, "harm.mark", [name], queued=False, status="ready_to_enqueue")
    c.zadd(f"rq:ready:{QUEUE}", {name: 1})


def _scheduled(c: Any, name: str, marks: Path) -> None:
    job(c, name, "harm.mark", [name], queued=False, status="scheduled")
    c.zadd(f"rq:scheduled:{QUEUE}", {name: 1})


def _limited(c: Any, name: str, marks: Path) -> None:
    job(c, name, "harm.mark", [name], queued=False, status="rate_limited", rate_limit_key="x")
    c.sadd("rq:rl-keys", "x")
    c.hset("rq:rl:x", "concurrency", 5)
    c.zadd("rq:rl:x:rate_limited", {name: 1})


ATTACKS = [
    Attack("dotted-function", _dotted),
    Attack("builtin", _builtin),
    Attack("callback-on-success", _on_success),
    Attack("callback-on-failure", _on_failure),
    Attack("instance", _instance),
    Attack("repeat", _repeat, times=3),
    Attack("retry", _retry, times=3),
    Attack("dependent", _dependent),
    Attack("intermediate-queue", _intermediate, queued=False),
    Attack("abandoned", _abandoned, queued=False),
    Attack("ready", _ready, queued=False),
    Attack("scheduled", _scheduled, queued=False),
    Attack("rate-limited", _limited, queued=False),
]


class Bomb:
    """What unpickling it does."""

    def __init__(self, name: str) -> None:
        self.name = name

    def __reduce__(self) -> tuple[Any, ...]:
        return exec, (f"import harm; harm.mark({self.name!r})",)


def _pickled_data(c: Any, name: str, marks: Path) -> None:
    job(c, name, "builtins.len", ["abc"], data=zlib.compress(pickle.dumps(Bomb(name))))


def _pickled_meta(c: Any, name: str, marks: Path) -> None:
    call = pickle.dumps(("builtins.len", None, ["abc"], {}))
    job(c, name, "builtins.len", ["abc"], data=zlib.compress(call), meta=pickle.dumps(Bomb(name)))


def _pickled_result(c: Any, name: str, marks: Path) -> None:
    call = pickle.dumps(("builtins.len", None, ["abc"], {}))
    job(c, name, "builtins.len", ["abc"], data=zlib.compress(call), result=pickle.dumps(Bomb(name)))


PICKLED = [
    Attack("pickled-data", _pickled_data),
    Attack("pickled-meta", _pickled_meta),
    Attack("pickled-result", _pickled_result),
]


def _wrong_queue(c: Any, name: str, marks: Path) -> None:
    c.set(f"rq:queue:{QUEUE}", "not a list")


def _wrong_job(c: Any, name: str, marks: Path) -> None:
    c.set(f"rq:job:{name}", "not a hash")
    c.rpush(f"rq:queue:{QUEUE}", name)


def _no_text(c: Any, name: str, marks: Path) -> None:
    c.rpush(f"rq:queue:{QUEUE}", b"\xff\xfe")


def _bad_status(c: Any, name: str, marks: Path) -> None:
    job(c, name, "builtins.len", ["abc"], status="nonsense")


def _bad_registry(c: Any, name: str, marks: Path) -> None:
    c.zadd(f"rq:wip:{QUEUE}", {"no composite key": 1})


def _suspended(c: Any, name: str, marks: Path) -> None:
    c.set("rq:suspended", "1")


STALLS = [
    Attack("queue-is-no-list", _wrong_queue),
    Attack("job-is-no-hash", _wrong_job),
    Attack("id-is-no-text", _no_text),
    Attack("status-is-nonsense", _bad_status),
    Attack("registry-is-nonsense", _bad_registry),
    Attack("suspended", _suspended),
]
"""After these a plain worker runs no right job any more."""
