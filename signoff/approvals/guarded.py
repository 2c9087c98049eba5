"""What executors' guards have spent through the API: each receipt once, with a line of the log.

A guard is about to run it. So the request's row says, too, that it was spent, where nobody had said so yet.
Where an agent's own process had, that stands: first an agent spends, then the executor that it hands the
receipt to.
"""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

from sqlalchemy import Connection, bindparam, delete, exc, select, text, tuple_

from signoff.approvals import audit
from signoff.approvals.audit import Event, salted
from signoff.errors import Stopped
from signoff.models import changes, stop_rows
from signoff.models.door_tables import SpentRow
from signoff.models.receipt import Receipt
from signoff.models.store import MICROSECONDS, Store, approvals
from signoff.spent import Key, Spent

GUARD = "an executor's guard"
"""Who has spent a request of which nobody else had said so."""
CHUNK = 1000
"""Rows that are let go of at a time."""
spent_rows: Any = SpentRow.__table__  # type: ignore[attr-defined]
_ADD = text(
    "INSERT INTO signoff_spent (kid, agent, id, spent_by, spent_at, until) "
    "VALUES (:kid, :agent, :id, :by, :at, :until) ON CONFLICT DO NOTHING"
)
_NAMED = tuple_(spent_rows.c.kid, spent_rows.c.agent, spent_rows.c.id)
_FIRST = select(spent_rows.c.spent_by, spent_rows.c.spent_at).where(
    spent_rows.c.kid == bindparam("kid"),
    spent_rows.c.agent == bindparam("agent"),
    spent_rows.c.id == bindparam("id"),
)
_ABOUT = select(approvals.c.id).where(
    approvals.c.agent == bindparam("agent"), approvals.c.request_id == bindparam("id")
)
_ENDED = select(approvals.c.ended_at).where(
    approvals.c.agent == bindparam("agent"), approvals.c.request_id == bindparam("id")
)
_OVER = (
    select(spent_rows.c.kid, spent_rows.c.agent, spent_rows.c.id)
    .where(spent_rows.c.until < bindparam("now"))
    .limit(bindparam("most"))
)
_FORGET = delete(spent_rows).where(_NAMED.in_(_OVER))


class Guarded:
    """A guard's store (`signoff.spent.Store`) of who shows the token with the id `token`.

    `receipt` is what is spent: where that is given, nothing is that was stopped.
    """

    def __init__(self, store: Store, token: str, receipt: Receipt | None = None) -> None:
        self._store = store
        self._token = token
        self._receipt = receipt

    def spend(self, key: Key, spent: Spent, *, until: datetime) -> Spent:
        """Who was first; all that is kept of it is kept in one transaction. Raises OSError, and Stopped."""
        kid, agent, request_id = key
        named = {"kid": kid, "agent": agent, "id": request_id}
        row = named | {"by": spent.by, "at": spent.at.isoformat(), "until": int(until.timestamp())}
        try:
            with self._store.transaction("spend") as connection:
                self._heed(connection)
                if connection.execute(_ADD, row).rowcount == 1:
                    self._note(connection, kid, agent, request_id)
                    return spent
                first = connection.execute(_FIRST, named).one()
        except exc.SQLAlchemyError as error:
            raise OSError(f"{type(error).__name__}") from None
        return Spent(first.spent_by, datetime.fromisoformat(first.spent_at))

    def _heed(self, connection: Connection) -> None:
        """Raises Stopped, where what was approved was stopped since."""
        if (one := self._receipt) is None:
            return
        at = int(one.issued_at.timestamp()) * MICROSECONDS
        ended = connection.execute(_ENDED, {"agent": one.agent, "id": one.id}).scalar() or 0
        if ended // MICROSECONDS == at // MICROSECONDS:
            at = ended  # receipts count in seconds, and rows more finely
        stop = stop_rows.voiding(connection, one.agent, one.action, at, undo=one.undoes is not None)
        if stop is not None:
            raise Stopped(f"{stop.said}.", one)

    def _note(self, connection: Connection, kid: str, agent: str, request_id: str) -> None:
        at = changes.clock(connection)
        about = connection.execute(_ABOUT, {"agent": agent, "id": request_id}).scalar()
        said = {"agent": agent, "request": request_id, "kid": kid, "token": self._token}
        lines = [Event("guard", about, at, agent, said)]
        if about is not None and changes.spend(connection, about, GUARD, at):
            by = salted(changes.salt(connection, about), GUARD)
            lines.append(Event("spend", about, at, agent, {"by": by, "spent_at": at}))
        audit.append(connection, *lines)


def forget(store: Store) -> int:
    """Let go of what no receipt holds for any more → how many; at most `CHUNK`, which may not be all."""
    now = int(datetime.now(UTC).timestamp())
    with store.transaction() as connection:
        return connection.execute(_FORGET, {"now": now, "most": CHUNK}).rowcount
