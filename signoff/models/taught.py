"""The rows that teach an agent something: what people decided, answered and said of outcomes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import Connection, Select, bindparam, exists, func, literal_column, select

from signoff.models import feedback_rows
from signoff.models.clock import now
from signoff.models.lessons import LessonKind
from signoff.models.tables import ApprovalRow, DecisionRow, PayloadRow

approvals = ApprovalRow.__table__  # type: ignore[attr-defined]
decisions = DecisionRow.__table__  # type: ignore[attr-defined]
payloads = PayloadRow.__table__  # type: ignore[attr-defined]
given = feedback_rows.rows

LOOKED_AT: Final = 300
"""Of each kind, so many are looked at, the newest: what an agent asks costs that much, and no more."""
EDITS: Final = 100
"""Of edits fewer: each has two payloads to compare."""
MOST_CHARACTERS: Final = 16_000
"""Of a payload that is compared, or whose question is told."""


@dataclass(frozen=True)
class Taught:
    """One row. `said` is a person's reason, note or correction, `name` and `by_id` are theirs; `at` is in
    microseconds since 1970.

    `sent` and `approved` are payloads as text, where they matter and are not erased; `answer` is JSON.
    """

    kind: LessonKind
    agent: str
    action: str
    at: int
    said: str = ""
    name: str | None = None
    by_id: str | None = None
    resubmit: bool = False
    sent: str | None = None
    approved: str | None = None
    answer: str | None = None


_AGENTS: Any = bindparam("agents", expanding=True)
_ABOUT = ("agent", "action")
_later = decisions.alias("later")
_VOTE = (
    (decisions.c.approval_id == approvals.c.id)
    & decisions.c.withdrawn_at.is_(None)
    & ~exists().where(  # of several votes the last one
        _later.c.approval_id == decisions.c.approval_id,
        _later.c.withdrawn_at.is_(None),
        _later.c.id > decisions.c.id,
    )
)


def _newest(statement: Select[Any], at: Any, most: int) -> Select[Any]:
    return statement.order_by(at.desc()).limit(literal_column(str(most)))


def _short(column: Any) -> Any:
    return func.length(column) <= literal_column(str(MOST_CHARACTERS))


first = payloads.alias("first")
last = payloads.alias("last")
_ENDED = (*(approvals.c[name] for name in _ABOUT), approvals.c.ended_at.label("at"))
_WHO = (decisions.c.name, decisions.c.approver.label("by_id"))
_SAID = (decisions.c.reason.label("said"), *_WHO, decisions.c.resubmit)
_FEEDBACK = select(
    given.c.answer.label("kind"), *(given.c[name] for name in _ABOUT), given.c.at, given.c.text.label("said"),
    given.c.name, given.c.by_id,
).where(given.c.agent.in_(_AGENTS), given.c.answer.is_not(None))  # fmt: skip
_REJECTED = (
    select(literal_column("'rejected'").label("kind"), *_ENDED, *_SAID)
    .select_from(approvals)
    .join(decisions, _VOTE & (decisions.c.vote == literal_column("'reject'")))
    .where(approvals.c.status == literal_column("'rejected'"), approvals.c.agent.in_(_AGENTS))
)
_EDITED = (
    select(
        literal_column("'edited'").label("kind"), *_ENDED, *_SAID, first.c.text.label("sent"),
        last.c.text.label("approved"),
    )
    .select_from(approvals)
    .join(decisions, _VOTE & (decisions.c.vote == literal_column("'approve'")))
    .join(first, (first.c.approval_id == approvals.c.id) & (first.c.version == literal_column("1")))
    .join(last, (last.c.approval_id == approvals.c.id) & (last.c.version == approvals.c.version))
    .where(
        approvals.c.version > literal_column("1"),
        approvals.c.status == literal_column("'approved'"),
        approvals.c.agent.in_(_AGENTS),
        decisions.c.version == approvals.c.version,
        _short(first.c.text),
        _short(last.c.text),
    )
)  # fmt: skip
_ANSWERED = (
    select(literal_column("'answered'").label("kind"), *_ENDED, *_WHO, first.c.text.label("sent"),
           decisions.c.answer)
    .select_from(approvals)
    .join(decisions, _VOTE & (decisions.c.vote == literal_column("'answer'")))
    .join(first, (first.c.approval_id == approvals.c.id) & (first.c.version == literal_column("1")))
    .where(
        approvals.c.status == literal_column("'answered'"),
        approvals.c.kind == literal_column("'question'"),
        approvals.c.agent.in_(_AGENTS),
        _short(first.c.text),
    )
)  # fmt: skip
_ALL = [
    (_FEEDBACK, given.c.action, given.c.at, LOOKED_AT),
    (_REJECTED, approvals.c.action, approvals.c.ended_at, LOOKED_AT),
    (_EDITED, approvals.c.action, approvals.c.ended_at, EDITS),
    (_ANSWERED, approvals.c.action, approvals.c.ended_at, LOOKED_AT),
]
_OF_ALL = [_newest(one, at, most) for one, _, at, most in _ALL]
_OF_ONE = [_newest(one.where(action == bindparam("about")), at, most) for one, action, at, most in _ALL]
_NOW = select(now())


def read(connection: Connection, agents: Sequence[str], action: str | None) -> tuple[list[Taught], int]:
    """What people said of the work of these agents, of one action or of all; and the database's time."""
    values: dict[str, Any] = {"agents": list(agents)}
    if action is not None:
        values["about"] = action
    found = [
        Taught(**dict(row))
        for statement in (_OF_ALL if action is None else _OF_ONE)
        for row in connection.execute(statement, values).mappings()
    ]
    return found, int(connection.execute(_NOW).scalar_one())
