"""What there is already when a request comes: itself, its agent, its key, and others with its code."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, bindparam, exists, func, literal_column, select
from sqlalchemy.engine import Row

from signoff.models import codes, outbox
from signoff.models.store import agents, approvals, now

_FIND = select(approvals.c.id).where(
    approvals.c.agent == bindparam("agent"), approvals.c.request_id == bindparam("request_id")
)
_HEAD = func.substr(approvals.c.id, literal_column("1"), literal_column("8"))
"""As the index on it has it: eight characters are as many as any code's beginning needs."""
_BEFORE = select(
    now().label("now"),
    _FIND.scalar_subquery().label("approval_id"),
    exists().where(agents.c.name == bindparam("agent")).label("agent_known"),
    exists().where(_HEAD.between(bindparam("first"), bindparam("last"))).label("code_taken"),
    outbox.wanted(bindparam("agent")).label("hooked"),
)
_WITH_HEADS = select(approvals.c.id, approvals.c.code_length).where(
    _HEAD.between(bindparam("first"), bindparam("last"))
)
_KEY = select(approvals.c.id, approvals.c.request_id, approvals.c.digest_sent, approvals.c.action).where(
    approvals.c.agent == bindparam("agent"), approvals.c.key == bindparam("key")
)


def before(connection: Connection, agent: str, request_id: str) -> Row[Any]:
    """What there is before a request is written, in one statement.

    `now`; `approval_id` of the Approval that it has already, else None; whether the agent has asked before
    (`agent_known`), whether another id begins so that it may have the same code (`code_taken`), and whether a
    webhook wants to hear of its end (`hooked`).
    """
    values = {"agent": agent, "request_id": request_id, **_ends(codes.heads(codes.code(request_id)))}
    return connection.execute(_BEFORE, values).one()


def with_heads(connection: Connection, heads: Sequence[str]) -> list[tuple[str, int]]:
    """Ids that begin so (see `codes.heads`), and how long their codes are."""
    found = connection.execute(_WITH_HEADS, _ends(heads))
    return [(row.id, row.code_length) for row in found]


def _ends(heads: Sequence[str]) -> dict[str, str]:
    return {"first": heads[0], "last": heads[-1]}


def by_key(connection: Connection, agent: str, key: str) -> Row[Any] | None:
    """id, request_id, digest_sent and action of an agent's request with this key."""
    return connection.execute(_KEY, {"agent": agent, "key": key}).first()
