"""`signoff hook claude-code` whose Claude Code is gone, or that is told at the last moment."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from adapters.test_claude_code_hook import AGENT, BASH, EVENT, POLICY, Hook, ended
from support import Core, eventually, intake_of

from signoff.models.approval import Approval


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """These tests are about the hook: one database will do."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


@pytest.fixture
def hook(core: Core, redis_url: str, tmp_path: Path) -> Iterator[Hook]:
    core.follow(POLICY)
    with intake_of(core, redis_url, AGENT):
        yield Hook(core, redis_url, tmp_path)


def is_over(hook: Hook, approval: Approval) -> Approval | None:
    found = hook.core.approvals.get(approval.id)
    return None if found.pending else found


def test_a_claude_code_that_is_killed_leaves_no_hook_that_spends(hook: Hook) -> None:
    """Once its own child, and once with a shell in between that goes on: then only the pipe tells."""
    for number, through in enumerate(([], ["sh", "-c", '"$@"; true', "sh"])):
        call = f"toolu_{number}"
        started = json.dumps([*through, sys.executable, "-I", "-m", "signoff", "hook", "claude-code"])
        program = (
            "import json, subprocess, sys, time; event, words = sys.argv[1:]\n"
            "p = subprocess.Popen(json.loads(words), stdin=subprocess.PIPE, stdout=subprocess.PIPE)\n"
            "p.stdin.write(event.encode()); p.stdin.close(); p.wait()"
        )
        event = json.dumps({**EVENT, "tool_use_id": call})
        claude = subprocess.Popen(
            [sys.executable, "-c", program, event, started], cwd=hook.home,
            env={"PATH": os.environ["PATH"], "HOME": str(hook.home), **hook.settings},
            stderr=subprocess.DEVNULL,
        )  # fmt: skip
        approval = hook.approval(call)
        claude.kill()
        claude.wait()
        found = eventually(lambda: is_over(hook, approval))  # noqa: B023
        assert (found.status, found.spent_by) == ("cancelled", None)


def test_an_approval_whose_answer_nobody_takes_is_reported_as_not_run(hook: Hook) -> None:
    read = json.dumps({**EVENT, "tool_name": "Read"}).encode()
    with open("/dev/full", "wb") as full:
        other = subprocess.Popen(
            [sys.executable, "-I", "-m", "signoff", "hook", "claude-code"], stdin=subprocess.PIPE,
            stdout=full, stderr=subprocess.PIPE, cwd=hook.home, env=hook.settings,
        )  # fmt: skip
        _, said = other.communicate(read, 60)
    assert other.returncode == 2 and b"was not run" in said
    query = "SELECT id FROM approval WHERE action = 'file.read'"

    def outcome() -> Any:
        with hook.core.store.reading() as connection:
            found = hook.core.store.get(str(connection.exec_driver_sql(query).scalar_one()))
        return found and found.outcome

    assert not eventually(outcome).succeeded


def test_approved_in_the_moment_in_which_its_time_ends_it_runs(hook: Hook) -> None:
    process = hook.begin(EVENT, "--wait", "3")
    approval = hook.approval()
    eventually(lambda: _is_waiting(process.pid))
    process.send_signal(signal.SIGSTOP)
    hook.decide()
    eventually(lambda: hook.core.approvals.get(approval.id).status == "approved")
    time.sleep(3.0)  # its time has to be over before it goes on
    process.send_signal(signal.SIGCONT)
    code, said = ended(process)
    assert (code, said["permissionDecision"], said["updatedInput"]) == (0, "allow", BASH)


def _is_waiting(process: int) -> bool:
    """Whether it has loaded the client: its loop has a thread of its own."""
    return len(list(Path(f"/proc/{process}/task").iterdir())) > 1


ENDED = """
import os, signal, sys
import signoff.adapters.claude_code.hook as hook
from signoff.cli import entry

class Out:
    buffer = sys.stdout.buffer
    def flush(self):
        os.kill(os.getpid(), signal.SIGTERM)

def main(words):
    hook._Watch()
    if "late" in words:
        return 0
    hook._write({"answer": "allow"})
    return 0

hook.main, sys.stdout = main, Out()
sys.argv = ["signoff", "hook", "claude-code", *sys.argv[1:]]
raise SystemExit(entry.main())
"""


@pytest.mark.parametrize("word", ["", "late"])
def test_a_signal_beside_an_answer_never_ends_a_hook_with_1(word: str) -> None:
    run = subprocess.run([sys.executable, "-c", ENDED, word], capture_output=True, timeout=60, check=False)
    assert run.returncode == 0 and (b"allow" in run.stdout) == (not word), run
