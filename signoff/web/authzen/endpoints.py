"""Where an agent may be told of its decisions: only where an operator has said so before."""

from __future__ import annotations

from sqlalchemy import bindparam, exists, select

from signoff.models.outbox import endpoints
from signoff.models.store import Store

_REGISTERED = select(
    exists().where(
        endpoints.c.agent == bindparam("agent"),
        endpoints.c.url == bindparam("url"),
        endpoints.c.off_at.is_(None),
    )
)


def is_registered(store: Store, agent: str, url: str) -> bool:
    """Whether an operator has registered just this URL for this agent, and nothing has switched it off."""
    with store.reading() as connection:
        return bool(connection.execute(_REGISTERED, {"agent": agent, "url": url}).scalar())
