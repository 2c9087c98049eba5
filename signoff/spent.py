"""What a guard remembers: which receipts were spent, by whom, and when; in Redis, a database or a file.

A store answers once and for all: of any number of processes that spend the same at once, one is the first.
"""

from __future__ import annotations

import json
import os
import sqlite3
import time
from contextlib import closing, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, Protocol

from signoff.errors import ConfigError
from signoff.models.jitter import between

if TYPE_CHECKING:
    from sqlalchemy import Engine

Key = tuple[str, str, str]
"""(kid, aud, sub): the key that signed, the agent, the request. Never the receipt's own id: one request that
is answered anew has another receipt, and may not run again for that."""
PREFIX = "signoff:spent:"
"""What a Redis user of a guard's own may write: see docs/executor.md."""
TABLE = "signoff_spent"
_FIRST = f"SELECT spent_by, spent_at FROM {TABLE} WHERE kid = ? AND agent = ? AND id = ?"  # nosec B608
STOPS_TABLE = "signoff_stops_seen"
_NUMBER = f"SELECT number FROM {STOPS_TABLE} WHERE issuer = ?"  # nosec B608
_HIGHER = (
    f"INSERT INTO {STOPS_TABLE} VALUES (?, ?) ON CONFLICT (issuer) "  # nosec B608
    "DO UPDATE SET number = excluded.number WHERE number < excluded.number"
)
SECONDS = 5.0
"""How long a store may take to answer."""
_STRANGE = "SELECT 1 FROM sqlite_master WHERE type IN ('trigger', 'view')"
LEAST_SECONDS = 3600
"""What is spent is kept for so long at least, whatever a clock says."""


@dataclass(frozen=True)
class Spent:
    """Who has spent it, in their own words, and when (UTC)."""

    by: str
    at: datetime


class Store(Protocol):
    """Where it is kept what was spent."""

    def spend(self, key: Key, spent: Spent, *, until: datetime) -> Spent:
        """Who was first: `spent` itself, or who was before. It is kept until `until` at least.

        Raises OSError where it cannot be told: then it may or may not be spent.
        """


class Remembers(Protocol):
    """A store that remembers, too, what the server has last said of what is stopped."""

    def highest(self, issuer: str, number: int) -> int:
        """The highest number of this issuer's statements that was ever noted, and this. Raises OSError."""


