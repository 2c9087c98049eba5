"""The tables; fixed from the first version. Times are integer microseconds, UTC, from the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index, Text, UniqueConstraint, text
from sqlmodel import Field, SQLModel

PENDING = text("status = 'pending'")
UNSHOWN = text("shown_at IS NULL AND delivered_revision < revision")
STALE = text("shown_at IS NOT NULL AND delivered_revision < revision")


def _time(**options: Any) -> Any:
    return Field(sa_type=BigInteger, **options)


def _text(**options: Any) -> Any:
    return Field(sa_type=Text, **options)


class ApprovalRow(SQLModel, table=True):
    """The life of one request. `version` counts payloads, `revision` counts anything visible.

    `id` is the request's id, which no other agent's request can have. `delivered_revision` is what
    all its cards show; `not_before` keeps a card from being delivered for a while. `conversation` is where
    the verdict wants its card. `closed_in` is the epoch whose restore has closed it, so that nobody decides
    on it. `spent_by` is the process that was told at `spent_at` that it may run what was approved.
    """

    __tablename__ = "approval"
    __table_args__ = (
        UniqueConstraint("agent", "request_id"),
        UniqueConstraint("agent", "key"),
        Index("approval_pending", "created_at", sqlite_where=PENDING, postgresql_where=PENDING),
        Index("approval_overdue", "expires_at", sqlite_where=PENDING, postgresql_where=PENDING),
        Index(
            "approval_unpublished",
            "ended_at",
            sqlite_where=text("published_at IS NULL AND ended_at IS NOT NULL"),
            postgresql_where=text("published_at IS NULL AND ended_at IS NOT NULL"),
        ),
        Index(
            "approval_undelivered",
            "not_before",
            sqlite_where=text("delivered_revision < revision"),
            postgresql_where=text("delivered_revision < revision"),
        ),
        Index(
            "approval_asked",
            "agent",
            "action",
            "digest_sent",
            sqlite_where=PENDING,
            postgresql_where=PENDING,
        ),
        Index("approval_unshown", "agent", "created_at", sqlite_where=UNSHOWN, postgresql_where=UNSHOWN),
        Index("approval_stale", "not_before", sqlite_where=STALE, postgresql_where=STALE),
        Index("approval_created", "created_at"),
        Index("approval_agent", "agent", "created_at"),
        Index("approval_action", "action", "created_at"),
        Index("approval_prefix", text("substr(id, 1, 8)")),
    )

    id: str = _text(primary_key=True)
    agent: str = _text(foreign_key="agent.name")
    request_id: str = _text()
    key: str | None = _text(default=None)
    run: str | None = _text(default=None)
    action: str = _text()
    status: str = _text()
    version: int = 1
    revision: int = 1
    delivered_revision: int = 0
    digest_sent: str = _text()
    verdict: str = _text()
    reason: str = _text(default="")
    created_at: int = _time()
    expires_at: int = _time()
    shown_at: int | None = _time(default=None)
    ended_at: int | None = _time(default=None)
    not_before: int = _time(default=0)
    published_at: int | None = _time(default=None)
    receipt: str | None = _text(default=None)
    receipt_expires_at: int | None = _time(default=None)
    outcome: str | None = _text(default=None)
    outcome_at: int | None = _time(default=None)
    conversation: str | None = _text(default=None)
    closed_in: int | None = None
    spent_by: str | None = _text(default=None)
    spent_at: int | None = _time(default=None)


class PayloadRow(SQLModel, table=True):
    """One version of a payload: canonical text, and the salt of its digests in the audit log; erasable.

    `claims` (version 1) is the rest of the request: an agent may put personal data there too.
    """

    __tablename__ = "payload"

    approval_id: str = _text(primary_key=True, foreign_key="approval.id")
    version: int = Field(primary_key=True)
    text: str | None = _text(default=None)
    salt: str | None = _text(default=None)
    claims: str | None = _text(default=None)
    erased_at: int | None = _time(default=None)


class DecisionRow(SQLModel, table=True):
    """One approver's vote; unique per approval, version and approver while not withdrawn."""

    __tablename__ = "decision"
    __table_args__ = (
        Index(
            "decision_once",
            "approval_id",
            "version",
            "approver",
            unique=True,
            sqlite_where=text("withdrawn_at IS NULL"),
            postgresql_where=text("withdrawn_at IS NULL"),
        ),
        Index("decision_approver", "approver", "at"),
    )

    id: int | None = Field(default=None, primary_key=True)
    approval_id: str = _text(foreign_key="approval.id")
    version: int
    approver: str = _text()
    name: str = _text()
    vote: str = _text()
    reason: str = _text(default="")
    resubmit: bool = False
    second_factor: str | None = _text(default=None)
    at: int = _time()
    withdrawn_at: int | None = _time(default=None)


