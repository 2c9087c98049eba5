"""Backups and restores at the level of databases: from each kind into each kind, and what is refused."""

from __future__ import annotations

import shutil
import sqlite3
import threading
from pathlib import Path

import pytest
from alembic import command
from sqlalchemy import select, text
from sqlmodel import SQLModel
from support import Core

from signoff.approvals import audit
from signoff.approvals.stop_errors import SamePerson
from signoff.errors import ConfigError
from signoff.models import migrate, tokens
from signoff.models.engine import open_engine, snapshot
from signoff.models.stops import StopScope
from signoff.models.store import Store
from signoff.server import backup as backups
from signoff.server import restore as restoring


def history(core: Core) -> None:
    """Decided with and without changes, rejected, waiting; with a card and an outcome."""
    for number in range(3):
        approval = core.submit(payload={"number": number}, key=f"k{number}", run="r")
        core.approvals.decide(approval.id, 1, "U0ANA", "approve", payload={"number": number + 10})
    rejected = core.submit(payload={"text": "ü\u2028 'quoted'"})
    core.approvals.decide(rejected.id, 1, "U0BEN", "reject", reason="no", resubmit=True)
    core.submit()


def rows(store: Store) -> dict[str, list[tuple[object, ...]]]:
    with snapshot(store.engine) as connection:
        return {
            table.name: sorted(map(tuple, connection.execute(select(table)).all()), key=repr)
            for table in SQLModel.metadata.sorted_tables
        }


def without_head(noted: dict[str, list[tuple[object, ...]]]) -> dict[str, list[tuple[object, ...]]]:
    """Without what a restore itself writes: the epoch, its line, a stop's, and the end of what waited."""
    kept = {name: found for name, found in noted.items() if name not in ("epoch", "approval")}
    own = {"restored", "stop"}
    return {**kept, "audit_event": [row for row in kept["audit_event"] if not own & {*map(str, row)}]}


def close(core: Core) -> str:
    core.store.engine.dispose()
    return core.store.engine.url.render_as_string(hide_password=False)


def test_a_backup_holds_every_row_and_can_be_read_by_its_owner_alone(core: Core, tmp_path: Path) -> None:
    history(core)
    file = tmp_path / "backup.db"
    backup = backups.write(core.store.engine, file)
    assert backup.requests == 5 and backup.head == audit.verify(core.store).head
    assert backups.read(file) == backup
    assert file.stat().st_mode & 0o777 == 0o600
    assert [found.name for found in tmp_path.iterdir() if found.name.startswith("backup")] == ["backup.db"]
    assert core.signer.private_text().encode().partition(b":")[2] not in file.read_bytes()
    with backups.unpacked(file, tmp_path / "copy.db") as (engine, _):
        assert rows(Store(engine)) == rows(core.store)


