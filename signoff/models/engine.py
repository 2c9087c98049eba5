"""The connection pool, for SQLite and PostgreSQL, and what counts as an outage of either."""

from __future__ import annotations

import os
import select
import sqlite3
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event, exc

BUSY_MS = 1500
"""How long SQLite waits for another writer: under the 3 s in which a channel may want its answer."""
POSTGRESQL = {
    "client_encoding": "utf8",  # whatever a database thinks: else its texts may come as bytes
    "connect_timeout": 3,
    "tcp_user_timeout": 5000,  # ms until a connection that went silent counts as dead
    "keepalives": 1,
    "keepalives_idle": 30,  # s: what stands between keeps its connections that are used
    "keepalives_interval": 10,
    "keepalives_count": 3,
    "options": f"-c lock_timeout={BUSY_MS}",
}
QUIET_SECONDS = 10.0
"""A connection that was quiet for so long is asked whether it still leads anywhere, before it is used."""
USED = "used_at"
LOOK_SECONDS = 0.5
"""How long the answer may take: a person waits behind it."""
OUTAGE = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
"""The database is away, full or locked: nothing is wrong with what was asked of it."""


def open_engine(url: str) -> Engine:
    """A connection pool for SQLite (WAL, every commit on disk) or PostgreSQL."""
    if not url.startswith("sqlite"):
        # hide_parameters: the text of an error never holds a payload
        engine = create_engine(url, pool_size=10, hide_parameters=True, connect_args=POSTGRESQL)
        event.listen(engine, "connect", _note_use)
        event.listen(engine, "checkin", _note_use)
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


class Turn:
    """One writer of this process at a time, on SQLite: that has only one, and lets the others sleep for
    milliseconds before they look again. Whose turn does not come in time asks it all the same: it says what
    is wrong. PostgreSQL has many writers, and wakes who waits.
    """

    def __init__(self, engine: Engine) -> None:
        self._lock = threading.Lock() if engine.dialect.name == "sqlite" else None

    @contextmanager
    def taken(self) -> Iterator[None]:
        """Around a transaction that writes."""
        mine = self._lock is not None and self._lock.acquire(timeout=BUSY_MS / 1000)
        try:
            yield
        finally:
            if self._lock is not None and mine:
                self._lock.release()


@contextmanager
def snapshot(engine: Engine) -> Iterator[Connection]:
    """One consistent view of all tables, while others write; for reading much."""
    options: dict[str, Any] = {"reading": True}
    if engine.dialect.name == "postgresql":
        options |= {"isolation_level": "REPEATABLE READ", "postgresql_readonly": True}
    with engine.connect().execution_options(**options) as connection, connection.begin():
        yield connection


def _note_use(_: Any, record: Any) -> None:
    record.info[USED] = time.monotonic()


def _look_at(connection: Any, record: Any, *_: Any) -> None:
    """Whether a connection still leads to its server.

    A server that ended has closed it: that end can be read, which costs no round trip. A firewall that drops
    what was quiet tells nobody: after a while of quiet the server is asked, and has half a second. Then all
    connections of the pool that are as old are made anew, so that a person waits for one only.
    """
    watch = select.poll()
    watch.register(connection.fileno(), select.POLLIN)
    if watch.poll(0):
        raise exc.DisconnectionError("the server has closed it")
    if time.monotonic() - record.info.get(USED, 0.0) < QUIET_SECONDS:
        return
    if not _answers(connection.pgconn, watch):
        raise exc.InvalidatePoolError("nobody answers on it")


def _answers(wire: Any, watch: select.poll) -> bool:
    """Ask for nothing, as a driver without threads of its own does; the connection is as before."""
    end = time.monotonic() + LOOK_SECONDS
    try:
        wire.send_query(b"")
        wire.flush()
        while wire.is_busy():
            left = end - time.monotonic()
            if left <= 0 or not watch.poll(left * 1000):
                return False
            wire.consume_input()
        while wire.get_result() is not None:
            pass
    except Exception:  # psycopg is imported only where it is used
        return False
    return True


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
