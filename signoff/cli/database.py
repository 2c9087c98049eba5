"""What opens or prepares the database: db upgrade."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from signoff.cli.output import say
from signoff.cli.parsers import Commands, command, group
from signoff.errors import ConfigError, SignoffError
from signoff.queue import private

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from signoff.models.store import Store
    from signoff.server.settings import Settings

DENIED = "42501"
"""PostgreSQL's code for what a role may not do."""
UPGRADE_EPILOG = """\
PostgreSQL: run it as the owner of the tables, and the server under another role, which can only read and add
to the audit log. --for names that role, makes it where there is none (its URL is printed once), and gives it
what a server needs and nothing else. Later upgrades see to it by themselves.

  SIGNOFF_DATABASE_URL=postgresql://owner@host/signoff \\
    signoff db upgrade --for signoff_server
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    db = group(commands, "db", "prepare the database")
    upgrade = command(
        db,
        "upgrade",
        _upgrade,
        "bring the database up to date; `signoff serve` does so too",
        common=common,
        epilog=UPGRADE_EPILOG,
    )
    upgrade.add_argument(
        "--for",
        dest="role",
        metavar="ROLE",
        help="also give this PostgreSQL role what a server needs, only that",
    )


class DatabaseAway(SignoffError):
    """The database cannot be used."""


@contextmanager
def opened(settings: Settings) -> Iterator[Engine]:
    """The database, its errors translated: raises DatabaseAway, or ConfigError for a URL that is none."""
    from sqlalchemy import exc

    from signoff.models.engine import open_engine

    try:
        private.make_folder(settings.data)
        if file := settings.database_file:
            private.check_file(file)
        engine = open_engine(settings.database)
        try:
            yield engine
        finally:
            engine.dispose()
    except exc.ArgumentError:
        raise ConfigError("SIGNOFF_DATABASE_URL is no URL, such as postgresql://user@host/name.") from None
    except exc.DBAPIError as error:
        if getattr(error.orig, "sqlstate", None) == DENIED:
            raise ConfigError(
                "This database's role may not do that: run `signoff db upgrade` (and `restore`) as the owner "
                "of the tables, with its URL in SIGNOFF_DATABASE_URL."
            ) from None
        first = (str(error.orig).strip().splitlines() or [type(error).__name__])[0]
        raise DatabaseAway(f"{first}. Check SIGNOFF_DATABASE_URL and that the database runs.") from None
    except Exception as error:
        alembic = sys.modules.get(
            "alembic.util"
        )  # it is large, and loaded only where there is something to do
        if alembic and isinstance(error, alembic.CommandError):
            text = "A later version of Signoff has upgraded this database: update Signoff."
            raise ConfigError(text) from None
        raise


def check_upgraded(engine: Engine) -> None:
    """Raise ConfigError unless the database is at this Signoff's version."""
    from signoff.models import migrate

    version = migrate.current(engine)
    if version is None:
        raise ConfigError(_nobody("the database is empty; `signoff db upgrade` prepares it"))
    if version != migrate.LATEST:
        raise ConfigError("The database is not up to date: run `signoff db upgrade`.")


def _upgrade(arguments: argparse.Namespace) -> int:
    from signoff.models import migrate, roles
    from signoff.server import settings

    with opened(settings.load()) as engine:
        changed = migrate.upgrade(engine)
        print("The database is up to date now." if changed else "The database was up to date already.")
        if arguments.role:
            with engine.begin() as connection:
                password = roles.make(connection, arguments.role)
                roles.grant(connection, arguments.role)
            print(f"The role {arguments.role} may do what a server does, and only add to the audit log.")
            if password:
                url = engine.url.set(drivername="postgresql", username=arguments.role, password=password)
                say("the role is new; this is shown once, for the server:")
                print(f"SIGNOFF_DATABASE_URL={url.render_as_string(hide_password=False)}")
    return 0


@contextmanager
def opened_store() -> Iterator[tuple[Settings, Store]]:
    """The settings, and the database at this Signoff's version; raises as `opened` does."""
    from signoff.models.store import Store
    from signoff.server import settings

    given = settings.load()
    if (file := given.database_file) and not file.exists():  # nothing is made here for whoever only looks
        raise ConfigError(_nobody(f"there is no {file}"))
    with opened(given) as engine:
        check_upgraded(engine)
        yield given, Store(engine)


def _nobody(why: str) -> str:
    """What to do where no server keeps its requests in this database."""
    return (
        f"No server keeps its requests here ({why}): run this where `signoff serve` runs, as its user and "
        "with its settings. An agent asks for its own request with `signoff status ID`; `signoff demo` tries "
        "it all out."
    )
