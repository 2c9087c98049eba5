"""People's questions to an agent that wait for its answer, for who reads them without Redis."""

from __future__ import annotations

from dataclasses import dataclass

from sqlalchemy import bindparam, literal_column, select

from signoff.models.clock import now
from signoff.models.store import Store
from signoff.models.tables import ApprovalRow
from signoff.models.talk_rows import talks
from signoff.models.talks import WAITS, Talk

MOST = 100
"""So many come at once, the oldest first: of one agent no more are asked in three minutes."""
_approvals = ApprovalRow.__table__  # type: ignore[attr-defined]
_TALK = ("id", "version", "by_id", "name", "question", "state", "asked_at", "until")
_OPEN = (
    select(*(talks.c[name] for name in _TALK), talks.c.token, talks.c.approval_id)
    .add_columns(_approvals.c.request_id, _approvals.c.action)
    .join(_approvals, _approvals.c.id == talks.c.approval_id)
    .where(
        _approvals.c.agent == bindparam("of_agent"),
        _approvals.c.status == literal_column("'pending'"),
        _approvals.c.expires_at > now(),
        talks.c.state.in_([literal_column(f"'{state}'") for state in WAITS]),
    )
    .order_by(talks.c.asked_at, talks.c.id)
    .limit(literal_column(str(MOST)))
)


@dataclass(frozen=True)
class Open:
    """A question that waits, the signed token of it, and what it is about."""

    talk: Talk
    token: str
    approval_id: str
    request_id: str
    action: str


def read(store: Store, agent: str) -> list[Open]:
    """All that wait for this agent's answer, the oldest first."""
    with store.reading() as connection:
        rows = connection.execute(_OPEN, {"of_agent": agent}).all()
    return [
        Open(
            Talk(*(getattr(row, name) for name in _TALK)),
            row.token,
            row.approval_id,
            row.request_id,
            row.action,
        )
        for row in rows
    ]
