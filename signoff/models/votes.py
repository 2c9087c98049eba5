"""People's votes, as they are written: one row each, of one version."""

from __future__ import annotations

from sqlalchemy import Connection, insert

from signoff.models.fixed import Fixed, Step, together
from signoff.models.messages import Decision
from signoff.models.store import decisions
from signoff.payload.canonical import canonical

_VOTE = ("vote", "approver", "name", "reason", "resubmit", "second_factor")
_ADD = Fixed(insert(decisions), (*_VOTE, "answer", "approval_id", "version", "at"))


def add(connection: Connection, approval_id: str, version: int, decision: Decision, at: int) -> None:
    """One approver's vote, `at` (microseconds since 1970)."""
    together(connection, added(approval_id, version, decision, at))


def added(approval_id: str, version: int, decision: Decision, at: int) -> Step:
    """What `add` runs."""
    values = {name: getattr(decision, name) for name in _VOTE}
    values["answer"] = None if decision.answer is None else canonical(decision.answer)
    return _ADD, {**values, "approval_id": approval_id, "version": version, "at": at}
