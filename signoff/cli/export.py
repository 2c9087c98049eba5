"""`signoff audit list`, `export` and `verifier`: what auditors are given."""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from signoff.cli.database import opened_store
from signoff.cli.output import printable, say
from signoff.cli.parsers import Commands, command
from signoff.cli.public_keys import key_texts, known_keys
from signoff.errors import ConfigError, SignoffError

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from signoff.approvals.audit.bundle import Target
    from signoff.approvals.audit.selection import Selection

LIST_EPILOG = """\
TIME is 2026-11-28, 2026-11-28T05:00 or …:00Z (UTC), or an age: 90m, 12h, 30d.

Payloads are left out, and only their salted digests listed, unless --payloads is given.
"""
EXPORT_EPILOG = """\
Writes PATH, a new folder or, where it ends in .zip, a file: the lines, the heads that they lead to, receipts,
public keys, and a page to read, with a manifest that is signed with the server's key. Checks the log first,
and exports nothing where it does not hold. Somebody who has the public key, and signoff-verify.py from
`signoff audit verifier`, checks it without this server.

TIME is 2026-11-28, 2026-11-28T05:00 or …:00Z (UTC), or an age: 90m, 12h, 30d. With --agent or --action lines
in between are left out: those that are left are not shown to follow from each other.
"""
_AGE = re.compile(r"([0-9]{1,6})([mhd])")
_UNITS = {"m": "minutes", "h": "hours", "d": "days"}


class LogFault(SignoffError):
    """The log does not hold, so nothing is exported."""


def add(audit: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands, in their group."""
    shown = command(audit, "list", _list, "list lines of the audit log", common=common, epilog=LIST_EPILOG)
    export = command(
        audit,
        "export",
        _export,
        "write lines of the audit log for an auditor",
        common=common,
        epilog=EXPORT_EPILOG,
    )
    export.add_argument("path", metavar="PATH", help="a new folder, or a new file that ends in .zip")
    for one in (shown, export):
        one.add_argument("--since", metavar="TIME", type=_time, help="from this time on")
        one.add_argument("--until", metavar="TIME", type=_time, help="before this time")
        one.add_argument("--agent", metavar="NAME", help="only what this agent asked")
        one.add_argument("--action", metavar="NAME", help="only what asked for this action")
        one.add_argument("--payloads", action="store_true", help="with payloads, in plain text")
    shown.add_argument(
        "--format", choices=("text", "json", "csv"), default="text", help="json: an object a line"
    )
    export.add_argument("--format", choices=("json", "csv"), default="json", help="csv: also lines.csv")
    command(audit, "verifier", _verifier, "print signoff-verify.py, which checks exports", common=common)


def _list(arguments: argparse.Namespace) -> int:
    from signoff.approvals.audit import bundle
    from signoff.models.engine import snapshot

    with opened_store() as (_, store), snapshot(store.engine) as connection:
        rows = _rows(connection, arguments)
        if arguments.format == "csv":
            for text in bundle.table(rows):
                sys.stdout.write(text)
        for one in rows:
            if arguments.format == "json":
                print(json.dumps(one))
            else:
                whose = f"{one['agent']} {one['action']}" if one["agent"] else ""
                parts: tuple[Any, ...] = (
                    one["seq"],
                    one["at"],
                    one["kind"],
                    one["actor"],
                    whose,
                    one["approval_id"],
                    one["payload"],
                )
                print("  ".join(printable(str(part)) for part in parts if part not in (None, "")))
    return 0


def _rows(connection: Connection, arguments: argparse.Namespace) -> Iterator[dict[str, Any]]:
    from signoff.approvals.audit import selection

    for entry in selection.entries(connection, _selected(arguments)):
        found = selection.payload_of(connection, entry) if arguments.payloads else None
        yield selection.row(entry, found["text"] if found else None)


def _export(arguments: argparse.Namespace) -> int:
    from signoff.approvals import audit
    from signoff.approvals.audit import bundle, verification
    from signoff.models.engine import snapshot

    path = Path(arguments.path)
    if path.exists():
        raise ConfigError(f"{path} is there already: name a new folder, or a new file that ends in .zip.")
    with opened_store() as (settings, store), snapshot(store.engine) as connection:
        signer = settings.signer()
        found = verification.verify_all(connection, keys=known_keys(settings))
        if not found.ok:
            raise LogFault(
                "The audit log does not hold, so nothing was exported: see `signoff audit verify`."
            )
        with _target(path) as target:
            writer = bundle.Writer(connection, target, _selected(arguments), signer, settings.deployment)
            texts = " ".join(key_texts(settings))
            made = writer.write(
                audit.Head(found.lines, found.head),
                texts,
                payloads=arguments.payloads,
                table=arguments.format == "csv",
            )
    held = f"{made.lines} lines, {made.receipts} receipts and {made.payloads} payloads"
    print(f"{held} in {path}; head {found.head}")
    if made.left_out:
        say(
            f"{made.left_out} receipts are left out: erased, of another deployment or key, "
            "or from before receipts were of a kind of their own."
        )
    say("an auditor needs the public key by another way, and signoff-verify.py: `signoff audit verifier`.")
    return 0


@contextmanager
def _target(path: Path) -> Iterator[Target]:
    from signoff.approvals.audit import bundle

    if path.suffix != ".zip":
        yield bundle.Folder(path)
        return
    target = bundle.Zip(path)
    try:
        yield target
        target.close()
    except BaseException:
        path.unlink()  # half an export is none
        raise


def _verifier(_: argparse.Namespace) -> int:
    from signoff.cli import verifier

    print(Path(verifier.__file__).read_text(encoding="utf-8"), end="")
    return 0


def _selected(arguments: argparse.Namespace) -> Selection:
    from signoff.approvals.audit.selection import Selection

    return Selection(arguments.since, arguments.until, arguments.agent, arguments.action)


def _time(text: str) -> int:
    """A time of an option → microseconds since 1970."""
    if age := _AGE.fullmatch(text):
        at = datetime.now(UTC) - timedelta(**{_UNITS[age[2]]: int(age[1])})
        return int(at.timestamp() * 1_000_000)
    try:
        at = datetime.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is no time: write 2026-11-28T05:00, or an age such as 12h"
        ) from None
    at = at.replace(tzinfo=at.tzinfo or UTC)
    return int(at.timestamp() * 1_000_000)
