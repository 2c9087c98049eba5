"""What the policy lets run after a while, on the real road: nothing runs that somebody may have held."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from flows.person import ANA, CHANNEL, buttons, text_of
from flows.road import Road
from support import eventually

RULES = """version: 1
risk: {'tick.*': low}
reversibility: {'tick.*': reversible}
rules: [{name: mild, match: {action: 'tick.*'}, verdict: allow, after: 6s}]
"""


def standing(road: Road, what: str) -> dict[str, Any] | None:
    """The card of it, while it can be held."""
    cards: list[dict[str, Any]] = road.slack.messages(CHANNEL)
    return next((one for one in cards if what in text_of(one) and hold(one)), None)


def hold(card: dict[str, Any]) -> str:
    return next((one for one in buttons(card) if "hold" in one), "")


def test_a_hold_that_a_bot_sleeps_over_is_no_silence(make_road: Callable[..., Road], tmp_path: Path) -> None:
    """While a bot stands still nothing runs that it could not hear held; what nobody holds runs."""
    (tmp_path / "policy.yml").write_text(RULES)
    road = make_road(folder=tmp_path, SIGNOFF_POLICY=str(tmp_path / "policy.yml"))
    road.start()
    agent = road.agent("tick-bot")
    free = agent.request("tick.close", {"id": "ticket-1"}, reversible=True)
    assert free.wait(60).approved
    held = agent.request("tick.close", {"id": "ticket-2"}, reversible=True)
    card = eventually(lambda: standing(road, "ticket-2"), 30)
    over = 8_000_000 + eventually(lambda: road.row(held.id).runs_at)
    bot = road.children()["bot"]
    os.kill(bot, signal.SIGSTOP)

    pressed = threading.Thread(
        target=lambda: road.slack.act(
            type="click", user=ANA, channel=CHANNEL, ts=card["ts"], action_id=hold(card)
        )
    )
    try:
        pressed.start()
        eventually(lambda: time.time_ns() // 1000 > over, 60)
        assert road.row(held.id).pending, "nobody could hear the hold"
    finally:
        os.kill(bot, signal.SIGCONT)
    pressed.join(30)
    found = eventually(lambda: road.row(held.id).verdict.held_by, 30)
    assert found == ANA and road.row(held.id).pending
    road.close()