def test_a_restore_brings_every_row_back_from_either_database_into_either(
    core: Core, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    history(core)
    file = tmp_path / "backup.db"
    backup = backups.write(core.store.engine, file)
    before = rows(core.store)
    for url in (f"sqlite:///{tmp_path / 'other.db'}", close(core)):
        replace = "other.db" not in url
        done = restoring.restore(url, file, tmp_path, replace=replace)
        assert done.backup == backup and done.epoch.number == 2 and done.epoch.closed == 1
        assert bool(done.aside) is replace
        store = Store(open_engine(url))
        after = rows(store)
        stopped = after.pop("stop")  # where no database says what is stopped, everything is
        assert len(stopped) == (not replace)
        assert without_head(after) == without_head({name: before[name] for name in after})
        found = audit.verify(store)
        assert found.ok and found.lines == backup.lines + 1 + len(stopped)
        [restore] = found.restores
        assert (restore.epoch, restore.backup_at) == (2, backup.at)
        assert not migrate.pending(store.engine)
        store.engine.dispose()
    assert not list(tmp_path.glob("*.restoring*")) and not list(tmp_path.glob("restore-*"))


def test_a_restored_database_goes_on(core: Core, tmp_path: Path) -> None:
    """Ids are counted on from those that were copied, and the log cannot be changed."""
    history(core)
    backups.write(core.store.engine, tmp_path / "backup.db")
    restoring.restore(close(core), tmp_path / "backup.db", tmp_path, replace=True)
    approval = core.submit()
    decided = core.approvals.decide(approval.id, 1, "U0ANA", "approve", payload={"amount": 1})
    assert decided.status == "approved" and audit.verify(core.store).ok
    with pytest.raises(Exception, match="append-only"), core.store.transaction() as connection:
        connection.execute(text("UPDATE audit_event SET actor = 'x'"))


def test_files_that_only_the_replaced_database_knew_have_to_go(core: Core, tmp_path: Path) -> None:
    """Else nobody would delete them once their payload is erased."""
    approval = core.submit()
    add = text(
        "INSERT INTO card_file (approval_id, version, digest, conversation, thread, file, state, not_before) "
        "VALUES (:about, 1, :digest, 'C1', '1.1', :file, 'posted', 0)"
    )
    with core.store.transaction() as connection:
        connection.execute(add, {"about": approval.id, "digest": "a", "file": "F1"})
    backups.write(core.store.engine, tmp_path / "backup.db")
    with core.store.transaction() as connection:
        connection.execute(add, {"about": approval.id, "digest": "b", "file": "F2"})
        connection.execute(add, {"about": "lost", "digest": "c", "file": "F3"})
        connection.execute(add, {"about": "lost", "digest": "d", "file": None})
    restoring.restore(close(core), tmp_path / "backup.db", tmp_path, replace=True)
    with core.store.reading() as connection:
        found = connection.execute(text("SELECT file, state, digest FROM card_file ORDER BY file")).all()
    assert [tuple(row) for row in found] == [
        ("F1", "posted", "a"), ("F2", "unwanted", None), ("F3", "unwanted", None),
    ]  # fmt: skip


def test_tokens_that_were_revoked_or_switched_off_since_the_backup_stay_so(
    core: Core, tmp_path: Path
) -> None:
    revoked, off, kept = (tokens.add(core.store, agent, ["ask"]) for agent in ("one-bot", "two-bot", "bot"))
    backups.write(core.store.engine, tmp_path / "backup.db")
    tokens.revoke_all(core.store, "one-bot")
    tokens.switch(core.store, "two-bot", on=False)
    url = close(core)
    done = restoring.restore(url, tmp_path / "backup.db", tmp_path, replace=True)
    assert done.ended == 2 and [one.agent for one in done.standing] == ["bot"]
    assert tokens.find(core.store, revoked) is None and tokens.find(core.store, off) is None
    assert tokens.find(core.store, kept) and audit.verify(core.store).ok
    tokens.switch(core.store, "two-bot", on=True)
    assert tokens.find(core.store, off)
    close(core)
    found = restoring.in_place(url)
    assert found.ended is None and [one.agent for one in found.standing] == ["bot", "two-bot"]


def test_what_is_replaced_is_kept_aside_whole(core: Core, tmp_path: Path) -> None:
    history(core)
    file = tmp_path / "backup.db"
    backups.write(core.store.engine, file)
    late = core.submit(payload={"late": True})
    url = close(core)
    done = restoring.restore(url, file, tmp_path, replace=True)
    assert done.aside is not None and core.store.get(late.id) is None
    if url.startswith("sqlite"):
        old = Store(open_engine(f"sqlite:///{done.aside}"))
        assert old.get(late.id) is not None and audit.verify(old).ok
        old.engine.dispose()
    else:
        with core.store.transaction() as connection:
            connection.execute(text(f'SET LOCAL search_path = "{done.aside}"'))
            assert connection.execute(text("SELECT count(*) FROM approval")).scalar() == 6
            with pytest.raises(Exception, match="append-only"):
                connection.execute(text("DELETE FROM audit_event"))


def test_a_backup_is_one_view_while_others_write(core: Core, tmp_path: Path) -> None:
    history(core)
    stop, written = threading.Event(), []

    def write() -> None:
        while not stop.is_set():
            approval = core.submit()
            core.approvals.decide(approval.id, 1, "U0ANA", "approve")
            written.append(approval.id)

    writer = threading.Thread(target=write)
    writer.start()
    try:
        for number in range(3):
            backup = backups.write(core.store.engine, tmp_path / f"{number}.db")
            with backups.unpacked(tmp_path / f"{number}.db", tmp_path / "copy.db") as (engine, _):
                with Store(engine).reading() as connection:
                    open_ends = "SELECT count(*) FROM approval WHERE status <> 'pending' AND receipt IS NULL"
                    assert connection.execute(text(open_ends)).scalar() == 0
                    decided = "SELECT count(*) FROM approval WHERE status IN ('approved', 'rejected')"
                    count = connection.execute(text(decided)).scalar()
                    assert count == connection.execute(text("SELECT count(*) FROM decision")).scalar()
                assert backup.lines == audit.verify(Store(engine)).lines
    finally:
        stop.set()
        writer.join(60)
    assert written


def test_a_log_that_does_not_hold_is_neither_backed_up_nor_restored(core: Core, tmp_path: Path) -> None:
    history(core)
    file = tmp_path / "backup.db"
    backups.write(core.store.engine, file)
    bad = tmp_path / "bad.db"
    for number, change in enumerate(
        (
            "UPDATE payload SET text = '{}' WHERE version = 1",
            "DROP TRIGGER audit_event_no_delete; DELETE FROM audit_event WHERE seq > 12",
            "DROP TRIGGER audit_event_no_update; UPDATE audit_event SET actor = 'U0EVE' WHERE seq = 3",
        )
    ):
        shutil.copy(file, bad)
        connection = sqlite3.connect(bad)
        connection.executescript(change)
        connection.close()
        url = f"sqlite:///{tmp_path / f'new-{number}.db'}"
        with pytest.raises((backups.BadLog, backups.BadBackup)):
            restoring.restore(url, bad, tmp_path, replace=False)
        assert not list(tmp_path.glob("new-*"))
    with core.store.transaction() as tampered:
        tampered.execute(text("UPDATE payload SET text = '{}' WHERE version = 1"))
    with pytest.raises(backups.BadLog, match="payload was changed"):
        backups.write(core.store.engine, tmp_path / "second.db")
    assert not list(tmp_path.glob("second*"))


@pytest.mark.parametrize("content", [b"", b"no database", b"SQLite format 3\0" + b"\0" * 5000])
def test_what_is_no_backup_is_refused(tmp_path: Path, content: bytes) -> None:
    file = tmp_path / "file"
    file.write_bytes(content)
    with pytest.raises(backups.BadBackup, match="signoff backup"):
        restoring.restore(f"sqlite:///{tmp_path / 'new.db'}", file, tmp_path, replace=False)
    assert not (tmp_path / "new.db").exists()


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_cut_or_overwritten_backup_is_refused(core: Core, tmp_path: Path) -> None:
    history(core)
    file = tmp_path / "backup.db"
    backups.write(core.store.engine, file)
    whole = file.read_bytes()
    for start in range(4096, len(whole) - 4096, max(4096, len(whole) // 12)):
        for damaged in (whole[:start], whole[:start] + b"\xa5" * 4096 + whole[start + 4096 :]):
            file.write_bytes(damaged)
            with pytest.raises((backups.BadBackup, backups.BadLog)):
                restoring.restore(f"sqlite:///{tmp_path / 'new.db'}", file, tmp_path, replace=False)
            assert not (tmp_path / "new.db").exists()


def test_a_backup_of_an_earlier_version_is_brought_up_to_date(tmp_path: Path) -> None:
    file, new = tmp_path / "backup.db", tmp_path / "new.db"
    engine = open_engine(f"sqlite:///{file}")
    with engine.begin() as connection:
        config = migrate._config()
        config.attributes["connection"] = connection
        command.upgrade(config, "0004")
        connection.exec_driver_sql("INSERT INTO home (user_id, opened_at, not_before) VALUES ('U0ANA', 1, 2)")
    engine.dispose()
    backups._mark(file, backups.Backup(1, 0, 0, audit.START))
    restoring.restore(f"sqlite:///{new}", file, tmp_path, replace=False)
    restored = Store(open_engine(f"sqlite:///{new}"))
    assert not migrate.pending(restored.engine) and audit.verify(restored).restores
    with restored.reading() as connection:
        assert connection.exec_driver_sql("SELECT user_id FROM home").scalar() == "U0ANA"
    restored.engine.dispose()


def test_a_database_in_use_or_with_something_in_it_is_left_alone(core: Core, tmp_path: Path) -> None:
    history(core)
    file = tmp_path / "backup.db"
    backups.write(core.store.engine, file)
    url = core.store.engine.url.render_as_string(hide_password=False)
    before = rows(core.store)
    with core.store.engine.connect() as connection:  # a bot that somebody forgot
        connection.exec_driver_sql("SELECT 1")
        for attempt in (
            lambda: restoring.restore(url, file, tmp_path, replace=True),
            lambda: restoring.in_place(url),
        ):
            with pytest.raises(ConfigError, match="in use"):
                attempt()
    close(core)
    with pytest.raises(ConfigError, match="not empty"):
        restoring.restore(url, file, tmp_path, replace=False)
    assert rows(core.store) == before
    assert not list(tmp_path.glob("*.restoring*"))


def test_a_database_that_other_means_put_back_starts_its_epoch_in_place(core: Core) -> None:
    history(core)
    done = restoring.in_place(close(core))
    assert (done.epoch.number, done.epoch.closed, done.backup, done.aside) == (2, 1, None, None)
    found = audit.verify(core.store)
    assert found.ok and found.restores[0].backup_at is None
    assert restoring.in_place(close(core)).epoch.number == 3


def test_what_was_stopped_stays_so_after_a_restore(core: Core, tmp_path: Path) -> None:
    """As the replaced database says; where there is none that could, everything is. Numbers only grow."""
    core.submit()
    before = core.approvals.stop(StopScope("action", "mail.*"), by="U0ANA")
    file = tmp_path / "backup.db"
    backups.write(core.store.engine, file)
    core.approvals.resume(before.id, by="U0BEN")
    after = core.approvals.stop(StopScope("agent", "billing-bot"), by="U0ANA", reason="why")
    seen = core.approvals.stopping.now()[0]
    done = restoring.restore(close(core), file, tmp_path, replace=True)
    assert [(one.id, one.by, one.reason) for one in done.stopped] == [(after.id, "U0ANA", "why")]
    assert core.approvals.stops() == done.stopped and audit.verify(core.store).ok
    assert core.approvals.stopping.now()[0] >= seen
    with pytest.raises(SamePerson):
        core.approvals.resume(after.id, by="U0ANA")
    elsewhere = f"sqlite:///{tmp_path / 'fresh.db'}"
    fresh = restoring.restore(elsewhere, file, tmp_path, replace=False)
    again = restoring.in_place(elsewhere)
    for one in (fresh, again):
        assert any(stop.kind == "all" and stop.reason == restoring.UNKNOWN for stop in one.stopped)
        assert max(stop.number for stop in one.stopped) > seen


def test_a_database_of_before_stops_had_none_that_could_be_lost(core: Core, tmp_path: Path) -> None:
    core.submit()
    file = tmp_path / "backup.db"
    backups.write(core.store.engine, file)
    with core.store.engine.begin() as connection:
        connection.execute(text("DROP TABLE stop"))
    assert restoring.restore(close(core), file, tmp_path, replace=True).stopped == ()
