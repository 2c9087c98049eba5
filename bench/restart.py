"""After the end of everything at once: how soon the first click is recorded, and the first card stands.

`signoff serve` is killed with all that it has started, its Redis too, while a card waits and an agent goes on
asking; Slack's stand-in lives on. Both times run from the moment at which `signoff serve` is started again. A
person presses the button of the card that stands every 0.1 s; the agent asks until Redis takes it.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bench.stage import APPROVER, Stage, until
from bench.table import Row, verdict
from bench.timer import median, percentile
from signoff import Signoff, Ticket, Unreachable

PRESS_SECONDS = 0.1
BUSY = 8
"""Processes that only compute, for the second half of the rows."""
TARGETS = {0: 5.0, BUSY: 10.0}
"""Seconds for the 99th of a hundred, by how many processes compute beside it."""
BURN = "while True: pass"


def run(rounds: int) -> list[Row]:
    """Two rows each without and with processes that compute beside it."""
    rows = []
    for busy, target in TARGETS.items():
        with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name, _burning(busy):
            stage = Stage(Path(name))
            try:
                found = [_once(stage) for _ in range(rounds)]
            finally:
                stage.close()
        beside = f", {busy} processes compute" if busy else ""
        for what, times in zip(("click", "card"), zip(*found, strict=True), strict=True):
            worst = percentile(times, 99)
            rows.append(
                Row(
                    f"restart: first {what}{beside}", f"{median(times):.2f} s, p99 {worst:.2f} s",
                    target=f"p99 < {target:g} s", verdict=verdict(worst < target),
                )
            )  # fmt: skip
    return rows


def _once(stage: Stage) -> tuple[float, float]:
    """Seconds from the start until the first click is recorded, and until the first card stands."""
    with _agent(stage) as agent:
        waits = _ask(agent)
        channel, ts = until(lambda: stage.settled(waits.id, ended=False))
    stage.kill_server()
    began = time.monotonic()
    stage.start_server()
    clicked: list[float] = []
    person = threading.Thread(target=_press, args=(stage, channel, ts, clicked), daemon=True)
    person.start()
    with _agent(stage) as agent:
        first = _ask(agent)
        until(lambda: stage.settled(first.id, ended=False))
        stood = time.monotonic() - began
        person.join(60)
        until(lambda: stage.settled(waits.id, ended=True))
        assert waits.id and clicked
        first.cancel()
        until(lambda: stage.settled(first.id, ended=True))
    return clicked[0] - began, stood


def _press(stage: Stage, channel: str, ts: str, clicked: list[float]) -> None:
    """Again and again, until it is acknowledged."""
    click = {"type": "click", "user": APPROVER, "channel": channel, "ts": ts, "action_id": "approve"}
    while not clicked:
        try:
            if stage.ask("act", **click).get("acked"):
                clicked.append(time.monotonic())
                return
        except OSError:  # nobody is connected yet: the stand-in says so
            pass
        time.sleep(PRESS_SECONDS)


@contextmanager
def _agent(stage: Stage) -> Iterator[Signoff]:
    with Signoff(
        redis_url=stage.redis_url, agent="bench", verify_key=stage.agent["SIGNOFF_VERIFY_KEY"]
    ) as agent:
        yield agent


def _ask(agent: Signoff) -> Ticket:
    """Until Redis takes it."""
    while True:
        try:
            return agent.request("refund.create", {"amount": 120}, reversible=True)
        except Unreachable:
            time.sleep(PRESS_SECONDS)


@contextmanager
def _burning(count: int) -> Iterator[None]:
    """So many processes compute inside the `with`."""
    env = {"PATH": os.environ.get("PATH", "")}
    burning = [subprocess.Popen([sys.executable, "-c", BURN], env=env) for _ in range(count)]
    try:
        yield
    finally:
        for one in burning:
            one.kill()
            one.wait()
