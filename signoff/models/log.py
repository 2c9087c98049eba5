"""The audit log itself: one line an event, each bound to the one before by a hash.

A line holds ids, times and *salted* digests, never a payload or a reason, so that those can be erased
while the chain still verifies. The database refuses to change or delete a line (see the migration).
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, func, insert, select

from signoff.models.fixed import Fixed, Step, together
from signoff.models.tables import AuditEventRow
from signoff.payload.canonical import canonical

events = AuditEventRow.__table__  # type: ignore[attr-defined]
START = "0" * 64
"""What stands for the hash before the first line."""
CHAIN_LOCK = 0x5167_0FF0
"""PostgreSQL's advisory lock on the chain's head, held until the transaction ends."""

_HEAD = Fixed(select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1))
_INSERT = Fixed(insert(events), [column.name for column in events.c])
_LOCK = Fixed(select(func.pg_advisory_xact_lock(CHAIN_LOCK)))
NO_VALUES: dict[str, Any] = {}


@dataclass(frozen=True)
class Event:
    """One thing that happened. `at` is in microseconds since 1970; `data` holds no untrusted text."""

    kind: str
    approval_id: str | None
    at: int
    actor: str
    data: dict[str, Any]


def append(connection: Connection, *added: Event, after: Sequence[Step] = ()) -> list[Any]:
    """Append to the chain, as the transaction's last statements: its head is locked from here on.

    `after` are run right before, with no round trip of their own; gives what they give (see `together`).
    """
    lock = ((_LOCK, NO_VALUES),) if connection.dialect.name == "postgresql" else ()
    *found, heads = together(connection, *after, *lock, (_HEAD, NO_VALUES))
    seq, previous = (heads[0].seq, heads[0].hash) if heads else (0, START)
    rows = []
    for event in added:
        seq += 1
        line = {
            "seq": seq,
            "approval_id": event.approval_id,
            "kind": event.kind,
            "at": event.at,
            "actor": event.actor,
            "data": canonical(event.data, "audit data"),
            "previous": previous,
        }
        previous = line["hash"] = line_hash(line)
        rows.append(line)
    _INSERT.run_many(connection, rows)
    return found[: len(after)]


@dataclass(frozen=True)
class Head:
    """How many lines there are, and the hash of the last one: to be noted where no one can rewrite it."""

    lines: int
    hash: str


def last_line(connection: Connection) -> Head:
    """The log's head now."""
    last = _HEAD.first(connection, {})
    return Head(last.seq, last.hash) if last else Head(0, START)


def head(connection: Connection) -> str:
    """The hash of the last line; to be noted elsewhere, to show later that the log was not cut off."""
    return last_line(connection).hash


def line_hash(line: Mapping[str, Any]) -> str:
    """The hash of a line, which has all of its columns but that one: SHA-256 of its canonical text.

    A line is flat, its names are ASCII, its numbers whole: for such an object the standard library writes
    RFC 8785, ten times as fast as what is made for any.
    """
    text = json.dumps(line, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode()).hexdigest()


def salted(salt: str, content: str) -> str:
    """A digest that can be checked with the salt, and tells nothing once the salt is erased."""
    return hashlib.sha256(f"{salt}\n{content}".encode()).hexdigest()


def sha256(content: str) -> str:
    """The digest of a text that is no secret."""
    return hashlib.sha256(content.encode()).hexdigest()
