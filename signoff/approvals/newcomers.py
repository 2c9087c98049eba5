"""An agent of which a server hears for the first time by what is no request."""

from __future__ import annotations

from sqlalchemy import Connection

from signoff.approvals.audit import Event
from signoff.approvals.verdicts import Judge
from signoff.models import changes, undos


def met(connection: Connection, judge: Judge, agent: str, at: int) -> list[Event]:
    """It is known from now on; gives what the log has to say of that, nothing where it was known.

    `at` in microseconds since 1970. Several may meet it at once: one of them is first.
    """
    owner = judge.policy.owner(agent)
    if undos.is_agent(connection, agent) or not changes.meet_agent(connection, agent, owner, at):
        return []
    return [Event("agent", None, at, "signoff", {"agent": agent, "owner": owner, "created_at": at})]
