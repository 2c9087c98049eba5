"""The http hook with the real Claude Code: what people decide is what its tools do."""

from __future__ import annotations

import json
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import pytest
from adapters.claude_cli import Claude, ToolUse, ended, fake_model
from support import Core, eventually
from web.conftest import Door, opened

from signoff.web.hooks.denials import CLAUDE_CODE

pytestmark = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
RESET = b"\x01\x00\x00\x00\x00\x00\x00\x00"
"""SO_LINGER of no time: the connection is reset, as when its process is killed."""


def bash(command: str) -> list[str | ToolUse]:
    """A turn of the model that runs one command."""
    return [ToolUse("Bash", {"command": command})]


def settings(url: str, *, events: tuple[str, ...] = ("PreToolUse", "PostToolUse", "PostToolUseFailure"),
             query: str = "", **more: Any) -> dict[str, Any]:  # fmt: skip
    """What docs/adapters/claude-agent-sdk.md has people write."""
    hook = {
        "type": "http", "url": f"{url}{CLAUDE_CODE}{query}", "timeout": 86400, "onFailure": "block",
        "headers": {"Authorization": "Bearer $SIGNOFF_TOKEN"}, "allowedEnvVars": ["SIGNOFF_TOKEN"],
        **more,
    }  # fmt: skip
    return {"hooks": {event: [{"matcher": "Bash", "hooks": [hook]}] for event in events}}


@pytest.fixture
def door(core: Core, redis_url: str) -> Iterator[Door]:
    """A door whose token is one for hooks."""
    with opened(core, redis_url, heartbeat_seconds=0.2) as found:
        found.token = found.add("billing-bot", "hook")
        yield found


def a_claude(folder: Path, model: Any, door: Door) -> Claude:
    return Claude(folder, model, {"SIGNOFF_TOKEN": door.token})


def decide_next(core: Core, *decisions: Callable[[str], object]) -> threading.Thread:
    """Somebody who decides what comes, one after the other."""

    def run() -> None:
        for decide in decisions:
            [(one, _)] = eventually(core.store.waiting)
            decide(one)
            eventually(lambda one=one: not core.approvals.get(one).pending)

    running = threading.Thread(target=run, daemon=True)
    running.start()
    return running


def test_what_people_decide_is_what_claude_does(door: Door, tmp_path: Path) -> None:
    decide = door.core.approvals.decide
    turns = [bash("echo one > one"), bash("echo two > two"), bash("rm one"), bash("exit 3")]
    with fake_model(*turns) as model:
        claude = a_claude(tmp_path, model, door)
        edited = {"command": "echo edited > two"}
        deciding = decide_next(
            door.core,
            lambda one: decide(one, 1, "U0ANA", "approve"),
            lambda one: decide(one, 1, "U0ANA", "approve", reason="Mind the word", payload=edited),
            lambda one: decide(one, 1, "U0BEN", "reject", reason="It is ours."),
            lambda one: decide(one, 1, "U0BEN", "approve"),
        )
        ran = claude.run(settings=settings(door.url))
        deciding.join(20)
        assert ran.result == "Done.", ran
        assert {one.name: one.read_text() for one in claude.project.iterdir()} == {
            "one": "one\n", "two": "edited\n",
        }  # fmt: skip
        told = model.told()
        assert "ana approved this call with changes" in told and "ana says about it: Mind the word" in told
        assert 'is now \\"echo edited > two\\"' in told
        _, _, rejected, failed = model.results()
        assert rejected["is_error"] and "ben rejected it. Reason: It is ours." in rejected["content"]
        assert failed["is_error"]
        with door.core.store.reading() as connection:
            found = connection.exec_driver_sql(
                "SELECT action, status, outcome FROM approval ORDER BY created_at"
            ).all()
        assert [(action, status) for action, status, _ in found] == [
            ("shell.run", "approved"), ("shell.run", "approved"), ("shell.run", "rejected"),
            ("shell.run", "approved"),
        ]  # fmt: skip
        assert [outcome and json.loads(outcome)["succeeded"] for *_, outcome in found] == [
            True,
            True,
            None,
            False,
        ]


def test_a_deferred_call_is_decided_while_no_claude_runs(door: Door, tmp_path: Path) -> None:
    """Approved with changes, and rejected; each resumed by another process."""
    core = door.core
    for verdict in ("approve", "reject"):
        with fake_model(bash(f"echo {verdict} > out")) as model:
            claude = a_claude(tmp_path / verdict, model, door)
            first = claude.run(settings=settings(door.url, query="?defer=0"))
            assert first.said["stop_reason"] == "tool_deferred", first
            assert first.said["deferred_tool_use"]["name"] == "Bash" and len(model.heard) == 1
            [(one, _)] = core.store.waiting()
            more = (
                {"payload": {"command": "echo edited > out"}} if verdict == "approve" else {"reason": "No."}
            )
            core.approvals.decide(one, 1, "U0ANA", verdict, **more)
            second = claude.run(settings=settings(door.url, query="?defer=0"), resume=first.session)
            assert second.result == "Done.", second
            if verdict == "approve":
                assert (claude.project / "out").read_text() == "edited\n"
                assert "is now" in model.told()
            else:
                assert not (claude.project / "out").exists() and "ana rejected it" in model.told()


