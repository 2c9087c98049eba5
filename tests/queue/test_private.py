"""What others could have put into the data folder, or in its place, is refused; what they read, closed."""

from __future__ import annotations

import os
import socket
import stat
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signoff.errors import ConfigError
from signoff.models.engine import open_engine
from signoff.models.migrate import upgrade
from signoff.queue import data_folder, private
from signoff.server import own_redis
from signoff.server import settings as server_settings

OTHER = 12345
"""A user who is neither this one nor root."""
READERS: list[tuple[str, Callable[[Path], object]]] = [
    ("signing.key", lambda _: server_settings.load().signer(create=True)),
    ("agent.env", lambda _: data_folder.agent_settings()),
    ("server.env", lambda _: data_folder.server_settings()),
    ("redis.url", lambda folder: own_redis.kept_url(folder)),
    ("redis-admin.url", lambda folder: own_redis.admin_url(folder, None, None)),
    ("signoff.db", lambda folder: private.close_all(folder)),
    ("stamps.jsonl", lambda folder: private.close_all(folder)),
    ("redis/users.acl", lambda folder: private.close_all(folder)),
    ("redis/appendonlydir/appendonly.aof.1.incr.aof", lambda folder: private.close_all(folder)),
]
"""What lies in a data folder, and who reads it."""


@contextmanager
def umask(mask: int) -> Iterator[None]:
    before = os.umask(mask)
    try:
        yield
    finally:
        os.umask(before)


