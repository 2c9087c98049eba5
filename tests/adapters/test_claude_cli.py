"""The harness that the tests of Claude Code stand on: without it they would show nothing."""

from __future__ import annotations

from pathlib import Path

from adapters.claude_cli import Claude, ToolUse, fake_model

WRITE = [
    ToolUse("Bash", {"command": "echo one > one; echo first"}),
    ToolUse("Bash", {"command": "echo two > two"}),
]


def test_the_real_cli_runs_what_the_fake_model_calls_for_and_nothing_else(tmp_path: Path) -> None:
    with fake_model(WRITE, "It is noon.") as model:
        claude = Claude(tmp_path, model)
        ran = claude.run("What time is it?")
        assert (ran.code, ran.result) == (0, "It is noon."), ran
        assert sorted(one.name for one in claude.project.iterdir()) == ["one", "two"]
        assert len(model.heard) == 2 and "first" in model.told() and len(model.results()) == 2
        model.say([ToolUse("Bash", {"command": "echo three > three"})])
        again = claude.run("And now?", resume=ran.session, allowed=())
        assert again.result == "Done." and "What time is it?" in model.told()
        assert not (claude.project / "three").exists()
        assert model.results()[-1]["is_error"]
