"""People's votes, as they are written and read: one row each, of one version."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Literal

from sqlalchemy import BigInteger, Connection, Text, bindparam, insert, literal_column, select, update

from signoff.models.fixed import Fixed, Step, together
from signoff.models.messages import Decision
from signoff.models.store import Store, approvals, decisions
from signoff.payload.canonical import canonical

Why = Literal["taken_back", "changed", "edited", "lost"]
"""Why a vote counts no more: its voter took it back or has rejected since, somebody changed the payload, or
they may not decide on it any more.
"""
_VOTE = (
    "vote",
    "approver",
    "name",
    "reason",
    "resubmit",
    "second_factor",
    "seat",
    "self_approved",
    "deputy_for",
)
_ADD = Fixed(insert(decisions), (*_VOTE, "fits", "answer", "approval_id", "version", "at"))
_VOID = (
    update(decisions)
    .where(
        decisions.c.approval_id == bindparam("about"),
        decisions.c.version == bindparam("of"),
        decisions.c.approver == bindparam("whose"),
        decisions.c.withdrawn_at.is_(None),
    )
    .values(withdrawn_at=bindparam("now", type_=BigInteger), void=bindparam("why", type_=Text))
)
_VOTED_ON = (
    select(approvals.c.id)
    .where(
        approvals.c.status == literal_column("'pending'"),
        approvals.c.ballots > literal_column("0"),
    )
    .order_by(approvals.c.created_at, approvals.c.id)
)


def add(connection: Connection, approval_id: str, version: int, decision: Decision, at: int) -> None:
    """One approver's vote, `at` (microseconds since 1970)."""
    together(connection, added(approval_id, version, decision, at))


def added(approval_id: str, version: int, decision: Decision, at: int) -> Step:
    """What `add` runs."""
    values = {name: getattr(decision, name) for name in _VOTE}
    values["answer"] = None if decision.answer is None else canonical(decision.answer)
    values["fits"] = json.dumps(decision.fits) if decision.fits else ""
    return _ADD, {**values, "approval_id": approval_id, "version": version, "at": at}


def void(connection: Connection, approval_id: str, version: int, approver: str, at: int, why: Why) -> bool:
    """Somebody's standing vote counts no more; False where they have none."""
    values = {"about": approval_id, "of": version, "whose": approver, "now": at, "why": why}
    return connection.execute(_VOID, values).rowcount == 1


def voted_on(store: Store) -> Sequence[str]:
    """Ids of what waits and somebody has voted on, oldest first."""
    with store.reading() as connection:
        return connection.execute(_VOTED_ON).scalars().all()
