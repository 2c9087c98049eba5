"""What is under way when a bot is told to stop is finished, and acknowledged."""

from __future__ import annotations

import sqlite3
import threading
from contextlib import closing
from pathlib import Path

from flows.local import local_bot
from flows.person import ANA
from support import eventually

from signoff.bot.app import Running


def test_a_bot_that_is_told_to_stop_waits_for_the_click_that_it_works_on(
    tmp_path: Path, redis_url: str
) -> None:
    running, answers = Running(), []
    with local_bot(tmp_path, redis_url, running=running) as bot:
        bot.slack.team(events=[])
        approval_id = bot.ask()
        message = bot.card(approval_id)
        with closing(sqlite3.connect(tmp_path / "signoff.db", isolation_level=None)) as other:
            other.execute("BEGIN EXCLUSIVE")
            click = threading.Thread(target=lambda: answers.append(bot.person(ANA).click(message, "approve")))
            click.start()
            eventually(lambda: not running.wait(0))
            other.execute("ROLLBACK")
        assert running.wait(60)
        click.join(20)
        assert answers[0]["acked"] and not bot.pending(approval_id)
