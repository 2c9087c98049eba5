"""What an import costs over bare Python, as a program feels it: a new process, from its start to its end."""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path

from bench.table import Row, verdict
from bench.timer import median
from signoff.server import processes

IMPORT_MS = 200.0
"""Target for what an agent's import may take; `.ci/run` fails above."""
STATEMENTS = ("import signoff", "from signoff import Signoff")


def run(rounds: int) -> list[Row]:
    """A row a statement: the median of the rounds' differences."""
    times: dict[str, list[float]] = {statement: [] for statement in ("pass", *STATEMENTS)}
    for statement in times:
        _milliseconds(statement)  # its bytecode may have to be compiled
    for _ in range(rounds):
        for statement, found in times.items():
            found.append(_milliseconds(statement))
    bare, rows = times.pop("pass"), []
    for statement, found in times.items():
        over = median([ours - without for ours, without in zip(found, bare, strict=True)])
        rows.append(
            Row(
                statement, f"{over:.0f} ms more", f"{median(bare):.0f} ms (bare Python)",
                target=f"< {IMPORT_MS:g} ms more", verdict=verdict(over < IMPORT_MS),
            )
        )  # fmt: skip
    return rows


def _milliseconds(statement: str) -> float:
    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[1])}
    start = time.perf_counter()
    process = processes.start([sys.executable, "-c", statement], env=environment)
    if process.wait(60):
        raise RuntimeError(f"{statement} fails")
    return (time.perf_counter() - start) * 1000
