"""Connections that Slack counts and that are not ours; and those for which it has no room."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from pathlib import Path

import pytest
from server.test_bot_role import TOKENS, Running, settings
from support import eventually

from signoff.sandbox.server import Sandbox
from signoff.server import bot_role, links
from signoff.server.links import FULL_SECONDS, Ghosts

OMAR = "U0OMAR0001"


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """A stand-in, for a bot that looks often."""
    monkeypatch.setattr(bot_role, "WATCH_SECONDS", 0.1)
    monkeypatch.setattr(links, "MEASURE_SECONDS", (0.1, 0.2))
    monkeypatch.setattr(links, "APART_SECONDS", 0.2)
    with Sandbox.start(**TOKENS) as found:
        yield found


def bot_of(slack: Sandbox, folder: Path, redis_url: str) -> Running:
    given = settings(folder, redis_url, int(slack.url.rpartition(":")[2]))
    bot = Running(given.model_copy(update={"admins": OMAR}))
    assert bot.ready.wait(30)
    return bot


def counted(text: str, logged: pytest.LogCaptureFixture) -> int:
    return [record.getMessage() for record in logged.records].count(text)


@pytest.mark.parametrize("why", ["before", "half_open"])
def test_ghosts_are_told_once_and_measured_until_they_are_gone(
    slack: Sandbox, tmp_path: Path, redis_url: str, caplog: pytest.LogCaptureFixture, why: str
) -> None:
    caplog.set_level(logging.INFO, "signoff.bot")
    if why == "before":
        slack.faults(ghosts=2)
    bot = bot_of(slack, tmp_path, redis_url)
    if why == "half_open":
        slack.faults(method="socket", mode="disconnect", reason="half_open")
    eventually(lambda: "of them not of this server" in caplog.text, 60)
    told = eventually(lambda: slack.messages(OMAR), 60)
    assert "2 of them are not of this server" in told[0]["text"]
    assert slack.state()["connections"] >= 1
    slack.faults(ghosts=0)
    eventually(lambda: "alone again" in caplog.text, 60)
    assert len(slack.messages(OMAR)) == 1
    eventually(lambda: slack.state()["connections"] == 2, 60)
    bot.end()
    assert bot.ended == [None] and slack.state()["connections"] == 0


def test_a_refresh_of_slacks_is_no_ghost(
    slack: Sandbox, tmp_path: Path, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "signoff.bot")
    bot = bot_of(slack, tmp_path, redis_url)
    for _ in range(2):
        before = opened(slack)
        slack.faults(method="socket", mode="disconnect", reason="refresh_requested")
        eventually(lambda before=before: opened(slack) >= before + 2, 60)  # type: ignore[misc]
        eventually(lambda: slack.state()["connections"] == 2, 60)
    assert "of them not of this server" not in caplog.text and not slack.messages(OMAR)
    bot.end()


def opened(slack: Sandbox) -> int:
    return len([e for e in slack.log() if e.get("method") == "apps.connections.open"])


def test_where_slack_has_no_room_it_is_tried_again_after_a_while(
    slack: Sandbox, tmp_path: Path, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(links, "FULL_SECONDS", (0.2, 0.4, 8.0))  # the act below waits for the last of them
    monkeypatch.setattr(links, "MEASURE_SECONDS", (600.0,))
    slack.faults(ghosts=9)
    bot = bot_of(slack, tmp_path, redis_url)
    eventually(lambda: opened(slack) >= 4, 30)
    calls = opened(slack)
    assert slack.act(type="open_home", user=OMAR)["ok"]
    assert opened(slack) <= calls + 2, "it does not hurry"
    bot.end()
    assert bot.ended == [None] and FULL_SECONDS[0] >= 1.0


def test_the_connections_of_another_bot_of_ours_are_no_ghosts(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(links, "MEASURE_SECONDS", (0.0,))
    ghosts, one, two = Ghosts(lambda faults: True, lambda: 2), Quiet(), Quiet()
    ghosts.watch([one, two])  # type: ignore[list-item]
    for link, count in ((one, 3), (two, 4)):
        ghosts.heard(link, count)  # type: ignore[arg-type]
    for _ in range(3):
        ghosts.look()
        ghosts.heard(one, 4)  # type: ignore[arg-type]
    assert "not of this server" not in caplog.text and one.renewals == 1


class Quiet:
    """A link without a connection."""

    renewed = False

    def __init__(self) -> None:
        self.renewals = 0
        self.client = self

    def is_connected(self) -> bool:
        return True

    def renew(self, pause: float) -> None:
        self.renewals += 1
        self.renewed = True


def test_what_could_be_the_session_before_is_measured_before_it_is_told(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(links, "MEASURE_SECONDS", (0.0,))
    told: list[object] = []
    ghosts, one, two = Ghosts(lambda faults: bool(told.append(faults)), lambda: 1), Quiet(), Quiet()
    ghosts.watch([one, two])  # type: ignore[list-item]
    for link in (one, two):
        ghosts.heard(link, 2)  # type: ignore[arg-type]
    ghosts.heard(one, 3)  # type: ignore[arg-type]  # the session before may count
    assert "not of this server" not in caplog.text
    ghosts.look()
    assert one.renewals == 1
    ghosts.heard(one, 3)  # type: ignore[arg-type]
    assert "not of this server" not in caplog.text
    ghosts.look()
    ghosts.heard(one, 3)  # type: ignore[arg-type]
    assert "3 connections of this app, 1 of them" in caplog.text and not told
    ghosts.look()
    ghosts.heard(one, 3)  # type: ignore[arg-type]
    eventually(lambda: told)
    ghosts.look()
    ghosts.heard(one, 2)  # type: ignore[arg-type]
    ghosts.look()
    assert one.renewals == 4 and len(told) == 1
