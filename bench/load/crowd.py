"""Agents that ask, and approvers who click on every card as it comes; all in one process."""

from __future__ import annotations

import asyncio
import time
from dataclasses import dataclass, field
from typing import Any

import aiohttp
from sqlalchemy import text

from bench.stage import Stage
from signoff import AsyncSignoff, AsyncTicket, WaitTimeout

APPROVERS = ("U0ANA00001", "U0BEN00001", "U0MIA00001", "U0OMAR0001", "U0LEA00001")
PAYLOAD = {"customer": "cus_42", "amount": 120, "currency": "EUR", "ticket": "991"}
CARDS = text(
    "SELECT approval.id, card.conversation, card.message, approval.shown_at FROM approval "
    "JOIN card ON card.approval_id = approval.id "
    "WHERE approval.status = 'pending' AND approval.shown_at > :last ORDER BY approval.shown_at"
)
LOOK_SECONDS = 0.1
BACK = 5_000_000
"""Microseconds."""
COMMAND_SECONDS = 10.0
ANSWER_SECONDS = 300.0


@dataclass
class Figures:
    """Times in ms. `late` waited in vain for `ANSWER_SECONDS`; `wrong` is what else went wrong."""

    card: list[float] = field(default_factory=list)
    receipt: list[float] = field(default_factory=list)
    ack: list[float] = field(default_factory=list)
    command: list[float] = field(default_factory=list)
    asked: int = 0
    answered: int = 0
    pressed_again: int = 0
    late: int = 0
    wrong: list[str] = field(default_factory=list)


class Crowd:
    """`agents` ask `requests` times in `seconds`, evenly; `figures` is what was measured."""

    def __init__(self, stage: Stage, agents: int, requests: int, seconds: float) -> None:
        self._stage, self._requests, self._seconds = stage, requests, seconds
        key = stage.agent["SIGNOFF_VERIFY_KEY"]
        self._agents = [
            AsyncSignoff(redis_url=stage.redis_url, agent=f"load-{n}", verify_key=key) for n in range(agents)
        ]
        self._sent: dict[str, float] = {}
        self._clicked: dict[str, float] = {}
        self._shown: asyncio.Queue[tuple[str, str, str]] = asyncio.Queue()
        self._done = asyncio.Event()
        self.figures = Figures()

    async def run(self) -> Figures:
        """All of it."""
        async with aiohttp.ClientSession(self._stage.slack_url) as self._slack:
            around = [self._watch(), self._command(), *map(self._approve, APPROVERS)]
            tasks = [asyncio.create_task(one) for one in around]
            try:
                await self._ask_all()
            finally:
                self._done.set()
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                for client in self._agents:
                    await client.close()
        return self.figures

    async def _ask_all(self) -> None:
        started, asking = time.monotonic(), set()
        for number in range(self._requests):
            late = started + number * self._seconds / self._requests - time.monotonic()
            if late > 0:
                await asyncio.sleep(late)
            one = asyncio.create_task(self._ask(number))
            asking.add(one)
            one.add_done_callback(asking.discard)
        await asyncio.gather(*asking)

    async def _ask(self, number: int) -> None:
        client, found = self._agents[number % len(self._agents)], self.figures
        asked = time.time()
        try:
            ticket: AsyncTicket = await client.request("refund.create", PAYLOAD, reversible=True)
            self._sent[ticket.id] = asked
            found.asked += 1
            receipt = await ticket.wait(ANSWER_SECONDS)
        except WaitTimeout:
            found.late += 1
            return
        except Exception as error:
            found.wrong.append(f"{number}: {type(error).__name__}")
            return
        woken = time.perf_counter()
        if receipt.payload != PAYLOAD or not receipt.approved:
            found.wrong.append(ticket.id)
        found.answered += 1
        clicked = self._clicked.pop(ticket.id, None)
        if clicked is not None:
            found.receipt.append((woken - clicked) * 1000)

    async def _watch(self) -> None:
        """What has just been shown; its time is the database's, noted when Slack had answered.

        What is committed last may have an earlier time than what was seen: each look goes back a little.
        """
        last, seen = 0, set()
        while True:
            await asyncio.sleep(LOOK_SECONDS)
            for approval_id, channel, ts, shown_at in await asyncio.to_thread(self._look, last - BACK):
                last = max(last, shown_at)
                if approval_id in seen:
                    continue
                seen.add(approval_id)
                sent = self._sent.pop(approval_id, None)
                if sent is not None:
                    self.figures.card.append(shown_at / 1000 - sent * 1000)
                self._shown.put_nowait((approval_id, channel, ts))

    def _look(self, last: int) -> list[Any]:
        with self._stage.store.reading() as connection:
            return list(connection.execute(CARDS, {"last": last}).all())

    async def _approve(self, user: str) -> None:
        while True:
            approval_id, channel, ts = await self._shown.get()
            click = {"type": "click", "user": user, "channel": channel, "ts": ts, "action_id": "approve"}
            while True:
                self._clicked[approval_id] = time.perf_counter()
                answer = await self._act(click)
                if answer.get("acked"):
                    self.figures.ack.append(answer["ack_ms"])
                    break
                found = await asyncio.to_thread(self._stage.store.get, approval_id)
                if found is not None and not found.pending:
                    break  # recorded by a bot that died before it said so
                self.figures.pressed_again += 1
                await asyncio.sleep(0.5)

    async def _command(self) -> None:
        said = {"type": "command", "user": APPROVERS[0], "channel": "C0APPROVE1", "command": "/approvals"}
        while True:
            await asyncio.sleep(COMMAND_SECONDS)
            answer = await self._act(said)
            if answer.get("acked"):
                self.figures.command.append(answer["ack_ms"])

    async def _act(self, act: dict[str, Any]) -> dict[str, Any]:
        async with self._slack.post("/sandbox/act", json=act) as answer:
            found: dict[str, Any] = await answer.json()
            return found
