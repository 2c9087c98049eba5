"""The command line as such: settings' files, exit codes, help, and what a plain install can do."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff import __version__
from signoff.cli.main import EXTRAS, main
from signoff.cli.output import EXIT, printable
from signoff.cli.parsers import duration, json_value
from signoff.errors import Invalid

COMMANDS = (
    "request", "wait", "status", "cancel", "report", "verify", "init", "serve", "bot", "intake",
    "worker", "web",
    "pending", "show", "audit verify", "audit list", "audit export", "audit verifier", "db upgrade",
    "keys generate", "keys public", "env", "manifest", "doctor", "sandbox",
    "demo", "backup", "restore", "agent add", "agent list", "agent rotate", "agent remove", "agent off",
    "agent on",
    "policy check", "policy explain", "policy test", "policy replay", "policy classes", "policy schema",
)  # fmt: skip


@pytest.fixture(autouse=True)
def _nothing_set(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A folder and an environment without settings; what a command sets is forgotten afterwards."""
    monkeypatch.chdir(tmp_path)
    for name in [name for name in os.environ if name.startswith(("SIGNOFF_", "SLACK_"))]:
        monkeypatch.delenv(name)
    for name in ("SIGNOFF_REDIS_URL", "SIGNOFF_VERIFY_KEY", "SIGNOFF_AGENT"):
        monkeypatch.setenv(name, "")
        monkeypatch.delenv(name)
    monkeypatch.setenv("SIGNOFF_DATA", str(tmp_path / "data"))


