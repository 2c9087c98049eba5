"""`signoff backup` and `signoff restore`."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import TYPE_CHECKING

from signoff.cli.database import check_upgraded, opened
from signoff.cli.output import clock, say
from signoff.cli.parsers import Commands, command
from signoff.errors import ConfigError

if TYPE_CHECKING:
    from signoff.server.restore import Restored
    from signoff.server.settings import Settings

BACKUP_EPILOG = """\
At any time, also while the server runs: it is one consistent view of the database, SQLite or PostgreSQL, and
its audit log is verified before the file appears. FILE must not exist; only you can read it. It holds every
payload, so keep it as secret as the database. It never holds signing.key and factors.key: keep them apart.

Prints the audit log's head. `signoff audit verify --head FILE` shows later on that the log was not cut off.
"""
RESTORE_EPILOG = """\
Stop the server first (serve, or all of bot, intake and worker). FILE may come from SQLite or PostgreSQL, and
go into either. Its audit log is verified before anything changes.

A restore starts a new epoch, so that nothing is decided twice. Once the server runs again, what waited at the
time of the backup ends: as its receipt says where Redis still has one, else as expired, and its agent is told
to ask again. Receipts of the lost time go on to verify: the signing key is the same.

What was stopped stays so, as the database says that is replaced. Where there is none that could say it, and
with --in-place, everything is stopped until `signoff resume all`.

`signoff restore --in-place` is for a database that other means have put back (PostgreSQL's point-in-time
recovery, a copied file, pg_restore): it verifies the log and starts the epoch, and copies nothing.

exit: 0 done   1 FILE or its audit log does not hold
      2 in use, not empty, or usage
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    backup = command(
        commands, "backup", _backup, "copy the database into one file, while the server runs",
        common=common, epilog=BACKUP_EPILOG,
    )  # fmt: skip
    backup.add_argument("file", metavar="FILE", type=Path, help="the new file")
    restore = command(
        commands, "restore", _restore, "put a backup in the place of the database", common=common,
        epilog=RESTORE_EPILOG,
    )  # fmt: skip
    restore.add_argument("file", metavar="FILE", type=Path, nargs="?", help="what `signoff backup` wrote")
    restore.add_argument(
        "--replace", action="store_true", help="where the database is not empty: keep it aside, and go on"
    )
    restore.add_argument(
        "--in-place", action="store_true", help="the database was put back already: only start the new epoch"
    )


def _backup(arguments: argparse.Namespace) -> int:
    from signoff.models.messages import moment
    from signoff.server import backup as backups
    from signoff.server import settings

    with opened(settings.load()) as engine:
        check_upgraded(engine)
        backup = backups.write(engine, arguments.file)
    print(
        f"{arguments.file}: {_count(backup.requests, 'request')}, as of {clock(moment(backup.at))}; "
        f"{_count(backup.lines, 'line')} of the audit log hold; head {backup.head}"
    )
    say("it holds everything but the keys (signing.key, factors.key): keep those apart, and all secret.")
    return 0


def _restore(arguments: argparse.Namespace) -> int:
    from signoff.server import restore as restoring
    from signoff.server import settings

    if bool(arguments.file) == arguments.in_place or (arguments.in_place and arguments.replace):
        raise ConfigError("Name the FILE to restore, or --in-place by itself.")
    given = settings.load()
    from signoff.server.data_lock import only_one  # here: Windows, where agents run, has no such locks

    with only_one(given.data), opened(given):
        if arguments.in_place:
            done = restoring.in_place(given.database)
        else:
            file: Path = arguments.file
            done = restoring.restore(given.database, file, given.data, replace=arguments.replace)
    _tell(done, given)
    return 0


def _tell(done: Restored, settings: Settings) -> None:
    from signoff.models.messages import moment

    epoch, backup = done.epoch, done.backup
    what = "the database that was put back"
    if backup:
        what = f"{_count(backup.requests, 'request')}, as of {clock(moment(backup.at))}"
    waited = f"{_count(epoch.closed, 'request')} waited" if epoch.closed else "nothing waited"
    print(f"Restored: {what}. Epoch {epoch.number} begins; {waited}.")
    if done.aside:
        print(f"What was there before is kept in {done.aside}: delete it once you do not need it.")
    if epoch.closed:
        say("once the server runs, they end as their receipts in Redis say, else as expired.")
    say(
        "executors that spend through the server are refused receipts of before now, as nobody knows which "
        "of them ran in the lost time: those agents ask again."
    )
    say(
        "webhooks whose keys were changed since the backup have the former ones: `signoff webhooks secret` "
        "prints them."
    )
    _tell_of_tokens(done)
    _tell_of_stops(done)
    if settings.signing_key is None and not settings.key_file.exists():
        say(
            f"there is no signing key in {settings.key_file}. Put the old one back before you start the "
            "server: it makes a new one otherwise, and agents refuse what that signs."
        )


def _tell_of_tokens(done: Restored) -> None:
    if done.ended:
        say(f"{_count(done.ended, 'token')} that had been revoked or switched off since stayed so.")
    if not done.standing or (done.ended is not None and done.aside):
        return
    say(
        "tokens that were revoked since the backup stand again: `signoff agent revoke ID` those that should "
        "not. These stand:"
    )
    for one in done.standing:
        say(f"  {one.id}  {one.agent}  {' '.join(one.scopes)}")


def _tell_of_stops(done: Restored) -> None:
    from signoff.server.restore import UNKNOWN

    if any(one.reason == UNKNOWN for one in done.stopped):
        say(
            "EVERYTHING IS STOPPED, as nobody can say what was since the backup. Look whether anything "
            "was, stop that (`signoff stop`), and then let the rest run: `signoff resume all`."
        )
    elif done.stopped:
        say(f"{_count(len(done.stopped), 'stop')} that the replaced database had stays: `signoff stops`.")


def _count(number: int, what: str) -> str:
    return f"{number:,} {what}{'' if number == 1 else 's'}"
