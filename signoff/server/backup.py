"""A backup: one SQLite file with every row, whichever database the rows are from; and putting one in place.

It is written from one consistent view while the server runs, and never holds the signing key.
"""

from __future__ import annotations

import os
import shutil
import sqlite3
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

from sqlalchemy import Connection, Engine, insert, select
from sqlmodel import SQLModel

import signoff.models.tables  # noqa: F401  (fills the metadata)
from signoff.approvals import audit
from signoff.errors import SignoffError
from signoff.models import changes, migrate
from signoff.models.engine import open_engine, snapshot
from signoff.models.store import Store, approvals

APPLICATION = 0x5167_0FF2
"""SQLite's application_id of a backup."""
ROWS = 500
"""Rows that are copied at a time."""
_INFO = "CREATE TABLE backup (at INTEGER NOT NULL, requests INTEGER, lines INTEGER, head TEXT)"


class BadBackup(SignoffError):
    """The backup cannot be used."""


class BadLog(SignoffError):
    """The audit log does not hold."""


@dataclass(frozen=True)
class Backup:
    """What a backup holds: when it was taken (microseconds since 1970), how much, and the log's head."""

    at: int
    requests: int
    lines: int
    head: str


def write(engine: Engine, path: Path) -> Backup:
    """Copy all rows into a new file, readable by this user alone; raises BadLog, FileExistsError or OSError.

    The file appears at `path` once it is whole, on disk, and its audit log has been verified.
    """
    if path.exists():
        raise FileExistsError(17, "there is a file already", str(path))
    partial = path.with_name(path.name + ".partial")
    remove(partial)
    try:
        os.close(os.open(partial, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        backup = _fill(engine, partial)
        sync(partial)
        os.rename(partial, path)
        sync(path.parent)
    finally:
        remove(partial)
    return backup


def read(path: Path) -> Backup:
    """What a backup says of itself; raises BadBackup or OSError."""
    with path.open("rb"):  # so that a file that cannot be read is told as such
        pass
    uri = f"file:{quote(str(path.absolute()))}?mode=ro&immutable=1"
    try:
        with closing(sqlite3.connect(uri, uri=True)) as connection:
            [(application,)] = connection.execute("PRAGMA application_id")
            if application != APPLICATION:
                raise BadBackup(f"{path} was not written by `signoff backup`.")
            [(at, requests, lines, head)] = connection.execute("SELECT at, requests, lines, head FROM backup")
    except (sqlite3.DatabaseError, ValueError):
        raise BadBackup(f"{path} was not written by `signoff backup`, or is damaged.") from None
    return Backup(at, requests, lines, head)


@contextmanager
def unpacked(path: Path, into: Path) -> Iterator[tuple[Engine, Backup]]:
    """A copy of a backup at `into`, as a database of this version whose log holds; `path` stays as it is.

    Raises BadBackup, BadLog, OSError, or Alembic's CommandError for one that a later Signoff has written.
    """
    backup = read(path)
    remove(into)
    try:
        os.close(os.open(into, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600))
        shutil.copyfile(path, into)
        _check(path, into)
        engine = open_engine(f"sqlite:///{into.absolute()}")
        try:
            migrate.upgrade(engine)
            found = verified(engine)
            if (found.lines, found.head) != (backup.lines, backup.head):
                raise BadBackup(f"{path} does not hold the audit log that it was written with.")
            yield engine, backup
        finally:
            engine.dispose()
    except BaseException:
        remove(into)
        raise


def _check(path: Path, copied: Path) -> None:
    try:
        with closing(sqlite3.connect(copied)) as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchall() != [("ok",)]:
                raise BadBackup(f"{path} is damaged.")
            connection.executescript("DROP TABLE backup; PRAGMA application_id = 0")
    except sqlite3.DatabaseError:
        raise BadBackup(f"{path} is damaged.") from None


def verified(engine: Engine) -> audit.Verification:
    """The audit log of a database, which holds; raises BadLog."""
    found = audit.verify(Store(engine))
    if not found.ok:
        place = f"Line {found.seq}" if found.seq is not None else found.row
        raise BadLog(f"{place}: {found.fault}.")
    return found


def copy(source: Connection, target: Connection) -> None:
    """Every row of every table, into tables that are empty."""
    for table in SQLModel.metadata.sorted_tables:
        rows = source.execution_options(yield_per=ROWS).execute(select(table))
        for chunk in rows.mappings().partitions(ROWS):
            target.execute(insert(table), [dict(row) for row in chunk])


def _fill(engine: Engine, partial: Path) -> Backup:
    target = open_engine(f"sqlite:///{partial.absolute()}")
    try:
        migrate.upgrade(target)
        with snapshot(engine) as source, target.begin() as into:
            at = changes.clock(source)
            copy(source, into)
        found = verified(target)
        with Store(target).reading() as connection:
            requests = len(connection.execute(select(approvals.c.id)).all())
    finally:
        target.dispose()
    backup = Backup(at, requests, found.lines, found.head)
    _mark(partial, backup)
    return backup


def _mark(partial: Path, backup: Backup) -> None:
    """Make a backup of a database: it says what it is."""
    with closing(sqlite3.connect(partial, isolation_level=None)) as connection:
        connection.execute(
            "PRAGMA journal_mode = DELETE"
        )  # one file, also readable where nothing can be written
        connection.execute(f"PRAGMA application_id = {APPLICATION}")
        connection.execute(_INFO)
        values = (backup.at, backup.requests, backup.lines, backup.head)
        connection.execute("INSERT INTO backup VALUES (?, ?, ?, ?)", values)


def sync(path: Path) -> None:
    """Until it is on disk: a file, or the names in a folder."""
    number = os.open(path, os.O_RDONLY)
    try:
        os.fsync(number)
    finally:
        os.close(number)


def remove(database: Path) -> None:
    """A SQLite file and what may stand beside it."""
    for end in ("", "-wal", "-shm", "-journal"):
        with suppress(FileNotFoundError):
            os.unlink(f"{database}{end}")
