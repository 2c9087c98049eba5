"""Where the road can be cut: between any two things that are done to Redis, the database or Slack."""

from __future__ import annotations

import ast
import subprocess
import sys
import threading
import traceback
from collections import defaultdict
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
import redis
from flows.local import Local, local_bot
from flows.person import ANA
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import Connection, event
from support import eventually

from signoff import Signoff, crash, resp
from signoff.app import DELIVER, QUEUE
from signoff.bot.delivery import Delivery
from signoff.bot.post import Slack
from signoff.bot.turns import Turns
from signoff.crash import CRASH_POINTS
from signoff.models.messages import new_id
from signoff.queue import stream
from signoff.queue.intake import Intake
from signoff.queue.jobs import SignoffJob, SignoffWorker
from signoff.queue.sweep import Sweep

PACKAGE = Path(crash.__file__).parent
WRITES = frozenset(["SET", "XADD", "XACK", "XDEL", "PUBLISH", "EXPIRE", "RPUSH", "LPUSH", "HSET", "ZADD"])


class Trace:
    """Points and effects, in order, by thread."""

    def __init__(self) -> None:
        self.points: list[str] = []
        self.by_thread: defaultdict[int, list[tuple[str, str]]] = defaultdict(list)

    def point(self, name: str) -> None:
        self.points.append(name)
        self.by_thread[threading.get_ident()].append(("point", name))

    def effect(self, what: str) -> None:
        """Not those of the test itself."""
        frames = [f for f in traceback.extract_stack() if f.filename.startswith(str(PACKAGE))]
        if len(frames) > 1:  # a transaction of the test has one, of the store
            callers = " < ".join(f"{Path(f.filename).stem}.{f.name}" for f in reversed(frames[-4:]))
            self.by_thread[threading.get_ident()].append(("effect", f"{what} ({callers})"))

    def bare(self) -> list[str]:
        """Pairs of effects that one thread has done without a point in between."""
        found = []
        for lines in self.by_thread.values():
            for (kind, first), (other, second) in pairwise(lines):
                if kind == other == "effect":
                    found.append(f"{first}, then {second}")
        return found


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> Trace:
    """Records every point that is passed, and every write to Redis, the database or Slack."""
    found = Trace()
    monkeypatch.setattr(crash, "here", found.point)

    def wrap(owner: Any, name: str, describe: Any) -> None:
        original = getattr(owner, name)

        def traced(self: Any, *args: Any, **given: Any) -> Any:
            what = describe(self, *args)
            answer = original(self, *args, **given)
            if what:
                found.effect(what)
            return answer

        monkeypatch.setattr(owner, name, traced)

    wrap(redis.Redis, "execute_command", lambda _, *command: ours([command]))
    wrap(redis.client.Pipeline, "execute", lambda pipe, *_: ours([c[0] for c in pipe.command_stack]))
    wrap(resp.Commands, "run", lambda _, *commands: ours(commands))
    wrap(Slack, "call", lambda _, method, *rest: method if method.startswith(("chat.", "views.")) else "")
    return found


def ours(commands: Any) -> str:
    """What is written, but for what RQ keeps for itself: its queue alone wakes somebody."""
    words = [
        [w.decode(errors="replace") if isinstance(w, bytes) else str(w) for w in command]
        for command in commands
    ]
    done = [
        word[0] for word in words
        if word[0].upper() in WRITES and any(w.startswith(("signoff:", "rq:queue:")) for w in word[1:])
    ]  # fmt: skip
    return " ".join(done)


def trace_commits(trace: Trace, local: Local) -> None:
    """Only what was begun to write."""

    @event.listens_for(local.server.engine, "commit")
    def committed(connection: Connection) -> None:
        if not connection.get_execution_options().get("reading"):
            trace.effect("COMMIT")


@pytest.fixture
def local(tmp_path: Path, redis_url: str, trace: Trace) -> Iterator[Local]:
    with local_bot(tmp_path, redis_url) as found:
        trace_commits(trace, found)
        yield found


def test_every_point_stands_in_the_source_and_in_the_table() -> None:
    found = set()
    for file in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(file.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "crash.here":
                assert isinstance(node.args[0], ast.Constant), f"{file}: name the point itself"
                found.add(node.args[0].value)
    assert found == set(CRASH_POINTS)


def test_a_request_passes_every_point_in_order_and_no_step_is_without_one(local: Local, trace: Trace) -> None:
    server = local.server
    local.slack.team(events=[])  # the bot shall hear of nothing but the clicks
    turns = Turns(server.store, Delivery(server.approvals, server.slack, ()))
    sweep = Sweep(server.approvals)
    intake = Intake(server.approvals, server.stream(1))
    key = server.settings.signer().verify_key

    def take() -> None:
        eventually(lambda: intake.step() or intake._due.clear())

    def work() -> None:
        """What the worker does with every wake-up there is."""
        SignoffJob.functions, SignoffJob.mac = {DELIVER: turns.wake}, server.mac
        with redis.Redis.from_url(server.redis_url) as connection:
            queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer, job_class=SignoffJob)
            worker = SignoffWorker([queue], connection=connection, serializer=JSONSerializer)
            worker.work(burst=True, logging_level="ERROR")
        with server.store.transaction() as connection:  # Slack lets one edit through every 2 s
            connection.exec_driver_sql("UPDATE thread SET not_before = 0")
        turns.step()

    with Signoff(redis_url=server.redis_url, agent="billing-bot", verify_key=key) as agent:
        for run in (None, "run-7"):  # one stands by itself, the other in its run's thread
            ticket = agent.request("refund.create", {"amount": 120}, reversible=True, run=run)
            take()
            eventually(lambda: "client.received" in trace.points)
            work()
            local.person(ANA).click(local.card(ticket.id), "approve")
            assert ticket.wait(20).approved
            work()
            agent.report(ticket.id, succeeded=True)
            take()
            work()
        agent.request("refund.create", {"amount": 1}, reversible=True)
        take()
    with redis.Redis.from_url(server.redis_url) as client:
        client.xadd(stream.requests("billing-bot"), stream.entry("nonsense", str(new_id()), "{}"))
        take()
        client.delete(stream.RUN)
    sweep.step()

    assert not trace.bare(), "\n".join(trace.bare())
    order = list(dict.fromkeys(trace.points))
    assert set(order) == set(CRASH_POINTS)
    for ours in (True, False):  # the two sides of the road go on at the same time
        assert [name for name in order if name.startswith("client.") is ours] == [
            name for name in CRASH_POINTS if name.startswith("client.") is ours
        ]


def test_a_process_dies_at_its_point_the_nth_time_and_a_wrong_name_is_refused() -> None:
    program = "from signoff import crash\nfor n in '123': print(n, flush=True), crash.here('intake.read')"

    def run(where: str) -> subprocess.CompletedProcess[str]:
        env = {"SIGNOFF_CRASH_AT": where}
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    died = run("intake.read:2")
    assert (died.returncode, died.stdout.split()) == (-9, ["1", "2"])
    assert run("intake.acked:1").returncode == run("").returncode == 0
    for wrong in ("intake.reed:1", "intake.read", "intake.read:0"):
        assert "is not one of the points" in run(wrong).stderr
