"""How often an agent may ask, by itself, whether something was right: so that nobody is worn down."""

from __future__ import annotations

from typing import Final

from sqlalchemy import Connection, bindparam, func, literal_column, select

from signoff.errors import Limited
from signoff.models import changes, flood
from signoff.models.feedback import KIND
from signoff.models.store import approvals, now
from signoff.policy.policy import Policy
from signoff.policy.rules import ASKS_PER_HOUR

MOST_OPEN: Final = 10
"""Of an agent's questions of this kind, so many stand unanswered at once, at most."""
_OF = (approvals.c.agent == bindparam("agent"), approvals.c.kind == literal_column(f"'{KIND}'"))
_SINCE = select(func.count()).where(*_OF, approvals.c.created_at > bindparam("since"))
_WAITS = (approvals.c.status == literal_column("'pending'"), approvals.c.expires_at > now())
_OPEN = select(func.count()).where(*_OF, *_WAITS)


def check(connection: Connection, policy: Policy, agent: str) -> None:
    """Raise Limited where an agent has asked as often as the policy lets it, or nobody answers any more."""
    most = policy.contents.asks_per_hour if policy.contents else ASKS_PER_HOUR
    flood.lock(connection, agent)
    since = changes.clock(connection) - flood.HOUR
    if connection.execute(_SINCE, {"agent": agent, "since": since}).scalar_one() >= most:
        times = {0: "never", 1: "once in any hour"}.get(most, f"{most} times in any hour")
        raise Limited(f"By the policy {agent} may ask for feedback {times}: go on without.")
    if connection.execute(_OPEN, {"agent": agent}).scalar_one() >= MOST_OPEN:
        raise Limited(f"{MOST_OPEN} results of {agent} wait for feedback already: go on without.")
