"""Under which policy what waits was last judged, and whose card names other people than that policy does."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, literal_column, select, update

from signoff.models.store import Store, approvals, now
from signoff.models.tables import PolicyRow

policies = PolicyRow.__table__  # type: ignore[attr-defined]
MOST = 100
"""Approvals that are judged again at one look."""

_WAITS = (
    approvals.c.status == literal_column("'pending'"),
    approvals.c.expires_at > now(),
    approvals.c.closed_in.is_(None),
)
_STALE = (
    select(approvals.c.id)
    .where(*_WAITS, approvals.c.judged.is_distinct_from(bindparam("policy")))
    .order_by(approvals.c.created_at)
    .limit(literal_column(str(MOST)))
)
_NEWEST = select(policies.c.digest).where(policies.c.since > 0).order_by(policies.c.since.desc()).limit(1)
_JUDGED = (
    update(approvals)
    .where(approvals.c.id == bindparam("approval_id"), approvals.c.status == literal_column("'pending'"))
    .values(judged=bindparam("policy"), moved=bindparam("differs"))
)
_DRAWN = (
    update(approvals)
    .where(approvals.c.id == bindparam("approval_id"))
    .values(judged=bindparam("policy"), drawn=bindparam("shown"), moved=0)
)


def stale(store: Store, policy: str) -> list[str]:
    """The oldest ids that wait, and were last judged, or drawn, under another policy; `policy` is its digest.

    None where another process has put a newer policy in force: that one's processes judge, and this one will
    when it has read it, too. Two that differ for good would otherwise redraw each other's cards for ever.
    """
    with store.reading() as connection:
        newest = connection.execute(_NEWEST).scalar()
        if newest is not None and not newest.startswith(policy):
            return []
        return list(connection.execute(_STALE, {"policy": policy}).scalars())


def note_judged(connection: Connection, approval_id: str, policy: str, moved: bool) -> None:
    """It was judged again; `moved` where its card shows what is no longer so."""
    values = {"approval_id": approval_id, "policy": policy, "differs": int(moved)}
    connection.execute(_JUDGED, values)


def note_drawn(connection: Connection, approval_id: str, policy: str, shown: str) -> None:
    """Its card shows a verdict (`shown`, see `standing.shown_of`) of this policy."""
    connection.execute(_DRAWN, {"approval_id": approval_id, "policy": policy, "shown": shown})
