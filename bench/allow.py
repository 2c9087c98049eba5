"""What the policy allows: from the agent's request to its verified receipt, through a real server."""

from __future__ import annotations

import asyncio
import tempfile
import time
from pathlib import Path

from bench.stage import Stage
from bench.table import Row, verdict
from bench.timer import median, percentile
from signoff import AsyncSignoff

POLICY = """\
version: 1
rules:
  - name: small refunds
    match: {action: "refund.*"}
    when: payload.amount <= 50 && payload.currency == "EUR"
    verdict: allow
"""
PAYLOAD = {"customer": "cus_42", "amount": 12, "currency": "EUR", "ticket": "991"}
ALLOW_MS = 3.0
"""Target of the median (issue: Policy, Bar)."""
WARM = 5


def run(rounds: int) -> list[Row]:
    """One line: `rounds` requests, one after the other."""
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        stage = Stage(Path(name), POLICY)
        try:
            times = asyncio.run(_times(stage, rounds))
        finally:
            stage.close()
    middle, worst = median(times), percentile(times, 99)
    reached = f"p50 {middle:.2f} ms, p99 {worst:.2f} ms"
    return [
        Row(
            "allow: request → verified receipt",
            reached,
            target=f"p50 < {ALLOW_MS:g} ms",
            verdict=verdict(middle < ALLOW_MS),
        )
    ]


async def _times(stage: Stage, rounds: int) -> list[float]:
    """Milliseconds of each round."""
    agent = AsyncSignoff(
        redis_url=stage.redis_url, agent="bench", verify_key=stage.agent["SIGNOFF_VERIFY_KEY"]
    )
    found = []
    for number in range(rounds + WARM):
        began = time.perf_counter()
        ticket = await agent.request("refund.create", PAYLOAD, reversible=True)
        receipt = await ticket.wait(30)
        took = (time.perf_counter() - began) * 1000
        assert receipt.payload == PAYLOAD
        found += [took] if number >= WARM else []
    await agent.close()
    return found
