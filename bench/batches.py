"""Batches: twenty of fifty a minute, to their cards; one of 500 of 5 KB; and 500 that one person decides."""

from __future__ import annotations

import asyncio
import tempfile
import time
import uuid
from pathlib import Path

from bench.decisions import APPROVER, approvals_on
from bench.postgresql import postgresql
from bench.road import Signoff
from bench.stage import Stage
from bench.table import Row, verdict
from bench.timer import percentile
from signoff.approvals.service import Approvals
from signoff.client.ask import build_request
from signoff.models.messages import Freeze
from signoff.policy.loader import parse
from signoff.server import own_redis

EVERY_SECONDS, SIZE = 3.0, 50
CARD_P99_SECONDS, DECIDE_SECONDS = 2.0, 3.0
"""Targets."""
MANY, TEXT = 500, "x" * 5000
POLICY = b"version: 1\nbatch: {most: 500}\nrules: [{name: all, verdict: ask}]\n"


def run(rounds: int) -> list[Row]:
    """Four rows; `rounds` is how many batches come, one every three seconds, at most twenty."""
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        stage = Stage(Path(name), POLICY.decode())
        try:
            rows = asyncio.run(_cards(stage, min(20, max(2, rounds))))
        finally:
            stage.close()
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        folder = Path(name)
        with own_redis.running(folder) as server, postgresql() as url:
            databases = {"SQLite": f"sqlite:///{folder / 'signoff.db'}", "PostgreSQL": url}
            for database, address in databases.items():
                rows.append(_decided(database, address, server.admin_url))
    return rows


async def _cards(stage: Stage, count: int) -> list[Row]:
    ours = Signoff(stage)
    waits = []
    for number in range(count):
        began = time.time()
        waits.append(await _one(ours, stage, f"Tidy {number}", SIZE, ""))
        await asyncio.sleep(max(0.0, began + EVERY_SECONDS - time.time()))
    large = await _one(ours, stage, "Tidy many", MANY, TEXT)
    await ours.close()
    late = percentile(waits, 99)
    return [
        Row(
            f"a batch of {SIZE}, twenty a minute: until its card, p99",
            f"{late:.2f} s",
            target=f"< {CARD_P99_SECONDS:g} s",
            verdict=verdict(late < CARD_P99_SECONDS),
        ),
        Row(f"a batch of {MANY} of 5 KB: until its card", f"{large:.2f} s"),
    ]


async def _one(ours: Signoff, stage: Stage, title: str, size: int, text: str) -> float:
    """Seconds from the end of the agent's block to its card."""
    batch = ours.agent.batch(title)
    async with batch:
        for n in range(size):
            batch.request("ticket.tidy", {"title": title, "n": n, "text": text}, reversible=True)
        ended = time.time()
    while True:
        for call in stage.ask("log")["entries"]:
            if call["kind"] == "call" and call["method"] == "chat.postMessage":
                metadata = call["arguments"].get("metadata") or {}
                if metadata.get("event_type") == "signoff_batch" and title in str(call["arguments"]):
                    return float(call["at"]) - float(call["ms"]) / 1000 - ended
        if time.time() - ended > 60:
            raise TimeoutError("The card of a batch did not arrive within 60 s.")
        await asyncio.sleep(0.1)


def _decided(database: str, address: str | None, redis_url: str) -> Row:
    what = f"{MANY} of a batch decided by one person, {database}"
    if address is None:
        return Row(what, "PostgreSQL is not installed")
    with approvals_on(address, redis_url) as approvals:
        policy = parse(POLICY, "policy.yml", approvers=(APPROVER,), conversation="C0BENCH001").policy
        approvals.judge._in_force = lambda: policy
        seconds = _decide(approvals)
    return Row(
        what, f"{seconds:.2f} s", target=f"< {DECIDE_SECONDS:g} s", verdict=verdict(seconds < DECIDE_SECONDS)
    )


def _decide(approvals: Approvals) -> float:
    name = uuid.uuid4().hex
    ids = []
    for n in range(MANY):
        payload = {"n": n, "text": TEXT}
        request, _, _ = build_request("bench", "ticket.tidy", payload, {"reversible": True}, None, name)
        ids.append(approvals.submit("bench", request).id)
    batch = approvals.batches.freeze(
        "bench", name, Freeze(title="Tidy", ids=tuple(uuid.UUID(one) for one in ids))
    )
    review = approvals.batches.review(APPROVER, ids, batch.id)
    approvals.batches.saw(review.id, APPROVER, MANY)
    began = time.perf_counter()
    done = approvals.batches.decide(review.id, APPROVER, "approve")
    assert len(done.decided) == MANY
    return time.perf_counter() - began
