"""A batch of 500 of 5 KB: to its card, and all of it decided by one person, each by itself."""

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
from signoff.approvals.service import Approvals
from signoff.client.ask import build_request
from signoff.models.messages import Freeze
from signoff.policy.loader import parse
from signoff.server import own_redis

DECIDE_SECONDS = 3.0
"""A target, of all of it."""
MANY, TEXT = 500, "x" * 5000
POLICY = b"version: 1\nbatch: {most: 500}\nrules: [{name: all, verdict: ask}]\n"


def run() -> list[Row]:
    """Three rows."""
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        stage = Stage(Path(name), POLICY.decode())
        try:
            rows = [asyncio.run(_card(stage))]
        finally:
            stage.close()
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        folder = Path(name)
        with own_redis.running(folder) as server, postgresql() as url:
            databases = {"SQLite": f"sqlite:///{folder / 'signoff.db'}", "PostgreSQL": url}
            for database, address in databases.items():
                rows.append(_decided(database, address, server.admin_url))
    return rows


async def _card(stage: Stage) -> Row:
    ours = Signoff(stage)
    waited = await _one(ours, stage, "Tidy many", MANY, TEXT)
    await ours.close()
    return Row(f"a batch of {MANY} of 5 KB: until its card", f"{waited:.2f} s")


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
