"""The database: engine, transactions, its clock, and every query. Rows in, Approvals out.

Statements are built once (SQLAlchemy Core): building them anew, or going through the ORM, costs four
times as much a decision.
"""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, bindparam, create_engine, event, exc, select, update
from sqlalchemy.engine import Row
from sqlalchemy.ext.compiler import compiles
from sqlalchemy.sql import ColumnElement
from sqlalchemy.types import BigInteger

from signoff.models.approval import Approval, Card
from signoff.models.messages import ApprovalRequest, Decision, Outcome, moment
from signoff.models.tables import AgentRow, ApprovalRow, CardRow, DecisionRow, PayloadRow
from signoff.policy import Verdict

MICROSECONDS = 1_000_000
BUSY_MS = 1500
"""How long SQLite waits for another writer: under the 3 s in which Slack wants its answer."""
OUTAGE = (exc.OperationalError, exc.InterfaceError, exc.TimeoutError)
"""The database is away, full or locked: nothing is wrong with what was asked of it."""

approvals = ApprovalRow.__table__  # type: ignore[attr-defined]
payloads = PayloadRow.__table__  # type: ignore[attr-defined]
decisions = DecisionRow.__table__  # type: ignore[attr-defined]
cards = CardRow.__table__  # type: ignore[attr-defined]
agents = AgentRow.__table__  # type: ignore[attr-defined]


class now(ColumnElement[int]):
    """The database's clock, in microseconds since 1970, at the moment the expression is evaluated."""

    type = BigInteger()
    inherit_cache = True


@compiles(now, "sqlite")
def _now_sqlite(element: now, compiler: Any, **_: Any) -> str:
    return "CAST(ROUND((julianday('now') - 2440587.5) * 86400000) AS INTEGER) * 1000"


@compiles(now, "postgresql")
def _now_postgresql(element: now, compiler: Any, **_: Any) -> str:
    # now() would be the transaction's start, and let a late decision through.
    return "CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000000 AS BIGINT)"


def open_engine(url: str) -> Engine:
    """A connection pool for SQLite (WAL, every commit on disk) or PostgreSQL."""
    if not url.startswith("sqlite"):
        return create_engine(url, pool_pre_ping=True, pool_size=10, connect_args={"connect_timeout": 3})
    engine = create_engine(url, connect_args={"timeout": BUSY_MS / 1000, "check_same_thread": False})
    event.listen(engine, "connect", _prepare_sqlite)
    event.listen(engine, "begin", _begin_sqlite)
    return engine


def _prepare_sqlite(connection: sqlite3.Connection, _: Any) -> None:
    connection.isolation_level = None  # we say BEGIN ourselves
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", f"busy_timeout={BUSY_MS}"):
        connection.execute(f"PRAGMA {pragma}")


def _begin_sqlite(connection: Connection) -> None:
    # A writer that begins as a reader can find the database changed under it, and fail.
    reading = connection.get_execution_options().get("reading")
    connection.exec_driver_sql("BEGIN" if reading else "BEGIN IMMEDIATE")


_LOAD = (
    select(
        approvals,
        now().label("now"),
        payloads.c.text.label("payload"),
        payloads.c.salt,
        payloads.c.claims,
    )
    .join(
        payloads,
        (payloads.c.approval_id == approvals.c.id) & (payloads.c.version == approvals.c.version),
    )
    .where(approvals.c.id == bindparam("approval_id"))
)
_FIND = select(approvals.c.id).where(
    approvals.c.agent == bindparam("agent"), approvals.c.request_id == bindparam("request_id")
)
_KEY = select(approvals.c.id, approvals.c.request_id, approvals.c.digest_sent, approvals.c.action).where(
    approvals.c.agent == bindparam("agent"), approvals.c.key == bindparam("key")
)
_FIRST = select(payloads.c.text, payloads.c.claims).where(
    payloads.c.approval_id == bindparam("approval_id"), payloads.c.version == 1
)
_DECISION = (
    select(decisions)
    .where(decisions.c.approval_id == bindparam("approval_id"), decisions.c.withdrawn_at.is_(None))
    .order_by(decisions.c.id.desc())
    .limit(1)
)
_CARD = select(cards).where(cards.c.approval_id == bindparam("approval_id")).order_by(cards.c.id).limit(1)
_NOW = select(now())
_PENDING = (
    select(approvals.c.id, approvals.c.verdict)
    .where(approvals.c.status == "pending", approvals.c.expires_at > now())
    .order_by(approvals.c.created_at, approvals.c.id)
)
_OVERDUE = (
    select(approvals.c.id)
    .where(approvals.c.status == "pending", approvals.c.expires_at <= now())
    .order_by(approvals.c.expires_at)
    .limit(bindparam("most"))
)
_UNPUBLISHED = (
    select(approvals.c.id)
    .where(
        approvals.c.published_at.is_(None),
        approvals.c.ended_at.is_not(None),
        approvals.c.ended_at < now() - bindparam("age"),
    )
    .order_by(approvals.c.ended_at)
    .limit(bindparam("most"))
)
_UNDELIVERED = (
    select(approvals.c.id)
    .where(
        approvals.c.delivered_revision < approvals.c.revision,
        approvals.c.not_before <= now(),
    )
    .order_by(approvals.c.not_before, approvals.c.created_at)
    .limit(bindparam("most"))
)
_PUBLISHED = (
    update(approvals)
    .where(approvals.c.id == bindparam("approval_id"), approvals.c.published_at.is_(None))
    .values(published_at=now())
)
_POSTPONE = (
    update(approvals)
    .where(approvals.c.id == bindparam("approval_id"))
    .values(not_before=now() + bindparam("pause"))
)


