"""`Signoff()` without settings finds what this user runs here, and nothing that others could have put."""

from __future__ import annotations

import logging
import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

from signoff import ConfigError, Signoff, Unreachable
from signoff.client.settings import load_settings
from signoff.queue import neighbours
from signoff.queue.data_folder import write_private
from signoff.receipts import Signer

KEY = Signer.generate().verify_key
PAGE = "http://127.0.0.1:9100/"


@pytest.fixture(autouse=True)
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user's data folder with nothing in it, and a current folder that somebody else has filled."""
    for name in list(os.environ):
        if name.startswith("SIGNOFF_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("SIGNOFF_DATA", str(tmp_path / "data"))
    here = tmp_path / "here"
    (here / "demo" / "server").mkdir(parents=True)
    planted = f"SIGNOFF_REDIS_URL=redis://local:x@127.0.0.1:1/0\nSIGNOFF_VERIFY_KEY={KEY}\n"
    for place in (".env", "agent.env", "demo/server/agent.env"):
        (here / place).write_text(planted)
    (here / "demo" / "demo.lock").write_text(f"{os.getpid()} {PAGE}\n")
    monkeypatch.chdir(here)
    return tmp_path / "data"


def serves(folder: Path, port: int = 1) -> None:
    """What a server leaves there for the agents of its user."""
    lines = (
        f"SIGNOFF_REDIS_URL=redis://local:secret@127.0.0.1:{port}/0",
        f"SIGNOFF_VERIFY_KEY={KEY}",
        "SIGNOFF_AGENT=local",
        "SIGNOFF_DEPLOYMENT=try",
        "SIGNOFF_AGENT_SECRET=s3cret",
    )
    write_private(folder / "agent.env", "".join(f"{line}\n" for line in lines))


def plays(data: Path, process: int | str | None = None, port: int = 1) -> Path:
    """A demo: its server's file, and the lock that says who plays it, and where."""
    serves(data / "demo" / "server", port)
    write_private(data / "demo" / "demo.lock", f"{process or os.getpid()} {PAGE}\n")
    return data / "demo"


def ended() -> int:
    """The number of a process that has ended."""
    process = subprocess.Popen([sys.executable, "-c", ""])
    process.wait()
    return process.pid


def test_the_demo_is_found_with_its_key_and_the_agents_name_and_it_is_said(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    plays(data, port=4711)
    found = load_settings()
    assert (found.agent, found.deployment, found.secret) == ("local", "try", "s3cret")
    assert found.redis_url == "redis://local:secret@127.0.0.1:4711/0"
    [said] = caplog.records
    assert said.levelno == logging.WARNING, "who has set nothing sees it without a logging setup"
    assert said.getMessage() == f"No server is set, so the demo that runs is asked: decide at {PAGE}"


def test_a_server_of_the_data_folder_goes_before_a_demo_whether_it_runs_or_not(
    data: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.INFO, "signoff")
    plays(data)
    serves(data, port=4712)
    assert load_settings().redis_url.endswith(":4712/0")
    assert [record.getMessage() for record in caplog.records] == [
        "No server is set, so the one of this user is asked: redis://127.0.0.1:4712/0"
    ]


@pytest.mark.parametrize("name", ["SIGNOFF_REDIS_URL", "SIGNOFF_VERIFY_KEY"])
def test_what_is_set_wins_and_nothing_is_looked_for(
    data: Path, monkeypatch: pytest.MonkeyPatch, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    plays(data)
    monkeypatch.setenv(name, {"SIGNOFF_REDIS_URL": "redis://own/0", "SIGNOFF_VERIFY_KEY": KEY}[name])
    with pytest.raises(ConfigError, match="is not set"):
        load_settings()
    assert load_settings("redis://own/0", "mine", KEY).redis_url == "redis://own/0"
    assert caplog.records == []


def test_a_demo_that_has_ended_is_none_however_it_ended(data: Path) -> None:
    folder = plays(data, ended())
    assert neighbours.find() is None, "killed"
    for left in ("", "\n", "12", f"0x1 {PAGE}", f"-1 {PAGE}", f"{10**30} {PAGE}", "\0"):
        write_private(folder / "demo.lock", left)
        assert neighbours.find() is None, left
    (folder / "demo.lock").unlink()
    assert neighbours.find() is None, "cleared"


def test_a_process_of_somebody_else_plays_no_demo_of_ours(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plays(data, 4711)

    def kill(process: int, number: int) -> None:
        assert (process, number) == (4711, 0)
        raise PermissionError

    monkeypatch.setattr(os, "kill", kill)
    assert neighbours.find() is None


@pytest.mark.parametrize("place", ["demo", "demo/demo.lock", "demo/server", "demo/server/agent.env"])
def test_what_others_may_write_is_refused_and_named(data: Path, place: str) -> None:
    plays(data)
    (data / place).chmod(0o777)
    with pytest.raises(ConfigError, match=r"others may write|everybody may write"):
        load_settings()


def test_where_there_is_none_one_line_says_what_to_do(data: Path) -> None:
    with Signoff() as signoff, pytest.raises(ConfigError) as caught:
        signoff.ask("refund.create", {}, reversible=True)
    said = caught.value.detail
    assert "\n" not in said
    for way in ("`signoff serve`", "`signoff demo`", "SIGNOFF_REDIS_URL", "`signoff agent add NAME`"):
        assert way in said


def test_an_agent_of_another_name_is_told_how_it_gets_one(
    data: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    plays(data)
    monkeypatch.setenv("SIGNOFF_AGENT", "billing-bot")
    with pytest.raises(ConfigError, match="`signoff agent add billing-bot`"):
        load_settings()


def test_a_server_that_is_down_is_to_be_started_not_looked_for_in_settings(data: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        port = taken.getsockname()[1]
    serves(data, port)
    with Signoff() as signoff, pytest.raises(Unreachable) as caught:
        signoff.ask("refund.create", {}, reversible=True)
    assert "start it: `signoff serve`" in str(caught.value) and "SIGNOFF_REDIS_URL" not in str(caught.value)


def test_a_server_with_a_redis_of_another_machine_says_that_agents_have_to_be_told(data: Path) -> None:
    write_private(data / "agent.env", f"SIGNOFF_VERIFY_KEY={KEY}\n")
    with pytest.raises(ConfigError, match=r"uses a Redis that its agents have to be told of: set SIGNOFF_"):
        load_settings()


@pytest.mark.parametrize(
    ("url", "words"),
    [
        ("localhost:6379", "begins with no redis://"),
        ("billing-bot:hunter2@localhost", "begins with no redis://"),
        ("http://localhost", "begins with no redis://"),
        (" ", "begins with no redis://"),
        ("redis:localhost", "begins with no redis://|names no host"),
        ("redis://", "names no host"),
        ("redis://:hunter2@:6379", "names no host"),
        ("redis://u:hunter2@localhost:abc", "host or port does not read"),
        ("redis://u:hunter2@localhost:99999", "host or port does not read"),
        ("redis://u:hunter2#x@localhost:6379", "host or port does not read"),
        ("redis://[::1", "host or port does not read"),
    ],
)
def test_what_is_no_url_is_said_so_with_an_example_and_without_its_password(url: str, words: str) -> None:
    with pytest.raises(ConfigError, match=words) as caught:
        load_settings(url, "billing-bot", KEY)
    assert "write it as redis://billing-bot:PASSWORD@redis.example.com:6379/0" in str(caught.value)
    assert "hunter2" not in str(caught.value)


@pytest.mark.parametrize(
    "url",
    [
        "redis://h",
        "rediss://u:p@h:6380/1",
        "unix:///run/redis.sock",
        "unix://u:p@/run/r?db=1",
        "redis://[::1]:1",
    ],
)
def test_what_is_one_is_taken(url: str) -> None:
    assert load_settings(url, "billing-bot", KEY).redis_url == url
