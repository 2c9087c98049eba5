"""Whom somebody has asked in their place: noted in the row of what waits."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, update

from signoff.models.fixed import Fixed
from signoff.models.store import approvals, now

_HAND = Fixed(
    update(approvals)
    .where(
        approvals.c.id == bindparam("approval_id"),
        approvals.c.status == "pending",
        approvals.c.version == bindparam("seen"),
        approvals.c.expires_at > now(),
        approvals.c.closed_in.is_(None),
        approvals.c.handed_to.is_distinct_from(bindparam("to_user")),
    )
    .values(
        handed_to=bindparam("to_user"),
        handed_by=bindparam("by_user"),
        revision=approvals.c.revision + 1,
        not_before=0,
    )
)


def hand(connection: Connection, approval_id: str, seen: int, to: str, by: str) -> bool:
    """Pending and still in time, at the version that was seen → handed to somebody; False where it is not so,
    or they have it already.
    """
    values = {"approval_id": approval_id, "seen": seen, "to_user": to, "by_user": by}
    return _HAND.run(connection, values) == 1
