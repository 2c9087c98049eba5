"""Where the road can be cut: between any two things that are done to Redis, the database or Slack."""

from __future__ import annotations

import ast
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
import redis
from faults.trace import PACKAGE, Trace, trace_commits, traced
from flows.local import SHARED, Local, local_bot
from flows.person import ANA
from rq import Queue
from rq.serializers import JSONSerializer
from support import a_request, eventually, send_entry

from signoff import Signoff
from signoff.approvals import sweep as sweeps
from signoff.approvals.sweep import Sweep
from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.delivery.turns import Turns
from signoff.models.approval import Approval
from signoff.models.crash import CRASH_POINTS, RARE_POINTS
from signoff.models.identity import new_id
from signoff.models.messages import Cancel, Outcome
from signoff.policy.loader import parse
from signoff.queue import stream
from signoff.queue.intake import Intake
from signoff.queue.jobs import SignoffJob, SignoffWorker
from signoff.queue.publisher import Publisher
from signoff.queue.wakeups import DELIVER, QUEUE

POLICY = b"""
version: 1
agents:
  "*": {limits: {pending: 3}}
rules:
  - {name: small, when: payload.amount <= 10, verdict: allow}
  - {name: told, when: payload.amount <= 20, verdict: notify}
  - {name: never, when: payload.amount > 5000, verdict: block}
"""


@pytest.fixture
def trace(monkeypatch: pytest.MonkeyPatch) -> Trace:
    monkeypatch.setattr(sweeps, "UNPUBLISHED_SECONDS", -1.0)  # nobody is still at it
    return traced(monkeypatch)


@pytest.fixture
def local(tmp_path: Path, redis_url: str, trace: Trace) -> Iterator[Local]:
    with local_bot(tmp_path, redis_url) as found:
        trace_commits(trace, found.server.engine)
        yield found


STEPS = {"transaction": ("written", "committed"), "wake": ("announced",), "_each": ()}
"""What is called with a step's name passes its points: `store.transaction("end")` passes two."""


def points_of(call: ast.Call) -> Iterator[str]:
    """The points that a call passes, by what stands in the source."""
    name = ast.unparse(call.func).rpartition(".")[2]
    first = call.args[0] if call.args else None
    if ast.unparse(call.func) == "crash.here" and isinstance(first, ast.Constant):
        yield first.value
    elif isinstance(first, ast.Constant) and first.value:
        yield from (f"{first.value}.{end}" for end in STEPS.get(name, ()))
        if name == "_each":
            yield f"sweep.{first.value}"


def test_every_point_stands_in_the_source_and_in_the_table() -> None:
    found = {
        point
        for file in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(file.read_text()))
        if isinstance(node, ast.Call)
        for point in points_of(node)
    }
    assert found == CRASH_POINTS.keys() | RARE_POINTS.keys()


class Whole:
    """A bot that runs; and an intake, a worker and a sweep that do what there is to do when they are told."""

    def __init__(self, local: Local) -> None:
        self.local, self.server = local, local.server
        self._intake = Intake(self.server.approvals, self.server.stream(1))
        self._turns = Turns(
            self.server.store,
            Delivery(self.server.approvals, self.server.slack, Admins(self.server.slack, ())),
        )
        self.sweep = Sweep(self.server.approvals)
        local.slack.team(events=[])  # the bot shall hear of nothing but the clicks

    def take(self) -> None:
        eventually(lambda: self._intake.step() or self._intake._reader._due.clear())

    def work(self) -> None:
        """What the worker does with every wake-up there is."""
        server = self.server
        SignoffJob.functions, SignoffJob.mac = {DELIVER: self._turns.wake}, server.mac
        with redis.Redis.from_url(server.redis_url) as connection:
            queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer, job_class=SignoffJob)
            worker = SignoffWorker([queue], connection=connection, serializer=JSONSerializer)
            worker.work(burst=True, logging_level="ERROR")
        with server.store.transaction() as connection:  # Slack lets one edit through every 2 s
            connection.exec_driver_sql("UPDATE thread SET not_before = 0")
        self._turns.step()

    def send(self, kind: str, request_id: str, body: str) -> None:
        """By hand, and it is taken."""
        with redis.Redis.from_url(self.server.redis_url) as client:
            send_entry(client, "billing-bot", kind, request_id, body)
        self.take()

    def ask(self, amount: int) -> str:
        """A request that is taken, and its card where it has one; the request's id."""
        request = a_request(payload={"amount": amount})
        self.send("request", str(request.id), request.encode())
        self.work()
        return str(request.id)


