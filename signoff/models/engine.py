"""The connection pool, for SQLite and PostgreSQL, and what counts as an outage of either."""

from __future__ import annotations

import os
import select
import sqlite3
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc

BUSY_MS = 1500
"""How long SQLite waits for another writer: under the 3 s in which a channel may want its answer."""
POSTGRESQL = {
    "connect_timeout": 3,
    "tcp_user_timeout": 5000,  # ms until a connection that went silent counts as dead
    "options": f"-c lock_timeout={BUSY_MS}",
}
OUTAGE = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
"""The database is away, full or locked: nothing is wrong with what was asked of it."""


def open_engine(url: str) -> Engine:
    """A connection pool for SQLite (WAL, every commit on disk) or PostgreSQL."""
    if not url.startswith("sqlite"):
        # hide_parameters: the text of an error never holds a payload
        engine = create_engine(url, pool_size=10, hide_parameters=True, connect_args=POSTGRESQL)
        event.listen(engine, "checkout", _look_at)
        return engine
    options = {"timeout": BUSY_MS / 1000, "check_same_thread": False}
    engine = create_engine(url, hide_parameters=True, connect_args=options)
    event.listen(engine, "do_connect", _make_private)
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def reader(engine: Engine) -> Engine:
    """The same database, for transactions that only read.

    SQLite shows them one state and keeps no writer waiting. PostgreSQL shows each statement its own, as
    READ COMMITTED does, and is not asked to begin and end what needs neither: a quarter of the round trips.
    """
    options: dict[str, Any] = {"reading": True}
    if engine.dialect.name == "postgresql":
        options["isolation_level"] = "AUTOCOMMIT"
    return engine.execution_options(**options)


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One consistent view of all tables, while others write; for reading much."""
    options: dict[str, Any] = {"reading": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def _look_at(connection: Any, *_: Any) -> None:
    """A server that ended has closed its connections: their end can be read, which costs no round trip."""
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    if watch.poll(0):
        raise exc.DisconnectionError("the server has closed it")


def _make_private(_: Any, __: Any, arguments: list[Any], ___: Any) -> None:
    """Make SQLite's file, where there is none, for this user alone; what SQLite puts beside it is like it."""
    path = str(arguments[0]) if arguments else ":memory:"
    if path != ":memory:" and not path.startswith("file:"):
        with suppress(OSError):  # SQLite says what is wrong
            handle = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            os.fchmod(handle, 0o600)
            os.close(handle)


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader can find the database changed under it, and fail.
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")
