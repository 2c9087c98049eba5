"""The tables of questions, batches, talks with agents, undoing, feedback and sums."""

from __future__ import annotations

from sqlalchemy import BigInteger, Index, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from signoff.models.columns import count, time, words

STALE = text("state = 'frozen' AND shown_revision < revision")
UNPOSTED = text("message IS NULL")
UNTOLD = text("published_at IS NULL")
UNDONE = text("state <> 'frozen' AND shown_revision < revision")
UNANSWERED = text("state = 'asked'")


class BatchRow(SQLModel, table=True):
    """Requests that an agent asks together, and that people see as one card.

    `name` is the agent's own for it, 32 hexadecimal digits. `state` is `open` while its requests arrive,
    `frozen` once the agent has said that these `size` are all, and `dropped` where it never did. `ids` is a
    JSON list of those that it has named, `salt` is of the digests of its title and run in the log, both NULL
    before. `wanted` is the conversation that the policy names,
    `conversation`, `thread` and `message` are where its card stands, NULL until that is posted. `revision`
    counts what has happened to its requests, `shown_revision` is what the card tells. Who holds the `lease`
    is alone in posting or editing it, nobody does before `not_before`; `unsure` is 1 where one may have been
    posted that nobody noted.
    """

    __tablename__ = "batch"
    __table_args__ = (
        UniqueConstraint("agent", "name"),
        Index("batch_message", "conversation", "message"),
        Index("batch_stale", "not_before", sqlite_where=STALE, postgresql_where=STALE),
        Index("batch_undone", "created_at", sqlite_where=UNDONE, postgresql_where=UNDONE),
    )

    id: int | None = Field(default=None, primary_key=True)
    agent: str = words(foreign_key="agent.name")
    name: str = words()
    title: str = words(default="")
    run: str | None = words(default=None)
    size: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    state: str = words()
    created_at: int = time()
    frozen_at: int | None = time(default=None)
    ids: str | None = words(default=None)
    salt: str | None = words(default=None)
    wanted: str | None = words(default=None)
    conversation: str | None = words(default=None)
    thread: str | None = words(default=None)
    message: str | None = words(default=None)
    permalink: str | None = words(default=None)
    revision: int = count()
    shown_revision: int = count()
    shown_at: int | None = time(default=None)
    not_before: int = count()
    lease_until: int = count()
    lease: int = count()
    unsure: int = count()


class BatchReviewRow(SQLModel, table=True):
    """What one person was shown of several requests, in order, so that they decide on that and nothing else.

    `items` is a JSON list of [approval's id, version]; `seen` is how many of them were shown whole so far.
    `batch_id` is NULL where they were asked one by one, and only looked alike. Deleted soon after.
    """

    __tablename__ = "batch_review"
    __table_args__ = (Index("batch_review_created", "created_at"),)

    id: str = words(primary_key=True)
    batch_id: int | None = None
    user_id: str = words()
    items: str = words()
    seen: int = count()
    created_at: int = time()


class TalkRow(SQLModel, table=True):
    """A person's question to the agent about one request, and its answer; texts may hold personal data.

    `version` is of the payload that they saw. `token` is the signed question as the agent gets it,
    `published_at` when Redis had it. `until` is when the card stops waiting for an answer. `state` is
    `asked`, `answered`, `unable` (the agent says that it cannot), `silent` (nothing came in time) or
    `unheard` (nobody listened when it was asked).
    """

    __tablename__ = "talk"
    __table_args__ = (
        Index("talk_approval", "approval_id", "asked_at"),
        Index("talk_untold", "asked_at", sqlite_where=UNTOLD, postgresql_where=UNTOLD),
        Index("talk_unanswered", "until", sqlite_where=UNANSWERED, postgresql_where=UNANSWERED),
    )

    id: str = words(primary_key=True)
    approval_id: str = words(foreign_key="approval.id")
    version: int
    by_id: str = words()
    name: str = words()
    question: str = words()
    state: str = words()
    asked_at: int = time()
    until: int = time()
    token: str = words()
    published_at: int | None = time(default=None)
    answer: str | None = words(default=None)
    answered_at: int | None = time(default=None)


class NoteRow(SQLModel, table=True):
    """What somebody who was asked has noted for the agent, handed to it beside the decision."""

    __tablename__ = "note"
    __table_args__ = (Index("note_approval", "approval_id"),)

    id: str = words(primary_key=True)
    approval_id: str = words(foreign_key="approval.id")
    by_id: str = words()
    name: str = words()
    text: str = words()
    at: int = time()


class CardReplyRow(SQLModel, table=True):
    """What is to be said in a card's thread, once. `said` is JSON of what the sentence is made of, by `kind`.

    `message` is NULL until it stands there. Nobody else posts it before `not_before`; `lease` counts who did.
    """

    __tablename__ = "card_reply"
    __table_args__ = (
        Index("card_reply_due", "not_before", sqlite_where=UNPOSTED, postgresql_where=UNPOSTED),
        Index("card_reply_approval", "approval_id"),
    )

    id: int | None = Field(default=None, primary_key=True)
    approval_id: str = words(foreign_key="approval.id")
    kind: str = words()
    said: str = words()
    created_at: int = time()
    message: str | None = words(default=None)
    not_before: int = count()
    lease: int = count()


class UndoRow(SQLModel, table=True):
    """An agent's word that it can carry out an undo, by the action that undoes.

    `seen_at` is when it last said so. `tested_at` is when its own test last ran, `passed` whether that went
    well, `fault` what did not. `test_id` is the test that it was last asked to run, whose result counts until
    `test_until`, once; NULL where none is awaited. `test_taken` is whether a process has taken it by HTTP.
    """

    __tablename__ = "undo"

    agent: str = words(primary_key=True, foreign_key="agent.name")
    action: str = words(primary_key=True)
    seen_at: int = time()
    tested_at: int | None = time(default=None)
    passed: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    fault: str | None = words(default=None)
    test_id: str | None = words(default=None)
    test_until: int | None = time(default=None)
    test_taken: bool = Field(default=False, sa_column_kwargs={"server_default": false()})


class FeedbackRow(SQLModel, table=True):
    """Whether what ran was right: asked once of those who may say, answered by one of them.

    `answer` is `right`, `partly` or `wrong`, NULL until somebody says; `text` their correction in words.
    `agent` and `action` are the approval's: lessons are looked up by them. What an agent has asked by itself
    (an approval of kind `feedback`) has a row once it is answered.
    """

    __tablename__ = "feedback"
    __table_args__ = (
        UniqueConstraint("approval_id"),
        Index("feedback_agent", "agent", "action", "at"),
    )

    id: str = words(primary_key=True)
    approval_id: str = words(foreign_key="approval.id")
    agent: str = words()
    action: str = words()
    asked_at: int = time()
    by_id: str | None = words(default=None)
    name: str | None = words(default=None)
    answer: str | None = words(default=None)
    text: str | None = words(default=None)
    at: int | None = time(default=None)


class AmountRow(SQLModel, table=True):
    """What an approval counts for in one of its agent's sums (`amounts.Entry.key`), without a sign.

    `bucket` is the value of the sum's `by`. `until` is when it counts no more; NULL while the approval waits.
    An approval that ended without being approved has none.
    """

    __tablename__ = "amount"
    __table_args__ = (Index("amount_sum", "agent", "sum", "bucket", "until"),)

    approval_id: str = words(primary_key=True, foreign_key="approval.id")
    sum: str = words(primary_key=True)
    agent: str = words()
    bucket: str = words(default="")
    whole: int = Field(sa_type=BigInteger)
    millionths: int = 0
    until: int | None = time(default=None)
