"""What a start of `signoff serve` costs, the memory it then takes, and how soon a killed role is back."""

from __future__ import annotations

import os
import signal
import socket
import tempfile
import time
from pathlib import Path

import redis

from bench.load.processes import all_of, cpu, pss
from bench.stage import Stage, until
from bench.table import Row, verdict
from bench.timer import median, percentile

MEMORY_MB = 190.0
"""Target for all processes of `serve`, but for its Redis."""
BACK_SECONDS = 3.0
"""Target for the 99th of a hundred, from a role's end until it does its work again; who dies again at once
waits longer.
"""
SETTLED_SECONDS = 4.0
"""By then a new server has drawn all that it draws first."""
ROLES = ("bot", "intake", "worker", "web")
TOLD = 2
"""Connections on which the intake is told of changes."""


def run(rounds: int) -> list[Row]:
    """A row each for processor time, memory and each role; every round starts a server."""
    used, taken = list[float](), list[float]()
    back: dict[str, list[float]] = {role: [] for role in ROLES}
    for _ in range(rounds):
        with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
            stage = Stage(Path(name))
            try:
                used.append(sum(cpu(process_id) for process_id in _server(stage)))
                time.sleep(SETTLED_SECONDS)
                taken.append(sum(pss(process_id) for process_id in _server(stage)) / 2**20)
                for role in ROLES:
                    back[role].append(_until_back(stage, role))
            finally:
                stage.close()
    memory = median(taken)
    return [
        Row("start: processor", f"{median(used):.2f} s"),
        Row(
            "start: memory", f"{memory:.0f} MB",
            target=f"< {MEMORY_MB:g} MB", verdict=verdict(memory < MEMORY_MB),
        ),
        *(
            Row(
                f"start: {role} killed, and back",
                f"{median(times):.2f} s, p99 {percentile(times, 99):.2f} s",
                target=f"p99 < {BACK_SECONDS:g} s", verdict=verdict(percentile(times, 99) < BACK_SECONDS),
            )
            for role, times in back.items()
        ),
    ]  # fmt: skip


def _server(stage: Stage) -> dict[int, str]:
    """The processes of `serve`: their ids → their names."""
    return {one: name for one, name in all_of(os.getpid()).items() if name not in ("redis", "sandbox")}


def _answers(port: int) -> bool:
    """Whether somebody listens there."""
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", port)) == 0


def _until_back(stage: Stage, role: str) -> float:
    """Kill a role; the seconds until its work is done again."""
    with redis.Redis.from_url(stage.redis_url) as client:

        def there() -> bool:
            if role == "web":
                return _answers(stage.web_port)
            if role == "bot":
                return bool(stage.ask("state")["connections"] == 2)
            clients = client.client_list()
            if role == "intake":
                return sum("t" in one["flags"] for one in clients) == TOLD
            return "blmove" in [one["cmd"] for one in clients]

        until(there)
        (process_id,) = (one for one, name in _server(stage).items() if name == role)
        os.kill(process_id, signal.SIGKILL)
        killed = time.monotonic()
        until(lambda: not there())
        until(there)
        return time.monotonic() - killed
