"""`signoff init`: each answer is checked against Slack (the stand-in), and what is written works."""

from __future__ import annotations

import io
import os
import pty
import stat
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from support import eventually

from signoff.cli.init import rewritten
from signoff.cli.main import main
from signoff.queue.data_folder import read_env_file, write_private
from signoff.sandbox.server import Sandbox

WRITTEN = ["SLACK_BOT_TOKEN", "SLACK_APP_TOKEN", "SIGNOFF_CHANNEL", "SIGNOFF_APPROVERS", "SLACK_API_URL"]
ANSWERS = ("agent-approvals", "U0ANA00001 S0FINANCE1")
Answer = tuple[int, str, str]
Init = Callable[..., Answer]


@pytest.fixture(scope="module")
def running() -> Iterator[Sandbox]:
    with Sandbox.start() as sandbox:
        yield sandbox


@pytest.fixture
def slack(running: Sandbox, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Sandbox]:
    """The stand-in, and an environment that says no more than where it and the data folder are."""
    monkeypatch.setattr(os, "environ", dict(os.environ))
    for name in [name for name in os.environ if name.startswith(("SIGNOFF_", "SLACK_"))]:
        del os.environ[name]
    os.environ |= {
        "SIGNOFF_DATA": str(tmp_path / "data"),
        "SLACK_API_URL": running.settings()["SLACK_API_URL"],
    }
    monkeypatch.chdir(tmp_path)
    running.reset()
    yield running
    running.reset()