class Store:
    """Transactions and queries. Only `approvals` writes through it, and `queue.jobs` a card's lease."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._reader = engine.execution_options(reading=True)

    @contextmanager
    def transaction(self) -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back when anything raises."""
        with self.engine.begin() as connection:
            yield connection

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """A consistent view, without a writer's lock."""
        with self._reader.begin() as connection:
            yield connection

    def get(self, approval_id: str) -> Approval | None:
        """One Approval as it is now."""
        with self.reading() as connection:
            return load(connection, approval_id)

    def find(self, agent: str, request_id: str) -> Approval | None:
        """The Approval of an agent's request."""
        with self.reading() as connection:
            found = find(connection, agent, request_id)
            return load(connection, found) if found else None

    def waiting(self) -> list[tuple[str, tuple[str, ...]]]:
        """(id, approvers) of everything that waits for a decision, oldest first."""
        with self.reading() as connection:
            found = connection.execute(_PENDING).all()
        approvers = {verdict: tuple(json.loads(verdict)["approvers"]) for _, verdict in found}
        return [(approval_id, approvers[verdict]) for approval_id, verdict in found]

    def overdue(self, most: int = 100) -> Sequence[str]:
        """Pending ids whose time has run out, the longest overdue first."""
        with self.reading() as connection:
            return connection.execute(_OVERDUE, {"most": most}).scalars().all()

    def unpublished(self, seconds: float, most: int = 100) -> Sequence[str]:
        """Ids that ended over `seconds` ago and whose answer may not have reached Redis."""
        with self.reading() as connection:
            values = {"most": most, "age": int(seconds * MICROSECONDS)}
            return connection.execute(_UNPUBLISHED, values).scalars().all()

    def undelivered(self, most: int = 50) -> Sequence[str]:
        """Ids whose cards do not show their last revision, and may be delivered now."""
        with self.reading() as connection:
            return connection.execute(_UNDELIVERED, {"most": most}).scalars().all()

    def mark_published(self, approval_id: str) -> None:
        """Its answer is in Redis."""
        with self.transaction() as connection:
            connection.execute(_PUBLISHED, {"approval_id": approval_id})

    def postpone(self, approval_id: str, seconds: float) -> None:
        """Do not deliver it for a while."""
        with self.transaction() as connection:
            connection.execute(_POSTPONE, {"approval_id": approval_id, "pause": int(seconds * MICROSECONDS)})

    def clock(self) -> int:
        """The database's time, in microseconds since 1970."""
        with self.reading() as connection:
            return int(connection.execute(_NOW).scalar_one())


def find(connection: Connection, agent: str, request_id: str) -> str | None:
    """The id of the Approval of an agent's request."""
    return connection.execute(_FIND, {"agent": agent, "request_id": request_id}).scalar()


def by_key(connection: Connection, agent: str, key: str) -> Row[Any] | None:
    """id, request_id, digest_sent and action of an agent's request with this key."""
    return connection.execute(_KEY, {"agent": agent, "key": key}).first()


def row(connection: Connection, approval_id: str) -> Row[Any] | None:
    """The approval's columns, `now`, and its current payload (`payload`, `salt`)."""
    return connection.execute(_LOAD, {"approval_id": approval_id}).first()


def load(connection: Connection, approval_id: str) -> Approval | None:
    """One Approval, with its decision and card."""
    found = row(connection, approval_id)
    return assemble(connection, found) if found else None


def assemble(connection: Connection, found: Row[Any]) -> Approval:
    """A `row` → the Approval, reading what else belongs to it."""
    key = {"approval_id": found.id}
    text, claims = found.payload, found.claims
    if found.version > 1:
        text, claims = connection.execute(_FIRST, key).one()
    request = ApprovalRequest.from_rows(claims, json.loads(text))
    decided = connection.execute(_DECISION, key).first() if found.ended_at else None
    card = connection.execute(_CARD, key).first()
    return Approval(
        id=found.id,
        agent=found.agent,
        request_id=found.request_id,
        action=found.action,
        status=found.status,
        version=found.version,
        revision=found.revision,
        created_at=found.created_at,
        expires_at=found.expires_at,
        request=request,
        verdict=Verdict.model_validate_json(found.verdict),
        payload=json.loads(found.payload),
        payload_text=found.payload,
        digest_sent=found.digest_sent,
        ended_at=found.ended_at,
        shown_at=found.shown_at,
        published_at=found.published_at,
        reason=found.reason,
        receipt=found.receipt,
        decision=_decision(decided, found) if decided else None,
        outcome=Outcome.model_validate_json(found.outcome) if found.outcome else None,
        outcome_at=found.outcome_at,
        card=_card(card) if card else None,
    )


def _decision(decided: Row[Any], found: Row[Any]) -> Decision:
    edited = found.version > 1 and decided.answer == "approve"
    return Decision(
        answer=decided.answer,
        approver=decided.approver,
        name=decided.name,
        reason=decided.reason,
        resubmit=decided.resubmit,
        payload=json.loads(found.payload) if edited else None,
        second_factor=decided.second_factor,
        at=moment(decided.at),
    )


def _card(found: Row[Any]) -> Card:
    names = ("id", "channel", "ts", "log_ts", "permalink", "shown_revision", "log_revision")
    return Card(**{name: getattr(found, name) for name in names})
