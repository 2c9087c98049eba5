"""The audit log: one line an event, each bound to the one before by a hash.

A line holds ids, times and *salted* digests, never a payload or a reason, so that those can be erased
while the chain still verifies. The database refuses to change or delete a line (see the migration).
"""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select, text

from signoff.models import policies
from signoff.models.store import Store, payloads
from signoff.models.tables import AuditEventRow
from signoff.payload.canonical import canonical

events = AuditEventRow.__table__  # type: ignore[attr-defined]
START = "0" * 64
"""What stands for the hash before the first line."""
CHAIN_LOCK = 0x5167_0FF0
"""PostgreSQL's advisory lock on the chain's head, held until the transaction ends."""

_HEAD = select(events.c.seq, events.c.hash).order_by(events.c.seq.desc()).limit(1)
_INSERT = insert(events)
_ALL = select(events).where(events.c.seq > bindparam("after")).order_by(events.c.seq).limit(bindparam("most"))
_PAYLOAD = select(payloads.c.text, payloads.c.salt).where(
    payloads.c.approval_id == bindparam("approval_id"), payloads.c.version == bindparam("version")
)
PAGE = 1000


@dataclass(frozen=True)
class Event:
    """One thing that happened. `at` is in microseconds since 1970; `data` holds no untrusted text."""

    kind: str
    approval_id: str | None
    at: int
    actor: str
    data: dict[str, Any]


@dataclass(frozen=True)
class Restore:
    """Where the log tells that the database was put back: the line, when, and from a backup of when."""

    seq: int
    epoch: int
    at: int
    backup_at: int | None


@dataclass(frozen=True)
class Verification:
    """What `verify` found: `lines` good ones, then, in `seq`, the first bad one and why.

    `restores` are those that the log tells of; `noted` whether it holds the noted head, None without one.
    """

    lines: int
    head: str
    seq: int | None = None
    fault: str = ""
    restores: tuple[Restore, ...] = ()
    noted: bool | None = None

    @property
    def ok(self) -> bool:
        """True when every line holds."""
        return self.seq is None


def append(connection: Connection, *added: Event) -> None:
    """Append to the chain, as the transaction's last statements: its head is locked from here on."""
    if connection.dialect.name == "postgresql":
        connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": CHAIN_LOCK})
    last = connection.execute(_HEAD).first()
    seq, previous = (last.seq, last.hash) if last else (0, START)
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
        previous = line["hash"] = _hash(line)
        rows.append(line)
    connection.execute(_INSERT, rows)


def head(connection: Connection) -> str:
    """The hash of the last line; to be noted elsewhere, to show later that the log was not cut off."""
    last = connection.execute(_HEAD).first()
    return last.hash if last else START


def salted(salt: str, content: str) -> str:
    """A digest that can be checked with the salt, and tells nothing once the salt is erased."""
    return hashlib.sha256(f"{salt}\n{content}".encode()).hexdigest()


def sha256(content: str) -> str:
    """The digest of a text that is no secret."""
    return hashlib.sha256(content.encode()).hexdigest()


def verify(store: Store, noted: str | None = None) -> Verification:
    """Walk the whole chain, and compare every payload that is still there with its digest.

    `noted` is a head that was written down earlier: where the log does not hold it any more, it was cut off.
    """
    seq, previous = 0, START
    found_noted = None if noted is None else noted == START
    restores: list[Restore] = []
    while True:
        with store.reading() as connection:
            rows = connection.execute(_ALL, {"after": seq, "most": PAGE}).all()
            for found in rows:
                line = dict(found._mapping)
                stored = line.pop("hash")
                fault = _fault(connection, line, stored, seq, previous)
                if fault:
                    return Verification(seq, previous, found.seq, fault, tuple(restores), found_noted)
                seq, previous = found.seq, stored
                if stored == noted:
                    found_noted = True
                if found.kind == "restored":
                    data = json.loads(found.data)
                    restores.append(Restore(seq, data["epoch"], found.at, data["backup_at"]))
        if len(rows) < PAGE:
            return Verification(seq, previous, restores=tuple(restores), noted=found_noted)


def _fault(connection: Connection, line: dict[str, Any], stored: str, seq: int, previous: str) -> str:
    """What is wrong with a line that comes after line `seq`; empty where nothing is."""
    if line["seq"] != seq + 1:
        return f"line {seq + 1} is missing"
    if line["previous"] != previous:
        return "it does not follow from the line before"
    if _hash(line) != stored:
        return "it was changed"
    return _payload_fault(connection, line)


def _hash(line: dict[str, Any]) -> str:
    return hashlib.sha256(canonical(line, "audit line").encode()).hexdigest()


def _payload_fault(connection: Connection, line: dict[str, Any]) -> str:
    """What a line names by its digest and is not so: a payload, or a policy's text."""
    if line["kind"] == "policy":
        text = json.loads(line["data"])["text"]
        content = policies.kept(connection, text)
        if content is None:
            return "its policy's row is gone"
        return "" if sha256(content) == text else "its policy was changed"
    if line["kind"] not in ("submit", "edit"):
        return ""
    data = json.loads(line["data"])
    key = {"approval_id": line["approval_id"], "version": data["version"]}
    found = connection.execute(_PAYLOAD, key).first()
    if found is None:
        return "its payload's row is gone"
    if found.text is not None and salted(found.salt or "", found.text) != data["payload"]:
        return "its payload was changed"
    return ""