@pytest.fixture
def init(slack: Sandbox, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Init:
    """Run it with these lines on stdin; its exit code, stdout and stderr. No token is ever in them."""

    def run(*lines: str, **settings: str) -> Answer:
        before = dict(os.environ)
        os.environ.update(settings)
        monkeypatch.setattr(sys, "stdin", io.StringIO("".join(f"{line}\n" for line in lines)))
        code = main(["init"])
        said = capsys.readouterr()
        os.environ.clear()
        os.environ.update(before)
        for token in (slack.bot_token, slack.app_token, *lines[:2]):
            assert len(token) < 6 or token not in said.out + said.err
        return code, said.out, said.err

    return run


def written(tmp_path: Path) -> dict[str, str]:
    return read_env_file(tmp_path / "data" / "server.env")


def test_four_answers_make_a_server_that_the_doctor_finds_well(
    init: Init, slack: Sandbox, tmp_path: Path
) -> None:
    code, out, err = init(slack.bot_token, slack.app_token, *ANSWERS)
    assert (code, err) == (0, "")
    assert "✓ Channel: #agent-approvals (C0APPROVE1)" in out
    assert "✓ Approvers: ana (U0ANA00001), the user group S0FINANCE1" in out
    assert "✗" not in out and "signoff serve" in out.splitlines()[-1]
    assert list(written(tmp_path)) == WRITTEN
    assert written(tmp_path)["SIGNOFF_APPROVERS"] == "U0ANA00001,S0FINANCE1"
    data = tmp_path / "data"
    assert {path.name for path in data.iterdir()} == {"server.env", "signing.key", "signoff.db"}
    assert {stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()} == {0o600}
    assert stat.S_IMODE(data.stat().st_mode) == 0o700


def test_run_again_an_empty_answer_keeps_what_is_there(init: Init, slack: Sandbox, tmp_path: Path) -> None:
    init(slack.bot_token, slack.app_token, *ANSWERS)
    key = (tmp_path / "data" / "signing.key").read_text()
    before = written(tmp_path)
    assert init()[0] == 0  # no line at all
    assert written(tmp_path) == before
    assert init("", "", "#finance-private", "")[0] == 0
    assert written(tmp_path) == before | {"SIGNOFF_CHANNEL": "finance-private"}
    assert init("", "", "", " U0BEN00001,U0BEN00001 members")[0] == 0
    assert written(tmp_path)["SIGNOFF_APPROVERS"] == "U0BEN00001,members"
    assert (tmp_path / "data" / "signing.key").read_text() == key


def test_what_the_environment_says_needs_no_answer(init: Init, slack: Sandbox, tmp_path: Path) -> None:
    code, _, err = init(**slack.settings())
    assert (code, err) == (0, "")
    assert written(tmp_path)["SIGNOFF_APPROVERS"] == "U0ANA00001,U0BEN00001"


def test_what_wins_over_the_file_is_told(init: Init, slack: Sandbox) -> None:
    _, _, err = init(slack.bot_token, slack.app_token, *ANSWERS, SIGNOFF_CHANNEL="C0GENERAL1")
    assert "SIGNOFF_CHANNEL is set otherwise in the environment" in err


WRONG: list[tuple[int, str, str]] = [
    (0, "", "SLACK_BOT_TOKEN: the bot's token is missing"),
    (0, "xoxb-wrong", "SLACK_BOT_TOKEN: Slack does not take SLACK_BOT_TOKEN: invalid_auth"),
    (0, "xapp-1-swapped", "SLACK_BOT_TOKEN: that is not the bot's token"),
    (0, "xoxp-a-person", "SLACK_BOT_TOKEN: that is not the bot's token"),
    (0, "xoxb-1\x1b[2J", "SLACK_BOT_TOKEN: that is not the bot's token"),
    (1, "", "SLACK_APP_TOKEN: the app's token is missing"),
    (1, "xoxb-swapped", "SLACK_APP_TOKEN: that is not the app's token"),
    (1, "xapp-wrong", "SLACK_APP_TOKEN: Slack does not take SLACK_APP_TOKEN: invalid_auth"),
    (2, "", "SIGNOFF_CHANNEL: there has to be one channel"),
    (2, "one two", "SIGNOFF_CHANNEL: there has to be one channel"),
    (2, "nowhere", "SIGNOFF_CHANNEL: there is no channel nowhere"),
    (2, "general", "SIGNOFF_CHANNEL: the app is not in #general"),
    (2, "old", "is archived"),
    (3, "", "SIGNOFF_APPROVERS: somebody has to decide"),
    (3, " , ", "SIGNOFF_APPROVERS: somebody has to decide"),
    (3, "@ana", "SIGNOFF_APPROVERS: '@ana' is no id"),
    (3, "U0ANA00001 U0GUS00001", "gus (U0GUS00001) is a guest"),
    (3, "U0NOBODY01", "is nobody in this workspace"),
    (3, "S0EMPTY001", "is empty, disabled, or not there"),
]


@pytest.mark.parametrize(("number", "answer", "says"), WRONG)
def test_a_wrong_answer_ends_it_and_nothing_is_written(
    init: Init, slack: Sandbox, tmp_path: Path, number: int, answer: str, says: str
) -> None:
    lines = [slack.bot_token, slack.app_token, *ANSWERS]
    lines[number] = answer
    code, _, err = init(*lines)
    assert code == 2 and err.count("\n") == 1 and err.startswith("signoff: ")
    assert says in err
    assert list((tmp_path / "data").iterdir()) == []


def test_where_the_tokens_go_is_told_and_may_be_slack_again(
    init: Init, slack: Sandbox, tmp_path: Path
) -> None:
    _, out, _ = init(slack.bot_token, slack.app_token, *ANSWERS)
    assert f"it is {slack.settings()['SLACK_API_URL']} that is asked, not Slack" in out
    text = (tmp_path / "data" / "server.env").read_text()
    assert rewritten(text, {"SLACK_API_URL": "https://slack.com/api/"}).endswith("=https://slack.com/api/\n")


@pytest.mark.parametrize("url", ["http://slack.example/api/", "http://127.0.0.1@evil.example/"])
def test_no_token_is_asked_for_where_it_would_go_in_the_clear(init: Init, url: str) -> None:
    code, out, err = init(SLACK_API_URL=url)
    assert (code, out) == (2, "") and "SLACK_API_URL" in err and url not in err


def test_a_slack_that_is_away_ends_it(init: Init, slack: Sandbox) -> None:
    code, _, err = init(slack.bot_token, slack.app_token, *ANSWERS, SLACK_API_URL="http://127.0.0.1:1/api/")
    assert code == 2 and "Slack cannot be reached" in err


def test_what_else_the_file_says_stays(init: Init, slack: Sandbox, tmp_path: Path) -> None:
    kept = "# mine\nexport SIGNOFF_LOG_LEVEL=DEBUG\nSIGNOFF_CHANNEL=old\n\nSIGNOFF_CHANNEL = twice\n"
    write_private(tmp_path / "data" / "server.env", kept)
    init(slack.bot_token, slack.app_token, *ANSWERS)
    text = (tmp_path / "data" / "server.env").read_text()
    assert text.startswith(
        "# mine\nexport SIGNOFF_LOG_LEVEL=DEBUG\nSIGNOFF_CHANNEL=agent-approvals\n\nSLACK_BOT"
    )
    assert rewritten(text, {name: written(tmp_path)[name] for name in WRITTEN}) == text


def test_a_folder_that_others_may_write_is_refused_before_anything_is_asked(
    init: Init, tmp_path: Path
) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "data").chmod(0o777)
    code, out, err = init()
    assert (code, out) == (2, "") and "others may write" in err


def test_a_link_is_left_alone(init: Init, slack: Sandbox, tmp_path: Path) -> None:
    write_private(tmp_path / "secret.env", "SIGNOFF_CHANNEL=old\n")
    (tmp_path / "data").mkdir(0o700)
    (tmp_path / "data" / "server.env").symlink_to(tmp_path / "secret.env")
    code, _, err = init(slack.bot_token, slack.app_token, *ANSWERS)
    assert code == 2 and "is a link to" in err
    assert (tmp_path / "secret.env").read_text() == "SIGNOFF_CHANNEL=old\n"


