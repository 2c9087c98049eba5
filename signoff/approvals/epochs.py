"""Epochs: each restore starts a new one, and ends what waited, so that nothing is decided twice.

What was decided after the backup is in no row any more; its receipt is at the agent, and in Redis. So nobody
may decide what the backup holds as pending. `begin` closes it while no server runs. Later
`Approvals.close_restored` ends it: as its receipt in Redis says, else as expired.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, bindparam, case, func, insert, select, update

from signoff.approvals import audit
from signoff.approvals.audit import Event
from signoff.models import changes
from signoff.models.receipt import Receipt
from signoff.models.store import MICROSECONDS, Store, approvals, now
from signoff.models.tables import EpochRow

epochs = EpochRow.__table__  # type: ignore[attr-defined]

CLOSED = "Signoff was restored from a backup that does not know how this ended: ask again."
"""Why what waited was ended; in the row, in its receipt and on its card."""
LOST = "Signoff was restored from a backup made before this request: ask again, under another key."
"""What agents are told of a request that is in no row any more."""
ACTOR = "signoff"

_LAST = select(func.max(epochs.c.number))
_NEWEST = select(func.max(epochs.c.started_at)).where(epochs.c.number > 1)
_BEGIN = insert(epochs)
_CLOSE = (
    update(approvals)
    .where(approvals.c.status == "pending")
    .values(
        closed_in=bindparam("number"),
        expires_at=case(
            (approvals.c.expires_at < bindparam("at"), approvals.c.expires_at), else_=bindparam("at")
        ),
    )
)
_CLOSED_IDS = (
    select(approvals.c.id)
    .where(approvals.c.status == "pending", approvals.c.closed_in.is_not(None))
    .order_by(approvals.c.created_at)
    .limit(bindparam("most"))
)
_UNTOLD = select(epochs.c.number).where(epochs.c.told_at.is_(None))
_TOLD = update(epochs).where(epochs.c.number == bindparam("which")).values(told_at=now())


@dataclass(frozen=True)
class Epoch:
    """One that has begun: its number, when (microseconds since 1970), and how many requests it closed."""

    number: int
    started_at: int
    closed: int


def begin(connection: Connection, backup_at: int | None) -> Epoch:
    """Start a new epoch in a database that was put back, as its transaction's last statements.

    `backup_at` is when the backup was taken (microseconds since 1970), None where that is not known. No
    server may run: one would go on with what it has read.
    """
    at = changes.clock(connection)
    number = (connection.execute(_LAST).scalar() or 1) + 1
    connection.execute(_BEGIN, {"number": number, "started_at": at, "backup_at": backup_at})
    closed = connection.execute(_CLOSE, {"number": number, "at": at}).rowcount
    head = audit.head(connection)
    data = {"epoch": number, "backup_at": backup_at, "head": head, "closed": closed}
    audit.append(connection, Event("restored", None, at, ACTOR, data))
    return Epoch(number, at, closed)


def is_before(store: Store, at: datetime) -> bool:
    """Whether the database was put back after this time: what was done with it until then may be in no row.

    The second of the restore itself counts as before: no server ran in it.
    """
    with store.reading() as connection:
        began = connection.execute(_NEWEST).scalar()
    return began is not None and int(at.timestamp()) <= began // MICROSECONDS


def closing(connection: Connection, receipt: Receipt) -> int | None:
    """The epoch whose restore a receipt says has ended its request; None where something else did."""
    if receipt.status != "expired" or receipt.reason != CLOSED:
        return None
    return connection.execute(_LAST).scalar() or 1


def closed(store: Store, most: int = 500) -> list[str]:
    """Ids of what a restore has closed and nobody has ended yet; looks only while agents are untold."""
    if not untold(store):
        return []
    with store.reading() as connection:
        return list(connection.execute(_CLOSED_IDS, {"most": most}).scalars())


def untold(store: Store) -> list[str]:
    """The numbers of epochs that agents have not been told of."""
    with store.reading() as connection:
        return [str(number) for number in connection.execute(_UNTOLD).scalars()]


def note_told(store: Store, number: int) -> None:
    """Agents have been told of an epoch."""
    with store.transaction() as connection:
        connection.execute(_TOLD, {"which": number})
