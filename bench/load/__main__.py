"""Signoff under load: figures for docs/reliability.md. Takes as long as `--minutes` says, once a database."""

from __future__ import annotations

import argparse
import asyncio
import logging
import os
import platform
import sys
import tempfile
import threading
from collections.abc import Sequence
from contextlib import ExitStack
from pathlib import Path

from bench.load import fairness
from bench.load.crowd import ANSWER_SECONDS, APPROVERS, Crowd, Figures
from bench.load.processes import Killer, Memory
from bench.postgresql import postgresql
from bench.stage import Stage, until
from bench.timer import percentile
from signoff.approvals import audit

PROCESSES = 3
"""Bots, and workers."""
KILL_EVERY = 60.0


def main(arguments: Sequence[str] | None = None) -> int:
    """Print what was found; 1 where an answer was wrong, or the books do not balance."""
    parser = argparse.ArgumentParser(prog="python -m bench.load", description=__doc__)
    parser.add_argument("database", nargs="*", help="sqlite, postgresql (default: both)")
    parser.add_argument("--agents", type=int, default=100)
    parser.add_argument("--requests", type=int, default=10_000)
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument(
        "--kill", action="store_true", help="kill two bots, or two workers, each minute or so"
    )
    parser.add_argument(
        "--flood", type=int, default=1000, help="requests of the noisy agent; 0 leaves that out"
    )
    parser.add_argument("--flood-seconds", type=float, default=120.0)
    parser.add_argument(
        "--memory", type=Path, default=Path("load-memory"), help="where CSVs go: NAME-DATABASE.csv"
    )
    given = parser.parse_args(arguments)
    logging.getLogger("signoff").setLevel(logging.ERROR)  # the clients', of which there are many
    lost = 0
    for database in given.database or ("sqlite", "postgresql"):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="signoff-load-")))
            settings = {"SIGNOFF_APPROVERS": ",".join(APPROVERS), "SIGNOFF_LOG_LEVEL": "WARNING"}
            if database == "postgresql":
                url = stack.enter_context(postgresql())
                if url is None:
                    parser.error("there is no PostgreSQL server in /usr/lib/postgresql: install one")
                settings["SIGNOFF_DATABASE_URL"] = url
            stage = Stage(folder, **settings)
            stack.callback(stage.close)
            stage.ask("team", users={"U0LEA00001": {"name": "lea"}})
            for role in ("bot", "worker"):
                for _ in range(PROCESSES - 1):
                    stage.another(role)
            until(lambda stage=stage: stage.ask("state")["connections"] == 2 * PROCESSES)
            print(f"\n{database}, Python {platform.python_version()}, {os.cpu_count()} cores, "
                  f"{PROCESSES} bots, {PROCESSES} workers", flush=True)  # fmt: skip
            if given.requests:
                lost += _load(stage, database, given)
            if given.flood:
                print(
                    "\n".join(fairness.told(fairness.run(stage, given.flood, given.flood_seconds))),
                    flush=True,
                )
    return 1 if lost else 0


def _load(stage: Stage, database: str, given: argparse.Namespace) -> int:
    memory = Memory(given.memory.with_name(f"{given.memory.name}-{database}.csv"))
    killer = Killer(stage, KILL_EVERY)
    crowd, stop = Crowd(stage, given.agents, given.requests, given.minutes * 60), threading.Event()
    found: list[Figures] = []

    def run() -> None:
        try:
            found.append(asyncio.run(crowd.run()))
        finally:
            stop.set()

    threads = [threading.Thread(target=run), threading.Thread(target=memory.run, args=(stop,))]
    for thread in threads:
        thread.start()
    if given.kill:  # in the main thread: what it starts ends with the thread that started it
        killer.run(stop)
    for thread in threads:
        thread.join()
    [figures] = found
    print("\n".join(_told(figures, given, killer.kills)))
    for role, first, last, hourly in memory.slopes():
        print(f"  memory, {role:<10} {first:6.1f} MB at first, {last:6.1f} at last, {hourly:+.1f} MB an hour")
    per = {role: 1000 * used / max(1, figures.answered) for role, used in sorted(memory.cpu().items())}
    each = ", ".join(f"{role} {ms:.1f}" for role, ms in per.items())
    print(f"  processor, ms a request  {each}")
    twice, chain = _books(stage)
    print(f"  decided twice            {twice}\n  audit log                {chain}", flush=True)
    return len(figures.wrong) + twice + (not chain.startswith("verifies"))


def _told(found: Figures, given: argparse.Namespace, kills: int) -> list[str]:
    def times(samples: list[float]) -> str:
        p50, p99, most = (percentile(samples, percent) for percent in (50, 99, 100))
        return f"p50 {p50:.0f} ms, p99 {p99:.0f} ms, longest {most:.0f} ms ({len(samples)})"

    return [
        f"{found.asked} requests of {given.agents} agents in {given.minutes:g} minutes, "
        f"{len(APPROVERS)} approvers, {kills} bots and workers killed:",
        f"  request → card           {times(found.card)}",
        f"  click → receipt          {times(found.receipt)}",
        f"  click acknowledged       {times(found.ack)}; pressed again: {found.pressed_again}",
        f"  /approvals               {times(found.command)}",
        f"  answered                 {found.answered}; not within {ANSWER_SECONDS:.0f} s: {found.late}; "
        f"wrong: {found.wrong[:5] or 0}",
    ]


def _books(stage: Stage) -> tuple[int, str]:
    from sqlalchemy import text

    with stage.store.reading() as connection:
        statement = "SELECT count(*) FROM (SELECT 1 FROM decision GROUP BY approval_id HAVING count(*) > 1) t"
        twice = int(connection.execute(text(statement)).scalar_one())
    found = audit.verify(stage.store)
    return twice, f"verifies, {found.lines} lines" if not found.fault else f"broken: {found.fault}"


if __name__ == "__main__":
    sys.exit(main())
