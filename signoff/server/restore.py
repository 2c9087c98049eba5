"""Putting a backup in the place of a database, and starting a new epoch in it, while no server runs."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, inspect, text
from sqlalchemy.engine import make_url
from sqlmodel import SQLModel

from signoff.approvals import epochs
from signoff.approvals.epochs import Epoch
from signoff.errors import ConfigError
from signoff.models import crash, files, migrate, roles, stop_rows, tokens
from signoff.models.engine import open_engine, snapshot
from signoff.models.stops import OPERATOR, Stop, StopScope
from signoff.models.store import approvals
from signoff.models.store import files as file_rows
from signoff.models.tokens import Token
from signoff.server import backup as backups
from signoff.server.backup import Backup

_OTHERS = text(
    "SELECT count(*) FROM pg_stat_activity WHERE datname = current_database() "
    "AND pid <> pg_backend_pid() AND backend_type = 'client backend'"
)
_OWN = (*(table.name for table in SQLModel.metadata.sorted_tables), "alembic_version")
_HAS_STOPS = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'stop'"
_HAS_VERSION = "SELECT 1 FROM sqlite_master WHERE type = 'table' AND name = 'alembic_version'"
_FUNCTION = "audit_event_refuse()"
"""What the migrations create besides tables; see `first_tables`."""
_NOTHING = "There is no database of Signoff: put it back first, or name the FILE that is to be restored."
UNKNOWN = "Signoff was restored from a backup, and what was stopped since is not known."
"""Why everything is stopped after a restore where no database could say what was."""
_BUSY = "The database is in use: stop `signoff serve` (bot, intake, worker), and what else has it open."


@dataclass(frozen=True)
class Restored:
    """What came of it: the new epoch, the backup it is from, and where the replaced database is kept.

    `ended` is how many tokens were revoked or switched off since the backup, as the replaced database says;
    None where there was none to say so. `standing` are those that open something now. `stopped` is what is
    stopped: as the replaced database says; everything, where there was none to say so.
    """

    epoch: Epoch
    backup: Backup | None
    aside: str | None
    ended: int | None
    standing: tuple[Token, ...]
    stopped: tuple[Stop, ...] = ()


def restore(url: str, file: Path, data: Path, *, replace: bool) -> Restored:
    """A backup → the database of `url`, with a new epoch; all or nothing. `data` is for what is in between.

    What is replaced is kept aside. Raises ConfigError (in use; not empty and not to be replaced), what
    `backups.unpacked` raises, and the database's errors.
    """
    backups.read(file)  # before anything else is asked for
    if url.startswith("sqlite"):
        return _sqlite(Path(str(make_url(url).database)), file, replace)
    work = data / "restoring.db"  # one name, so that the next run takes away what a killed one has left
    try:
        with backups.unpacked(file, work) as (source, backup):
            crash.here("restore.unpacked")
            return _postgresql(url, source, backup, replace)
    finally:
        backups.remove(work)


def in_place(url: str) -> Restored:
    """A new epoch in a database that other means have put back; raises as `restore` does."""
    database = Path(str(make_url(url).database)) if url.startswith("sqlite") else None
    if database and not database.exists():
        raise ConfigError(f"{_NOTHING} ({database})")
    if database:
        _alone(database)
    engine = open_engine(url)
    try:
        if not inspect(engine).has_table(approvals.name):
            raise ConfigError(_NOTHING)
        migrate.upgrade(engine)
        backups.verified(engine)
        engine.dispose()
        with engine.begin() as connection:
            _no_others(connection)
            done = _begun(connection, None, None, None, None)
            crash.here("restore.written")
            return done
    finally:
        engine.dispose()


def _sqlite(database: Path, file: Path, replace: bool) -> Restored:
    aside, stand, ended, stopped = None, list[Any](), None, None
    if database.exists():
        _alone(database)
        if not _empty(database):
            stand = _told(database, files.STAND) or []
            ended = _told(database, tokens.ENDED)
            stopped = _stops_of(database)
            aside = _refuse_or_name(replace, f"{database}.before-")
    work = database.with_name(database.name + ".restoring")
    with backups.unpacked(file, work) as (engine, backup):
        crash.here("restore.unpacked")
        with engine.begin() as connection:
            files.carry(connection, stand)
            done = _begun(connection, backup, aside, ended, stopped)
    crash.here("restore.begun")
    _alone(work)  # all of it in the one file
    backups.sync(work)
    if aside:
        os.link(database, aside)
    crash.here("restore.kept")
    os.replace(work, database)
    crash.here("restore.replaced")
    backups.sync(database.parent)
    return done


def _postgresql(url: str, source: Engine, backup: Backup, replace: bool) -> Restored:
    target = open_engine(url)
    try:
        with target.begin() as connection, snapshot(source) as rows:
            _no_others(connection)
            servers = roles.granted(connection)
            has_files = inspect(connection).has_table(file_rows.name)
            stand = connection.execute(text(files.STAND)).all() if has_files else []
            ended = connection.execute(text(tokens.ENDED)).all() if _has_tokens(connection) else None
            stopped = _stops_there(connection)
            aside = _clear(connection, replace)
            migrate.apply(connection)
            roles.renew(connection, servers)
            backups.copy(rows, connection)
            _count_on(connection)
            files.carry(connection, stand)
            done = _begun(connection, backup, aside, ended if aside else None, stopped if aside else None)
            crash.here("restore.written")
            return done
    finally:
        target.dispose()


def _begun(
    connection: Connection,
    backup: Backup | None,
    aside: str | None,
    ended: Sequence[Any] | None,
    stopped: Sequence[Mapping[str, Any]] | None,
) -> Restored:
    """What the replaced database says of tokens and stops holds on, and then the new epoch begins.

    A restore never lets run what was stopped: where nothing says what was, everything is.
    """
    count = None if ended is None else tokens.carry(connection, ended)
    if stopped is None:
        stop_rows.add(connection, StopScope("all"), OPERATOR, "the operator", UNKNOWN, undos=False)
    else:
        stop_rows.carry(connection, stopped)
    epoch = epochs.begin(connection, backup.at if backup else None)
    standing = tuple(stop_rows.standing(connection))
    return Restored(epoch, backup, aside, count, tuple(tokens.standing(connection)), standing)


def _stops_of(database: Path) -> list[Mapping[str, Any]] | None:
    """What is, or was, stopped by a database that is to be replaced; None where it cannot be told. One of
    before stops could be made has none.
    """
    with closing(sqlite3.connect(database)) as connection:
        connection.row_factory = sqlite3.Row
        try:
            if not connection.execute(_HAS_STOPS).fetchone():
                return [] if connection.execute(_HAS_VERSION).fetchone() else None
            return [dict(row) for row in connection.execute(stop_rows.ALL_ROWS)]
        except sqlite3.DatabaseError:
            return None


def _stops_there(connection: Connection) -> list[Mapping[str, Any]]:
    """The same of the database that rows are restored into."""
    if not inspect(connection).has_table(stop_rows.rows.name):
        return []
    return [dict(row) for row in connection.execute(text(stop_rows.ALL_ROWS)).mappings()]


def _has_tokens(connection: Connection) -> bool:
    found = inspect(connection)
    if not found.has_table(tokens.tokens.name):
        return False
    return {"revoked_at", "off_at"} <= {column["name"] for column in found.get_columns(tokens.tokens.name)}


def _clear(connection: Connection, replace: bool) -> str | None:
    """Make room for the tables: empty ones go, others are kept in a schema of their own; its name."""
    there = [name for name in _OWN if name in inspect(connection).get_table_names()]
    used = any(
        connection.execute(text(f"SELECT EXISTS (SELECT 1 FROM {name})")).scalar()  # nosec B608
        for name in there
        if name != "alembic_version"
    )
    aside = _refuse_or_name(replace, "before_") if used else None
    if aside:
        connection.execute(text(f'CREATE SCHEMA "{aside}"'))
    for name in reversed(there):
        connection.execute(
            text(f'ALTER TABLE {name} SET SCHEMA "{aside}"' if aside else f"DROP TABLE {name}")
        )
    if there and aside:
        connection.execute(text(f'ALTER FUNCTION {_FUNCTION} SET SCHEMA "{aside}"'))
    elif there:
        connection.execute(text(f"DROP FUNCTION IF EXISTS {_FUNCTION}"))
    return aside


def _count_on(connection: Connection) -> None:
    """PostgreSQL counts ids on from those that were copied."""
    for table in SQLModel.metadata.sorted_tables:
        for column in table.primary_key:
            name = {"table": table.name, "column": column.name}
            sequence = connection.execute(
                text("SELECT pg_get_serial_sequence(:table, :column)"), name
            ).scalar()
            if sequence:
                last = f"SELECT max({column.name}) FROM {table.name}"  # nosec B608
                connection.execute(
                    text(f"SELECT setval('{sequence}', coalesce(({last}), 1), ({last}) IS NOT NULL)")
                )


def _refuse_or_name(replace: bool, start: str) -> str:
    if not replace:
        raise ConfigError("The database is not empty: --replace keeps it aside, and goes on.")
    return f"{start}{datetime.now(UTC):%Y%m%dt%H%M%S%fz}"  # so fine that another run takes another one


def _no_others(connection: Connection) -> None:
    if connection.dialect.name == "postgresql" and connection.execute(_OTHERS).scalar():
        raise ConfigError(_BUSY)


def _alone(database: Path) -> None:
    """Fold the write-ahead log into the file; raises ConfigError where anybody else has it open."""
    try:
        with closing(sqlite3.connect(database, timeout=1.0)) as connection:
            connection.execute("PRAGMA journal_mode = DELETE")
    except sqlite3.OperationalError as error:
        if "locked" not in str(error):
            raise ConfigError(f"{database} cannot be opened: {error}.") from None
        raise ConfigError(_BUSY) from None
    except sqlite3.DatabaseError:
        return  # no database: it is replaced, or told as such by whoever reads it


def _told(database: Path, query: str) -> list[Any] | None:
    """What a database that is to be replaced says; None where it cannot, or is of before."""
    with closing(sqlite3.connect(database)) as connection:
        try:
            return connection.execute(query).fetchall()
        except sqlite3.DatabaseError:
            return None


def _empty(database: Path) -> bool:
    try:
        with closing(sqlite3.connect(database)) as connection:
            there = [
                name for (name,) in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")
            ]
            return not any(
                connection.execute(f"SELECT EXISTS (SELECT 1 FROM {name})").fetchone()[0]  # nosec B608
                for name in there
                if name != "alembic_version"
            )
    except sqlite3.DatabaseError:
        return False
