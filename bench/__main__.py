"""Runs every benchmark, one after the other, and prints one table."""

from __future__ import annotations

import argparse
import os
import platform
import sys
import tempfile
from collections.abc import Callable, Sequence
from contextlib import closing
from pathlib import Path

from bench import (
    adapters,
    allow,
    batches,
    burst,
    clickers,
    costs,
    decisions,
    hook,
    imports,
    lists,
    minute,
    restart,
    road,
    start,
    stops,
    verdicts,
    waits,
    web,
)
from bench.postgresql import postgresql
from bench.stage import Stage
from bench.table import Row, render

ALL = (
    "import", "policy", "road", "batches", "minute", "waits", "decisions", "lists", "start", "restart",
    "costs", "web", "hook", "adapters", "stops",
)  # fmt: skip
NOTES = """\
floor: the same hops by hand, on raw sockets, sqlite3 and RESP, in as many processes (bench/floor.py).
ratio: the median of the ratios of each round, in which both were measured one after the other.
docs/performance.md says what is measured, and how to read it.
"""


def main(arguments: Sequence[str] | None = None) -> int:
    """Print the table; 0."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.add_argument("only", nargs="*", metavar="WHICH", help=f"any of {', '.join(ALL)} (default: all)")
    parser.add_argument(
        "--rounds", type=int, default=100, help="rounds of the road; others take a part of it"
    )
    given = parser.parse_args(arguments)
    unknown = set(given.only) - set(ALL)
    if unknown:
        parser.error(f"there is no {', '.join(sorted(unknown))}: choose from {', '.join(ALL)}")
    few = max(1, given.rounds // 30)
    runs: dict[str, Callable[[], list[Row]]] = {
        "import": lambda: imports.run(2 * few),
        "policy": lambda: [*verdicts.run(given.rounds), *allow.run(given.rounds)],
        "road": lambda: _on_stage(given.rounds),
        "batches": batches.run,
        "minute": lambda: minute.run(given.rounds),
        "waits": lambda: waits.run(min(few, 3)),
        "decisions": lambda: [*decisions.run(few, 20 * few), *_on_postgresql(given.rounds)],
        "lists": lambda: lists.run(given.rounds),
        "start": lambda: start.run(min(few, 3)),
        "restart": lambda: restart.run(2 * few),
        "costs": lambda: costs.run(given.rounds),
        "web": lambda: web.run(given.rounds),
        "hook": lambda: hook.run(given.rounds),
        "adapters": lambda: adapters.run(given.rounds),
        "stops": stops.run,
    }
    rows: list[Row] = []
    for name in given.only or ALL:
        print(f"measuring: {name}", file=sys.stderr, flush=True)
        rows += runs[name]()
    print(render(rows))
    machine = f"Python {platform.python_version()}, {os.cpu_count()} cores, load {os.getloadavg()[0]:.1f}"
    print(f"\n{NOTES}\n{machine}")
    return 0


def _on_stage(rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        stage = Stage(Path(name))
        try:
            card, bare = road.beside(stage)
            with closing(bare):
                rows = [*road.run(stage, card, bare, rounds), *burst.run(stage, rounds)]
                return [*rows, *clickers.run(stage, bare, *_clicks(rounds), "SQLite")]
        finally:
            stage.close()


def _clicks(rounds: int) -> tuple[int, int]:
    """Rounds of many clicks, and how many clicks each."""
    return max(1, rounds // 30), 120


def _on_postgresql(rounds: int) -> list[Row]:
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name, postgresql() as url:
        if url is None:
            return [Row("decisions a second by clickers, PostgreSQL", "PostgreSQL is not installed")]
        stage = Stage(Path(name), SIGNOFF_DATABASE_URL=url)
        try:
            with closing(road.beside(stage)[1]) as bare:
                return clickers.run(stage, bare, *_clicks(rounds), "PostgreSQL")
        finally:
            stage.close()


if __name__ == "__main__":
    sys.exit(main())