def test_a_step_without_a_point_is_found(local: Local, trace: Trace, monkeypatch: pytest.MonkeyPatch) -> None:
    """Planted: whoever marks a request as received does one thing more."""
    whole, server = Whole(local), local.server
    received = Publisher.mark_received
    plants: list[Callable[[str], object]] = [
        lambda _: server.approvals.publisher._redis.delete(stream.INSTANCE),
        lambda approval_id: server.approvals.cards.postpone(approval_id, 1.0),
        lambda _: server.slack.post(SHARED, "One more"),
    ]

    def also(publisher: Publisher, approval: Approval, now: int, held_by: str | None = None) -> None:
        received(publisher, approval, now, held_by)
        plants[0](approval.id)

    monkeypatch.setattr(Publisher, "mark_received", also)
    while plants:
        request = a_request()
        whole.send("request", str(request.id), request.encode())
        assert len(trace.bare()) == 1, trace.by_thread
        trace.by_thread.clear()
        plants.pop(0)


def test_a_request_passes_every_point_in_order_and_no_step_is_without_one(local: Local, trace: Trace) -> None:
    whole, server = Whole(local), local.server
    key = server.settings.signer().verify_key
    with Signoff(redis_url=server.redis_url, agent="billing-bot", verify_key=key) as agent:
        for run in (None, "run-7"):  # one stands by itself, the other in its run's thread
            ticket = agent.request("refund.create", {"amount": 120}, reversible=True, run=run)
            whole.take()
            eventually(lambda: "client.received" in trace.points)
            whole.work()
            local.person(ANA).click(local.card(ticket.id), "approve")
            receipt = ticket.wait(60)
            whole.work()
            with ThreadPoolExecutor(1) as pool:
                spends = pool.submit(agent.spend, receipt, 60)
                whole.take()
                spends.result(60)
            agent.report(ticket.id, succeeded=True)
            whole.take()
            whole.work()
        agent.request("refund.create", {"amount": 1}, reversible=True)
        whole.take()
    whole.send("nonsense", str(new_id()), "{}")
    with redis.Redis.from_url(server.redis_url) as client:
        client.delete(stream.INSTANCE)
    whole.sweep.step()

    assert not trace.bare(), "\n".join(trace.bare())
    order = list(dict.fromkeys(trace.points))
    assert set(order) == set(CRASH_POINTS)
    for ours in (True, False):  # the two sides of the road go on at the same time
        assert [name for name in order if name.startswith("client.") is ours] == [
            name for name in CRASH_POINTS if name.startswith("client.") is ours
        ]


def test_whatever_becomes_of_a_request_no_step_is_without_a_point(local: Local, trace: Trace) -> None:
    whole, server, ana = Whole(local), local.server, local.person(ANA)
    defaults = {"approvers": (ANA,), "conversation": SHARED}
    policy = parse(POLICY, "policy.yml", **defaults).policy  # type: ignore[arg-type]
    server.approvals.judge._in_force = lambda: policy

    def became(request_id: str) -> str:
        found = server.store.find("billing-bot", request_id)
        return found.status if found else ""

    assert [became(whole.ask(amount)) for amount in (5, 15, 9000)] == ["approved", "approved", "blocked"]
    rejected, edited, cancelled = (whole.ask(amount) for amount in (100, 101, 102))
    ana.reject(local.card(rejected), "No")
    ana.click(local.card(edited), "edit")
    ana.submit(ana.view("edit"), amount="80")
    ana.submit(ana.view("difference"))
    whole.send("outcome", edited, Outcome(succeeded=False).model_dump_json())
    whole.send("cancel", cancelled, Cancel().model_dump_json())
    whole.work()
    assert [became(one) for one in (rejected, edited, cancelled)] == ["rejected", "approved", "cancelled"]
    expired, *_ = [whole.ask(amount) for amount in (103, 104, 105)]
    assert [became(whole.ask(amount)) for amount in (106, 103)] == ["", ""], "one is limited, one a duplicate"
    with server.store.transaction() as connection:
        connection.exec_driver_sql(f"UPDATE approval SET expires_at = 1 WHERE id = '{expired}'")
    whole.sweep.step()
    whole.work()
    assert became(expired) == "expired" and not trace.bare(), "\n".join(trace.bare())


def test_a_process_dies_at_its_point_the_nth_time_and_a_wrong_name_is_refused() -> None:
    program = (
        "from signoff.models import crash\nfor n in '123': print(n, flush=True), crash.here('intake.read')"
    )

    def run(where: str) -> subprocess.CompletedProcess[str]:
        env = {"SIGNOFF_CRASH_AT": where}
        command = [sys.executable, "-c", program]
        return subprocess.run(command, env=env, capture_output=True, text=True, check=False)

    died = run("intake.read:2")
    assert (died.returncode, died.stdout.split()) == (-9, ["1", "2"])
    assert run("intake.acked:1").returncode == run("").returncode == 0
    for wrong in ("intake.reed:1", "intake.read", "intake.read:0"):
        assert "is no point" in run(wrong).stderr
