"""An agent of which a server hears for the first time by what is no request."""

from __future__ import annotations

from sqlalchemy import Connection

from signoff.approvals import audit
from signoff.approvals.audit import Event
from signoff.approvals.verdicts import Judge
from signoff.models import changes, undos


def meet(connection: Connection, judge: Judge, agent: str, at: int) -> None:
    """It is known from now on, and the log says so; `at` in microseconds since 1970."""
    if undos.is_agent(connection, agent):
        return
    owner = judge.policy.owner(agent)
    changes.add_agent(connection, agent, owner, at)
    data = {"agent": agent, "owner": owner, "created_at": at}
    audit.append(connection, Event("agent", None, at, "signoff", data))
