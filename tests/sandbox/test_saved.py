"""What the stand-in keeps in a file, and what it does with a file that is none of its own."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from slack_sdk import WebClient
from support import eventually

from signoff.sandbox.server import Sandbox

ANA, NEW = "U0ANA00001", "U0NEW00001"


def test_the_next_one_goes_on_where_this_one_was_left(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with Sandbox.start(state_file=file) as slack:
        client = WebClient(slack.bot_token, base_url=slack.api_url)
        posted = client.chat_postMessage(channel="random", text="one")
        client.chat_postMessage(channel="random", text="reply", thread_ts=posted["ts"])
        client.chat_postMessage(channel=ANA, text="for ana")
        client.chat_postEphemeral(channel="C0RANDOM01", user=ANA, text="seen once")
        slack.team(users={NEW: {"name": "new"}}, events=["app_home_opened"])
        before = slack.messages("random")[0]
        tokens = (slack.bot_token, slack.app_token, slack.settings()["SLACK_BOT_TOKEN"])
    with Sandbox.start(state_file=file) as slack:
        assert tokens == (slack.bot_token, slack.app_token, slack.settings()["SLACK_BOT_TOKEN"])
        client = WebClient(slack.bot_token, base_url=slack.api_url)
        assert slack.messages("random") == [before], "what was for one person's eyes is gone"
        assert [m["text"] for m in slack.messages("random", posted["ts"])] == ["one", "reply"]
        assert [m["text"] for m in slack.messages(ANA)] == ["for ana"]
        state = slack.state()
        assert NEW in [user["id"] for user in state["users"]]
        assert state["bot"]["events"] == ["app_home_opened"]
        client.chat_update(channel="C0RANDOM01", ts=posted["ts"], text="two")
        later = client.chat_postMessage(channel="random", text="later")["ts"]
        assert float(later) > float(posted["ts"])
        assert slack.bot_token not in file.read_text()
    assert oct(file.stat().st_mode & 0o777) == "0o600"
    assert [path.name for path in tmp_path.iterdir()] == ["state.json"]


def test_it_is_written_while_it_runs_so_that_sigkill_loses_a_moment_only(tmp_path: Path) -> None:
    file = tmp_path / "state.json"
    with Sandbox.start(state_file=file) as slack:
        slack.act(type="message", user=ANA, channel="random", text="written soon")
        eventually(lambda: "written soon" in file.read_text())


@pytest.mark.parametrize("text", ["", "{", "[]", "{}", json.dumps({"team": {"users": {"U1": {}}}})])
def test_a_file_that_holds_something_else_is_left_alone(tmp_path: Path, text: str) -> None:
    file = tmp_path / "state.json"
    file.write_text(text)
    with pytest.raises(OSError, match="holds no state of this stand-in"):
        Sandbox.start(state_file=file)
    assert file.read_text() == text
