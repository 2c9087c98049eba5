"""Whether what ran was right: asked of people once, answered by one of them; rows and statements.

Which outcomes people are asked about is worked out from the request's id alone, so that a policy's replay
comes to the same ones.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, get_args

from sqlalchemy import Connection, bindparam, insert, select, update

from signoff.models.clock import now
from signoff.models.messages import Decision
from signoff.models.more_tables import FeedbackRow
from signoff.models.receipt_claims import FEEDBACK
from signoff.models.tables import AgentRow, ApprovalRow

rows = FeedbackRow.__table__  # type: ignore[attr-defined]
approvals = ApprovalRow.__table__  # type: ignore[attr-defined]
agents = AgentRow.__table__  # type: ignore[attr-defined]

KIND = FEEDBACK
"""The kind of a request that asks nothing but whether a result is right."""
Answer = Literal["right", "partly", "wrong"]
ANSWERS: tuple[Answer, ...] = get_args(Answer)
MAX_TEXT: Final = 3000
"""Characters of a correction."""
OPEN_FOR: Final = 7 * 24 * 3600 * 1_000_000
"""Microseconds that a card asks whether something was right; nobody is reminded."""
OPEN_SECONDS: Final = OPEN_FOR // 1_000_000
WHOLE: Final = 10_000
"""What a share is a part of: 1,000 is 10 %."""


@dataclass(frozen=True)
class Feedback:
    """One question of this kind. Times are microseconds since 1970; `answer` is None until somebody has said.

    `by_id` and `name` say who did, `text` is their correction. `owner` is the agent's.
    """

    id: str
    asked_at: int
    answer: Answer | None = None
    by_id: str = ""
    name: str = ""
    text: str = ""
    at: int | None = None
    owner: str | None = None

    def people(self, decisions: Sequence[Decision]) -> tuple[str, ...]:
        """The ids of who is asked about an outcome: whoever approved, by these votes, and the owner."""
        voted = [one.approver for one in decisions if one.vote == "approve"]
        return tuple(dict.fromkeys([*voted, *([self.owner] if self.owner else [])]))

    def is_open(self, at: int | None) -> bool:
        """Whether somebody may still answer, at `at`; where no time is given, as if it were asked now."""
        return self.answer is None and (at is None or at < self.asked_at + OPEN_FOR)


def is_sampled(approval_id: str, share: int) -> bool:
    """Whether this one is among the `share` of 10,000 that people are asked about."""
    drawn = int.from_bytes(hashlib.sha256(f"signoff-feedback-1:{approval_id}".encode()).digest()[:8], "big")
    return drawn % WHOLE < share


_COLUMNS = ("id", "asked_at", "answer", "by_id", "name", "text", "at")
_OF = (
    select(*(rows.c[name] for name in _COLUMNS), agents.c.owner)
    .outerjoin(agents, agents.c.name == rows.c.agent)
    .where(rows.c.approval_id == bindparam("approval_id"))
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
    """People are asked about the outcome of an approval, `about`; its card asks no more once that is over."""
    values = {"id": feedback_id, "approval_id": about.id, "agent": about.agent, "action": about.action}
    connection.execute(_ADD, {**values, "asked_at": at})
    connection.execute(_REDRAW_LATER, {"which": about.id, "over_at": at + OPEN_FOR})


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
