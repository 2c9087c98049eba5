"""How often an agent was rejected, or has failed, of late; since it was last resumed."""

from __future__ import annotations

from typing import Any, Literal

from sqlalchemy import Connection, bindparam, func, select

from signoff.models.changes import clock
from signoff.models.stop_tables import StopRow
from signoff.models.store import MICROSECONDS, approvals

What = Literal["denied", "failed"]
stops: Any = StopRow.__table__  # type: ignore[attr-defined]
_RESUMED = select(func.max(func.coalesce(stops.c.staged_at, stops.c.ended_at))).where(
    (stops.c.kind == "all") | ((stops.c.kind == "agent") & (stops.c.name == bindparam("agent")))
)
_DENIED = (
    select(approvals.c.id)
    .where(
        approvals.c.agent == bindparam("agent"),
        approvals.c.status == "rejected",
        approvals.c.ended_at > bindparam("since"),
    )
    .limit(bindparam("most"))
)
_FAILED = (
    select(approvals.c.id)
    .where(
        approvals.c.agent == bindparam("agent"),
        approvals.c.outcome_at > bindparam("since"),
        approvals.c.outcome.like('%"succeeded":false%'),
    )
    .limit(bindparam("most"))
)


def count(connection: Connection, agent: str, what: What, within: int, most: int) -> int:
    """How often that was in the last `within` seconds, at most `most`; nothing of before a resume counts."""
    resumed = connection.execute(_RESUMED, {"agent": agent}).scalar() or 0
    since = max(clock(connection) - within * MICROSECONDS, resumed)
    statement = _DENIED if what == "denied" else _FAILED
    found = connection.execute(statement, {"agent": agent, "since": since, "most": most})
    return len(found.all())
