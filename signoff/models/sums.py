"""What has been counted for the sums that a policy bounds: what waits is reserved, what may run counts 24 h.

Every method is called inside the transaction that it counts in, under the agent's lock (`flood.lock`) where
something may be let run by what it gives.
"""

from __future__ import annotations

from decimal import Decimal
from typing import Any

from sqlalchemy import Connection, bindparam, delete, func, insert, or_, select

from signoff.models.amounts import STEP, Entry, entries
from signoff.models.approval import Approval
from signoff.models.store import MICROSECONDS, now
from signoff.models.tables import AmountRow
from signoff.models.verdict import Verdict

DAY = 24 * 3600 * MICROSECONDS
"""For so long after it was allowed or approved a request counts: a sliding day, by the database's clock."""
amounts = AmountRow.__table__  # type: ignore[attr-defined]

_SAME = (
    amounts.c.agent == bindparam("of_agent"),
    amounts.c.sum == bindparam("of_sum"),
    amounts.c.bucket == bindparam("in_bucket"),
)
# In two parts: SQLite's sum of whole numbers fails where it passes 2^63.
_TOTAL = select(func.sum(amounts.c.whole), func.sum(amounts.c.millionths)).where(
    *_SAME, or_(amounts.c.until.is_(None), amounts.c.until > now())
)
_CLEAR = delete(amounts).where(*_SAME, amounts.c.until <= now())
_FREE = delete(amounts).where(amounts.c.approval_id == bindparam("of"))
_ADD = insert(amounts)


def total(connection: Connection, agent: str, entry: Entry) -> Decimal:
    """What an agent's requests have come to in a sum, in the last 24 h and with what waits."""
    whole, millionths = connection.execute(_TOTAL, _named(agent, entry)).one()
    return Decimal(int(whole or 0)) + Decimal(int(millionths or 0)) * STEP


def reserve(connection: Connection, approval: Approval) -> None:
    """A request waits, and what it asks for is taken off what is left."""
    _note(connection, approval, None)


def change(connection: Connection, approval: Approval, before: Verdict) -> None:
    """A request waits on with another payload, for which it is judged otherwise: it reserves that."""
    if approval.verdict.sums or before.sums:
        connection.execute(_FREE, {"of": approval.id})
        _note(connection, approval, None)


def settle(
    connection: Connection, approval: Approval, status: str, at: int, before: Verdict | None = None
) -> None:
    """A request has ended, `at` (microseconds since 1970): what may run counts, by its final payload.

    What ended otherwise frees what it had reserved. `approval` has the verdict by which it ends, and waited
    under `before`.
    """
    if approval.verdict.sums or (before and before.sums):
        connection.execute(_FREE, {"of": approval.id})
        if status == "approved":
            _note(connection, approval, at + DAY)


def _note(connection: Connection, approval: Approval, until: int | None) -> None:
    for entry in entries(approval.verdict.sums, approval.payload):
        if entry.amount is None:
            continue  # somebody decides on it, and nobody can say what it counts for
        connection.execute(_CLEAR, _named(approval.agent, entry))
        connection.execute(_ADD, columns(approval.id, approval.agent, entry, until))


def columns(approval_id: str, agent: str, entry: Entry, until: int | None) -> dict[str, Any]:
    """The row for what an approval counts for in a sum, which can be said; `until` as in `AmountRow`."""
    assert entry.amount is not None
    whole = int(entry.amount)
    return {
        "approval_id": approval_id,
        "sum": entry.key,
        "agent": agent,
        "bucket": entry.bucket,
        "whole": whole,
        "millionths": int((entry.amount - whole) / STEP),
        "until": until,
    }


def _named(agent: str, entry: Entry) -> dict[str, str]:
    return {"of_agent": agent, "of_sum": entry.key, "in_bucket": entry.bucket}
