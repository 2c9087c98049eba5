"""Lines of the log for auditors: all, or those of a time, an agent or an action; read in pages."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, Select, bindparam, select

from signoff.models.log import events
from signoff.models.store import MICROSECONDS, approvals, payloads

PAGE = 500
"""Lines that are held at a time."""
_PAYLOAD = select(payloads).where(
    payloads.c.approval_id == bindparam("approval_id"), payloads.c.version == bindparam("version")
)
_RECEIPT = select(approvals.c.receipt).where(approvals.c.id == bindparam("approval_id"))
FORMULA = tuple("=+-@\t\r\n")
"""What a spreadsheet takes a cell for a formula by, that begins with it."""
COLUMNS = (
    "seq", "at", "kind", "actor", "agent", "action", "approval_id", "data", "payload", "previous", "hash"
)  # fmt: skip
"""Of a table of lines, in order."""


@dataclass(frozen=True)
class Selection:
    """Which lines: `since` and `until` are microseconds since 1970, the first within and the second not."""

    since: int | None = None
    until: int | None = None
    agent: str | None = None
    action: str | None = None

    @property
    def whole(self) -> bool:
        """True where each line follows from the one before: nothing in between is left out."""
        return self.agent is None and self.action is None

    def told(self) -> dict[str, Any]:
        """What was asked for."""
        return {name: value for name, value in asdict(self).items() if value is not None}


@dataclass(frozen=True)
class Entry:
    """A line, and of which agent's which action it is; both None where it is about no request."""

    line: Mapping[str, Any]
    agent: str | None
    action: str | None

    @property
    def data(self) -> dict[str, Any]:
        """What it says."""
        found: dict[str, Any] = json.loads(self.line["data"])
        return found


def entries(connection: Connection, selection: Selection, *kinds: str) -> Iterator[Entry]:
    """The lines selected, in order; of these kinds, where there are any. In one view of the database."""
    query, after = _query(selection, kinds), 0
    while True:
        page = connection.execute(query, {"after": after}).mappings().all()
        for row in page:
            line = {name: row[name] for name in events.c.keys()}  # noqa: SIM118  (columns are no dict)
            yield Entry(line, row["agent"], row["action"])
            after = row["seq"]
        if len(page) < PAGE:
            return


def _query(selection: Selection, kinds: tuple[str, ...]) -> Select[Any]:
    query = (
        select(events, approvals.c.agent, approvals.c.action)
        .outerjoin(approvals, approvals.c.id == events.c.approval_id)
        .where(events.c.seq > bindparam("after"))
        .order_by(events.c.seq)
        .limit(PAGE)
    )
    if kinds:
        query = query.where(events.c.kind.in_(kinds))
    # By time a range of lines, whole: clocks may go back, and lines do not change places for it.
    if selection.since is not None:
        first = select(events.c.seq).where(events.c.at >= selection.since).order_by(events.c.seq).limit(1)
        query = query.where(events.c.seq >= first.scalar_subquery())
    if selection.until is not None:
        last = (
            select(events.c.seq).where(events.c.at < selection.until).order_by(events.c.seq.desc()).limit(1)
        )
        query = query.where(events.c.seq <= last.scalar_subquery())
    if selection.agent is not None:
        query = query.where(approvals.c.agent == selection.agent)
    if selection.action is not None:
        query = query.where(approvals.c.action == selection.action)
    return query


def payload_of(connection: Connection, entry: Entry) -> Mapping[str, Any] | None:
    """The payload's row that a line tells of, where it does, and that is not erased."""
    if entry.line["kind"] not in ("submit", "edit"):
        return None
    key = {"approval_id": entry.line["approval_id"], "version": entry.data["version"]}
    found = connection.execute(_PAYLOAD, key).mappings().first()
    return dict(found) if found is not None and found["text"] is not None else None


def receipt_of(connection: Connection, entry: Entry) -> str | None:
    """The receipt that a line tells of, where it does, and that is not erased."""
    if entry.line["kind"] not in ("receipt", "adopted"):
        return None
    found: str | None = connection.execute(_RECEIPT, {"approval_id": entry.line["approval_id"]}).scalar()
    return found


def row(entry: Entry, payload: str | None = None) -> dict[str, Any]:
    """A line as a row of a table: `COLUMNS`, the time in ISO 8601, UTC."""
    line = entry.line
    at = datetime.fromtimestamp(line["at"] / MICROSECONDS, UTC).isoformat().replace("+00:00", "Z")
    more = {"at": at, "agent": entry.agent, "action": entry.action, "payload": payload}
    return {name: more[name] if name in more else line[name] for name in COLUMNS}


def cell(value: Any) -> str:
    """A value for a spreadsheet, where no text of an agent's can become a formula."""
    text = "" if value is None else str(value)
    return f"'{text}" if text.lstrip(" ").startswith(FORMULA) else text
