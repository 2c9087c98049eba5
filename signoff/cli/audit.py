"""`signoff audit verify`: the log, the rows and what witnesses have, compared."""

from __future__ import annotations

import argparse
import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from signoff.cli import export
from signoff.cli.database import opened_store
from signoff.cli.output import clock, printable, say
from signoff.cli.parsers import Commands, command, group
from signoff.cli.public_keys import known_keys
from signoff.errors import ConfigError

if TYPE_CHECKING:
    from signoff.approvals.audit import Verification
    from signoff.approvals.audit.heads import Seen
    from signoff.server.settings import Settings
    from signoff.signatures import VerifyKeys

VERIFY_EPILOG = """\
Reads the whole log, checks that each line follows from the one before, and that every row is as the lines
say: who asked what, who decided and how, receipts, verdicts, reasons, payloads that are not erased. Whoever
owns the database could still cut the log's end off, or write all of it and the rows anew: name what a witness
of SIGNOFF_AUDIT_WITNESS has with --witness, or one head or a backup with --head.

Receipts are checked with this server's key, and with those of SIGNOFF_VERIFY_KEY and --keys: name old ones
there after a change.

exit: 0 it holds   1 it does not (the first bad line or row is named)
"""
MOST = 256 * 1024 * 1024
"""Bytes that are read of a witness at an address."""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    audit = group(commands, "audit", "check, list and export the audit log")
    verify = command(audit, "verify", _verify, "check the audit log", common=common, epilog=VERIFY_EPILOG)
    verify.add_argument(
        "--head", metavar="HASH|FILE", help="a head noted earlier, or a backup: the log has to hold its line"
    )
    verify.add_argument(
        "--witness",
        metavar="FILE|URL",
        nargs="+",
        default=[],
        help="what witnesses have: it has to hold all heads",
    )
    verify.add_argument("--keys", metavar="ed25519:…|FILE", help="more public keys, of before")
    verify.add_argument(
        "--tsa-root", metavar="FILE", help="the time stamper's root, in PEM: checks its stamps"
    )
    export.add(audit, common)


def _verify(arguments: argparse.Namespace) -> int:
    from signoff.approvals import audit

    with opened_store() as (settings, store):
        keys = known_keys(settings, arguments.keys)
        seen = _witnessed(arguments, keys, settings) if arguments.witness else None
        noted = _noted(arguments.head) if arguments.head else None
        found = audit.verify(store, noted, keys=keys or None, heads=seen.heads if seen else None)
    print(f"{found.lines} lines hold; head {found.head}")
    _tell_restores(found)
    if not found.ok:
        _tell_fault(found)
        return 1
    print(f"{found.approvals} approvals are as the log says")
    return 1 if [*_strange(found, keys, arguments), *_unseen(found, seen)] else 0


def _tell_restores(found: Verification) -> None:
    from signoff.models.messages import moment

    for restore in found.restores:
        origin = f"a backup of {clock(moment(restore.backup_at))}" if restore.backup_at else "other means"
        when = clock(moment(restore.at))
        print(f"epoch {restore.epoch} begins at line {restore.seq}, {when}: put back by {origin}")


def _tell_fault(found: Verification) -> None:
    where = f"{printable(found.row)}: " if found.row else ""
    if found.seq is None:
        say(f"{where}{printable(found.fault)}: the row was added, or the log's end was cut off.")
    elif found.column:
        say(f"line {found.seq}: {where}{printable(found.fault)} ({found.column}). Restore a backup.")
    else:
        say(
            f"line {found.seq} is bad: {found.fault}. Nothing from there on can be trusted; restore a backup."
        )


def _strange(found: Verification, keys: VerifyKeys, arguments: argparse.Namespace) -> Iterator[str]:
    """What makes a log that holds in itself one that does not count; each is told."""
    if found.unknown_keys:
        yield "keys"
        say(
            f"{found.unknown_keys} receipts are signed with keys that are not known here: name the public "
            "keys of before with --keys or in SIGNOFF_VERIFY_KEY, or somebody else has signed them."
        )
    if not keys:
        say("no public key is known here, so no receipt's signature was checked: name it with --keys.")
    if found.noted is False:
        yield "head"
        say(
            "the noted head is in no line: the log was cut off or written anew"
            + (", or the head is of a time that a restore has lost." if found.restores else ".")
        )


def _unseen(found: Verification, seen: Seen | None) -> Iterator[str]:
    """What witnesses have and the log does not; each is told."""
    if seen is None:
        return
    for why in dict.fromkeys(seen.refused):
        yield "refused"
        say(f"a witness has a head that is none of this server's: {why}")
    if seen.twice:
        yield "twice"
        say(
            f"witnesses have two heads of {seen.twice[0].lines} lines: "
            "the log was written anew from before there."
        )
    if not seen.heads:
        yield "none"
        say("the witness has no head at all: nothing was compared.")
        return
    if not found.unseen:
        last = datetime.fromtimestamp(seen.latest, UTC)
        print(f"{len(seen.heads)} heads of witnesses are in the log, the last of {clock(last)}")
        return
    yield "unseen"
    first = found.unseen[0]
    how = (
        "the log was cut off before that"
        if first.lines > found.lines
        else "it was written anew from before there"
    )
    lost = "" if not found.restores else ", or a restore has lost that time: begin a new witness after one"
    say(
        f"a witness saw {first.lines} lines, the last with hash {first.hash}, which the log does not hold: "
        f"{how}{lost}."
    )


def _witnessed(arguments: argparse.Namespace, keys: VerifyKeys, settings: Settings) -> Seen:
    """The heads of all witnesses named; raises ConfigError where one cannot be read."""
    from signoff.approvals.audit import heads
    from signoff.server.witness import stamps

    if not keys:
        raise ConfigError("--witness: no public key is known here to check heads with: name it with --keys.")
    seen = heads.Seen()
    for given in arguments.witness:
        texts = _texts(given)
        heads.read(texts, keys, settings.deployment, seen)
        told = stamps.check(_texts(given), arguments.tsa_root) if "://" not in given else None
        if told:
            print(told)
    return seen


def _texts(given: str) -> Iterator[str]:
    if "://" in given:
        from signoff.server.witness import call

        yield from call.get(call.check(given, "--witness"), MOST).decode(errors="replace").splitlines()
        return
    with Path(given).open(encoding="utf-8", errors="replace") as file:
        yield from file


def _noted(given: str) -> str:
    """A head, or the one that a backup was written with."""
    from signoff.server import backup

    if re.fullmatch(r"[0-9a-f]{64}", given):
        return given
    path = Path(given)
    if not path.exists():
        raise ConfigError(f"--head: {given!r} is no hash of 64 digits, and no file.")
    return backup.read(path).head