def test_the_doctor_has_the_last_word(init: Init, slack: Sandbox, tmp_path: Path) -> None:
    slack.team(
        bot={"scopes": ["chat:write", "channels:read", "groups:read", "users:read", "usergroups:read"]}
    )
    code, out, _ = init(slack.bot_token, slack.app_token, *ANSWERS)
    assert code == 1 and "✗ scopes" in out and "run it again" in out
    assert list(written(tmp_path)) == WRITTEN


class Terminal:
    """Somebody who sits before `signoff init`."""

    def __init__(self) -> None:
        ours, theirs = pty.openpty()
        self.process = subprocess.Popen(
            [sys.executable, "-m", "signoff", "init"], env=dict(os.environ), start_new_session=True,
            stdin=theirs, stdout=theirs, stderr=theirs, cwd=Path(__file__).parents[2],
        )  # fmt: skip
        os.close(theirs)
        os.set_blocking(ours, False)
        self._end, self.seen = ours, ""

    def until(self, words: str) -> None:
        """Read until these words have come since the last answer."""
        eventually(lambda: self._read() or words in self.seen, 60)

    def answer(self, line: str) -> None:
        self.seen = ""
        os.write(self._end, f"{line}\n".encode())

    def _read(self) -> None:
        try:
            self.seen += os.read(self._end, 65536).decode(errors="replace")
        except BlockingIOError:
            pass
        except OSError:  # it has ended
            time.sleep(0)

    def close(self) -> None:
        self.process.kill()
        self.process.wait()
        os.close(self._end)


def test_at_a_terminal_a_wrong_answer_is_asked_for_again_and_no_token_is_shown(
    slack: Sandbox, tmp_path: Path
) -> None:
    person = Terminal()
    try:
        person.until("Bot token (xoxb-…): ")
        assert "https://api.slack.com/apps?new_app=1&manifest_yaml=display_information%3A" in person.seen
        person.answer("xoxb-wrong")
        person.until("Bot token (xoxb-…): ")
        assert "✗ Slack does not take SLACK_BOT_TOKEN: invalid_auth" in person.seen
        assert "xoxb-wrong" not in person.seen
        person.answer(slack.bot_token)
        person.until("App token (xapp-…): ")
        assert slack.bot_token not in person.seen and "✓ Bot token" in person.seen
        person.answer(slack.app_token)
        person.until("Channel: ")
        assert slack.app_token not in person.seen and "/invite @signoff" in person.seen
        person.answer("general")
        person.until("Channel [general]: ")
        assert "✗ the app is not in #general" in person.seen
        person.answer("agent-approvals")
        person.until("Approvers: ")
        person.answer("U0ANA00001")
        person.until("signoff serve` starts it")
        assert person.process.wait(60) == 0
    finally:
        person.close()
    assert written(tmp_path)["SIGNOFF_CHANNEL"] == "agent-approvals"


def test_ctrl_c_writes_nothing(slack: Sandbox, tmp_path: Path) -> None:
    person = Terminal()
    try:
        person.until("Bot token (xoxb-…): ")
        person.answer(slack.bot_token)
        person.until("App token (xapp-…): ")
        os.killpg(person.process.pid, 2)
        assert person.process.wait(60) == 130
    finally:
        person.close()
    assert list((tmp_path / "data").iterdir()) == []


def test_a_signing_secret_in_the_tokens_place_is_slack_over_http(
    init: Init, slack: Sandbox, tmp_path: Path
) -> None:
    secret, url = slack.signing_secret, "https://signoff.example.com"
    code, out, err = init(slack.bot_token, slack.app_token, *ANSWERS)
    assert code == 0, err
    code, out, err = init("", secret, f"{url}/slack/events", *ANSWERS)
    assert code == 0 and f"Slack is to call {url}/slack/events" in out and secret not in out + err, out + err
    found = written(tmp_path)
    assert (found["SLACK_SIGNING_SECRET"], found["SIGNOFF_WEB_URL"]) == (secret, url)
    assert found["SLACK_APP_TOKEN"] == "", "both would be an error"
    code, _, err = init("", slack.app_token, "", "")
    found = written(tmp_path)
    assert code == 0 and (found["SLACK_SIGNING_SECRET"], found["SLACK_APP_TOKEN"]) == ("", slack.app_token)
    code, _, err = init("", secret, "http://signoff.example.com", *ANSWERS)
    assert code == 2 and "SIGNOFF_WEB_URL: Slack could not call that" in err and written(tmp_path) == found
