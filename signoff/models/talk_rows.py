"""Talks and notes in the database: who may change them is the one writer's to say."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    bindparam,
    case,
    exists,
    func,
    insert,
    literal_column,
    or_,
    select,
    update,
)

from signoff.models.clock import now
from signoff.models.fixed import Fixed, Step
from signoff.models.more_tables import NoteRow, TalkRow
from signoff.models.tables import ApprovalRow
from signoff.models.talks import WAITS, Note, Talk

MINUTE = 60_000_000
talks: Any = TalkRow.__table__  # type: ignore[attr-defined]
notes: Any = NoteRow.__table__  # type: ignore[attr-defined]
_approvals: Any = ApprovalRow.__table__  # type: ignore[attr-defined]

_TALK = (
    "id", "version", "by_id", "name", "question", "state", "asked_at", "until", "answer", "answered_at",
)  # fmt: skip
_NOTE = ("id", "by_id", "name", "text", "at")
_PENDING = (_approvals.c.status == literal_column("'pending'"), _approvals.c.expires_at > now())
_OF = Fixed(
    select(*(talks.c[name] for name in _TALK))
    .where(talks.c.approval_id == bindparam("about"))
    .order_by(talks.c.asked_at, talks.c.id)
)
_NOTES = Fixed(
    select(*(notes.c[name] for name in _NOTE))
    .where(notes.c.approval_id == bindparam("about"))
    .order_by(notes.c.at, notes.c.id)
)
_HOLD = (
    update(_approvals)
    .where(_approvals.c.id == bindparam("about"), *_PENDING)
    .values(revision=_approvals.c.revision + bindparam("more"), not_before=0)
    .returning(_approvals.c.version, _approvals.c.expires_at)
)
_EXTEND = (
    update(_approvals)
    .where(_approvals.c.id == bindparam("about"))
    .values(expires_at=_approvals.c.expires_at + bindparam("by"))
)
_COUNT = select(
    func.count(),
    func.coalesce(func.sum(case((talks.c.state == literal_column("'asked'"), 1), else_=0)), 0),
).where(talks.c.approval_id == bindparam("about"))
_LATELY = (
    select(func.count())
    .select_from(talks)
    .join(_approvals, _approvals.c.id == talks.c.approval_id)
    .where(_approvals.c.agent == bindparam("agent"), talks.c.asked_at > now() - MINUTE)
)
_ADD = insert(talks)
_TOLD = (
    update(talks)
    .where(talks.c.id == bindparam("talk"), talks.c.published_at.is_(None))
    .values(published_at=now())
)
_UNTOLD = select(talks.c.id).where(talks.c.published_at.is_(None)).order_by(talks.c.asked_at).limit(100)
_UNTELL = (
    update(talks)
    .where(
        talks.c.published_at.is_not(None),
        talks.c.state.in_([literal_column(f"'{state}'") for state in WAITS]),
        exists().where(_approvals.c.id == talks.c.approval_id, *_PENDING),
    )
    .values(published_at=None)
)
_FIND = (
    select(talks, _approvals.c.agent)
    .join(_approvals, _approvals.c.id == talks.c.approval_id)
    .where(talks.c.id == bindparam("talk"))
)
_ANSWER = (
    update(talks)
    .where(talks.c.id == bindparam("talk"), talks.c.state.in_(WAITS))
    .values(state=bindparam("to_state"), answer=bindparam("text"), answered_at=bindparam("at"))
)
_OVERDUE = (
    select(talks.c.id)
    .where(talks.c.state == literal_column("'asked'"), talks.c.until <= now())
    .order_by(talks.c.until)
    .limit(100)
)
_SILENT = (
    update(talks)
    .where(
        talks.c.id == bindparam("talk"),
        talks.c.state == literal_column("'asked'"),
        talks.c.until <= now(),
    )
    .values(state="silent")
)
_ADD_NOTE = insert(notes)
_NOTE_COUNT = select(func.count()).select_from(notes).where(notes.c.approval_id == bindparam("about"))


def talked(approval_id: ColumnElement[Any]) -> ColumnElement[bool]:
    """Whether anything was asked or noted about an approval, as a part of another statement."""
    return or_(
        exists().where(talks.c.approval_id == approval_id), exists().where(notes.c.approval_id == approval_id)
    )


@dataclass(frozen=True)
class Kept:
    """A talk, whose it is, and the signed question. `published` says whether Redis has it."""

    talk: Talk
    approval_id: str
    agent: str
    token: str
    published: bool


def talks_of(connection: Connection, approval_id: str) -> tuple[Talk, ...]:
    """Those of one approval, in order."""
    return tuple(Talk(*one) for one in _OF.all(connection, {"about": approval_id}))


def notes_of(connection: Connection, approval_id: str) -> tuple[Note, ...]:
    """The same of notes."""
    return tuple(Note(*one) for one in _NOTES.all(connection, noted(approval_id)[1]))


def noted(approval_id: str) -> Step:
    """What reads its notes, each a row with what a Note has."""
    return _NOTES, {"about": approval_id}


def of(connection: Connection, approval_id: str) -> dict[str, Any]:
    """Both, by the names that an Approval has for them."""
    return {"talks": talks_of(connection, approval_id), "notes": notes_of(connection, approval_id)}


def hold(connection: Connection, approval_id: str, *, shown: bool = True) -> tuple[int, int] | None:
    """Its version and when it ends, where it waits still: until this transaction ends nobody else changes it.

    `shown` says that its card has to be redrawn.
    """
    found = connection.execute(_HOLD, {"about": approval_id, "more": int(shown)}).first()
    return (found.version, found.expires_at) if found else None


def extend(connection: Connection, approval_id: str, microseconds: int) -> None:
    """What waits, and is held, ends later."""
    connection.execute(_EXTEND, {"about": approval_id, "by": microseconds})


def counted(connection: Connection, approval_id: str, agent: str) -> tuple[int, int, int]:
    """Questions about this request, those of them that wait, and those to its agent in the last minute."""
    all_of_it, waiting = connection.execute(_COUNT, {"about": approval_id}).one()
    return all_of_it, waiting, int(connection.execute(_LATELY, {"agent": agent}).scalar_one())


def add(connection: Connection, approval_id: str, talk: Talk, token: str) -> None:
    """A question."""
    values = {name: getattr(talk, name) for name in _TALK}
    connection.execute(_ADD, {**values, "approval_id": approval_id, "token": token, "published_at": None})


def note_told(connection: Connection, talk_id: str) -> None:
    """Redis has it, or it is of no use any more that it does."""
    connection.execute(_TOLD, {"talk": talk_id})


def untold(connection: Connection) -> Sequence[str]:
    """The ids of questions that agents may not have, oldest first."""
    return connection.execute(_UNTOLD).scalars().all()


def untell(connection: Connection) -> int:
    """Redis may have lost those that wait: how many."""
    return connection.execute(_UNTELL).rowcount


def find(connection: Connection, talk_id: str) -> Kept | None:
    """One talk."""
    found = connection.execute(_FIND, {"talk": talk_id}).mappings().first()
    if found is None:
        return None
    talk = Talk(**{name: found[name] for name in _TALK})
    return Kept(talk, found["approval_id"], found["agent"], found["token"], found["published_at"] is not None)


def answer(connection: Connection, talk_id: str, state: str, text: str, at: int) -> bool:
    """The first answer counts: False where there is one."""
    values = {"talk": talk_id, "to_state": state, "text": text, "at": at}
    return connection.execute(_ANSWER, values).rowcount == 1


def overdue(connection: Connection) -> Sequence[str]:
    """The ids of questions for which nobody need wait any longer."""
    return connection.execute(_OVERDUE).scalars().all()


def silence(connection: Connection, talk_id: str) -> bool:
    """No answer has come in time; False where one has."""
    return connection.execute(_SILENT, {"talk": talk_id}).rowcount == 1


def add_note(connection: Connection, approval_id: str, note: Note) -> int:
    """A note; how many there are by now."""
    values = {name: getattr(note, name) for name in _NOTE}
    connection.execute(_ADD_NOTE, {**values, "approval_id": approval_id})
    return int(connection.execute(_NOTE_COUNT, {"about": approval_id}).scalar_one())
