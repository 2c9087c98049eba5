"""What Slack has done is noted, though the database is away just then: nothing is posted twice."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from flows.local import SHARED, Local, local_bot
from flows.person import cards

from signoff.bot.delivery import retry
from signoff.bot.slack.client import Posted, Slack

LOCKED_SECONDS = 2.0
"""Longer than a writer waits for another."""


@pytest.fixture
def local(tmp_path: Path, redis_url: str) -> Iterator[Local]:
    with local_bot(tmp_path, redis_url) as found:
        yield found


@pytest.mark.parametrize("run", [None, "run-7"])
def test_a_card_stands_once_though_the_database_is_locked_while_it_is_posted(
    local: Local, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, run: str | None
) -> None:
    post, locks = Slack.post, []

    def post_and_lock(self: Slack, *args: Any, **given: Any) -> Posted:
        posted = post(self, *args, **given)
        if not locks:
            other = sqlite3.connect(tmp_path / "signoff.db", isolation_level=None, check_same_thread=False)
            other.execute("BEGIN EXCLUSIVE")
            locks.append(threading.Timer(LOCKED_SECONDS, other.close))
            locks[0].start()
        return posted

    monkeypatch.setattr(Slack, "post", post_and_lock)
    monkeypatch.setattr(retry, "PAUSES", (0.1,) * 20)
    approval_id = local.ask(run=run)
    locks[0].join()
    local.deliver(approval_id)
    assert len(cards(local.slack, approval_id, SHARED)) == 1
    top = [message for message in local.slack.messages(SHARED) if not message.get("ephemeral_to")]
    assert len(top) == 1, "one card, or one first message of its run"