def test_an_interrupted_claude_withdraws_what_it_asked(door: Door, tmp_path: Path) -> None:
    core = door.core
    with fake_model(bash("echo x > out")) as model:
        claude = a_claude(tmp_path, model, door)
        process = claude.start(settings=settings(door.url))
        [(one, _)] = eventually(core.store.waiting)
        process.terminate()
        eventually(lambda: not core.approvals.get(one).pending)
        assert core.approvals.get(one).status == "cancelled"
        ended(process)
        assert not (claude.project / "out").exists()


@contextmanager
def a_server(answer: Callable[[socket.socket], None]) -> Iterator[str]:
    """Something that listens, and does this with whoever has sent a head."""
    listener = socket.create_server(("127.0.0.1", 0))
    kept: list[socket.socket] = []

    def serve() -> None:
        while True:
            try:
                caller, _ = listener.accept()
            except OSError:
                return
            kept.append(caller)
            caller.recv(65536)
            answer(caller)

    running = threading.Thread(target=serve, daemon=True)
    running.start()
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        for one in kept:
            one.close()
        running.join(20)


HEAD = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\n"


def _killed(caller: socket.socket) -> None:
    caller.sendall(HEAD + b"transfer-encoding: chunked\r\n\r\n1\r\n \r\n")
    caller.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    caller.close()


FAULTS: dict[str, Callable[[socket.socket], None]] = {
    "killed in the middle": _killed,
    "half a JSON": lambda caller: caller.sendall(
        HEAD + b'content-length: 20\r\n\r\n {"hookSpecificOutput"'[:-2]
    ),
    "an error": lambda caller: caller.sendall(b"HTTP/1.1 500 No\r\ncontent-length: 0\r\n\r\n"),
    "nothing": lambda caller: None,
}


def test_with_on_failure_block_nothing_runs_whatever_the_server_does(door: Door, tmp_path: Path) -> None:
    for name, fault in FAULTS.items():
        with fake_model(bash("echo x > out")) as model, a_server(fault) as url:
            claude = a_claude(tmp_path / name, model, door)
            claude.run(settings=settings(url, events=("PreToolUse",), timeout=1))
            assert not (claude.project / "out").exists() and model.results()[0]["is_error"], name
    with fake_model(bash("echo x > out")) as model:
        claude = a_claude(tmp_path / "away", model, door)
        claude.run(settings=settings("http://127.0.0.1:9"))
        assert not (claude.project / "out").exists() and model.results()[0]["is_error"]
    # Of faults that are Signoff's own, each is a denial: without that word, too.
    for name, token in (("no token", ""), ("another's", "sgt_" + "a" * 12 + "_" + "b" * 43)):
        with fake_model(bash("echo x > out")) as model:
            claude = Claude(tmp_path / name, model, {"SIGNOFF_TOKEN": token})
            claude.run(settings=settings(door.url, onFailure="continue"))
            assert not (claude.project / "out").exists(), name
            assert "the hook's token is not taken" in str(model.results()[0]["content"])


def test_calls_at_once_wait_together(door: Door, tmp_path: Path) -> None:
    """Tools that only read; what changes something Claude Code calls one after the other by itself."""
    core = door.core
    with fake_model([ToolUse("Read", {"file_path": name}) for name in ("one", "two")]) as model:
        claude = a_claude(tmp_path, model, door)
        for name in ("one", "two"):
            (claude.project / name).write_text(f"this is {name}")
        asked = settings(door.url)
        asked["hooks"]["PreToolUse"][0]["matcher"] = "*"
        process = claude.start(settings=asked, allowed=("Read",))
        eventually(lambda: len(core.store.waiting()) == 2)
        (first, _), (second, _) = core.store.waiting()
        core.approvals.decide(first, 1, "U0ANA", "approve")
        core.approvals.decide(second, 1, "U0ANA", "reject", reason="Not that one.")
        ran = ended(process)
        assert ran.result == "Done." and "Not that one." in model.told(), ran
        name = core.approvals.get(first).payload["file_path"].rpartition("/")[2]
        assert [f"this is {one}" in model.told() for one in ("one", "two")] == [name == "one", name == "two"]


def test_a_permission_prompt_is_answered_by_people(door: Door, tmp_path: Path) -> None:
    """Where PermissionRequest alone is hooked, what Claude Code allows by itself asks nobody."""
    with fake_model(bash("ls"), bash("echo x > out")) as model:
        claude = a_claude(tmp_path, model, door)
        deciding = decide_next(door.core, lambda one: door.core.approvals.decide(one, 1, "U0ANA", "approve"))
        asked = settings(door.url, events=("PermissionRequest",))
        ran = claude.run(settings=asked, allowed=("Bash(ls:*)",))
        deciding.join(20)
        assert ran.result == "Done." and (claude.project / "out").read_text() == "x\n", model.results()
