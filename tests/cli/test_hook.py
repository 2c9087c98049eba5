"""`signoff hook install` and `uninstall`: Claude Code's settings, and nothing else in them."""

from __future__ import annotations

import json
import shlex
import stat
import sys
from pathlib import Path
from typing import Any

import pytest

from signoff.cli.main import main
from signoff.signatures import Signer

THEIRS: dict[str, Any] = {
    "model": "opus",
    "hooks": {
        "Stop": [{"hooks": [{"type": "command", "command": "notify-send done"}]}],
        "PreToolUse": [{"matcher": "Bash", "hooks": [{"type": "command", "command": "./lint.sh"}]}],
    },
    "permissions": {"deny": ["Read(./.env)"]},
}


@pytest.fixture
def home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A user who has an agent's settings in the environment."""
    for name in ("CLAUDE_CONFIG_DIR", "XDG_DATA_HOME"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("SIGNOFF_DATA", str(tmp_path / "data"))
    monkeypatch.setenv("SIGNOFF_REDIS_URL", "redis://coder:hunter2@127.0.0.1:1/0")
    monkeypatch.setenv("SIGNOFF_AGENT", "coder")
    monkeypatch.setenv("SIGNOFF_VERIFY_KEY", Signer.generate().verify_key)
    (tmp_path / "shop").mkdir()
    monkeypatch.chdir(tmp_path / "shop")
    return tmp_path


def settings(path: Path) -> Any:
    return json.loads(path.read_text())


def hook_of(path: Path, event: str = "PreToolUse") -> dict[str, Any]:
    found: dict[str, Any] = settings(path)["hooks"][event][-1]["hooks"][0]
    return found


def test_it_writes_a_hook_that_blocks_when_it_fails_and_says_so(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / ".claude" / "settings.json"
    assert main(["hook", "install"]) == 0
    hook, env_file = hook_of(file), home / "data" / "claude-code.env"
    words = shlex.split(hook["command"])
    assert words == [
        sys.executable, "-I", "-m", "signoff", "hook", "claude-code", "--env-file", str(env_file)
    ]  # fmt: skip
    assert (hook["onFailure"], hook["timeout"], hook["type"]) == ("block", 1728000, "command")
    assert settings(file)["hooks"].keys() == {"PreToolUse", "PostToolUse", "PostToolUseFailure"}
    assert "onFailure" not in hook_of(file, "PostToolUse")
    assert hook_of(file, "PostToolUse")["command"] == hook["command"] + " --after"
    assert stat.S_IMODE(env_file.stat().st_mode) == 0o600 and "hunter2" in env_file.read_text()
    said = capsys.readouterr().err
    assert str(file) in said and hook["command"] in said and "1728000" in said
    assert "hunter2" not in said + file.read_text()


def test_it_keeps_all_else_is_written_once_and_goes_again(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / ".claude" / "settings.json"
    file.parent.mkdir()
    file.write_text(json.dumps(THEIRS, indent=2) + "\n")
    file.chmod(0o644)
    before = file.read_text()
    assert main(["hook", "install", "--user"]) == 0
    once = file.read_text()
    assert stat.S_IMODE(file.stat().st_mode) == 0o644
    assert main(["hook", "install"]) == 0 and file.read_text() == once
    assert "has it already" in capsys.readouterr().err
    found = settings(file)
    assert found["hooks"]["PreToolUse"][0] == THEIRS["hooks"]["PreToolUse"][0]
    assert {name: found[name] for name in ("model", "permissions")} == {
        name: THEIRS[name] for name in ("model", "permissions")
    }
    # Other words replace it: two hooks would ask twice.
    assert main(["hook", "install", "--wait", "90", "--defer", "--matcher", "Bash|Write"]) == 0
    assert [len(entries) for entries in settings(file)["hooks"].values()] == [1, 2, 1, 1]
    assert hook_of(file)["command"].endswith("--wait 90 --defer")
    assert settings(file)["hooks"]["PreToolUse"][-1]["matcher"] == "Bash|Write"
    assert main(["hook", "uninstall"]) == 0 and file.read_text() == before
    assert main(["hook", "uninstall"]) == 0 and "no hook of Signoff's" in capsys.readouterr().err


def test_a_project_prompts_and_a_server_by_http(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    file = home / "shop" / ".claude" / "settings.json"
    assert main(["hook", "install", "--project", "--prompts"]) == 0
    assert not (home / ".claude").exists()
    assert settings(file)["hooks"].keys() == {"PermissionRequest"}
    for url in ("https://signoff.example.com", "https://signoff.example.com/v1/hooks/claude-code/"):
        assert main(["hook", "install", "--project", "--http", url]) == 0
        assert hook_of(file) == {
            "type": "http",
            "url": "https://signoff.example.com/v1/hooks/claude-code",
            "headers": {"Authorization": "Bearer $SIGNOFF_TOKEN"},
            "allowedEnvVars": ["SIGNOFF_TOKEN"],
            "timeout": 1728000,
            "onFailure": "block",
        }
    assert hook_of(file, "PostToolUse")["url"].endswith("/v1/hooks/claude-code?event=PostToolUse")
    assert "PermissionRequest" not in settings(file)["hooks"]
    assert "take one of them out" not in capsys.readouterr().err
    assert main(["hook", "install"]) == 0 and "take one of them out" in capsys.readouterr().err
    local = ["hook", "install", "--project", "--http", "http://127.0.0.1:8080"]
    assert main([*local, "--wait", "30", "--defer"]) == 0
    assert hook_of(file)["url"] == "http://127.0.0.1:8080/v1/hooks/claude-code?defer=30"
    assert main(local) == 0 and len(settings(file)["hooks"]["PreToolUse"]) == 1
    capsys.readouterr()
    for url in (
        "http://signoff.example.com",
        "ftp://x",
        "signoff.example.com",
        "https://a:b@x",
        "https://x?y",
    ):
        assert main(["hook", "install", "--project", "--http", url]) == 2
        assert "--http" in capsys.readouterr().err
    assert main(["hook", "uninstall", "--project"]) == 0 and settings(file) == {}


@pytest.mark.parametrize("text", ["{", "[]", '{"hooks": []}', '{"hooks": {"Stop": {}}}', "\ufeff{}x", ""])
def test_what_is_no_settings_file_is_left_alone(
    home: Path, text: str, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / ".claude" / "settings.json"
    file.parent.mkdir()
    file.write_text(text)
    for command in ("install", "uninstall"):
        assert main(["hook", command]) == 2
        assert "nothing was changed" in capsys.readouterr().err and file.read_text() == text


def test_settings_that_are_linked_elsewhere_stay_linked(home: Path) -> None:
    (home / "dotfiles").mkdir()
    (home / ".claude").mkdir()
    real, link = home / "dotfiles" / "claude.json", home / ".claude" / "settings.json"
    real.write_text("{}")
    link.symlink_to(real)
    assert main(["hook", "install"]) == 0
    assert link.is_symlink() and "PreToolUse" in settings(real)["hooks"]
    assert [one.name for one in real.parent.iterdir()] == ["claude.json"]


def test_nothing_is_installed_that_could_never_ask(
    home: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    file = home / ".claude" / "settings.json"
    open_file = home / "open.env"
    open_file.write_text("SIGNOFF_REDIS_URL=redis://127.0.0.1:1\nSIGNOFF_VERIFY_KEY=x\n")
    open_file.chmod(0o666)
    files = (["--env-file", str(one)] for one in (open_file, home / "none"))
    prompts = ["--prompts", "--http", "https://x", "--defer"]
    for words in (*files, ["--http", "https://x", "--wait", "9"], ["--wait", "1728000"], prompts):
        assert main(["hook", "install", *words]) == 2
    monkeypatch.delenv("SIGNOFF_VERIFY_KEY")
    assert main(["hook", "install"]) == 2
    for name in ("SIGNOFF_REDIS_URL", "SIGNOFF_AGENT"):
        monkeypatch.delenv(name)
    assert main(["hook", "install"]) == 2 and "signoff serve" in capsys.readouterr().err
    assert not file.exists()


def test_the_server_of_this_user_is_named_by_its_own_file(
    home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in ("SIGNOFF_REDIS_URL", "SIGNOFF_AGENT", "SIGNOFF_VERIFY_KEY"):
        monkeypatch.delenv(name)
    data = home / "data"
    data.mkdir(mode=0o700)
    (data / "agent.env").write_text(
        f"SIGNOFF_REDIS_URL=redis://local:p@127.0.0.1:1/0\nSIGNOFF_VERIFY_KEY={Signer.generate().verify_key}\n"
    )
    (data / "agent.env").chmod(0o600)
    assert main(["hook", "install"]) == 0
    assert f"--env-file {data / 'agent.env'}" in hook_of(home / ".claude" / "settings.json")["command"]
