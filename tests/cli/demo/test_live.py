"""`signoff demo`: a person decides, agents go on, and it can be left and taken up again."""

from __future__ import annotations

import json
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from cli.demo.playing import ANA, CHANNEL, ROOT, SECONDS, Playing, Reviewer
from support import eventually

from signoff.cli.demo import stage
from signoff.cli.demo.browser import has_browser
from signoff.cli.demo.troupe import Troupe
from signoff.sandbox.server import Sandbox

pytestmark = pytest.mark.xdist_group("demo")
"""Two that start in the same moment would take the same port."""
README = (ROOT / "README.md").read_text(encoding="utf-8")
FIVE = ("refund.create", "database.drop", "email.send", "infrastructure.apply", "deploy.start")
HEADLINES = [
    "Refund 120 EUR to cus_42", "Drop customers_991.db on db-3", "E-mail to c.sommer@example.com",
    "Apply a plan to shop", "Deploy checkout v2.991 to production",
]  # fmt: skip
FIRST_CARDS_SECONDS = 60.0
"""The issue asks for 20 s on a machine that has nothing else to do."""


@pytest.fixture
def demo(tmp_path: Path) -> Iterator[Playing]:
    """A demo that is not started yet; gone when the test ends, whatever happens."""
    playing = Playing(tmp_path / "data")
    playing.data.mkdir()
    yield playing
    playing.kill()


@pytest.fixture
def taken() -> Iterator[int]:
    """The first port is somebody else's."""
    with socket.socket() as other:
        other.setsockopt(
            socket.SOL_SOCKET, socket.SO_REUSEADDR, 1
        )  # else what closed a moment ago is in its way
        with suppress(OSError):  # then it is taken already
            other.bind(("127.0.0.1", stage.FIRST_PORT))
            other.listen()
        yield stage.FIRST_PORT


def test_five_agents_ask_and_each_goes_on_after_its_decision(demo: Playing, taken: int) -> None:
    began = time.monotonic()
    demo.start()
    slack = demo.wait()
    assert not slack.url.endswith(f":{taken}")
    assert demo.said().count("http://") == 1
    ana = Reviewer(slack, ANA, CHANNEL)
    for action in FIVE:
        ana.card(action)
    assert time.monotonic() - began < FIRST_CARDS_SECONDS

    buttons = {action: json.dumps(ana.card(action)["blocks"]) for action in FIVE}
    assert (
        '"review"' in buttons["infrastructure.apply"] and '"approve"' not in buttons["infrastructure.apply"]
    )
    assert '"edit"' in buttons["refund.create"] and '"edit"' not in buttons["database.drop"]

    _refused_while_it_runs(demo, slack.url)
    asked = _ask_from_a_shell(demo)

    ana.click(ana.card("refund.create"), "edit")
    ana.submit(ana.view("edit"), amount="80")
    ana.submit(ana.view("difference"))
    ana.reject(ana.card("database.drop"), "Ask the data team first")
    ana.click(ana.card("email.send"), "approve")
    ana.click(ana.card("deploy.start"), "approve")
    ana.until("email.send", "Done")
    ana.until("deploy.start", "Done")
    _says(demo, "data-bot", "Rejected, so I keep it. I am told: ana: Ask the data team first")
    _says(demo, "support-bot", "Approved and sent.")
    _says(demo, "release-bot", "is deployed, and I have reported it")
    _says(demo, "billing-bot", "'amount': 80")
    _says(demo, "billing-bot", "Refunded as")
    assert (demo.folder / "work" / "refunds.csv").read_text().startswith("cus_42,80,EUR")
    assert (demo.folder / "work" / "customers_991.db").exists()
    eventually(lambda: "billing-bot: Refunded as re_991" in demo.said(), SECONDS)
    said, complaints = asked.communicate(timeout=SECONDS)
    assert asked.returncode == 0 and said.startswith(b"Approved by ana"), complaints

    _run_the_readmes_sample(demo, ana)

    assert demo.end(signal.SIGINT) == 0
    assert demo.left() == []
    assert (demo.folder / "demo.lock").read_text() == "", "no agent looks for it any more"
    assert [path.name for path in demo.data.iterdir()] == ["demo"]


