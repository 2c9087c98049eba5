"""The stand-in as a process of its own, and in a thread."""

from __future__ import annotations

import concurrent.futures
import json
import signal
import socket
import stat
import subprocess
import sys
import urllib.request
from pathlib import Path
from typing import Any

import pytest
from slack_sdk import WebClient

from signoff.sandbox.server import Sandbox

START = (
    "import sys; from pathlib import Path; from signoff.sandbox.server import run; "
    "run(port=0, env_file=Path(sys.argv[1]))"
)


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_process_writes_its_settings_serves_and_ends_cleanly(tmp_path: Path, number: int) -> None:
    env_file = tmp_path / "slack.env"
    process = subprocess.Popen(
        [sys.executable, "-W", "error", "-c", START, str(env_file)],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    with process:
        assert process.stdout is not None
        url = process.stdout.readline().split()[-1]
        settings = dict(line.split("=", 1) for line in env_file.read_text().splitlines())
        assert stat.S_IMODE(env_file.stat().st_mode) == 0o600
        assert [path.name for path in tmp_path.iterdir()] == ["slack.env"]
        assert settings["SLACK_API_URL"] == f"{url}/api/"
        client = WebClient(settings["SLACK_BOT_TOKEN"], base_url=settings["SLACK_API_URL"])
        assert client.conversations_info(channel=settings["SIGNOFF_CHANNEL"])["channel"]["is_member"]
        names = [
            client.users_info(user=user)["user"]["name"]
            for user in f"{settings['SIGNOFF_APPROVERS']},{settings['SIGNOFF_ADMINS']}".split(",")
        ]
        assert names == ["ana", "ben", "omar"]
        assert client.apps_connections_open(app_token=settings["SLACK_APP_TOKEN"])["ok"]
        with urllib.request.urlopen(f"{url}/sandbox/state") as response:
            assert json.load(response)["team"]["id"] == client.auth_test()["team_id"]
        process.send_signal(number)
        _, errors = process.communicate(timeout=60)
        assert (process.returncode, errors) == (0, "")


def test_a_taken_port_is_said_plainly() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        with pytest.raises(OSError, match=f"Port {port} on 127.0.0.1 cannot be used"):
            Sandbox.start(port=port)


def test_tokens_are_random_unless_given() -> None:
    with Sandbox.start() as first, Sandbox.start(bot_token="xoxb-mine", app_token="xapp-mine") as second:
        assert first.bot_token.startswith("xoxb-") and first.app_token.startswith("xapp-")
        assert first.bot_token != second.bot_token == "xoxb-mine"
        assert WebClient("xoxb-mine", base_url=second.api_url).auth_test()["ok"]
        assert second.settings()["SLACK_APP_TOKEN"] == "xapp-mine"


def test_stopping_twice_is_harmless_and_frees_the_port() -> None:
    sandbox = Sandbox.start()
    port = int(sandbox.url.rsplit(":", 1)[1])
    sandbox.stop()
    sandbox.stop()
    with Sandbox.start(port=port) as again:
        assert again.state()["ok"]


def test_state_lists_people_and_channels_but_no_tokens() -> None:
    with Sandbox.start() as slack:
        state: dict[str, Any] = slack.state()
        assert {u["name"] for u in state["users"]} >= {
            "ana",
            "ben",
            "mia",
            "gus",
            "sam",
            "rob",
            "dee",
            "eve",
            "omar",
        }
        members = {c["name"]: c["members"] for c in state["channels"]}
        eve = next(u["id"] for u in state["users"] if u["name"] == "eve")
        assert [name for name, ids in members.items() if eve in ids] == ["agent-approvals", "shared-partner"]
        text = json.dumps(state)
        assert slack.bot_token not in text and slack.app_token not in text


def test_the_helpers_may_be_used_from_many_threads() -> None:
    with Sandbox.start() as slack, concurrent.futures.ThreadPoolExecutor(8) as pool:
        results = list(pool.map(lambda _: slack.state()["ok"], range(40)))
    assert results == [True] * 40
