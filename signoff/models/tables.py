"""The tables; fixed from the first version. Times are integer microseconds, UTC, from the database."""

from __future__ import annotations

from typing import Any

from sqlalchemy import BigInteger, Index, UniqueConstraint, false, text
from sqlmodel import Field, SQLModel

from signoff.models.channel_tables import CardDoubleRow as CardDoubleRow
from signoff.models.channel_tables import CardFileRow as CardFileRow
from signoff.models.channel_tables import FloodWarningRow as FloodWarningRow
from signoff.models.channel_tables import HomeRow as HomeRow
from signoff.models.channel_tables import PauseRow as PauseRow
from signoff.models.channel_tables import ThreadRow as ThreadRow
from signoff.models.codes import SHORTEST
from signoff.models.columns import count as _count
from signoff.models.columns import time as _time
from signoff.models.columns import words as _text
from signoff.models.door_tables import AgentTokenRow as AgentTokenRow
from signoff.models.door_tables import SpentRow as SpentRow
from signoff.models.door_tables import WebhookDeliveryRow as WebhookDeliveryRow
from signoff.models.door_tables import WebhookEndpointRow as WebhookEndpointRow
from signoff.models.factor_tables import FactorGuardRow as FactorGuardRow
from signoff.models.factor_tables import FactorInvitationRow as FactorInvitationRow
from signoff.models.factor_tables import FactorNewsRow as FactorNewsRow
from signoff.models.factor_tables import FactorRow as FactorRow
from signoff.models.more_tables import AmountRow as AmountRow
from signoff.models.more_tables import BatchReviewRow as BatchReviewRow
from signoff.models.more_tables import BatchRow as BatchRow
from signoff.models.more_tables import CardReplyRow as CardReplyRow
from signoff.models.more_tables import FeedbackRow as FeedbackRow
from signoff.models.more_tables import NoteRow as NoteRow
from signoff.models.more_tables import TalkRow as TalkRow
from signoff.models.more_tables import UndoRow as UndoRow
from signoff.models.stop_tables import StopRow as StopRow
from signoff.models.stop_tables import StopSeenRow as StopSeenRow
from signoff.models.stop_tables import StopToldRow as StopToldRow
from signoff.models.time_tables import AbsenceRow as AbsenceRow
from signoff.models.time_tables import CallRow as CallRow
from signoff.models.time_tables import PingedRow as PingedRow

PENDING = text("status = 'pending'")
UNSHOWN = text("shown_at IS NULL AND delivered_revision < revision")
MOVED = text("moved = 1")
REJECTED = text("status = 'rejected'")
AGING = text("ages_at IS NOT NULL")
STALE = text("shown_at IS NOT NULL AND delivered_revision < revision")


def _partial(name: str, where: Any, *columns: str, **options: Any) -> Index:
    """An index over the rows that `where` holds for."""
    return Index(name, *columns, sqlite_where=where, postgresql_where=where, **options)


