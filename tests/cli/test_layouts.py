"""`signoff doctor --layouts` against a stand-in: all is taken, and what would be refused is named."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

import pytest

from signoff.bot.gallery import layouts as gallery
from signoff.bot.gallery.layouts import Layout
from signoff.cli.doctor import layouts
from signoff.cli.main import main
from signoff.sandbox.server import Sandbox

LINE = {"type": "divider"}
MODAL = {"type": "modal", "title": {"type": "plain_text", "text": "x" * 25}, "blocks": [LINE]}
HEADER = {"type": "header", "text": {"type": "mrkdwn", "text": "x"}}
BAD = [
    Layout("cards/one: card", "message", {"text": "x", "blocks": [LINE, HEADER]}),
    Layout("cards/one: edit", "view", MODAL),
    Layout("good", "message", {"text": "x", "blocks": [LINE], "metadata": {"event_type": "x"}}),
]


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


@pytest.fixture
def slack(running: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Sandbox:
    """Nothing but its address is set: it needs no token, and no channel."""
    running.reset()
    monkeypatch.setenv("SLACK_API_URL", running.api_url)
    monkeypatch.delenv("SLACK_BOT_TOKEN", raising=False)
    return running


def validated(slack: Sandbox) -> list[dict[str, Any]]:
    return [entry for entry in slack.log() if entry.get("method") == "blocks.validate"]


def test_slack_takes_all_that_is_drawn(slack: Sandbox, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["doctor", "--layouts"]) == 0
    count = len(list(gallery.layouts()))
    assert capsys.readouterr().out == f"✓ Slack takes all {count} layouts\n"
    assert len(validated(slack)) == count > 200
    assert {entry["method"] for entry in slack.log()} == {"blocks.validate"}, "and nothing else is asked"


def test_what_is_refused_is_named_with_its_place(
    slack: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(layouts, "layouts", lambda: iter(BAD))
    assert main(["doctor", "--layouts"]) == 1
    said = capsys.readouterr().out.splitlines()
    assert said[0] == "✗ cards/one: card"
    assert said[1].startswith("  /blocks/1/text: must be a text object of type plain_text (failed_constraint")
    assert said[2] == "✗ cards/one: edit"
    assert said[3].startswith("  /title/text: must be less than 25 characters (failed_constraint ")
    assert said[3].endswith(' {"type": "max_length", "expected": 24})')
    assert said[4].startswith("Slack refuses 2 of 3 layouts")
    assert main(["doctor", "--layouts", "--json"]) == 1
    told = json.loads(capsys.readouterr().out)
    assert (told["ok"], told["layouts"]) == (False, 3)
    assert [one["layout"] for one in told["refused"]] == ["cards/one: card", "cards/one: edit"]
    assert told["refused"][1]["pointer"] == "/title/text"


def test_a_busy_slack_is_waited_for(
    slack: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setattr(layouts, "layouts", lambda: iter(BAD[2:]))
    slept: list[float] = []
    slack.faults(method="blocks.validate", mode="ratelimited", seconds=7, times=3)
    assert layouts.report(sleep=slept.append) == 0
    assert slept == [7, 7, 7] and "takes all 1 layouts" in capsys.readouterr().out


@pytest.mark.parametrize("fault", [{"mode": "html"}, {"mode": "error", "error": "unknown_method"}])
def test_a_slack_that_does_not_say_is_no_yes(
    slack: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], fault: dict[str, Any]
) -> None:
    monkeypatch.setattr(layouts, "layouts", lambda: iter(BAD[2:]))
    slack.faults(method="blocks.validate", times=layouts.TRIES, **fault)
    assert layouts.report(sleep=lambda _: None) == 1
    assert "Slack does not say more" in capsys.readouterr().out
    slack.faults(method="blocks.validate", times=layouts.TRIES, **fault)
    assert layouts.report(json_wanted=True, sleep=lambda _: None) == 1
    told = json.loads(capsys.readouterr().out)
    assert told["ok"] is False and told["fault"] and told["layouts"] == 0
