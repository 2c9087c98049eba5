"""What reads or prepares the database: db upgrade, pending, audit verify."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from signoff.cli.output import Shown, clock, printable, say
from signoff.cli.parsers import Commands, command, group
from signoff.errors import ConfigError, SignoffError
from signoff.queue import private

if TYPE_CHECKING:
    from sqlalchemy import Engine

    from signoff.models.approval import Approval
    from signoff.models.store import Store
    from signoff.server.settings import Settings

WIDE = 200
"""Columns of the table where the output is no terminal."""
AUDIT_EPILOG = """\
Reads the whole log, checks that each line follows from the one before, and that every payload that has not
been erased is still the one that was logged. That does not show whether the log's end was cut off, or all of
it written anew: keep the head's hash somewhere else, and name it, or a backup, with --head.

exit: 0 it holds   1 it does not (the first bad line is named), or another head
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    pending = command(commands, "pending", _pending, "list what waits for a decision", common=common)
    pending.add_argument(
        "--json", action="store_true", help="one line: a list, with the same keys as `signoff status --json`"
    )
    audit = group(commands, "audit", "check the audit log")
    verify = command(audit, "verify", _audit, "check the audit log", common=common, epilog=AUDIT_EPILOG)
    verify.add_argument(
        "--head", metavar="HASH|FILE", help="a head noted earlier, or a backup: the log has to hold its line"
    )
    db = group(commands, "db", "prepare the database")
    command(
        db, "upgrade", _upgrade, "bring the database up to date; `signoff serve` does so too", common=common
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

    if migrate.pending(engine):
        raise ConfigError("The database is not up to date: run `signoff db upgrade`.")


def _upgrade(_: argparse.Namespace) -> int:
    from signoff.models import migrate
    from signoff.server import settings

    with opened(settings.load()) as engine:
        changed = migrate.upgrade(engine)
    print("The database is up to date now." if changed else "The database was up to date already.")
    return 0


@contextmanager
def _store() -> Iterator[Store]:
    from signoff.models.store import Store
    from signoff.server import settings

    with opened(settings.load()) as engine:
        check_upgraded(engine)
        yield Store(engine)


def _pending(arguments: argparse.Namespace) -> int:
    with _store() as store:
        found = [store.get(approval_id) for approval_id, _ in store.waiting()]
    waiting = [approval for approval in found if approval and approval.pending]
    if arguments.json:
        print(json.dumps([_shown(approval).__dict__ for approval in waiting]))
    elif waiting:
        _table(waiting)
    else:
        say("nothing waits for a decision.")
    return 0


def _shown(approval: Approval) -> Shown:
    """As for an agent; but here `payload` is what is asked for."""
    return Shown(
        id=approval.request_id,
        status=approval.status,
        action=approval.action,
        agent=approval.agent,
        payload=approval.payload,
        edited=approval.edited,
        permalink=approval.card.permalink if approval.card else None,
    )


def _table(waiting: list[Approval]) -> None:
    from rich.console import Console
    from rich.table import Table
    from rich.text import Text

    from signoff.models.messages import moment

    table = Table(box=None, pad_edge=False, header_style="bold")
    for name in ("asked", "agent", "action", "until", "request"):
        table.add_column(name, no_wrap=name == "request", overflow="fold")
    for approval in waiting:
        asked, until = clock(moment(approval.created_at)), clock(moment(approval.expires_at))
        cells = (asked, approval.agent, approval.action, until, approval.request_id)
        table.add_row(*(Text(printable(cell)) for cell in cells))
    console = Console()
    if not console.is_terminal:
        console = Console(width=WIDE)
    console.print(table)


def _audit(arguments: argparse.Namespace) -> int:
    from signoff.approvals import audit
    from signoff.models.messages import moment

    noted = _noted(arguments.head) if arguments.head else None
    with _store() as store:
        found = audit.verify(store, noted)
    print(f"{found.lines} lines hold; head {found.head}")
    for restore in found.restores:
        origin = f"a backup of {clock(moment(restore.backup_at))}" if restore.backup_at else "other means"
        when = clock(moment(restore.at))
        print(f"epoch {restore.epoch} begins at line {restore.seq}, {when}: put back by {origin}")
    if not found.ok:
        say(
            f"line {found.seq} is bad: {found.fault}. Nothing from there on can be trusted; restore a backup."
        )
        return 1
    if found.noted is False:
        say(
            "the noted head is in no line: the log was cut off or written anew"
            + (", or the head is of a time that a restore has lost." if found.restores else ".")
        )
        return 1
    return 0


def _noted(given: str) -> str:
    """A head, or the one that a backup was written with."""
    from signoff.server import backup

    if re.fullmatch(r"[0-9a-f]{64}", given):
        return given
    path = Path(given)
    if not path.exists():
        raise ConfigError(f"--head: {given!r} is no hash of 64 digits, and no file.")
    return backup.read(path).head
