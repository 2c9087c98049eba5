"""A minute of two hundred questions and twenty batches of fifty at once, each to its card, in one channel.

With Slack's rates off, and with them on, where a channel takes one card a second.
"""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from collections import Counter
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from bench.road import Signoff
from bench.stage import Stage
from bench.table import Row, verdict
from bench.timer import percentile

SECONDS, QUESTIONS, BATCHES, SIZE = 60.0, 200, 20, 50
"""What comes in how long."""
CARD_P99_SECONDS = 2.0
"""Wanted with Slack's rates off; with them on a card waits for those before it."""
PATIENCE_SECONDS = 300.0
"""For how long a last card is waited for."""
LIMITED = "ratelimited"
POLICY = """\
version: 1
questions: {per_hour: 10000}
batch: {most: 500}
rules: [{name: all, verdict: ask}]
"""
NAMED = re.compile(r"(question|batch) number (\d+) of these")


@dataclass
class Minute:
    """When each was sent and when its card was there, by kind and number; and how often Slack was called."""

    sent: dict[tuple[str, int], float]
    shown: dict[tuple[str, int], float]
    posts: int
    refused: int
    others: int

    def waits(self, kind: str) -> list[float]:
        """Seconds of each of a kind, from being sent to its card being there."""
        return [self.shown[one] - at for one, at in self.sent.items() if one[0] == kind]

    @property
    def last(self) -> float:
        """Seconds from the first being sent to the last card being there."""
        return max(self.shown.values()) - min(self.sent.values())


def run(rounds: int) -> list[Row]:
    """Five rows; with 100 rounds and more it is a whole minute, else the same for as much less time."""
    part = min(1.0, rounds / 100)
    return [*_off(_measured(part, limits=False)), *_on(_measured(part, limits=True))]


def _off(found: Minute) -> list[Row]:
    rows = []
    for kind, what in (("question", "a question"), ("batch", f"a batch of {SIZE}")):
        late = percentile(found.waits(kind), 99)
        rows.append(
            Row(
                f"{what}, {QUESTIONS} and {BATCHES} a minute at once: until its card, p99",
                f"{late:.2f} s",
                target=f"< {CARD_P99_SECONDS:g} s",
                verdict=verdict(late < CARD_P99_SECONDS),
            )
        )
    return rows


def _on(found: Minute) -> list[Row]:
    each = found.waits("question") + found.waits("batch")
    cards, over = len(each), found.refused
    return [
        Row(
            f"with Slack's rates on, {cards} cards in one channel: until the last",
            f"{found.last:.0f} s",
            f"{max(0, cards - 3)} s at one a second",
        ),
        Row("the same: until its card, p50 and p99", _seconds(each, 50) + ", " + _seconds(each, 99)),
        Row(
            "the same: calls that Slack refused as too many",
            f"{over} of {found.posts + over + found.others}",
            target=f"< {cards // 10}",
            verdict=verdict(over < cards // 10),
        ),
    ]


def _seconds(waits: list[float], percent: float) -> str:
    return f"{percentile(waits, percent):.1f} s"


def _measured(part: float, *, limits: bool) -> Minute:
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        stage = Stage(Path(name), POLICY)
        try:
            if limits:
                stage.ask("faults", rate_limits=True)
            return asyncio.run(_minute(stage, part))
        finally:
            stage.close()


async def _minute(stage: Stage, part: float) -> Minute:
    ours, sent = Signoff(stage), dict[tuple[str, int], float]()

    async def asked(kind: str, count: int) -> None:
        every = SECONDS * part / count
        for number in range(count):
            began = time.time()
            sent[kind, number] = await _one(ours, kind, number)
            await asyncio.sleep(max(0.0, began + every - time.time()))

    await asyncio.gather(
        asked("question", max(2, int(QUESTIONS * part))), asked("batch", max(1, int(BATCHES * part)))
    )
    give_up = time.time() + PATIENCE_SECONDS
    while len((found := _seen(stage, sent)).shown) < len(sent):
        if time.time() > give_up:
            raise TimeoutError(f"{len(sent) - len(found.shown)} cards did not arrive in time.")
        await asyncio.sleep(1.0)
    await ours.close()
    return found


async def _one(ours: Signoff, kind: str, number: int) -> float:
    """Ask for one; when its agent had said all of it."""
    named = f"{kind} number {number} of these"
    if kind == "question":
        began = time.time()
        await ours.agent.request_question(f"Which is {named}?", options=["Ann", "Al"], why="ambiguous")
        return began
    batch = ours.agent.batch(named)
    async with batch:
        for n in range(SIZE):
            batch.request("ticket.tidy", {"ticket": number * SIZE + n}, reversible=True)
        return time.time()


def _seen(stage: Stage, sent: dict[tuple[str, int], float]) -> Minute:
    """What the stand-in's journal tells."""
    shown: dict[tuple[str, int], float] = {}
    calls = Counter[str]()
    for call in stage.ask("log")["entries"]:
        if call["kind"] != "call":
            continue
        if (call["answer"] or {}).get("error") == LIMITED:
            calls[LIMITED] += 1
        elif call["method"] != "chat.postMessage":
            calls["other"] += 1
        else:
            calls["post"] += 1
            if (one := _named(call)) is not None:
                shown.setdefault(one, float(call["at"]) - float(call["ms"]) / 1000)
    return Minute(sent, shown, calls["post"], calls[LIMITED], calls["other"])


def _named(call: dict[str, Any]) -> tuple[str, int] | None:
    """What a call posts the card of; None where it is of none of these."""
    found = NAMED.search(str(call["arguments"].get("text", "")) + str(call["arguments"].get("blocks", "")))
    return (found[1], int(found[2])) if found else None
