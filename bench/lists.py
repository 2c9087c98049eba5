"""`/approvals` and App Home over a million old Approvals, on each database: at the server, without Slack."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from bench import past
from bench.decisions import APPROVER, PAYLOAD, Everybody, approvals_on
from bench.postgresql import postgresql
from bench.table import Row, verdict
from bench.timer import median, percentile
from signoff.approvals.lists import Lists
from signoff.approvals.service import Approvals
from signoff.bot.cards.lists import home_view
from signoff.bot.listeners.commands import Commands
from signoff.bot.listeners.opener import Opener
from signoff.bot.slack.client import Slack, client
from signoff.bot.slack.directory import SlackDirectory
from signoff.client.ask import build_request
from signoff.models.engine import open_engine
from signoff.server import own_redis

OLD = 1_000_000
WAITING = 30
LIMIT_MS = 50.0


def run(rounds: int, old: int = OLD) -> list[Row]:
    """Two rows a database: the slowest kind of command, and Home."""
    rows: list[Row] = []
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        folder = Path(name)
        with own_redis.running(folder) as server:
            rows += _measure("SQLite", f"sqlite:///{folder / 'signoff.db'}", server.admin_url, rounds, old)
            with postgresql() as url:
                if url is None:
                    rows.append(Row("/approvals and Home, PostgreSQL", "PostgreSQL is not installed"))
                else:
                    rows += _measure("PostgreSQL", url, server.admin_url, rounds, old)
    return rows


def _measure(database: str, url: str, redis_url: str, rounds: int, old: int) -> list[Row]:
    with approvals_on(url, redis_url) as approvals:
        engine = open_engine(url)
        past.fill(engine, old, approvals.store.clock())
        engine.dispose()
        for _ in range(WAITING):
            approvals.submit("agent-1", build_request("agent-1", "action.1", PAYLOAD, {})[0])
        lists = Lists(approvals, Everybody(), ())
        kinds = {text: _command(approvals, lists, user, text) for user, text in _commands(lists)}
        times: dict[str, list[float]] = {text: [] for text in kinds}
        homes: list[float] = []
        for number in range(rounds + 3):
            for text, once in kinds.items():
                taken = _timed(once)
                times[text] += [taken] if number >= 3 else []
            for user in (APPROVER, past.OWNER):
                taken = _timed(lambda user=user: json.dumps(home_view(lists.overview(user))))
                homes += [taken] if number >= 3 else []
    slowest = max(times, key=lambda text: median(times[text]))
    name = "show ID" if slowest.startswith("show") else slowest or "pending"
    what = f"over {old:,} old Approvals, {database}"
    return [
        _row(f"/approvals {what} (the slowest: {name})", times[slowest]),
        _row(f"Home {what}", homes),
    ]


def _commands(lists: Lists) -> list[tuple[str, str]]:
    found = lists.history(APPROVER).items[-1].id
    asked = [
        "",
        "pending action.1",
        "mine",
        "history",
        "history agent-7",
        "history action.7",
        f"show {found}",
    ]
    return [*((APPROVER, text) for text in asked), (past.OWNER, "history agent-2")]


def _command(approvals: Approvals, lists: Lists, user: str, text: str) -> Callable[[], None]:
    slack = Slack(client("xoxb-none", "http://127.0.0.1:9/"))
    commands = Commands(lists, approvals.store, slack, Opener(slack, SlackDirectory(slack)))
    body = {"user_id": user, "text": text}

    def once() -> None:
        said: list[dict[str, Any]] = []
        commands.approvals(lambda **answer: said.append(answer), body, lambda **_: None)
        assert "blocks" in json.loads(json.dumps(said[0])), said

    return once


def _timed(work: Callable[[], Any]) -> float:
    start = time.perf_counter()
    work()
    return (time.perf_counter() - start) * 1000


def _row(what: str, samples: list[float]) -> Row:
    p99 = percentile(samples, 99)
    reached = f"p50 {median(samples):.2f} ms, p99 {p99:.2f} ms"
    return Row(what, reached, target=f"p99 < {LIMIT_MS:g} ms", verdict=verdict(p99 < LIMIT_MS))
