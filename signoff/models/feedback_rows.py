"""The rows of what people are asked about outcomes and say of them, and from which state each is written."""

from __future__ import annotations

from typing import Any

from sqlalchemy import Connection, bindparam, func, insert, select, update

from signoff.models.clock import now
from signoff.models.feedback import OPEN_FOR, Feedback
from signoff.models.more_tables import FeedbackRow
from signoff.models.tables import AgentRow, ApprovalRow

rows = FeedbackRow.__table__  # type: ignore[attr-defined]
approvals = ApprovalRow.__table__  # type: ignore[attr-defined]
agents = AgentRow.__table__  # type: ignore[attr-defined]

_COLUMNS = ("id", "asked_at", "answer", "by_id", "name", "text", "at")
_OF = (
    select(*(rows.c[name] for name in _COLUMNS), agents.c.owner)
    .outerjoin(agents, agents.c.name == rows.c.agent)
    .where(rows.c.approval_id == bindparam("approval_id"))
)
_OF_BATCH = (
    select(func.count())
    .select_from(rows.join(approvals, approvals.c.id == rows.c.approval_id))
    .where(approvals.c.batch_id == bindparam("batch"))
)
_ADD = insert(rows)
_REDRAW_LATER = (
    update(approvals).where(approvals.c.id == bindparam("which")).values(ages_at=bindparam("over_at"))
)
_GIVE = (
    update(rows)
    .where(
        rows.c.approval_id == bindparam("of"),
        rows.c.answer.is_(None),
        rows.c.asked_at > now() - bindparam("open_for"),
    )
    .values(
        answer=bindparam("said"), text=bindparam("words"), by_id=bindparam("who"), name=bindparam("called"),
        at=bindparam("when"),
    )
)  # fmt: skip
_SHOW = (
    update(approvals)
    .where(approvals.c.id == bindparam("which"))
    .values(revision=approvals.c.revision + 1, not_before=0, ages_at=None)
)


def of(connection: Connection, approval_id: str) -> Feedback | None:
    """What people were asked about an approval's outcome; None where nobody was."""
    found = connection.execute(_OF, {"approval_id": approval_id}).first()
    if found is None:
        return None
    said = {name: getattr(found, name) for name in (*_COLUMNS, "owner")}
    return Feedback(**{name: value for name, value in said.items() if value is not None})


def ask(connection: Connection, feedback_id: str, about: Any, at: int) -> None:
    """People are asked about the outcome of an approval, `about`; a card of its own asks no more once that is
    over.
    """
    values = {"id": feedback_id, "approval_id": about.id, "agent": about.agent, "action": about.action}
    connection.execute(_ADD, {**values, "asked_at": at})
    if about.batch_id is None:
        connection.execute(_REDRAW_LATER, {"which": about.id, "over_at": at + OPEN_FOR})


def of_batch(connection: Connection, batch_id: int) -> int:
    """About how many of a batch's outcomes people were asked."""
    return int(connection.execute(_OF_BATCH, {"batch": batch_id}).scalar_one())


def note(connection: Connection, feedback_id: str, about: Any, said: dict[str, Any]) -> None:
    """What somebody has said of a result that needed no approval: asked and answered in one row.

    `said` has `answer`, `text`, `by_id`, `name` and `at`.
    """
    values = {"id": feedback_id, "approval_id": about.id, "agent": about.agent, "action": about.action}
    connection.execute(_ADD, {**values, "asked_at": about.created_at, **said})


def give(connection: Connection, approval_id: str, said: dict[str, Any]) -> bool:
    """Asked, open and unanswered → answered, and its card is due; False where it is not so."""
    values = {
        "of": approval_id, "said": said["answer"], "words": said["text"], "who": said["by_id"],
        "called": said["name"], "when": said["at"], "open_for": OPEN_FOR,
    }  # fmt: skip
    if connection.execute(_GIVE, values).rowcount != 1:
        return False
    connection.execute(_SHOW, {"which": approval_id})
    return True
