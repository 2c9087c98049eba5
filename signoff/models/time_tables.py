"""The tables of time: who is to be pinged, who was, and who is away."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from signoff.models.columns import time, words

UNSAID = text("said_at IS NULL")
STANDS = text("ended_at IS NULL")


class CallRow(SQLModel, table=True):
    """One person who is to be pinged about one request, once. `person` is a user's id, or a group's.

    `why` is `asked` (quiet hours kept it from being said with the card), `remind` or `escalate`; `after` is
    the policy's seconds of that step, 0 for `asked`. `due_at` is when it may be said; `said_at` when it was,
    or was found to need no saying.
    """

    __tablename__ = "call"
    __table_args__ = (
        UniqueConstraint("approval_id", "person", "why", "after"),
        Index("call_due", "due_at", sqlite_where=UNSAID, postgresql_where=UNSAID),
    )

    id: int | None = Field(default=None, primary_key=True)
    approval_id: str = words(foreign_key="approval.id")
    person: str = words()
    why: str = words()
    after: int = Field(sa_type=BigInteger)
    created_at: int = time()
    due_at: int = time()
    said_at: int | None = time(default=None)


class PingedRow(SQLModel, table=True):
    """When somebody was last pinged: nobody is twice in ten minutes."""

    __tablename__ = "pinged"

    person: str = words(primary_key=True)
    at: int = time()


class AbsenceRow(SQLModel, table=True):
    """Somebody is away from `since` until `until`, and `deputy` decides in their place, as the policy lets.

    `ended_at` is when they were back, or that time was over; at most one of a person stands. `told` is 0
    until admins and cards know of it, 1 since, and 2 once they know that it is over. `by_id` is who said it:
    the person, or an operator.
    """

    __tablename__ = "absence"
    __table_args__ = (
        Index("absence_stands", "person", unique=True, sqlite_where=STANDS, postgresql_where=STANDS),
        Index("absence_untold", "until", sqlite_where=text("told < 2"), postgresql_where=text("told < 2")),
    )

    id: int | None = Field(default=None, primary_key=True)
    person: str = words()
    deputy: str = words()
    by_id: str = words()
    since: int = time()
    until: int = time()
    ended_at: int | None = time(default=None)
    told: int = Field(default=0, sa_type=BigInteger, sa_column_kwargs={"server_default": "0"})
