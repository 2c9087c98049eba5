"""Bringing a database to the version that this Signoff works with. The migrations lie in this package."""

from __future__ import annotations

import time
from pathlib import Path
from typing import TYPE_CHECKING, Final

from sqlalchemy import Connection, Engine, exc, inspect, text

from signoff.errors import ConfigError
from signoff.models import roles

if TYPE_CHECKING:
    from alembic.config import Config

MIGRATIONS = Path(__file__).parent / "migrations"
LATEST: Final = "0024"
"""The version that this Signoff works with: the last migration's. Written out, because asking Alembic for it
takes a fifth of the time that a process needs to start.
"""
UPGRADE_LOCK = 0x5167_0FF1
"""PostgreSQL's advisory lock on upgrading, held until the transaction ends."""
LOCK_SECONDS = 60.0
"""How long to wait for another process that is upgrading a SQLite file."""


def current(engine: Engine) -> str | None:
    """The version that the database has; None where it is empty. The database's errors pass."""
    with engine.connect().execution_options(reading=True) as connection:
        return _current(connection)


def pending(engine: Engine) -> bool:
    """True when `upgrade` has something to do. The database's errors pass."""
    return current(engine) != LATEST


def upgrade(engine: Engine) -> bool:
    """Bring the database up to date; False where it was already. Any number of processes may do so at once.

    All or nothing, in one transaction. The database's errors pass, and Alembic's CommandError for a database
    that a later Signoff has upgraded.
    """
    give_up = time.monotonic() + LOCK_SECONDS
    while True:
        try:
            return _upgrade(engine)
        except exc.OperationalError as error:
            if "locked" not in str(error.orig) or time.monotonic() > give_up:
                raise
            time.sleep(0.05)  # SQLite's own wait is kept short for the sake of people who click


def apply(connection: Connection) -> None:
    """`upgrade` within somebody's transaction, but for what servers' roles are granted; its errors pass."""
    from alembic import command

    config = _config()
    config.attributes["connection"] = connection
    command.upgrade(config, "head")


def _check_encoding(engine: Engine) -> None:
    """Raise ConfigError for a PostgreSQL database that holds bytes, and not text of any letters."""
    if engine.dialect.name != "postgresql":
        return
    with engine.connect().execution_options(reading=True) as connection:
        found: str | bytes = connection.execute(text("SHOW server_encoding")).scalar_one()
    name = found.decode() if isinstance(found, bytes) else found
    if name != "UTF8":
        raise ConfigError(
            f"The database's encoding is {name}: make one with UTF8 (createdb --template=template0 "
            "--encoding=UTF8 NAME), and name that one in SIGNOFF_DATABASE_URL."
        )


def _upgrade(engine: Engine) -> bool:
    _check_encoding(engine)
    if not pending(engine):
        return False
    with engine.begin() as connection:  # SQLite: BEGIN IMMEDIATE, so only one process is in here
        if connection.dialect.name == "postgresql":
            connection.execute(text(f"SET LOCAL lock_timeout = '{LOCK_SECONDS:.0f}s'"))
            connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": UPGRADE_LOCK})
        if _current(connection) == LATEST:
            return False  # another process was faster
        servers = roles.granted(connection)
        apply(connection)
        roles.renew(connection, servers)
    return True


def _current(connection: Connection) -> str | None:
    if not inspect(connection).has_table("alembic_version"):
        return None
    return connection.execute(text("SELECT version_num FROM alembic_version")).scalar()


def _config() -> Config:
    from alembic.config import Config

    config = Config()
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    return config
