"""`signoff backup`, `signoff restore` and `signoff audit verify --head`, as people run them."""

from __future__ import annotations

import fcntl
import sqlite3
from pathlib import Path

import pytest
from cli.conftest import Signoff
from support import Core

from signoff.approvals import audit
from signoff.models import tokens
from signoff.queue.data_folder import write_private
from signoff.server import backup


@pytest.fixture
def waiting(core: Core) -> Core:
    """Two requests: one decided, one that waits; and nobody has the database open."""
    core.approvals.decide(core.submit().id, 1, "U0ANA", "approve")
    core.submit()
    core.store.engine.dispose()
    return core


def test_a_backup_says_what_it_holds(signoff: Signoff, waiting: Core, tmp_path: Path) -> None:
    code, out, err = signoff("backup", "b.db")
    head = audit.verify(waiting.store).head
    assert code == 0 and "b.db: 2 requests, as of 2" in out and f"hold; head {head}" in out
    assert "signing key" in err
    assert (tmp_path / "b.db").stat().st_mode & 0o777 == 0o600
    assert signoff("audit", "verify", "--head", "b.db")[0] == 0
    assert signoff("audit", "verify", "--head", head)[0] == 0


def test_a_backup_overwrites_nothing_and_needs_a_folder(
    signoff: Signoff, waiting: Core, tmp_path: Path
) -> None:
    (tmp_path / "there").write_text("mine")
    code, _, err = signoff("backup", "there")
    assert code == 1 and "there is a file already: there" in err
    assert (tmp_path / "there").read_text() == "mine"
    code, _, err = signoff("backup", "nowhere/b.db")
    assert code == 1 and "No such file or directory: nowhere/b.db.partial" in err


def test_a_log_that_does_not_hold_is_told(signoff: Signoff, waiting: Core, tmp_path: Path) -> None:
    with waiting.store.transaction() as connection:
        connection.exec_driver_sql("UPDATE payload SET text = '{}'")
    code, _, err = signoff("backup", "b.db")
    assert code == 1 and "The audit log does not hold. Line 1: its payload was changed." in err
    assert not list(tmp_path.glob("b.db*"))


def test_a_restore_says_what_came_of_it(signoff: Signoff, waiting: Core, tmp_path: Path) -> None:
    tokens.add(waiting.store, "shop", ["ask"])
    signoff("backup", "b.db")
    lost = audit.verify(waiting.store).head
    late = waiting.submit()
    late_head = audit.verify(waiting.store).head
    tokens.revoke_all(waiting.store, "shop")
    waiting.store.engine.dispose()
    code, out, err = signoff("restore", "b.db")
    assert code == 2 and "not empty: --replace keeps it aside" in err and out == ""
    code, out, err = signoff("restore", "b.db", "--replace")
    assert code == 0, err
    assert "Restored: 2 requests, as of 2" in out and "Epoch 2 begins; 1 request waited." in out
    [aside] = tmp_path.glob("signoff.db.before-*")
    assert str(aside) in out and "no signing key" in err
    assert "1 token that had been revoked" in err and "stand again" not in err
    assert waiting.store.get(late.id) is None
    code, out, _ = signoff("audit", "verify", "--head", lost)
    assert code == 0 and "epoch 2 begins at line" in out and "put back by a backup of" in out
    code, _, err = signoff("audit", "verify", "--head", late_head)
    assert code == 1 and "of a time that a restore has lost" in err


def test_a_restore_into_nothing_needs_no_leave(
    signoff: Signoff, waiting: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signoff("backup", "b.db")
    write_private(tmp_path / "data" / "signing.key", waiting.signer.private_text())
    monkeypatch.setenv("SIGNOFF_DATABASE_URL", f"sqlite:///{tmp_path / 'new.db'}")
    assert signoff("db", "upgrade")[0] == 0  # its tables are there, and empty
    code, out, err = signoff("restore", "b.db")
    assert code == 0 and "kept in" not in out and "no signing key" not in err
    assert (tmp_path / "new.db").stat().st_mode & 0o777 == 0o600


def test_a_restore_in_place_copies_nothing(signoff: Signoff, waiting: Core, tmp_path: Path) -> None:
    tokens.add(waiting.store, "shop", ["spend:billing-bot:*"])
    waiting.store.engine.dispose()
    code, out, err = signoff("restore", "--in-place")
    assert "refused receipts of before now" in err and "webhooks secret" in err
    assert "stand again" in err and "  shop  spend:billing-bot:*" in err
    assert code == 0 and "the database that was put back. Epoch 2 begins; 1 request waited." in out
    assert "put back by other means" in signoff("audit", "verify")[1]


def test_in_place_there_has_to_be_a_database(
    signoff: Signoff, core: Core, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A wrong path makes no new database, and no epoch in an empty one."""
    missing, empty = tmp_path / "missing.db", tmp_path / "empty.db"
    empty.touch()
    for path in (missing, empty):
        monkeypatch.setenv("SIGNOFF_DATABASE_URL", f"sqlite:///{path}")
        code, out, err = signoff("restore", "--in-place")
        assert code == 2 and "no database of Signoff" in err and out == ""
    assert not missing.exists()


def test_a_restore_is_refused_while_a_server_runs(signoff: Signoff, waiting: Core, tmp_path: Path) -> None:
    signoff("backup", "b.db")
    with (tmp_path / "data" / "serve.lock").open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        code, _, err = signoff("restore", "b.db", "--replace")
    assert code == 2 and "runs already" in err
    with waiting.store.engine.connect() as connection:
        connection.exec_driver_sql("SELECT 1")
        code, _, err = signoff("restore", "b.db", "--replace")
    assert code == 2 and "in use: stop" in err


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (("restore",), 2, "Name the FILE to restore, or --in-place"),
        (("restore", "b.db", "--in-place"), 2, "Name the FILE to restore, or --in-place"),
        (("restore", "--in-place", "--replace"), 2, "Name the FILE to restore, or --in-place"),
        (("restore", "nothing.db"), 1, "No such file or directory: nothing.db"),
        (("restore", "signoff.db"), 1, "signoff.db was not written by `signoff backup`"),
        (("audit", "verify", "--head", "nothing"), 2, "no hash of 64 digits, and no file"),
        (("audit", "verify", "--head", "signoff.db"), 1, "was not written by `signoff backup`"),
        (("audit", "verify", "--head", "f" * 64), 1, "cut off or written anew"),
    ],
)
def test_what_cannot_work_says_so_in_one_line(
    signoff: Signoff, waiting: Core, arguments: tuple[str, ...], code: int, said: str
) -> None:
    found, _, err = signoff(*arguments)
    assert found == code and said in err and err.count("\n") == 1


def test_a_later_versions_backup_is_refused(signoff: Signoff, waiting: Core, tmp_path: Path) -> None:
    signoff("backup", "b.db")
    with sqlite3.connect(tmp_path / "b.db") as connection:
        connection.execute("UPDATE alembic_version SET version_num = '9999'")
    connection.close()
    code, _, err = signoff("restore", "b.db", "--replace")
    assert code == 2 and "later version of Signoff" in err
    assert backup.read(tmp_path / "b.db").requests == 2
