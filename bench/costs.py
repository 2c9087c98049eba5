"""What the costliest requests cost: in each role, and another agent that asks meanwhile.

The kinds are those of the tests (`tests/payload/costs.py`), each as large as a request may be.
"""

from __future__ import annotations

import asyncio
import logging
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, cast

from bench.stage import Stage
from bench.table import Row, verdict
from bench.timer import percentile
from signoff import AsyncSignoff
from signoff.errors import SignoffError

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from payload.costs import KINDS
from payload.roles import ROLES, seconds

MOST_MS = 250.0
"""Of any request in any role, and by how much another agent's p99 may rise."""
POLICY = """\
version: 1
rules:
 - {name: small, match: {action: "refund.*"}, verdict: allow}
 - {name: all, match: {action: "*"}, verdict: ask}
"""
PAYLOAD = {"customer": "cus_42", "amount": 12}
HOSTILE = "costly-bot"


def run(rounds: int) -> list[Row]:
    """A line a role, with the costliest of all kinds there; and one of another agent's requests."""
    logging.getLogger("signoff").setLevel(logging.ERROR)
    return [*(_worst(role) for role in ROLES), _meanwhile(rounds)]


def table() -> Iterator[tuple[str, dict[str, tuple[float, str]]]]:
    """Every kind, with the milliseconds of each role's costliest step, and which that is."""
    for kind, make in KINDS.items():
        case = make(1)
        found = {}
        for role, steps in ROLES.items():
            costs = [(seconds(act, 3) * 1000, what) for what, act in steps(case)]
            found[role] = max(costs, default=(0.0, "refused"))
        yield kind, found


def _worst(role: str) -> Row:
    costs = [
        (seconds(act, 3) * 1000, kind, what)
        for kind, make in KINDS.items()
        for what, act in ROLES[role](make(1))
    ]
    took, kind, what = max(costs)
    return Row(
        f"costs: the costliest in the {role}",
        f"{took:.0f} ms: {kind}, {what}",
        target=f"< {MOST_MS:g} ms",
        verdict=verdict(took < MOST_MS),
    )


def _meanwhile(rounds: int) -> Row:
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        stage = Stage(Path(name), POLICY)
        try:
            alone = percentile(asyncio.run(_times(stage, rounds)), 99)
            with _somebody_costly(stage):
                beside = percentile(asyncio.run(_times(stage, rounds)), 99)
        finally:
            stage.close()
    return Row(
        "costs: another agent's receipt meanwhile",
        f"p99 {beside:.0f} ms, alone {alone:.0f} ms",
        target=f"rises < {MOST_MS:g} ms",
        verdict=verdict(beside - alone < MOST_MS),
    )


async def _times(stage: Stage, rounds: int) -> list[float]:
    agent = AsyncSignoff(
        redis_url=stage.redis_url, agent="bench", verify_key=stage.agent["SIGNOFF_VERIFY_KEY"]
    )
    found = []
    for _ in range(rounds + 5):
        began = time.perf_counter()
        await (await agent.request("refund.create", PAYLOAD, reversible=True)).wait(60)
        found.append((time.perf_counter() - began) * 1000)
        await asyncio.sleep(0.02)
    await agent.close()
    return found[5:]


@contextmanager
def _somebody_costly(stage: Stage) -> Iterator[None]:
    """Another process asks for the costliest, one after the other, as fast as it can."""
    environment = os.environ | {
        "SIGNOFF_REDIS_URL": stage.redis_url,
        "SIGNOFF_VERIFY_KEY": stage.agent["SIGNOFF_VERIFY_KEY"],
        "SIGNOFF_AGENT": HOSTILE,
        "PYTHONPATH": str(Path(__file__).parents[1]),
    }
    process = subprocess.Popen([sys.executable, "-m", "bench.costs"], env=environment)
    try:
        yield
    finally:
        process.kill()
        process.wait()


async def _ask_for_ever() -> None:
    agent = AsyncSignoff()
    while True:
        for make in KINDS.values():
            case = make(1)
            said: dict[str, Any] = {"context": case.context, "reason": case.reason, "schema": case.schema}
            try:
                await agent.request("costly.thing", case.payload, reversible=True, **cast(Any, said))
            except SignoffError:  # refused by the client already, or Redis is full
                await asyncio.sleep(0.01)


if __name__ == "__main__":
    logging.disable(logging.CRITICAL)
    asyncio.run(_ask_for_ever())