def run(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    try:
        code = main(arguments)
    except SystemExit as stopped:  # argparse
        code = int(stopped.code or 0)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_alone_it_prints_help(capsys: pytest.CaptureFixture[str]) -> None:
    code, out, err = run(capsys)
    assert (code, err) == (0, "")
    assert all(name.split()[0] in out for name in COMMANDS)


def test_it_knows_its_version(capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, "--version") == (0, f"signoff {__version__}\n", "")


@pytest.mark.parametrize("command", ["", "policy", *COMMANDS])
def test_every_command_has_help_of_at_most_a_page_of_80_columns(
    command: str, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    code, out, _ = run(capsys, *command.split(), "--help")
    assert code == 0
    assert "signoff" in out
    assert len(out.splitlines()) < (95 if command == "request" else 75)  # it has a request's every field
    assert [line for line in out.splitlines() if len(line) > 80] == []


@pytest.mark.parametrize(
    "line", ["nothing", "request", "report 1", "keys", "wait", "demo --auto --reset", "wait x --no"]
)
def test_a_wrong_command_line_is_2(line: str, capsys: pytest.CaptureFixture[str]) -> None:
    assert run(capsys, *line.split())[0] == 2


def test_missing_settings_are_one_line_on_stderr_that_says_what_to_do(
    capsys: pytest.CaptureFixture[str],
) -> None:
    code, out, err = run(capsys, "status", "01890000-0000-7000-8000-000000000000")
    assert (code, out) == (2, "")
    assert err.count("\n") == 1
    assert "SIGNOFF_REDIS_URL" in err and "signoff serve" in err


@pytest.mark.parametrize(("text", "what"), [(None, "cannot be read"), ("no equals sign", "line 1")])
def test_an_env_file_that_is_none_is_2(
    text: str | None, what: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    if text is not None:
        (tmp_path / "given").write_text(text)
    code, _, err = run(capsys, "env", "--env-file", "given")
    assert code == 2
    assert what in err


def test_env_prints_lines_that_a_shell_takes_whatever_they_hold(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    url = 'redis://billing-bot:it\'s $(false) `false` \\ "x"@h/0'
    monkeypatch.setenv("SIGNOFF_REDIS_URL", url)
    monkeypatch.setenv("SIGNOFF_VERIFY_KEY", "ed25519:x")
    code, out, _ = run(capsys, "env", "--agent", "billing-bot")
    assert code == 0
    (tmp_path / "lines").write_text(out)
    names = '"$SIGNOFF_REDIS_URL" "$SIGNOFF_VERIFY_KEY" "$SIGNOFF_AGENT"'
    shell = f'set -eu; . ./lines; printf "%s|%s|%s" {names}'
    said = subprocess.run(["sh", "-c", shell], capture_output=True, text=True, check=True).stdout
    assert said == f"{url}|ed25519:x|billing-bot"


def test_env_of_a_bad_agent_name_is_2(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIGNOFF_REDIS_URL", "redis://h")
    assert run(capsys, "env", "--agent", "Billing Bot")[0] == 2


def test_a_plain_install_names_the_extra_of_a_server_command(tmp_path: Path) -> None:
    program = (
        "import sys\n"
        "class Without:\n"
        "    def find_spec(self, name, path=None, target=None):\n"
        f"        if name.split('.')[0] in {[*EXTRAS]!r}:\n"
        "            raise ModuleNotFoundError(name, name=name)\n"
        "sys.meta_path.insert(0, Without())\n"
        "from signoff.cli.main import main\n"
        "raise SystemExit(main(sys.argv[1:]))\n"
    )

    def plain(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-c", program, *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env=environment)

    environment = {**os.environ, "PYTHONPATH": str(Path(__file__).parents[2])}
    for command in (
        "serve", "bot", "intake", "worker", "web", "pending", "show 7F3K2Q", "audit verify", "db upgrade",
        "keys public", "keys generate", "doctor", "sandbox", "demo --auto",
    ):  # fmt: skip
        done = plain(*command.split())
        assert done.returncode == 2, (command, done.stderr)
        assert done.stderr.count("\n") == 1
        assert "pip install 'signoff[server]'" in done.stderr
    assert plain("manifest").returncode == 0
    unreachable = {"SIGNOFF_REDIS_URL": "redis://127.0.0.1:1", "SIGNOFF_AGENT": "a"}
    environment |= unreachable | {"SIGNOFF_VERIFY_KEY": "ed25519:" + "A" * 43}
    for command in ("status", "wait", "cancel"):
        assert plain(command, "01890000-0000-7000-8000-000000000000").returncode == 7
    assert plain("request", "a", "--payload", "{}", "--reversible").returncode == 7
    what = ("--agent", "a", "--action", "b", "--payload", "{}")
    assert plain("verify", "x.y.z", *what).returncode == 8


def test_keys_are_made_once_and_only_the_public_one_is_shown(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file = tmp_path / "data" / "signing.key"
    assert run(capsys, "keys", "public")[0] == 2
    code, first, err = run(capsys, "keys", "generate")
    assert code == 0
    assert file.stat().st_mode & 0o777 == 0o600
    private = file.read_text().strip()
    assert first.startswith("ed25519:") and private not in first + err
    assert run(capsys, "keys", "public")[1] == first
    code, out, err = run(capsys, "keys", "generate")
    assert (code, out) == (2, "") and "--force" in err
    assert file.read_text().strip() == private
    assert run(capsys, "keys", "generate", "--force")[1] not in ("", first)


@pytest.mark.parametrize(
    ("text", "seconds"), [("90", 90), ("90s", 90), ("10m", 600), ("2h", 7200), ("1d", 86400), ("0", 0)]
)
def test_durations(text: str, seconds: int) -> None:
    assert duration(text) == seconds


@pytest.mark.parametrize("text", ["", "-1", "1w", "1.5h", "m", "1 0", "1e3", "9999999999", "१"])
def test_what_is_no_duration_is_2(text: str, capsys: pytest.CaptureFixture[str]) -> None:
    code, _, err = run(capsys, "wait", "x", f"--timeout={text}")
    assert code == 2
    assert "10m" in err


@pytest.mark.parametrize(
    ("payload", "what"),
    [
        ('{"a": 1, "a": 2}', "twice"),
        ('{"a": NaN}', "NaN"),
        ('{"a": Infinity}', "Infinity"),
        ("{", "not JSON"),
        ("", "not JSON"),
        ("[1]", "object"),
        ('{"a": "\\u0000"}', "NUL"),
        ('{"a": 9007199254740992}', "2^53"),
        ('{"a": "\\ud800"}', "surrogate"),
        ("@nowhere.json", "cannot be read"),
        ("{" * 0 + '{"a":' * 40 + "1" + "}" * 40, "deeper"),
        ('{"a": "' + "x" * 300_000 + '"}', "bytes"),
    ],
)
def test_a_payload_that_is_none_is_2_and_nothing_is_sent(
    payload: str, what: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIGNOFF_REDIS_URL", "redis://127.0.0.1:1")  # sending would be 7
    monkeypatch.setenv("SIGNOFF_VERIFY_KEY", "ed25519:" + "A" * 43)
    monkeypatch.setenv("SIGNOFF_AGENT", "billing-bot")
    code, out, err = run(capsys, "request", "refund.create", "--payload", payload, "--reversible")
    assert (code, out) == (2, "")
    assert what in err


def test_json_that_is_refused_before_it_is_sent_still_gives_a_line_of_json(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("SIGNOFF_REDIS_URL", "redis://127.0.0.1:1")
    monkeypatch.setenv("SIGNOFF_VERIFY_KEY", "ed25519:" + "A" * 43)
    monkeypatch.setenv("SIGNOFF_AGENT", "billing-bot")
    code, out, _ = run(capsys, "request", "a", "--payload", "{}", "--costly", "--expires-in", "31d", "--json")
    assert code == 2
    assert json.loads(out)["status"] == "invalid"


@settings(max_examples=60, deadline=None)
@given(st.text(max_size=60))
def test_no_text_makes_reading_json_fail_otherwise_than_invalid(text: str) -> None:
    if text.startswith(("@", "-")):
        return
    try:
        json_value("--payload", text)
    except Invalid as error:
        assert error.detail.startswith("--payload: ")


@settings(max_examples=100, deadline=None)
@given(st.dictionaries(st.text(max_size=10), st.text(max_size=20), max_size=4))
def test_what_is_printed_can_be_read_back_and_moves_no_terminal(values: dict[str, str]) -> None:
    shown = printable(json.dumps(values, ensure_ascii=False))
    assert shown.isprintable()
    assert json.loads(shown) == values


def test_every_status_has_an_exit_code_and_only_approved_is_0() -> None:
    from typing import get_args

    from signoff.models.receipt import Status

    assert EXIT.keys() == {*get_args(Status), "pending"}
    assert [status for status, code in EXIT.items() if code == 0] == ["approved"]
