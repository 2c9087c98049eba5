"""One agent floods the channel, which takes a message a second; how long do the others wait?"""

from __future__ import annotations

import asyncio
import time
from collections import Counter
from dataclasses import dataclass
from functools import partial

from sqlalchemy import text

from bench.load.crowd import PAYLOAD
from bench.stage import Stage, until
from bench.timer import median
from signoff import AsyncSignoff

QUIET = 5
SHOWN = text(
    "SELECT agent, id, created_at, shown_at FROM approval WHERE shown_at IS NOT NULL ORDER BY shown_at"
)
UNREAD = text("SELECT count(*) FROM approval WHERE agent = 'noisy'")


@dataclass(frozen=True)
class Fairness:
    """`before` is, for each quiet request, how many of the flood's cards came between it and its own card."""

    flood: int
    shown: int
    seconds: float
    before: list[int]
    waits: list[float]
    unshown: int
    command: list[float]

    @property
    def rate(self) -> float:
        """Cards a second."""
        return self.shown / self.seconds


def run(stage: Stage, flood: int, seconds: float) -> Fairness:
    """`flood` requests at once; five other agents ask one after the other, one every few seconds."""
    stage.ask("faults", clear=True, rate_limits=True)
    commands: list[float] = []
    try:
        asked = asyncio.run(_ask(stage, flood, seconds, commands))
        until(lambda: asked <= {row[1] for row in _shown(stage)}, 60 + 5.0 * QUIET)
        found = _shown(stage)
    finally:
        stage.ask("faults", clear=True)
    noisy = [(created, shown) for agent, _, created, shown in found if agent == "noisy"]
    mine = [(created, shown) for _, id_, created, shown in found if id_ in asked]
    before = [sum(created < at < shown for _, at in noisy) for created, shown in mine]
    waits = [(shown - created) / 1e6 for created, shown in mine]
    span = (noisy[-1][1] - noisy[0][1]) / 1e6 if len(noisy) > 1 else seconds
    return Fairness(flood, len(noisy) + len(mine), span, before, waits, len(asked) - len(mine), commands)


async def _ask(stage: Stage, flood: int, seconds: float, commands: list[float]) -> set[str]:
    key = stage.agent["SIGNOFF_VERIFY_KEY"]
    names = ["noisy", *(f"quiet-{n}" for n in range(QUIET))]
    noisy, *quiet = [AsyncSignoff(redis_url=stage.redis_url, agent=name, verify_key=key) for name in names]
    for _ in range(flood):
        await noisy.request("flood", PAYLOAD, reversible=True)
    await asyncio.to_thread(until, lambda: _taken(stage) >= flood, 600.0)
    asked, end = set(), time.monotonic() + seconds
    while time.monotonic() < end:
        for client in quiet:
            asked.add((await client.request("refund.create", PAYLOAD, reversible=True)).id)
            said = {"type": "command", "user": "U0ANA00001", "channel": "C0APPROVE1", "command": "/approvals"}
            answer = await asyncio.to_thread(partial(stage.ask, "act", **said))
            if answer.get("acked"):
                commands.append(answer["ack_ms"])
            await asyncio.sleep(4)
    for client in (noisy, *quiet):
        await client.close()
    return asked


def _taken(stage: Stage) -> int:
    with stage.store.reading() as connection:
        return int(connection.execute(UNREAD).scalar_one())


def _shown(stage: Stage) -> list[tuple[str, str, int, int]]:
    with stage.store.reading() as connection:
        return [(row.agent, row.id, row.created_at, row.shown_at) for row in connection.execute(SHOWN)]


def told(found: Fairness) -> list[str]:
    """As lines to print."""
    spread = ", ".join(f"{many} × {cards}" for cards, many in sorted(Counter(found.before).items()))
    return [
        f"flood of {found.flood} requests by one agent, channel limited to a message a second:",
        f"  cards shown              {found.shown} in {found.seconds:.0f} s ({found.rate:.2f}/s)",
        f"  another agent's card     waits for so many of the flood's (times × cards): {spread}",
        f"  and so long              median {median(found.waits):.1f} s, longest {max(found.waits):.1f} s",
        f"  never shown of these     {found.unshown}",
        f"  /approvals meanwhile     median {median(found.command):.1f} ms, "
        f"longest {max(found.command, default=float('nan')):.1f} ms",
    ]
