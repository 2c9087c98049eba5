"""Decisions a second: eight people press Approve as fast as each is acknowledged; beside a bare Bolt app.

All cards stand before the first click. The time runs until the last click is acknowledged and, for ours, the
last agent's wait has returned its verified receipt. The bare app (`bench.bare`) only sets an Event a click.
"""

from __future__ import annotations

import asyncio
import json
import time
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import urlsplit

from bench.raw import Reader, connect, post, read_http
from bench.road import PAYLOAD, Bare, Signoff
from bench.stage import APPROVER, CHANNEL, Stage, until
from bench.table import Row, verdict
from bench.timer import Rounds, median

CLICKERS = 8
WANTED = 250.0
"""Decisions a second."""
DEADLINE_SECONDS = 60.0


def run(stage: Stage, bare: Bare, rounds: int, count: int, database: str) -> list[Row]:
    """A row; `count` cards each round."""
    found = Rounds()
    for _ in range(rounds):
        theirs = _pressed(bare.url, bare.post(count))
        found.add(asyncio.run(_ours(stage, count)), count / theirs)
    rate = median(found.product)
    return [
        Row(
            f"decisions a second by {CLICKERS} clickers, {database}",
            f"{rate:,.0f}", f"{median(found.floor):,.0f} (bare Bolt)", found.spread,
            f"≥ {WANTED:g}", verdict(rate >= WANTED),
        )
    ]  # fmt: skip


async def _ours(stage: Stage, count: int) -> float:
    signoff = Signoff(stage)
    tickets = [await signoff.agent.request("refund.create", PAYLOAD, reversible=True) for _ in range(count)]
    waits = [asyncio.create_task(ticket.wait(DEADLINE_SECONDS)) for ticket in tickets]
    places = [await asyncio.to_thread(_place, stage, ticket.id) for ticket in tickets]
    await asyncio.sleep(1.0)
    started = time.perf_counter()
    pressed = asyncio.get_running_loop().run_in_executor(None, _pressed, stage.slack_url, places)
    receipts = await asyncio.gather(*waits)
    await pressed
    taken = time.perf_counter() - started
    assert all(receipt.approved for receipt in receipts)
    await signoff.close()
    return count / taken


def _place(stage: Stage, approval_id: str) -> str:
    return until(lambda: stage.settled(approval_id, ended=False))[1]


def _pressed(url: str, cards: Sequence[str]) -> float:
    """Seconds until all are pressed, and each is acknowledged."""
    with ThreadPoolExecutor(CLICKERS) as pool:
        started = time.perf_counter()
        list(pool.map(lambda mine: _press(url, mine), [cards[n::CLICKERS] for n in range(CLICKERS)]))
        return time.perf_counter() - started


def _press(url: str, cards: Sequence[str]) -> None:
    parts = urlsplit(url)
    person = Reader(connect(parts.hostname or "", parts.port or 80))
    for ts in cards:
        click = {"type": "click", "user": APPROVER, "channel": CHANNEL, "ts": ts, "action_id": "approve"}
        post(person.socket, "/sandbox/act", json.dumps(click).encode())
        assert json.loads(read_http(person)[1])["acked"]
    person.close()
