"""Many requests by many agents, one of which never reads: only answers stay in Redis."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from dataclasses import dataclass
from threading import Event, Thread
from typing import Any

import pytest
import redis
from rq import Queue
from rq.serializers import JSONSerializer
from support import Core, RedisServer

from signoff import AsyncSignoff, AsyncTicket, NotApproved
from signoff.approvals.receipts import Receipts
from signoff.approvals.service import Approvals
from signoff.policy.policy import Policy
from signoff.queue.intake import Intake
from signoff.queue.jobs import SignoffJob, SignoffWorker
from signoff.queue.mac import Mac
from signoff.queue.publisher import Publisher
from signoff.queue.requests import Stream
from signoff.queue.wakeups import DELIVER, QUEUE, Enqueue

AGENTS = tuple(f"agent-{number}" for number in range(10))
SILENT = AGENTS[-1]
"""The one that asks, and never looks at an answer."""
AT_ONCE = 200

MAC = Mac(b"k" * 32)


@dataclass(frozen=True)
class Measured:
    """Bytes in Redis, and how long it took in seconds."""

    before: int
    after: int
    answers: int
    asked_seconds: float
    decided_seconds: float
    answered: int
    rest: dict[str, int]
    """Every other key → its bytes."""


def run(core: Core, url: str, requests: int) -> Measured:
    """Ask, decide, answer; what is left."""
    client = redis.Redis.from_url(url, socket_timeout=30)
    receipts = Receipts(core.signer, hours=24)
    publisher, enqueue = Publisher(client, receipts.lifetime), Enqueue(client, MAC)
    policy = Policy(approvers=("S0FIN",), conversation="C0APPROVE")
    approvals = Approvals(core.store, receipts, publisher, lambda: policy, core.people, enqueue)
    before = memory(client)
    stop, intake = Event(), Intake(approvals, Stream(client, "one"))
    reader = Thread(target=intake.run, args=(stop,))
    reader.start()
    try:
        tickets, asked, decided, answered = asyncio.run(
            road(url, core.signer.verify_key, requests, lambda: decide_all(core, approvals, requests))
        )
    finally:
        stop.set()
        reader.join(60)
    assert len(tickets) == requests
    work_off(client)
    after = memory(client)
    answers, rest = sizes(client)
    client.close()
    return Measured(before, after, answers, asked, decided, answered, rest)


async def road(
    url: str, verify_key: str, requests: int, decide: Callable[[], None]
) -> tuple[list[AsyncTicket], float, float, int]:
    """Ten agents ask; when all has been decided, nine of them fetch every answer."""
    clients = [AsyncSignoff(redis_url=url, agent=name, verify_key=verify_key) for name in AGENTS]
    gate = asyncio.Semaphore(AT_ONCE)

    async def ask(number: int) -> AsyncTicket:
        async with gate:
            client = clients[number % len(clients)]
            ticket = await client.request("refund.create", {"number": number}, reversible=True)
            if not await client.received(ticket.id, 60):
                raise AssertionError("not received")
            return ticket

    async def read(ticket: AsyncTicket) -> int:
        async with gate:
            try:
                return int((await ticket.wait(60)).approved)
            except NotApproved:
                return 1

    started = time.perf_counter()
    tickets = await asyncio.gather(*map(ask, range(requests)))
    asked = time.perf_counter() - started
    started = time.perf_counter()
    await asyncio.to_thread(decide)
    decided = time.perf_counter() - started
    reading = [ticket for ticket in tickets if ticket._client.agent != SILENT]
    answered = sum(await asyncio.gather(*map(read, reading)))
    for client in clients:
        await client.close()
    return list(tickets), asked, decided, answered


def decide_all(core: Core, approvals: Approvals, requests: int) -> None:
    waiting = core.store.waiting()
    assert len(waiting) == requests
    for number, (approval_id, _) in enumerate(waiting):
        approvals.decide(approval_id, 1, "U0ANA", "reject" if number % 10 == 0 else "approve", reason="ok")


def work_off(client: Any) -> None:
    """Every job that RQ holds, in a real worker."""
    done: list[str] = []
    SignoffJob.functions, SignoffJob.mac = {DELIVER: done.append}, MAC
    queue = Queue(QUEUE, connection=client, serializer=JSONSerializer, job_class=SignoffJob)
    worker = SignoffWorker([queue], connection=client, serializer=JSONSerializer)
    worker.work(burst=True, logging_level="ERROR")
    assert done


def memory(client: Any) -> int:
    client.execute_command("MEMORY", "PURGE")
    return int(client.info("memory")["used_memory"])


def sizes(client: Any) -> tuple[int, dict[str, int]]:
    """Bytes of the answers with their streams of ids, and of everything else by its key."""
    answers, rest = 0, {}
    keys = list(client.scan_iter(count=5000))
    for start in range(0, len(keys), 1000):
        pipe = client.pipeline(transaction=False)
        for key in keys[start : start + 1000]:
            pipe.memory_usage(key, samples=0)
        for key, size in zip(keys[start : start + 1000], pipe.execute(), strict=True):
            if key.startswith(b"signoff:dec:"):
                answers += size or 0
            else:
                rest[key.decode()] = size or 0
    return answers, rest


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_redis_holds_the_answers_and_nothing_else(core: Core, own_redis: RedisServer) -> None:
    requests = 1000
    run(core, own_redis.url, 20)  # Redis takes a megabyte of its own when its commands are first used
    with redis.Redis.from_url(own_redis.url) as client:
        client.flushall()
    found = run(core, own_redis.url, requests)
    assert found.answered == requests * 9 // 10
    assert found.after <= 1.1 * (found.before + found.answers), found
    with redis.Redis.from_url(own_redis.url) as client:
        for agent in AGENTS:
            assert client.xlen(f"signoff:req:{agent}") == 0
            assert client.xpending(f"signoff:req:{agent}", "intake")["pending"] == 0
            assert client.xlen(f"signoff:dec:{agent}") == requests // 10
        assert not client.keys("rq:job:*") and not client.llen(f"rq:queue:{QUEUE}")
        assert not client.exists("signoff:dead")
    kept = {f"signoff:req:{agent}" for agent in AGENTS}
    others = {name: size for name, size in found.rest.items() if name not in kept}
    assert sum(others.values()) < 4096, others
    assert sum(found.rest.values()) < 20_000, found.rest
