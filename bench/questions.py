"""Questions: two hundred a minute, each to its card; nobody answers them meanwhile."""

from __future__ import annotations

import asyncio
import re
import tempfile
import time
from pathlib import Path
from typing import Any

from bench.road import Signoff
from bench.stage import Stage
from bench.table import Row, verdict
from bench.timer import percentile

EVERY_SECONDS, MOST = 0.3, 200
CARD_P99_SECONDS, PATIENCE_SECONDS = 2.0, 60.0
"""A target, and for how long a last card is waited for."""
POLICY = "version: 1\nquestions: {per_hour: 1000}\nrules: [{name: all, verdict: ask}]\n"
NUMBER = re.compile(r"Which of number (\d+)\?")


def run(rounds: int) -> list[Row]:
    """One row; `rounds` is how many questions come, at most as many as in a minute."""
    count = min(MOST, max(2, rounds))
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        stage = Stage(Path(name), POLICY)
        try:
            waits = asyncio.run(_cards(stage, count))
        finally:
            stage.close()
    late = percentile(waits, 99)
    return [
        Row(
            f"{count} questions, two hundred a minute: until its card, p99",
            f"{late:.2f} s",
            target=f"< {CARD_P99_SECONDS:g} s",
            verdict=verdict(late < CARD_P99_SECONDS),
        )
    ]


async def _cards(stage: Stage, count: int) -> list[float]:
    """Seconds of each, from being sent to its card being there."""
    ours, sent = Signoff(stage), dict[int, float]()
    for number in range(count):
        sent[number] = began = time.time()
        await ours.agent.request_question(
            f"Which of number {number}?", options=["Ann", "Al"], why="ambiguous"
        )
        await asyncio.sleep(max(0.0, began + EVERY_SECONDS - time.time()))
    shown: dict[int, float] = {}
    give_up = time.time() + PATIENCE_SECONDS
    while sent.keys() - shown.keys():
        if time.time() > give_up:
            raise TimeoutError(f"{count - len(shown)} cards of questions did not arrive in time.")
        for call in stage.ask("log")["entries"]:
            if (number := _asked(call)) is not None:
                shown.setdefault(number, float(call["at"]))
        await asyncio.sleep(0.2)
    await ours.close()
    return [shown[number] - sent[number] for number in sent]


def _asked(call: dict[str, Any]) -> int | None:
    """Which question a call posts; None of any other."""
    if call["kind"] != "call" or call["method"] != "chat.postMessage":
        return None
    found = NUMBER.search(str(call["arguments"]))
    return int(found[1]) if found else None
