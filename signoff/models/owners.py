"""Whose agent it is."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, select

from signoff.models.fixed import Fixed
from signoff.models.store import agents

_OWNER = Fixed(select(agents.c.owner).where(agents.c.name == bindparam("agent")))


def of(connection: Connection, agent: str) -> str | None:
    """The user id of an agent's owner, as the policy or an admin has last said; None where nobody has."""
    found = _OWNER.first(connection, {"agent": agent})
    return found.owner if found else None
