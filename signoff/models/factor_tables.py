"""The tables of second factors: what people prove themselves with, and what is known of their tries."""

from __future__ import annotations

from sqlalchemy import Index, text
from sqlmodel import Field, SQLModel

from signoff.models.columns import count, time, words

UNTOLD = text("told_at IS NULL")


class FactorRow(SQLModel, table=True):
    """One second factor of one person. `kind` is `totp`.

    `secret` is encrypted, by the key whose name is `key`. It counts from `counts_from` on, in the epoch in
    which it was enrolled or last affirmed, until `removed_at`. `confirmed_at` is NULL until a code of it was
    typed; `last_step` is the newest step (30 s since 1970) whose code was used.
    """

    __tablename__ = "factor"
    __table_args__ = (Index("factor_user", "user_id"),)

    id: str = words(primary_key=True)
    user_id: str = words()
    kind: str = words()
    secret: str = words()
    key: str = words()
    by: str = words()
    created_at: int = time()
    confirmed_at: int | None = time(default=None)
    counts_from: int | None = time(default=None)
    removed_at: int | None = time(default=None)
    epoch: int = count()
    last_step: int = count()


class FactorInvitationRow(SQLModel, table=True):
    """A one-time code by which somebody may enrol their first factor: its hash, once, until `expires_at`."""

    __tablename__ = "factor_invitation"
    __table_args__ = (Index("factor_invitation_user", "user_id"),)

    id: str = words(primary_key=True)
    user_id: str = words()
    code_hash: str = words()
    by: str = words()
    created_at: int = time()
    expires_at: int = time()
    used_at: int | None = time(default=None)
    epoch: int = count()


class FactorGuardRow(SQLModel, table=True):
    """What is known of one person's codes: `wrong` is a JSON list of when the last wrong ones were typed, and
    nothing is taken until `locked_until`. `session_of` is the factor whose code was last given where one
    code may count for several, at `session_at`.
    """

    __tablename__ = "factor_guard"

    user_id: str = words(primary_key=True)
    wrong: str = words(default="[]")
    locked_until: int = count()
    session_of: str | None = words(default=None)
    session_at: int = count()


class FactorNewsRow(SQLModel, table=True):
    """What a person and the admins are still to be told of a factor: `what` happened, by whom."""

    __tablename__ = "factor_news"
    __table_args__ = (Index("factor_news_untold", "at", sqlite_where=UNTOLD, postgresql_where=UNTOLD),)

    id: int | None = Field(default=None, primary_key=True)
    user_id: str = words()
    what: str = words()
    by: str = words()
    at: int = time()
    told_at: int | None = time(default=None)
