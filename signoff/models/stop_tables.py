"""The tables of what was stopped, of which guards have heard of it, and of what admins were told."""

from __future__ import annotations

from sqlalchemy import Index, exists, false, select, text
from sqlmodel import Field, SQLModel

from signoff.models.columns import time, words

STANDS = text("ended_at IS NULL")
ANYTHING = exists(select(text("1")).select_from(text("stop")).where(STANDS)).label("any_stop")
"""Whether anything is stopped, or resumed in part; for a statement that asks something else."""


class StopRow(SQLModel, table=True):
    """A stop, until it is resumed and for ever after: see `stops.Stop`.

    `number` is the statement's when it began, `changed` since its last change: each is larger than any
    before. `salt` is of the digests of names and reason in the audit log.
    """

    __tablename__ = "stop"
    __table_args__ = (
        Index("stop_stands", "at", sqlite_where=STANDS, postgresql_where=STANDS),
        Index("stop_changed", "changed"),
    )

    id: str = words(primary_key=True)
    number: int = time()
    changed: int = time()
    kind: str = words()
    name: str = words()
    by_id: str = words()
    by_name: str = words()
    reason: str = words()
    salt: str = words()
    at: int = time()
    undos: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    staged_at: int | None = time(default=None)
    ended_at: int | None = time(default=None)
    resumed_by: str = words(default="")
    resumed_name: str = words(default="")


class StopSeenRow(SQLModel, table=True):
    """What a guard has said that it has seen: the highest number of a statement, by whose token, and when.

    `fresh` is how old a statement may be for it, in seconds.
    """

    __tablename__ = "stop_seen"

    token: str = words(primary_key=True)
    guard: str = words(primary_key=True)
    number: int = time()
    fresh: int
    at: int = time()


class StopToldRow(SQLModel, table=True):
    """The number of a stop's last change that admins were told of."""

    __tablename__ = "stop_told"

    stop: str = words(primary_key=True)
    changed: int = time()