class RedisStore:
    """In Redis, under keys of its own: SET NX, for as long as the receipt is valid.

    A Redis that loses what it has acknowledged (no persistence, a failover) lets a receipt be spent again.
    """

    def __init__(self, url: str) -> None:
        import redis

        self._url = url
        redis.Redis.from_url(url).close()  # raises ValueError for what is no URL

    def spend(self, key: Key, spent: Spent, *, until: datetime) -> Spent:
        """See Store. A span, not a time: the clock of Redis may be another."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        name = PREFIX + ":".join(key)
        text = json.dumps({"by": spent.by, "at": spent.at.isoformat()})
        seconds = max(LEAST_SECONDS, int((until - datetime.now(UTC)).total_seconds()) + 1)
        link = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS, "retry": Retry(NoBackoff(), 0)}
        try:
            # A connection of its own each time: it outlasts no fork, and nobody has to close it.
            with redis.Redis.from_url(self._url, **link) as client:
                before: Any = client.set(name, text, nx=True, get=True, ex=seconds)
            if before is None:
                return spent
            found = json.loads(before)
            return Spent(str(found["by"]), datetime.fromisoformat(found["at"]))
        except redis.RedisError as error:
            raise OSError(f"{type(error).__name__}") from None
        except (ValueError, KeyError, TypeError):
            return Spent("somebody", spent.at)

    def highest(self, issuer: str, number: int) -> int:
        """See Remembers."""
        import redis
        from redis.backoff import NoBackoff
        from redis.retry import Retry

        link = {"socket_timeout": SECONDS, "socket_connect_timeout": SECONDS, "retry": Retry(NoBackoff(), 0)}
        name = f"{PREFIX}stops"
        try:
            with redis.Redis.from_url(self._url, **link) as client:
                client.zadd(name, {issuer: number}, gt=True)
                found: Any = client.zscore(name, issuer)
        except redis.RedisError as error:
            raise OSError(f"{type(error).__name__}") from None
        return int(found or 0)


class SqliteStore:
    """In a file of SQLite, for the processes of one machine; made where there is none, for its user alone."""

    def __init__(self, path: str | os.PathLike[str]) -> None:
        self._path = os.fspath(path)
        if not os.path.isabs(self._path):
            raise ConfigError(f"The guard's file {self._path!r} has to be named from the root: /…")
        try:
            with suppress(FileExistsError):  # one that stands is left shut: to close it would free its locks
                os.close(os.open(self._path, os.O_CREAT | os.O_EXCL | os.O_RDWR | os.O_CLOEXEC, 0o600))
            for place in (os.path.dirname(self._path), self._path):
                _check_own(place)
            with closing(self._connect()) as connection:
                _keep_a_log(connection)
                if connection.execute(_STRANGE).fetchone():
                    raise OSError("it has triggers or views, which no guard has made")
                connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {TABLE} (kid TEXT, agent TEXT, id TEXT, spent_by TEXT, "
                    "spent_at TEXT, until INTEGER, PRIMARY KEY (kid, agent, id))"
                )
                connection.execute(
                    f"CREATE TABLE IF NOT EXISTS {STOPS_TABLE} (issuer TEXT PRIMARY KEY, number INTEGER)"
                )
        except (sqlite3.Error, OSError) as error:
            raise ConfigError(f"The guard's file {self._path} cannot be used: {error}.") from None

    def spend(self, key: Key, spent: Spent, *, until: datetime) -> Spent:
        """See Store."""
        row = (*key, spent.by, spent.at.isoformat(), int(until.timestamp()))
        try:
            with closing(self._connect()) as connection:
                connection.execute("BEGIN IMMEDIATE")
                now = int(datetime.now(UTC).timestamp())
                connection.execute(f"DELETE FROM {TABLE} WHERE until < ?", (now,))  # nosec B608
                connection.execute(f"INSERT OR IGNORE INTO {TABLE} VALUES (?, ?, ?, ?, ?, ?)", row)  # nosec B608
                first = connection.execute(
                    _FIRST,
                    key,
                ).fetchone()
                connection.execute("COMMIT")
        except sqlite3.Error as error:
            raise OSError(f"{type(error).__name__}: {error}") from None
        return Spent(first[0], datetime.fromisoformat(first[1]))

    def highest(self, issuer: str, number: int) -> int:
        """See Remembers."""
        try:
            with closing(self._connect()) as connection:
                found = connection.execute(_NUMBER, (issuer,)).fetchone()
                if found is None or found[0] < number:
                    connection.execute(_HIGHER, (issuer, number))
                    found = connection.execute(_NUMBER, (issuer,)).fetchone()
        except sqlite3.Error as error:
            raise OSError(f"{type(error).__name__}: {error}") from None
        return int(found[0])

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self._path, timeout=SECONDS, isolation_level=None)
        connection.execute("PRAGMA synchronous=FULL")
        return connection


class SqlStore:
    """In a table of any database that SQLAlchemy knows; its primary key is what lets one be first."""

    def __init__(self, engine: Engine | str) -> None:
        import sqlalchemy as sa

        try:
            if isinstance(engine, str):  # without a pool: a guard may be carried over a fork
                engine = sa.create_engine(engine, poolclass=sa.NullPool)
            self._engine = engine
            self._table = sa.Table(
                TABLE, sa.MetaData(),
                sa.Column("kid", sa.String(64), primary_key=True),
                sa.Column("agent", sa.String(64), primary_key=True),
                sa.Column("id", sa.String(64), primary_key=True),
                sa.Column("spent_by", sa.String(200), nullable=False),
                sa.Column("spent_at", sa.String(64), nullable=False),
                sa.Column("until", sa.BigInteger, nullable=False),
            )  # fmt: skip
            self._numbers = sa.Table(
                STOPS_TABLE, self._table.metadata,
                sa.Column("issuer", sa.String(200), primary_key=True),
                sa.Column("number", sa.BigInteger, nullable=False),
            )  # fmt: skip
            self._insert = self._table.insert()  # once: to build it anew costs more than to run it
            self._table.create(self._engine, checkfirst=True)
            self._numbers.create(self._engine, checkfirst=True)
        except (sa.exc.SQLAlchemyError, ModuleNotFoundError) as error:
            raise ConfigError(f"The guard's database cannot be used: {type(error).__name__}.") from None

    def spend(self, key: Key, spent: Spent, *, until: datetime) -> Spent:
        """See Store."""
        from sqlalchemy import exc

        columns = self._table.c
        values = dict(zip(("kid", "agent", "id"), key, strict=True)) | {
            "spent_by": spent.by,
            "spent_at": spent.at.isoformat(),
            "until": int(until.timestamp()),
        }
        named = (columns.kid == key[0]) & (columns.agent == key[1]) & (columns.id == key[2])
        try:
            try:
                with self._engine.begin() as connection:
                    connection.execute(self._insert, values)
                return spent
            except exc.IntegrityError:
                with self._engine.begin() as connection:
                    first = connection.execute(self._table.select().where(named)).one()
                return Spent(first.spent_by, datetime.fromisoformat(first.spent_at))
        except exc.SQLAlchemyError as error:
            raise OSError(f"{type(error).__name__}") from None

    def highest(self, issuer: str, number: int) -> int:
        """See Remembers."""
        from sqlalchemy import exc

        columns, named = self._numbers.c, self._numbers.c.issuer == issuer
        raised = self._numbers.update().where(named, columns.number < number).values(number=number)
        look = self._numbers.select().with_only_columns(columns.number).where(named)
        try:
            with self._engine.connect() as connection:
                found = connection.execute(look).scalar()
            if found is not None and found >= number:
                return int(found)
            if found is None:
                with suppress(exc.IntegrityError), self._engine.begin() as connection:
                    connection.execute(self._numbers.insert(), {"issuer": issuer, "number": number})
            with self._engine.begin() as connection:
                connection.execute(raised)
                return int(connection.execute(look).scalar_one())
        except exc.SQLAlchemyError as error:
            raise OSError(f"{type(error).__name__}") from None

    def forget(self) -> int:
        """Let go of what is no longer valid, and how many that were; to be called now and then."""
        now = int(datetime.now(UTC).timestamp())
        with self._engine.begin() as connection:
            return connection.execute(self._table.delete().where(self._table.c.until < now)).rowcount


def _keep_a_log(connection: sqlite3.Connection) -> None:
    """Write-ahead logging for a file. SQLite waits for nobody here, whatever its timeout says, so we do: many
    processes may open a new file at one moment.
    """
    end = time.monotonic() + SECONDS
    while True:
        try:
            connection.execute("PRAGMA journal_mode=WAL")
            return
        except sqlite3.OperationalError as error:
            if error.sqlite_errorcode & 0xFF != sqlite3.SQLITE_BUSY or time.monotonic() > end:
                raise
        time.sleep(between(0.005, 0.05))


def _check_own(place: str) -> None:
    """Raise OSError for a file or folder of somebody else, or one that others may write."""
    info = os.stat(place)
    if info.st_uid not in (0, os.geteuid()) or info.st_mode & 0o022:
        raise OSError(f"others may write {place}: give it to this user alone (chmod go-w)")


def open_store(where: str) -> Store:
    """Where a store is → the store: `redis://…`, `sqlite:///path` or a path, else SQLAlchemy's URL.

    Raises ConfigError.
    """
    scheme, parted, rest = where.partition("://")
    if scheme in ("redis", "rediss", "unix") and parted:
        try:
            return RedisStore(where)
        except ValueError as error:
            raise ConfigError(f"The guard's store is no Redis URL: {error}.") from None
    if not parted and not where.startswith("/"):
        raise ConfigError(f"The guard's store {where[:60]!r} is no URL, and no file named from the root.")
    if not parted or scheme == "sqlite":
        path = rest.removeprefix("/") if parted else where
        if not path or path == ":memory:":
            raise ConfigError("The guard's store has to outlast its process: name a file.")
        return SqliteStore(path)
    return SqlStore(where)
