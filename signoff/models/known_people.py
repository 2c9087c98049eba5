"""Everybody whom the rows know by name or id, whatever they did and for which agent; bounded."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, func, literal_column, select, union_all

from signoff.models.more_tables import FeedbackRow, NoteRow, TalkRow
from signoff.models.tables import AgentRow, ApprovalRow, DecisionRow

approvals = ApprovalRow.__table__  # type: ignore[attr-defined]
decisions = DecisionRow.__table__  # type: ignore[attr-defined]
agents = AgentRow.__table__  # type: ignore[attr-defined]
feedback = FeedbackRow.__table__  # type: ignore[attr-defined]
talks = TalkRow.__table__  # type: ignore[attr-defined]
notes = NoteRow.__table__  # type: ignore[attr-defined]

MOST: Final = 2000
"""People who decided, and rows of each other kind that are looked at, the newest."""
_MOST: Any = literal_column(str(MOST))


@dataclass(frozen=True)
class Known:
    """Names as people were called when they did something, and ids."""

    names: frozenset[str]
    ids: frozenset[str]


def _deciders() -> Select[Any]:
    """Each who has ever decided, with the name of the last time: one look into an index for each of them."""
    who = select(func.min(decisions.c.approver).label("id")).cte("who", recursive=True)
    other = decisions.alias("other")
    following = select(func.min(other.c.approver)).where(other.c.approver > who.c.id).scalar_subquery()
    who = who.union_all(select(following).where(who.c.id.is_not(None)))
    last = decisions.alias("last")
    name = (
        select(last.c.name)
        .where(last.c.approver == who.c.id)
        .order_by(last.c.at.desc())
        .limit(literal_column("1"))
        .scalar_subquery()
    )
    return select(who.c.id, name.label("name")).where(who.c.id.is_not(None)).limit(_MOST)


def _newest(table: Any, key: Any, *columns: Any) -> Select[Any]:
    """Of the newest rows, by a key that grows."""
    inner = select(*columns).select_from(table).order_by(key.desc()).limit(_MOST).subquery()
    return select(*inner.c)


_DECIDERS = _deciders()
_OTHERS = union_all(
    *(
        _newest(one, one.c.id, one.c.by_id.label("id"), one.c.name.label("name"))
        for one in (feedback, talks, notes)
    ),
)
_IDS = union_all(
    select(agents.c.owner.label("id")).where(agents.c.owner.is_not(None)).limit(_MOST).subquery().select(),
    *(
        _newest(approvals, approvals.c.created_at, column.label("id"))
        for column in (approvals.c.handed_to, approvals.c.handed_by)
    ),
)


def read(connection: Connection) -> Known:
    """Everybody whom the rows know."""
    rows = [*connection.execute(_DECIDERS), *connection.execute(_OTHERS)]
    ids = {row.id for row in rows} | {row.id for row in connection.execute(_IDS)}
    names = frozenset(row.name.strip() for row in rows if row.name and row.name.strip())
    return Known(names, frozenset(one for one in ids if one))
