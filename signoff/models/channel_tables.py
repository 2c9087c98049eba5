"""The tables in which a channel keeps its own books; no state of an approval is in them."""

from __future__ import annotations

from sqlalchemy import Index, UniqueConstraint, text
from sqlmodel import Field, SQLModel

from signoff.models.columns import count, time, words


class CardDoubleRow(SQLModel, table=True):
    """A message that stands beside an approval's card and has to be redrawn, so that nobody decides on it.

    It is taken away once that is done. Nobody else does it before `not_before`. `moved` is 1 of what was the
    card until that was to stand elsewhere: it is never taken for the card again.
    """

    __tablename__ = "card_double"
    __table_args__ = (
        UniqueConstraint("conversation", "message"),
        Index("card_double_approval", "approval_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    approval_id: str = words(foreign_key="approval.id")
    conversation: str = words()
    message: str = words()
    thread: str | None = words(default=None)
    not_before: int = time(default=0)
    moved: int = count()


class CardFileRow(SQLModel, table=True):
    """A file of a payload in its card's thread: `wanted` there, `posted`, or `unwanted` and to be deleted.

    `digest` is the SHA-256 of its bytes, NULL once they must not be known any more. `file` is the channel's
    id of it, NULL until one was given. Nobody else does anything about it before `not_before`; `lease` counts
    who did. No foreign key: where its approval's rows are taken away, it is left, so that the file goes, too.
    """

    __tablename__ = "card_file"
    __table_args__ = (
        UniqueConstraint("approval_id", "digest", "conversation", "thread"),
        Index(
            "card_file_due",
            "not_before",
            sqlite_where=text("state <> 'posted'"),
            postgresql_where=text("state <> 'posted'"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    approval_id: str = words()
    version: int
    digest: str | None = words(default=None)
    conversation: str = words()
    thread: str = words()
    file: str | None = words(default=None)
    state: str = words()
    not_before: int = time(default=0)
    lease: int = count()


class ThreadRow(SQLModel, table=True):
    """The thread of an agent's run in the conversation that the policy names, `wanted`.

    `conversation` is that one's id. `message` is its first message, NULL until that is posted. `revision`
    counts what has happened to its cards, `shown_revision` is what the first message tells, `digest` is of
    its text. Nobody edits it before `not_before`; who holds the `lease` is alone in posting or editing it.
    `unsure` is 1 where one may have been posted that nobody noted.
    """

    __tablename__ = "thread"
    __table_args__ = (
        UniqueConstraint("agent", "run", "wanted"),
        Index("thread_message", "conversation", "message"),
        Index(
            "thread_stale",
            "not_before",
            sqlite_where=text("shown_revision < revision"),
            postgresql_where=text("shown_revision < revision"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    agent: str = words(foreign_key="agent.name")
    run: str = words()
    wanted: str = words()
    conversation: str | None = words(default=None)
    message: str | None = words(default=None)
    revision: int = 0
    shown_revision: int = 0
    digest: str | None = words(default=None)
    not_before: int = time(default=0)
    lease_until: int = time(default=0)
    lease: int = count()
    unsure: int = count()


class HomeRow(SQLModel, table=True):
    """A person who has opened their Home; `digest` is of what it shows, NULL where it shows nothing of ours.

    Nobody publishes it before `not_before`: so one worker at a time does, and not too often. `lease` counts
    who did: one that was stopped meanwhile does not note what it has published.
    """

    __tablename__ = "home"

    user_id: str = words(primary_key=True)
    opened_at: int = time()
    not_before: int = time(default=0)
    digest: str | None = words(default=None)
    lease: int = count()


class PauseRow(SQLModel, table=True):
    """Until when a channel asked to be left alone, by method; for posts by conversation, too."""

    __tablename__ = "pause"

    method: str = words(primary_key=True)
    conversation: str = words(primary_key=True)
    not_before: int = time()


class FloodWarningRow(SQLModel, table=True):
    """What a conversation is told of an agent that asked for too much; JSON, NULL once it has been told.

    There is no other before `until`.
    """

    __tablename__ = "flood_warning"

    agent: str = words(primary_key=True)
    text: str | None = words(default=None)
    until: int = time()
