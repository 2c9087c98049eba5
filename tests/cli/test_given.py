"""Settings come from the environment, a file that is named, and the data folder; from nowhere else."""

from __future__ import annotations

import argparse
import os
import sys
import uuid
from pathlib import Path

import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from signoff.cli import given as source
from signoff.cli import surroundings
from signoff.cli.main import main
from signoff.errors import ConfigError
from signoff.queue.data_folder import data_folder, read_env_file, write_private
from signoff.queue.setting_names import NAMES
from signoff.server import settings as server_settings

KEY = "ed25519:" + "A" * 43
FOREIGN = (
    "PYTHONPATH", "PYTHONSTARTUP", "PYTHONINSPECT", "PYTHONWARNINGS", "LD_PRELOAD", "LD_LIBRARY_PATH", "PATH",
    "HTTPS_PROXY", "https_proxy", "ALL_PROXY", "SSL_CERT_FILE", "OPENSSL_CONF", "REDISCLI_AUTH", "PGHOST",
    "PGSERVICEFILE", "HOME", "XDG_DATA_HOME", "TMPDIR", "BROWSER", "SIGNOFF_CRASH_AT", "SIGNOFF_READY_FD",
    "SIGNOFF_DATAS", "signoff_data", "Signoff_Data", "SLACK_CLIENT_ID", "SLACK_CLIENT_SECRET",
    "SIGNOFF_",
)  # fmt: skip
"""What a process obeys, and no file may say."""
PIECES = [*FOREIGN, *NAMES, "=", "\n", "\r", "\x0b", "\u2028", "export ", " ", "\0", "'", "x"]


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder and an environment without settings; what a command sets is forgotten afterwards."""
    here = tmp_path / "here"
    here.mkdir()
    monkeypatch.chdir(here)
    monkeypatch.setattr(os, "environ", dict(os.environ))
    for name in [name for name in os.environ if name.startswith(("SIGNOFF_", "SLACK_"))]:
        del os.environ[name]
    os.environ["SIGNOFF_DATA"] = str(tmp_path / "data")
    return here


def read(command: str = "serve", env_file: str | None = None) -> dict[str, str]:
    """The environment, once a command has read what it may."""
    source.read(argparse.Namespace(command=command, env_file=env_file))
    return dict(os.environ)


def test_the_environment_wins_over_a_named_file_and_that_over_the_data_folder(
    tmp_path: Path, elsewhere: Path
) -> None:
    names = ("SIGNOFF_CHANNEL", "SIGNOFF_APPROVERS", "SLACK_BOT_TOKEN")
    write_private(tmp_path / "data" / "server.env", "".join(f"{name}=kept\n" for name in names))
    (elsewhere / "given").write_text("".join(f"{name}='named'\n" for name in names[:2]))
    os.environ["SIGNOFF_CHANNEL"] = "environment"
    found = read(env_file="given")
    assert [found[name] for name in names] == ["environment", "named", "kept"]


@pytest.mark.parametrize(
    "command", ["serve", "bot", "doctor", "db upgrade", "audit verify", "pending", "backup"]
)
def test_a_servers_commands_read_the_data_folders_file(command: str, tmp_path: Path) -> None:
    write_private(tmp_path / "data" / "server.env", "SLACK_BOT_TOKEN=xoxb-1\nSIGNOFF_DATA=/elsewhere\n")
    found = read(command)
    assert found["SLACK_BOT_TOKEN"] == "xoxb-1"
    assert found["SIGNOFF_DATA"] == str(tmp_path / "data")


@pytest.mark.parametrize("command", sorted(source.OF_AGENTS))
def test_an_agents_commands_do_not(command: str, tmp_path: Path) -> None:
    write_private(tmp_path / "data" / "server.env", "SIGNOFF_REDIS_URL=redis://server\n")
    assert "SIGNOFF_REDIS_URL" not in read(command)
    (tmp_path / "data" / "server.env").chmod(0o666)
    read(command)


def test_a_named_file_may_name_the_data_folder(tmp_path: Path, elsewhere: Path) -> None:
    del os.environ["SIGNOFF_DATA"]
    (elsewhere / "given").write_text(f"SIGNOFF_DATA={tmp_path / 'other'}\n")
    write_private(tmp_path / "other" / "server.env", "SLACK_BOT_TOKEN=xoxb-1\n")
    assert read(env_file="given")["SLACK_BOT_TOKEN"] == "xoxb-1"


@pytest.mark.parametrize("command", ["serve", "doctor", "init", "verify", "request", "pending"])
@pytest.mark.parametrize("kind", ["file", "link", "broken link", "pipe"])
def test_an_env_file_that_lies_there_is_pointed_out_and_not_read(
    command: str, kind: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    text = "".join(f"{name}=evil\n" for name in (*NAMES, *FOREIGN))
    if kind == "file":
        (elsewhere / ".env").write_text(text)
    elif kind == "pipe":  # whoever opens it waits for ever
        os.mkfifo(elsewhere / ".env")
    else:
        (elsewhere / ".env").symlink_to("other")
        if kind == "link":
            (elsewhere / "other").write_text(text)
    before = dict(os.environ)
    assert read(command) == before
    said = capsys.readouterr()
    assert said.out == "" and said.err.count("\n") == 1
    assert "the file .env of this folder is not read" in said.err and "--env-file .env" in said.err


def test_one_that_is_named_is_read_and_a_folder_is_nothing(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (elsewhere / ".env").mkdir()  # some keep a virtual environment there
    read()
    (elsewhere / ".env").rmdir()
    (elsewhere / ".env").write_text("SIGNOFF_CHANNEL=mine\n")
    assert read(env_file="./.env")["SIGNOFF_CHANNEL"] == "mine"
    assert capsys.readouterr().err == ""


@pytest.mark.parametrize("name", FOREIGN)
def test_no_file_sets_another_name_than_ours(
    name: str, tmp_path: Path, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (elsewhere / "given").write_text(f"{name}=/evil\nSIGNOFF_CHANNEL=mine\n")
    write_private(tmp_path / "data" / "server.env", f"{name}=/evil\nSIGNOFF_ADMINS=U0OMAR\n")
    before = dict(os.environ)
    found = read(env_file="given")
    assert {n: value for n, value in found.items() if before.get(n) != value} == {
        "SIGNOFF_CHANNEL": "mine", "SIGNOFF_ADMINS": "U0OMAR",
    }  # fmt: skip
    assert f"no settings of Signoff: {name}." in capsys.readouterr().err


@settings(max_examples=150, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(st.text() | st.lists(st.sampled_from(PIECES)).map("".join))
@example("SIGNOFF_CHANNEL=a\x0bPYTHONPATH=/evil\n")
@example("SIGNOFF_CHANNEL=a\u2028LD_PRELOAD=/evil\n")
@example("\ufeffSIGNOFF_CHANNEL=a")
def test_whatever_a_file_holds_it_sets_ours_or_is_refused(elsewhere: Path, text: str) -> None:
    try:
        (elsewhere / "given").write_text(text, encoding="utf-8", newline="")
    except UnicodeEncodeError:
        return
    before = dict(os.environ)
    try:
        found = read("request", "given")
    except ConfigError as error:
        assert "given" in str(error)
    else:
        assert {name for name in found if before.get(name) != found[name]} <= NAMES
    finally:
        os.environ.clear()
        os.environ.update(before)


def test_names_that_are_passed_over_are_told_few_and_printable(
    elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (elsewhere / "given").write_text("".join(f"A{n}=1\n" for n in range(9)))
    read("request", "given")
    assert "A0, A1, A2, A3, A4 and 4 more" in capsys.readouterr().err


def test_paths_in_a_file_count_from_where_it_lies_and_depend_on_no_current_folder(
    tmp_path: Path, elsewhere: Path
) -> None:
    conf = tmp_path / "conf"
    conf.mkdir()
    (conf / "given").write_text(
        "SIGNOFF_POLICY=policy.yml\nSIGNOFF_DATABASE_URL=sqlite:///rows.db\nSIGNOFF_DATA=d\n"
    )
    del os.environ["SIGNOFF_DATA"]
    found = read(env_file="../conf/given")
    assert found["SIGNOFF_POLICY"] == str(conf / "policy.yml")
    assert found["SIGNOFF_DATA"] == str(conf / "d")
    assert Path(found["SIGNOFF_DATABASE_URL"].removeprefix("sqlite:///")).resolve() == conf / "rows.db"


def test_a_path_of_the_environment_is_made_absolute_before_anybody_moves(elsewhere: Path) -> None:
    os.environ["SIGNOFF_POLICY"] = "policy.yml"
    assert read()["SIGNOFF_POLICY"] == str(elsewhere / "policy.yml")


@pytest.mark.parametrize("name", ["SIGNOFF_DATA", "HOME"])
@pytest.mark.parametrize("value", ["data", ".", "./data", "../data", "~nobody-of-that-name/x"])
def test_a_data_folder_that_depends_on_the_current_folder_is_refused(
    name: str, value: str, elsewhere: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    os.environ.pop("SIGNOFF_DATA")
    os.environ.pop("XDG_DATA_HOME", None)
    os.environ[name] = value
    with pytest.raises(ConfigError, match="SIGNOFF_DATA"):
        data_folder()
    if name == "SIGNOFF_DATA":
        with pytest.raises(ConfigError, match="SIGNOFF_DATA"):
            server_settings.load()
        for command in (
            f"status {uuid.UUID(int=8)}",
            "verify x --agent a --action b --payload {}",
            "keys public",
            "pending",
        ):
            assert main(command.split()) == 2
            assert "SIGNOFF_DATA" in capsys.readouterr().err


def test_a_data_folder_that_is_not_named_is_the_users_own(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.environ["HOME"] = "/home/ana"
    for empty in ("SIGNOFF_DATA", "XDG_DATA_HOME"):
        os.environ[empty] = ""
    assert data_folder() == server_settings.load().data == Path("/home/ana/.local/share/signoff")
    os.environ["XDG_DATA_HOME"] = "relative"  # its specification: not to be obeyed
    assert data_folder() == Path("/home/ana/.local/share/signoff")
    os.environ["XDG_DATA_HOME"] = "/data"
    assert data_folder() == Path("/data/signoff")
    os.environ["SIGNOFF_DATA"] = "~/x/../y"
    assert data_folder() == server_settings.load().data == Path("/home/ana/y")


@pytest.mark.parametrize("mode", [0o666, 0o622])
def test_a_servers_file_that_others_may_write_ends_every_command_but_the_doctors(
    mode: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    write_private(tmp_path / "data" / "server.env", "SIGNOFF_CHANNEL=x\n")
    (tmp_path / "data" / "server.env").chmod(mode)
    for command in ("serve", "pending", "keys public", "audit verify", "db upgrade", "init"):
        assert main(command.split()) == 2
        said = capsys.readouterr().err
        assert said.count("\n") == 1 and "others may write" in said and "chmod 600" in said
    assert "SIGNOFF_CHANNEL" not in read("doctor")


def test_path_loses_what_depends_on_the_current_folder(
    elsewhere: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    os.environ["PATH"] = f"{os.pathsep}.{os.pathsep}bin{os.pathsep}/usr/bin{os.pathsep}"
    monkeypatch.setattr("sys.path", ["", ".", str(elsewhere), "/usr/lib/python"])
    surroundings.leave_current_folder()
    assert os.environ["PATH"] == "/usr/bin"
    assert sys.path == ["/usr/lib/python"]


def test_an_env_files_bom_and_line_ends_are_no_part_of_it(elsewhere: Path) -> None:
    (elsewhere / "given").write_bytes(b"\xef\xbb\xbfSIGNOFF_AGENT=a\r\nSIGNOFF_CHANNEL=b\r\n")
    assert read_env_file(elsewhere / "given") == {"SIGNOFF_AGENT": "a", "SIGNOFF_CHANNEL": "b"}