@pytest.fixture
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A data folder as it should be, with all of those files."""
    found = tmp_path / "above" / "data"
    monkeypatch.setenv("SIGNOFF_DATA", str(found))
    monkeypatch.delenv("SIGNOFF_SIGNING_KEY", raising=False)
    for name, _ in READERS:
        data_folder.write_private(found / name, "")
    (found / "signing.key").unlink()
    server_settings.load().signer(create=True)
    return found


@pytest.fixture
def give_away(monkeypatch: pytest.MonkeyPatch) -> Callable[[Path], None]:
    """Have a file belong to somebody else: by chown where that is allowed, else by being somebody else."""

    def give(path: Path) -> None:
        if os.geteuid() == 0:
            os.lchown(path, OTHER, -1)
        else:
            monkeypatch.setattr(os, "geteuid", lambda: OTHER)

    return give


@pytest.mark.parametrize(("name", "read"), READERS, ids=lambda it: it if isinstance(it, str) else "")
def test_a_folder_as_it_should_be_is_taken(folder: Path, name: str, read: Callable[[Path], object]) -> None:
    read(folder)
    assert private.check_all(folder) == []


@pytest.mark.parametrize("mode", [0o777, 0o770, 0o707, 0o720, 0o702, 0o1777, 0o2775])
@pytest.mark.parametrize(("name", "read"), READERS, ids=lambda it: it if isinstance(it, str) else "")
def test_a_folder_that_others_may_write_is_refused_whatever_is_read_there(
    folder: Path, name: str, read: Callable[[Path], object], mode: int
) -> None:
    folder.chmod(mode)
    with pytest.raises(ConfigError, match=f"others may write {folder} .*chmod 700 {folder}"):
        read(folder)
    (folder / name).unlink()
    if name in ("agent.env", "server.env", "redis.url"):
        assert read(folder) in ({}, "")
    else:  # nor is one made there
        with pytest.raises(ConfigError, match="others may write"):
            read(folder)


@pytest.mark.parametrize("mode", [0o666, 0o660, 0o606, 0o622, 0o620, 0o602])
@pytest.mark.parametrize(("name", "read"), READERS, ids=lambda it: it if isinstance(it, str) else "")
def test_a_file_that_others_may_write_is_refused(
    folder: Path, name: str, read: Callable[[Path], object], mode: int
) -> None:
    (folder / name).chmod(mode)
    with pytest.raises(ConfigError, match=f"others may write {folder / name} .*chmod 600"):
        read(folder)
    with pytest.raises(ConfigError, match="others may write"):
        private.close_all(folder)


@pytest.mark.parametrize(("name", "read"), READERS, ids=lambda it: it if isinstance(it, str) else "")
def test_a_file_of_somebody_else_is_refused(
    folder: Path, name: str, read: Callable[[Path], object], give_away: Callable[[Path], None]
) -> None:
    give_away(folder / name)
    with pytest.raises(ConfigError, match="belongs to user"):
        read(folder)


def test_a_folder_of_somebody_else_is_refused(folder: Path, give_away: Callable[[Path], None]) -> None:
    give_away(folder)
    for _, read in READERS:
        with pytest.raises(ConfigError, match="belongs to user"):
            read(folder)


def test_a_folder_that_somebody_else_could_replace_is_refused(folder: Path) -> None:
    folder.parent.chmod(0o777)
    for _, read in READERS:
        with pytest.raises(ConfigError, match=f"everybody may write {folder.parent}"):
            read(folder)
    folder.parent.chmod(0o1777)  # as /tmp: what is there belongs to who made it
    for _, read in READERS:
        read(folder)


def test_a_link_that_somebody_else_has_laid_is_refused(
    folder: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, give_away: Callable[[Path], None]
) -> None:
    link = tmp_path / "link"
    link.symlink_to(folder)
    monkeypatch.setenv("SIGNOFF_DATA", str(link))
    for _, read in READERS:
        read(link)
    folder.parent.chmod(0o777)  # it is the way behind the link that counts
    with pytest.raises(ConfigError, match="everybody may write"):
        data_folder.agent_settings()
    folder.parent.chmod(0o700)
    give_away(link)
    for _, read in READERS:
        with pytest.raises(ConfigError, match="belongs to user"):
            read(link)


def test_links_that_go_in_a_circle_are_an_error(tmp_path: Path) -> None:
    (tmp_path / "a").symlink_to(tmp_path / "b")
    (tmp_path / "b").symlink_to("a")
    with pytest.raises(ConfigError, match="symbolic links"):
        private.check_folder(tmp_path / "a" / "data")


def test_secrets_that_are_mounted_are_fine(folder: Path, tmp_path: Path) -> None:
    mounted = tmp_path / "run" / "secrets"
    mounted.mkdir(parents=True)
    for name in ("signing.key", "server.env"):
        os.replace(folder / name, mounted / name)
        (mounted / name).chmod(0o444)
        (folder / name).symlink_to(mounted / name)
    mounted.chmod(0o1777)
    for _, read in READERS:
        read(folder)
    (mounted / "server.env").chmod(0o666)
    with pytest.raises(ConfigError, match="others may write"):
        private.check_all(folder)


def test_a_socket_may_have_a_user_of_its_own(folder: Path, give_away: Callable[[Path], None]) -> None:
    with socket.socket(socket.AF_UNIX) as server:
        before = Path.cwd()
        os.chdir(folder)  # a socket's name is short
        try:
            server.bind("redis.sock")
        finally:
            os.chdir(before)
        (folder / "redis.sock").chmod(0o777)
        assert private.close_all(folder) == []
        assert stat.S_IMODE((folder / "redis.sock").stat().st_mode) == 0o777


def test_what_is_no_file_is_not_waited_for(folder: Path) -> None:
    (folder / "agent.env").unlink()
    os.mkfifo(folder / "agent.env", 0o600)
    with pytest.raises(ConfigError, match="is no file"):
        data_folder.agent_settings()


@pytest.mark.parametrize("name", ["", *(name for name, _ in READERS), "redis", "redis/appendonlydir"])
def test_what_others_may_read_is_told_and_closed(folder: Path, name: str) -> None:
    path = folder / name
    path.chmod(0o755 if path.is_dir() else 0o644)
    assert private.check_all(folder) == [path]
    assert private.close_all(folder) == [path]
    assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600)
    assert private.check_all(folder) == []


def test_a_folder_that_is_not_signoffs_alone_is_not_closed_but_refused(folder: Path) -> None:
    others = [folder / "letter.txt", folder / ".ssh" / "id.pub"]
    for path in others:
        data_folder.write_private(path, "")
        path.chmod(0o644)
    folder.chmod(0o755)
    (folder / "signoff.db").chmod(0o644)
    with pytest.raises(ConfigError, match=r"more than Signoff's files .*folder of its own"):
        private.close_all(folder)
    assert stat.S_IMODE(folder.stat().st_mode) == 0o755
    folder.chmod(0o700)  # then nobody comes to what lies there, and it is not ours to change
    assert private.close_all(folder) == [folder / "signoff.db"]
    assert {stat.S_IMODE(path.stat().st_mode) for path in others} == {0o644}
    (folder / ".ssh" / "id.pub").chmod(0o666)
    assert private.check_all(folder) == []
    others[0].chmod(0o666)
    with pytest.raises(ConfigError, match="others may write"):
        private.check_all(folder)


def test_a_file_system_of_its_own_is_a_folder_of_its_own(folder: Path) -> None:
    (folder / "lost+found").mkdir(0o700)
    folder.chmod(0o755)
    assert private.close_all(folder) == [folder]


@pytest.mark.parametrize("mask", [0, 0o002, 0o022, 0o077, 0o277, 0o777])
def test_what_is_made_is_private_whatever_the_umask(tmp_path: Path, mask: int) -> None:
    data = tmp_path / "deep" / "data"
    with umask(mask):
        data_folder.write_private(data / "secret", "one")
        engine = open_engine(f"sqlite:///{data / 'signoff.db'}")
        upgrade(engine)
        with engine.begin():
            modes = {path.name: stat.S_IMODE(path.stat().st_mode) for path in data.iterdir()}
        engine.dispose()
    assert stat.S_IMODE(data.stat().st_mode) == stat.S_IMODE(data.parent.stat().st_mode) == 0o700
    assert modes.keys() == {"secret", "signoff.db", "signoff.db-wal", "signoff.db-shm"}
    assert set(modes.values()) == {0o600}


def test_a_file_that_cannot_be_written_leaves_nothing_behind(tmp_path: Path) -> None:
    data_folder.write_private(tmp_path / "secret", "one")
    with pytest.raises(UnicodeEncodeError):
        data_folder.write_private(tmp_path / "secret", "two \udcff")
    assert [path.name for path in tmp_path.iterdir()] == ["secret"]
    assert (tmp_path / "secret").read_text() == "one"


def test_a_file_that_lies_where_one_is_written_first_is_not_followed(tmp_path: Path) -> None:
    victim = tmp_path / "victim"
    victim.write_text("mine")
    (tmp_path / f".secret.{os.getpid()}").symlink_to(victim)
    data_folder.write_private(tmp_path / "secret", "one")
    assert victim.read_text() == "mine" and (tmp_path / "secret").read_text() == "one"


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.integers(0, 0o7777), st.integers(0, 0o7777))
def test_any_modes_are_either_refused_or_closed(folder: Path, of_folder: int, of_file: int) -> None:
    if os.geteuid():
        of_folder, of_file = of_folder | 0o700, of_file | 0o600
    (folder / "agent.env").chmod(of_file)
    folder.chmod(of_folder)
    try:
        private.close_all(folder)
    except ConfigError:
        assert (of_folder | of_file) & 0o022
    else:
        assert not (of_folder | of_file) & 0o022
        assert not (folder.stat().st_mode | (folder / "agent.env").stat().st_mode) & 0o077
    finally:
        folder.chmod(0o700)
        (folder / "agent.env").chmod(0o600)
