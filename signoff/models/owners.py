"""Whose agent it is: as its row says, and as the log does, which nobody can change."""

from __future__ import annotations

import json

from sqlalchemy import Connection, bindparam, literal_column, select

from signoff.models.fixed import Fixed
from signoff.models.log import events
from signoff.models.store import agents, approvals

_OWNER = Fixed(select(agents.c.owner).where(agents.c.name == bindparam("agent")))
_NAMED = (
    select(events.c.kind, events.c.data)
    .where(events.c.kind.in_([literal_column("'agent'"), literal_column("'policy'")]))
    .order_by(events.c.seq.desc())
)
"""Lines by which owners change: a few for each policy and agent, in an index of their own."""
_FIRST = (
    select(events.c.data)
    .join(approvals, approvals.c.id == events.c.approval_id)
    .where(
        approvals.c.agent == bindparam("agent"),
        events.c.kind == literal_column("'submit'"),
        events.c.actor == bindparam("agent"),
    )
    .order_by(approvals.c.created_at, events.c.seq)
    .limit(literal_column("1"))
)


def of(connection: Connection, agent: str) -> str | None:
    """The user id of an agent's owner, as the policy or an admin has last said; None where nobody has."""
    found = _OWNER.first(connection, {"agent": agent})
    return found.owner if found else None


def told(connection: Connection, agent: str) -> str | None:
    """The same as the log's newest word says; None where it names nobody."""
    with connection.execute(_NAMED) as lines:
        for line in lines:
            data = json.loads(line.data)
            if line.kind == "agent" and data.get("agent") == agent and "owner" in data:
                return _id(data["owner"])
            if line.kind == "policy" and agent in data.get("owners", {}):
                return _id(data["owners"][agent])
    first = connection.execute(_FIRST, {"agent": agent}).scalar()
    return _id(json.loads(first).get("owner")) if first else None


def _id(owner: object) -> str | None:
    return owner if isinstance(owner, str) else None