def _refused_while_it_runs(demo: Playing, url: str) -> None:
    for option in ("--no-browser", "--reset"):
        second = demo.run(option)
        assert second.returncode == 2
        assert f"A demo runs already: look at {url}/" in second.stderr


def _ask_from_a_shell(demo: Playing) -> subprocess.Popen[bytes]:
    """The printed line as it stands, from another folder where somebody else's settings lie; approved."""
    elsewhere = demo.data.with_name("elsewhere")
    elsewhere.mkdir()
    (elsewhere / ".env").write_text("SIGNOFF_REDIS_URL=redis://127.0.0.1:1\nSIGNOFF_AGENT=other\n")
    environment = {
        name: value for name, value in demo.environment.items() if not name.startswith(("SIGNOFF_", "SLACK_"))
    }
    asking = subprocess.Popen(
        ["/bin/sh", "-c", demo.shell_line()], env=environment, cwd=elsewhere,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    ana = Reviewer(demo.wait(), ANA, CHANNEL)
    card = eventually(
        lambda: next((m for m in ana.slack.messages(CHANNEL) if "my-shell asks" in m["text"]), None), SECONDS
    )
    ana.click(card, "approve")
    return asking


def _run_the_readmes_sample(demo: Playing, ana: Reviewer) -> None:
    """Its first block as it stands, from an empty folder, by one who has set nothing: approved and run."""
    block = README.partition("```python\n")[2].partition("```")[0]
    folder = demo.data.with_name("newcomer")
    folder.mkdir()
    (folder / "agent.py").write_text(block)
    kept = {
        name: value for name, value in demo.environment.items() if not name.startswith(("SIGNOFF_", "SLACK_"))
    }
    asking = subprocess.Popen(
        [sys.executable, "agent.py"], env={**kept, "SIGNOFF_DATA": str(demo.data)}, cwd=folder,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE,
    )  # fmt: skip
    card = eventually(
        lambda: next((m for m in ana.slack.messages(CHANNEL) if "local asks" in m["text"]), None), SECONDS
    )
    ana.click(card, "approve")
    said, complaints = asking.communicate(timeout=SECONDS)
    assert (asking.returncode, said) == (0, b"refunded 120 to cus_42\n"), complaints
    assert complaints.decode().splitlines() == [
        f"No server is set, so the demo that runs is asked: decide at {ana.slack.url}/"
    ]


def _says(demo: Playing, agent: str, words: str) -> None:
    eventually(lambda: any(words in line for line in demo.heard(agent)), SECONDS)


def test_a_second_start_finds_the_history_and_an_old_card_can_be_decided(demo: Playing) -> None:
    demo.start()
    ana = Reviewer(demo.wait(), ANA, CHANNEL)
    ana.reject(ana.card("refund.create"), "Not this one")
    ana.until("refund.create", "Rejected")
    old = ana.card("infrastructure.apply")
    _says(demo, "billing-bot", "No refund.")
    eventually(lambda: old["ts"] in (demo.folder / "slack.json").read_text())
    demo.end(signal.SIGKILL)
    eventually(lambda: demo.left() == [])

    demo.start()
    ana = Reviewer(demo.wait(), ANA, CHANNEL)
    assert [m["ts"] for m in ana.slack.messages(CHANNEL)].count(old["ts"]) == 1
    eventually(lambda: len(demo.heard("billing-bot")) > 2 and "992" in demo.heard("billing-bot")[-1], SECONDS)
    ana.until("refund.create", "ticket 992")
    assert ana.card("infrastructure.apply")["ts"] == old["ts"], "its agent waits for the card that stands"

    ana.click(old, "review")
    ana.submit(ana.view("review", "web-001", "web-240"))
    _says(demo, "infra-bot", "Two steps are left")
    for action in ("dns.switch", "network.close"):
        ana.click(ana.card(action), "approve")
    _says(demo, "infra-bot", "network.close was approved, and is done.")
    assert ana.card("dns.switch")["thread_ts"] == ana.card("network.close")["thread_ts"]
    ana.slack.act(type="open_home", user=ANA)
    eventually(lambda: "database.drop" in json.dumps(ana.slack.views(ANA)["home"]), SECONDS)

    assert demo.end(signal.SIGTERM) == 0
    assert demo.left() == []
    cleared = demo.run("--reset")
    assert cleared.returncode == 0
    assert list(demo.data.iterdir()) == []


def test_once_all_are_decided_one_of_them_asks_again(demo: Playing) -> None:
    demo.start()
    ana = Reviewer(demo.wait(), ANA, CHANNEL)
    cards = [ana.card(action) for action in FIVE]
    assert [card["blocks"][0]["text"]["text"] for card in cards] == HEADLINES
    for card in cards:
        ana.reject(card, "Not now")
    eventually(lambda: len([m for m in ana.slack.messages(CHANNEL) if "asks: " in m["text"]]) == 1, SECONDS)
    ana.until("refund.create", "cus_307", "1290 EUR", "Large refund")
    check = subprocess.run(
        [sys.executable, "-m", "signoff", "policy", "check", "--strict", str(demo.folder / "policy.yml")],
        env=demo.environment, check=False, capture_output=True, text=True,
    )  # fmt: skip
    assert check.returncode == 0, check.stdout + check.stderr
    assert demo.end(signal.SIGINT) == 0
    assert demo.left() == []


def test_nothing_piles_up_where_nobody_is_there(tmp_path: Path) -> None:
    with Sandbox.start() as slack:
        stage = _Bare(tmp_path, slack.url)
        troupe = Troupe(stage, lambda name, line: None, pauses=[0.0])  # type: ignore[arg-type]
        try:
            eventually(lambda: troupe.look() or stage.started == 5, SECONDS)
            for _ in range(3):
                troupe.look()
            assert stage.started == 5, "nobody has done anything"
            slack.act(type="message", user=ANA, channel=CHANNEL, text="Hello")
            eventually(lambda: troupe.look() or stage.started == 6, SECONDS)
            for _ in range(3):
                troupe.look()
            assert stage.started == 6, "nobody has answered that one"
        finally:
            troupe.close()


class _Bare:
    """A stage without a server: its agents say one line, and that was their ticket."""

    def __init__(self, folder: Path, url: str) -> None:
        self.folder, self.url, self.started = folder, url, 0

    def agent(self, name: str) -> dict[str, str]:
        return {}

    def start(self, *arguments: str, module: str, **options: Any) -> subprocess.Popen[bytes]:
        self.started += 1
        del options["more"]
        return subprocess.Popen([sys.executable, "-c", f"print({module!r})"], **options)


@pytest.mark.parametrize("number", [signal.SIGHUP, signal.SIGKILL], ids=["closed terminal", "SIGKILL"])
def test_whenever_it_is_stopped_it_leaves_nothing_running(demo: Playing, number: int) -> None:
    demo.start()
    eventually(lambda: any("serve" in line for line in demo.left()), SECONDS)  # it is still starting
    assert demo.end(number) == (0 if number == signal.SIGHUP else -signal.SIGKILL)
    eventually(lambda: demo.left() == [])


def test_where_a_part_ends_it_says_which_and_ends_all(demo: Playing) -> None:
    demo.start()
    demo.wait()
    (server,) = (pid for pid in _pids(demo) if b"serve" in pid.joinpath("cmdline").read_bytes().split(b"\0"))
    subprocess.run(["kill", "-KILL", server.name], check=True)
    assert demo.process and demo.process.wait(SECONDS) == 1
    assert "the demo failed: the server ended with -9" in demo.said()
    eventually(lambda: demo.left() == [])


def _pids(demo: Playing) -> list[Path]:
    assert demo.process
    children = Path(f"/proc/{demo.process.pid}/task/{demo.process.pid}/children").read_text().split()
    return [Path("/proc", pid) for pid in children]


def test_a_browser_is_opened_only_where_somebody_sits(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sys.platform", "linux")
    assert has_browser({"DISPLAY": ":0"})
    assert has_browser({"WAYLAND_DISPLAY": "wayland-0"})
    assert not has_browser({})
    assert not has_browser({"DISPLAY": ":10", "SSH_CONNECTION": "198.51.100.7 1 198.51.100.8 22"})
    monkeypatch.setattr("sys.platform", "darwin")
    assert has_browser({})
    assert not has_browser({"SSH_TTY": "/dev/ttys001"})
