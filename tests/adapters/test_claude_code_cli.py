"""The command hook under the real Claude Code CLI: what it stops, and what it lets run as it was approved."""

from __future__ import annotations

import json
import os
import signal
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from adapters.claude_cli import Claude, FakeModel, ToolUse, ended, fake_model
from sqlalchemy import text as sql
from support import Core, eventually, intake_of

from signoff.cli.main import main
from signoff.models.approval import Approval

AGENT = "billing-bot"
POLICY = """
rules:
  - name: small talk
    match: {action: [shell.run]}
    when: payload.command == "echo hello"
    verdict: allow
"""


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """These tests are about the CLI: one database will do."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


@pytest.fixture
def served(core: Core, redis_url: str) -> Iterator[Core]:
    core.follow(POLICY)
    with intake_of(core, redis_url, AGENT):
        yield core


@pytest.fixture
def person(served: Core, redis_url: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Person:
    return Person(served, redis_url, tmp_path, monkeypatch)


class Person:
    """One who has installed the hook, and decides; `installed` writes what they have written."""

    def __init__(self, core: Core, redis_url: str, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
        self.core, self.folder, self._patch = core, folder, monkeypatch
        self._settings = {
            "SIGNOFF_REDIS_URL": redis_url, "SIGNOFF_AGENT": AGENT,
            "SIGNOFF_VERIFY_KEY": core.signer.verify_key, "SIGNOFF_DATA": str(folder / "data"),
        }  # fmt: skip
        self._seen: set[str] = set()

    def claude(self, model: FakeModel, *words: str) -> Claude:
        claude = Claude(self.folder, model)
        for name, value in {**self._settings, "CLAUDE_CONFIG_DIR": str(claude.home / ".claude")}.items():
            self._patch.setenv(name, value)
        assert main(["hook", "install", *words]) == 0
        return claude

    def asked(self) -> Approval:
        """The next request that nobody has decided."""
        query = sql("SELECT id FROM approval WHERE status = 'pending' ORDER BY id")

        def find() -> str | None:
            with self.core.store.reading() as connection:
                found = set(connection.execute(query).scalars()) - self._seen
                return min(found, default=None)

        found: str = eventually(find, 60)
        self._seen.add(found)
        approval = self.core.store.get(found)
        assert approval is not None
        return approval

    def decide(self, answer: Any = "approve", **said: Any) -> str:
        approval = self.asked()
        self.core.approvals.decide(approval.id, 1, "U0ANA", answer, **said)
        return approval.id


def runs(command: str) -> ToolUse:
    return ToolUse("Bash", {"command": command})


def test_the_policy_allows_a_person_edits_and_rejects(person: Person) -> None:
    turns = ([runs("echo hello")], [runs("echo one > one")], [runs("echo two > two")])
    with fake_model(*turns, "Done.") as model:
        claude = person.claude(model)
        (claude.project / ".claude").mkdir()  # a project that would have its own server asked
        evil = {
            "SIGNOFF_REDIS_URL": "redis://127.0.0.1:1",
            "SIGNOFF_VERIFY_KEY": "x",
            "PYTHONHOME": "/nowhere",
        }
        (claude.project / ".claude" / "settings.json").write_text(json.dumps({"env": evil}))
        run = claude.start()
        edited = person.decide(payload={"command": "echo uno > uno"}, reason="In Spanish.")
        person.decide("reject", reason="Not two")
        ran = ended(run)
        assert ran.result == "Done.", ran
    assert sorted(one.name for one in claude.project.iterdir()) == [".claude", "uno"]
    told = model.told()
    assert "hello" in told and 'and is now \\"echo uno > uno\\"' in told.replace("\\\\", "\\")
    assert "In Spanish." in told and "ana rejected it." in told and "Not two" in told
    found = eventually(lambda: (one := person.core.store.get(edited)) and one.outcome and one)
    assert found.outcome is not None and found.outcome.succeeded


def test_nothing_runs_where_the_hook_is_killed_or_has_no_server(person: Person) -> None:
    with fake_model([runs("echo one > one")], [runs("echo two > two")], "Done.") as model:
        claude = person.claude(model)
        run = claude.start()
        person.asked()
        for number in (signal.SIGKILL, signal.SIGTERM):
            os.kill(hook_of(run.pid), number)
            if number == signal.SIGKILL:
                person.asked()
        ran = ended(run)
        assert ran.result == "Done.", ran
        assert [one["is_error"] for one in model.results()] == [True, True]
        (person.folder / "data" / "claude-code.env").write_text("SIGNOFF_REDIS_URL=redis://127.0.0.1:1\n")
        model.say([runs("echo three > three")], "Done.")
        claude.run()
        assert "was not run" in model.told()
    assert list(claude.project.iterdir()) == []


def test_a_run_ends_while_somebody_thinks_and_is_resumed(person: Person) -> None:
    with fake_model([runs("echo one > one")], "Done.") as model:
        claude = person.claude(model, "--wait", "1", "--defer")
        first = claude.run()
        assert first.said.get("stop_reason") == "tool_deferred", first
        again = claude.run("", resume=first.session)
        assert again.said.get("stop_reason") == "tool_deferred" and list(claude.project.iterdir()) == []
        person.decide(payload={"command": "echo uno > uno"})
        last = claude.run("", resume=first.session)
        assert last.result == "Done.", last
    assert [one.name for one in claude.project.iterdir()] == ["uno"]
    with person.core.store.reading() as connection:
        assert connection.execute(sql("SELECT count(*) FROM approval")).scalar() == 1


def hook_of(process: int) -> int:
    """The hook that runs below a process of Claude Code."""

    def find() -> int | None:
        for one in Path("/proc").iterdir():
            try:
                words = (one / "cmdline").read_bytes().split(b"\0")
                if b"claude-code" in words and b"-m" in words and is_below(int(one.name), process):
                    return int(one.name)
            except (OSError, ValueError):
                continue
        return None

    found: int = eventually(find, 60)
    return found


def is_below(process: int, above: int) -> bool:
    while process > 1:
        if process == above:
            return True
        stat = Path(f"/proc/{process}/stat").read_text()
        process = int(stat.rpartition(")")[2].split()[1])
    return False


def test_only_what_would_have_been_a_prompt_is_asked(person: Person) -> None:
    with fake_model([runs("echo one > one")], [runs("echo two > two")], "Done.") as model:
        claude = person.claude(model, "--prompts")
        run = claude.start(allowed=())
        person.decide(payload={"command": "echo uno > uno"})
        person.decide("reject", reason="Not two")
        ran = ended(run)
        assert ran.result == "Done." and "Not two" in model.told(), ran
        model.say([runs("echo three > three")], "Done.")
        assert claude.run().result == "Done."  # allowed by Claude Code's own rules: nobody is asked
    assert sorted(one.name for one in claude.project.iterdir()) == ["three", "uno"]