class CardRow(SQLModel, table=True):
    """Where an approval is shown. `lease_until` keeps two from posting it at once.

    `channel` is the way to reach people (`slack`), `conversation` and `message` are its own words for where
    the card stands. `thread` is the first message of the thread that it is a reply in; NULL where it starts
    one.
    """

    __tablename__ = "card"
    __table_args__ = (
        UniqueConstraint("approval_id", "conversation"),
        Index("card_message", "conversation", "message"),
        Index(
            "card_thread",
            "conversation",
            "thread",
            sqlite_where=text("thread IS NOT NULL"),
            postgresql_where=text("thread IS NOT NULL"),
        ),
    )

    id: int | None = Field(default=None, primary_key=True)
    approval_id: str = _text(foreign_key="approval.id")
    conversation: str | None = _text(default=None)
    message: str | None = _text(default=None)
    permalink: str | None = _text(default=None)
    shown_revision: int = 0
    lease_until: int = _time(default=0)
    fault: str | None = _text(default=None)
    thread: str | None = _text(default=None)
    channel: str = _text(default="slack", sa_column_kwargs={"server_default": "slack"})


class ThreadRow(SQLModel, table=True):
    """The thread of an agent's run in the conversation that the policy names, `wanted`.

    `conversation` is that one's id. `message` is its first message, NULL until that is posted. `revision`
    counts what has happened to its cards, `shown_revision` is what the first message tells, `digest` is of
    its text. Nobody edits it before `not_before`; who holds `lease_until` is alone in posting or editing it.
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
    agent: str = _text(foreign_key="agent.name")
    run: str = _text()
    wanted: str = _text()
    conversation: str | None = _text(default=None)
    message: str | None = _text(default=None)
    revision: int = 0
    shown_revision: int = 0
    digest: str | None = _text(default=None)
    not_before: int = _time(default=0)
    lease_until: int = _time(default=0)


class AuditEventRow(SQLModel, table=True):
    """One line of the hash-chained log; the migration makes the database refuse to change one."""

    __tablename__ = "audit_event"
    __table_args__ = (Index("audit_event_approval", "approval_id"),)

    seq: int = Field(sa_type=BigInteger, primary_key=True, sa_column_kwargs={"autoincrement": False})
    approval_id: str | None = _text(default=None)
    kind: str = _text()
    at: int = _time()
    actor: str = _text(default="")
    data: str = _text()
    previous: str = _text()
    hash: str = _text(unique=True)


class EpochRow(SQLModel, table=True):
    """The time since a restore; the first epoch, of a database that was never restored, has no row.

    `backup_at` is when its backup was taken, NULL where other means put the database back. `told_at` is
    when agents were told of requests that are in no row any more, NULL until then.
    """

    __tablename__ = "epoch"

    number: int = Field(primary_key=True, sa_column_kwargs={"autoincrement": False})
    started_at: int = _time()
    backup_at: int | None = _time(default=None)
    told_at: int | None = _time(default=None)


class AgentRow(SQLModel, table=True):
    """An agent that has asked at least once. `owner` is a person's id.

    `served_at` is when a new card of it last had its turn; NULL where none has.
    """

    __tablename__ = "agent"

    name: str = _text(primary_key=True)
    owner: str | None = _text(default=None)
    created_at: int = _time()
    served_at: int | None = _time(default=None)


class PauseRow(SQLModel, table=True):
    """Until when a channel asked to be left alone, by method; for posts by conversation, too."""

    __tablename__ = "pause"

    method: str = _text(primary_key=True)
    conversation: str = _text(primary_key=True)
    not_before: int = _time()


class FloodWarningRow(SQLModel, table=True):
    """What a conversation is told of an agent that asked for too much; JSON, NULL once it has been told.

    There is no other before `until`.
    """

    __tablename__ = "flood_warning"

    agent: str = _text(primary_key=True)
    text: str | None = _text(default=None)
    until: int = _time()


class PolicyRow(SQLModel, table=True):
    """A policy that was in force, by the SHA-256 of its text; `since` is when it last came into force.

    `since` is 0 for a file that never was, because of its `fault`: so that the admins are told once.
    """

    __tablename__ = "policy"

    digest: str = _text(primary_key=True)
    text: str = _text()
    since: int = _time()
    fault: str | None = _text(default=None)


class HomeRow(SQLModel, table=True):
    """A person who has opened their Home; `digest` is of what it shows, NULL where it shows nothing of ours.

    Nobody publishes it before `not_before`: so one worker at a time does, and not too often.
    """

    __tablename__ = "home"

    user_id: str = _text(primary_key=True)
    opened_at: int = _time()
    not_before: int = _time(default=0)
    digest: str | None = _text(default=None)


class DraftRow(SQLModel, table=True):
    """What one approver has typed so far into a form that edits; deleted soon after the decision.

    `id` is the form's own: the same person's form on another device is another draft. `text` is JSON and
    may hold personal data.
    """

    __tablename__ = "draft"
    __table_args__ = (Index("draft_approval", "approval_id"),)

    id: str = _text(primary_key=True)
    approval_id: str = _text(foreign_key="approval.id")
    approver: str = _text()
    version: int
    text: str = _text()
    updated_at: int = _time()
