"""Many requests at once: how many cards a second the worker posts, where Slack does not limit it."""

from __future__ import annotations

import asyncio
import time

from bench.road import PAYLOAD, Signoff
from bench.stage import Stage
from bench.table import Row


def run(stage: Stage, count: int) -> list[Row]:
    """One row."""
    return [asyncio.run(_burst(stage, count))]


async def _burst(stage: Stage, count: int) -> Row:
    ours = Signoff(stage)
    start = time.time()
    tickets = [await ours.agent.request("refund.create", PAYLOAD, reversible=True) for _ in range(count)]
    wanted = {ticket.id for ticket in tickets}
    while not wanted <= (arrived := ours.arrivals()).keys():
        if time.time() - start > 60:
            raise TimeoutError("The cards of a burst did not arrive within 60 s.")
        await asyncio.sleep(0.25)
    await ours.close()
    seconds = max(arrived[id_] for id_ in wanted) - start
    return Row(
        f"{count:,} requests at once: until the last card", f"{seconds:.2f} s, {count / seconds:.0f} cards/s"
    )