class ApprovalRow(SQLModel, table=True):
    """The life of one request. `version` counts payloads, `revision` counts anything visible.

    `id` is the request's id, which no other agent's request can have. `delivered_revision` is what
    all its cards show; `not_before` keeps a card from being delivered for a while. `conversation` is where
    the verdict wants its card. `closed_in` is the epoch whose restore has closed it, so that nobody decides
    on it. `spent_by` is the process that was told at `spent_at` that it may run what was approved. `judged`
    is the digest of the policy that it was last judged or drawn under, `drawn` of what its card shows of that
    verdict; `moved` is 1 where the card shows what is no longer so. `glimpse` is what lists show of its
    payload (see `payload.glimpse`), erased with that; `code_length` how many characters its code has.
    `rejected_before` is the approval whose rejection is shown beside this one, which is the same or nearly
    so. `deserted_at` is when admins were told that nobody may decide on it any more. `ages_at` is when its
    card next tells how long nobody has reported (`models.progress`); `waiter` whether its agent waits, and
    `absent_at` since when it does not (`models.waiters`). `traceparent` is the agent's span that asked (W3C).
    `kind` is the request's; `batch_id` the batch that it is shown in, NULL where it has a card of its own.
    `handed_to` is whom `handed_by` has asked in their place. `undoes` is the approval whose action this one
    undoes. `runs_at` is when what the policy allows after a while may run, 0 until its card was shown; NULL
    in every other row. `undo_at` is when its card next has to tell of its undo (`models.undos`). `ballots`
    counts votes that were given and taken back while it waits: whoever decides has seen all of them.
    `calls_at` is when somebody has next to be reminded of it, or asked as well (`models.calls`).
    """

    __tablename__ = "approval"
    __table_args__ = (
        UniqueConstraint("agent", "request_id"),
        UniqueConstraint("agent", "key"),
        _partial("approval_pending", PENDING, "created_at"),
        _partial("approval_overdue", PENDING, "expires_at"),
        _partial("approval_unpublished", text("published_at IS NULL AND ended_at IS NOT NULL"), "ended_at"),
        _partial("approval_undelivered", text("delivered_revision < revision"), "not_before"),
        _partial("approval_asked", PENDING, "agent", "action", "digest_sent"),
        _partial("approval_unshown", UNSHOWN, "agent", "created_at"),
        _partial("approval_stale", STALE, "not_before"),
        _partial("approval_moved", MOVED, "created_at"),
        _partial("approval_rejected", REJECTED, "agent", "action", "ended_at"),
        _partial("approval_aging", AGING, "ages_at"),
        _partial("approval_batch", text("batch_id IS NOT NULL"), "batch_id", "created_at"),
        _partial("approval_runs", text("runs_at IS NOT NULL AND status = 'pending'"), "runs_at"),
        _partial("approval_undoes", text("undoes IS NOT NULL"), "undoes", "created_at"),
        _partial("approval_undo_at", text("undo_at IS NOT NULL"), "undo_at"),
        _partial("approval_calls", text("calls_at IS NOT NULL"), "calls_at"),
        _partial("approval_edited", text("version > 1 AND status = 'approved'"), "agent", "ended_at"),
        _partial("approval_answered", text("status = 'answered'"), "agent", "ended_at"),
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
    judged: str | None = _text(default=None)
    drawn: str | None = _text(default=None)
    moved: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    glimpse: str | None = _text(default=None)
    code_length: int = Field(default=SHORTEST, sa_column_kwargs={"server_default": str(SHORTEST)})
    rejected_before: str | None = _text(default=None)
    deserted_at: int | None = _time(default=None)
    ages_at: int | None = _time(default=None)
    waiter: str | None = _text(default=None)
    absent_at: int | None = _time(default=None)
    traceparent: str | None = _text(default=None)
    kind: str = _text(default="approval", sa_column_kwargs={"server_default": "approval"})
    batch_id: int | None = None
    handed_to: str | None = _text(default=None)
    handed_by: str | None = _text(default=None)
    undoes: str | None = _text(default=None)
    runs_at: int | None = _time(default=None)
    undo_at: int | None = _time(default=None)
    ballots: int = Field(default=0, sa_column_kwargs={"server_default": "0"})
    calls_at: int | None = _time(default=None)


class PayloadRow(SQLModel, table=True):
    """One version of a payload: canonical text, and the salt of its digests in the audit log; erasable.

    `claims` (version 1) is the rest of the request: an agent may put personal data there too. `by_id` is who
    made this version by an edit; NULL of the first one.
    """

    __tablename__ = "payload"

    approval_id: str = _text(primary_key=True, foreign_key="approval.id")
    version: int = Field(primary_key=True)
    text: str | None = _text(default=None)
    salt: str | None = _text(default=None)
    claims: str | None = _text(default=None)
    erased_at: int | None = _time(default=None)
    by_id: str | None = _text(default=None)


class DecisionRow(SQLModel, table=True):
    """One approver's vote; unique per approval, version and approver while not withdrawn.

    `answer` is what they answered to a question, `fits` the names of all seats that it could fill, as JSON;
    empty where there is one. `seat` is that which it was given for, `void` why it does not stand any more.
    `deputy_for` is the person in whose place they voted; NULL where it was their own.
    """

    __tablename__ = "decision"
    __table_args__ = (
        _partial(
            "decision_once", text("withdrawn_at IS NULL"), "approval_id", "version", "approver", unique=True
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
    answer: str | None = _text(default=None)
    seat: str = _text(default="", sa_column_kwargs={"server_default": ""})
    fits: str = _text(default="", sa_column_kwargs={"server_default": ""})
    self_approved: bool = Field(default=False, sa_column_kwargs={"server_default": false()})
    void: str | None = _text(default=None)
    deputy_for: str | None = _text(default=None)


class CardRow(SQLModel, table=True):
    """Where an approval is shown. `lease` and `lease_until` keep two from posting it at once.

    `unsure` is 1 where a delivery ended before it noted what it may have posted. `channel` is the way to
    reach people (`slack`), `conversation` and `message` are its own words for where the card stands. `thread`
    is the first message of the thread that it is a reply in; NULL where it starts one.
    """

    __tablename__ = "card"
    __table_args__ = (
        UniqueConstraint("approval_id", "conversation"),
        Index("card_message", "conversation", "message"),
        _partial("card_thread", text("thread IS NOT NULL"), "conversation", "thread"),
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
    lease: int = _count()
    unsure: int = _count()


class AuditEventRow(SQLModel, table=True):
    """One line of the hash-chained log; the migration makes the database refuse to change one."""

    __tablename__ = "audit_event"
    __table_args__ = (
        Index("audit_event_approval", "approval_id"),
        _partial("audit_event_owners", text("kind IN ('agent', 'policy')"), "seq"),
        _partial("audit_event_batch", text("kind = 'batch' AND approval_id IS NULL"), "actor"),
    )

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
    """An agent that has asked at least once, or was added. `owner` is a person's id.

    `added_owner` is whom `signoff agent add` was told: the owner wherever the policy's file names none.
    `served_at` is when a new card of it last had its turn; NULL where none has.
    """

    __tablename__ = "agent"

    name: str = _text(primary_key=True)
    owner: str | None = _text(default=None)
    created_at: int = _time()
    served_at: int | None = _time(default=None)
    added_owner: str | None = _text(default=None)


class PolicyRow(SQLModel, table=True):
    """A policy that was in force, by the SHA-256 of its text; `since` is when it last came into force.

    `since` is 0 for a file that never was, because of its `fault`: so that the admins are told once.
    """

    __tablename__ = "policy"

    digest: str = _text(primary_key=True)
    text: str = _text()
    since: int = _time()
    fault: str | None = _text(default=None)


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
