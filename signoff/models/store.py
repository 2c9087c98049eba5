"""The database: transactions and every query. Rows in, Approvals out.

Statements are built once (SQLAlchemy Core): building them anew, or going through the ORM, costs four
times as much a decision.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

from sqlalchemy import Connection, Engine, Text, bindparam, case, exists, literal_column, select, update
from sqlalchemy.engine import Row

from signoff.models import crash, feedback_rows, rejections, talk_rows, undos
from signoff.models.approval import GONE, Approval, Card, File, Rejection, Voided
from signoff.models.channel_tables import CardFileRow
from signoff.models.clock import now as now
from signoff.models.engine import Turn, reader
from signoff.models.fixed import Fixed
from signoff.models.messages import ApprovalRequest, Decision, Outcome, moment
from signoff.models.stop_tables import ANYTHING
from signoff.models.tables import AgentRow, ApprovalRow, BatchRow, CardRow, DecisionRow, PayloadRow
from signoff.models.verdict import Verdict
from signoff.models.whom import Asked as Asked
from signoff.payload.order import like

MICROSECONDS = 1_000_000
approvals = ApprovalRow.__table__  # type: ignore[attr-defined]
payloads = PayloadRow.__table__  # type: ignore[attr-defined]
decisions = DecisionRow.__table__  # type: ignore[attr-defined]
cards = CardRow.__table__  # type: ignore[attr-defined]
agents = AgentRow.__table__  # type: ignore[attr-defined]
files = CardFileRow.__table__  # type: ignore[attr-defined]
_batches = BatchRow.__table__  # type: ignore[attr-defined]
_CARD = ("id", "channel", "conversation", "message", "permalink", "shown_revision", "thread", "unsure")
_AS_IT_STANDS = (
    "id", "agent", "request_id", "action", "status", "version", "revision", "created_at", "expires_at",
    "digest_sent", "ended_at", "shown_at", "published_at", "delivered_revision", "reason", "receipt",
    "outcome_at", "spent_by", "spent_at", "code_length", "receipt_expires_at", "traceparent", "batch_id",
    "batch_permalink", "batch_state", "handed_to", "handed_by", "undoes", "runs_at", "ballots",
)  # fmt: skip
"""Columns of an approval that are just what an Approval says."""
_LOAD = Fixed(
    select(
        approvals,
        now().label("now"),
        payloads.c.text.label("payload"),
        payloads.c.claims,
        exists().where(decisions.c.approval_id == approvals.c.id).label("voted"),
        exists().where(files.c.approval_id == approvals.c.id).label("has_files"),
        exists().where(feedback_rows.rows.c.approval_id == approvals.c.id).label("has_feedback"),
        talk_rows.talked(approvals.c.id).label("has_talk"),
        ANYTHING,
        *(cards.c[name].label(f"card_{name}") for name in _CARD),
        _batches.c.permalink.label("batch_permalink"),
        _batches.c.state.label("batch_state"),
    )
    .join(
        payloads,
        (payloads.c.approval_id == approvals.c.id) & (payloads.c.version == approvals.c.version),
    )
    .outerjoin(cards, cards.c.approval_id == approvals.c.id)
    .outerjoin(_batches, _batches.c.id == approvals.c.batch_id)
    .where(approvals.c.id == bindparam("approval_id"))
    .order_by(cards.c.id)
    .limit(1)
)
_CARD_OF = (
    select(cards.c.id).where(cards.c.approval_id == bindparam("approval_id")).order_by(cards.c.id).limit(1)
)
_FIND = select(approvals.c.id).where(
    approvals.c.agent == bindparam("agent"), approvals.c.request_id == bindparam("request_id")
)
_VERSIONS = (
    select(
        case((payloads.c.version == literal_column("1"), payloads.c.text)).label("text"),
        payloads.c.claims,
        payloads.c.by_id,
    )
    .where(payloads.c.approval_id == bindparam("approval_id"))
    .order_by(payloads.c.version)
)
_DECISIONS = (
    select(decisions).where(decisions.c.approval_id == bindparam("approval_id")).order_by(decisions.c.id)
)
_FILES = (
    select(files.c.digest, files.c.state, files.c.conversation, files.c.thread)
    .where(files.c.approval_id == bindparam("approval_id"), files.c.digest.is_not(None))
    .order_by(files.c.id)
)
_NOW = select(now())
# Written out: with a parameter in its place no planner could tell that the partial indexes hold these rows.
_WAITS = approvals.c.status == literal_column("'pending'")
MAY_BE_SEEN = approvals.c.batch_id.is_(None) | exists().where(
    _batches.c.id == approvals.c.batch_id, _batches.c.state == literal_column("'frozen'")
)
"""Not before its agent has said that all of its batch is there."""
_PENDING = (
    select(approvals.c.id, approvals.c.verdict)
    .where(_WAITS, approvals.c.expires_at > now())
    .order_by(approvals.c.created_at, approvals.c.id)
)
_TO_DECIDE = _PENDING.where(MAY_BE_SEEN, approvals.c.kind != literal_column("'feedback'"))
# Not two comparisons with OR: SQLite would then read all that an agent ever asked, by another index.
_ABOUT = bindparam("about", type_=Text).in_([approvals.c.agent, approvals.c.action])
_TO_DECIDE_ABOUT = _TO_DECIDE.where(_ABOUT)
_OVERDUE = (
    select(approvals.c.id)
    .where(_WAITS, approvals.c.expires_at <= now(), approvals.c.closed_in.is_(None))
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
    .order_by(approvals.c.ended_at.desc())
    .limit(bindparam("most"))
)
_PUBLISHED = (
    update(approvals)
    .where(approvals.c.id == bindparam("approval_id"), approvals.c.published_at.is_(None))
    .values(published_at=now())
)
_UNPUBLISH = (
    update(approvals)
    .where(approvals.c.published_at.is_not(None), approvals.c.receipt_expires_at > now())
    .values(published_at=None)
)
_UNPUBLISH_ONE = update(approvals).where(approvals.c.id == bindparam("approval_id")).values(published_at=None)


class Store:
    """Transactions and queries. Only `approvals` changes an approval; a channel keeps its own books."""

    def __init__(self, engine: Engine) -> None:
        self.engine = engine
        self._reader = reader(engine)
        self._turn = Turn(engine)

    @contextmanager
    def transaction(self, step: str = "") -> Iterator[Connection]:
        """One transaction: committed at the end, rolled back when anything raises.

        `step` names the step of the road that it is, for the points before and after its commit.
        """
        with self._turn.taken(), self.engine.begin() as connection:
            yield connection
            if step:
                crash.here(f"{step}.written")
        if step:
            crash.here(f"{step}.committed")

    @contextmanager
    def reading(self) -> Iterator[Connection]:
        """For statements that only read, without a writer's lock; see `engine.reader`."""
        with self._reader.begin() as connection:
            yield connection

    def get(self, approval_id: str) -> Approval | None:
        """One Approval as it is now."""
        with self.reading() as connection:
            return load(connection, approval_id)

    def look(self, approval_id: str) -> tuple[Approval, int] | None:
        """One Approval, and the database's time at which it was so."""
        with self._reader.connect() as connection:  # one statement is of one state, without a transaction
            found = _row(connection, approval_id)
            if found is None or _is_whole(found):
                return (_assemble(connection, found), found.now) if found else None
        with self.reading() as connection:
            found = _row(connection, approval_id)
            return (_assemble(connection, found), found.now) if found else None

    def card_of(self, approval_id: str) -> int | None:
        """The id of an Approval's card."""
        with self.reading() as connection:
            return connection.execute(_CARD_OF, {"approval_id": approval_id}).scalar()

    def find(self, agent: str, request_id: str) -> Approval | None:
        """The Approval of an agent's request."""
        with self.reading() as connection:
            found = find(connection, agent, request_id)
            return load(connection, found) if found else None

    def waiting(self, about: str = "", *, every: bool = False) -> list[tuple[str, Asked]]:
        """(id, whom its verdict asks) of all that waits for a decision and may be seen, oldest first; `about`
        takes only what is of this agent or of this action, `every` also what only asks for feedback, and what
        is of a batch that nobody sees yet: their agents wait for all of it.
        """
        with self.reading() as connection:
            statement = _PENDING if every else _TO_DECIDE_ABOUT if about else _TO_DECIDE
            found = connection.execute(statement, {"about": about} if about else {}).all()
        asked = {said: Asked.of(json.loads(said)) for said in {verdict for _, verdict in found}}
        return [(approval_id, asked[verdict]) for approval_id, verdict in found]

    def overdue(self, most: int = 100) -> Sequence[str]:
        """Pending ids whose time has run out, the longest overdue first."""
        with self.reading() as connection:
            return connection.execute(_OVERDUE, {"most": most}).scalars().all()

    def unpublished(self, seconds: float, most: int = 100) -> Sequence[str]:
        """Ids that ended over `seconds` ago and whose response may not have reached Redis."""
        with self.reading() as connection:
            values = {"most": most, "age": int(seconds * MICROSECONDS)}
            return connection.execute(_UNPUBLISHED, values).scalars().all()

    def mark_published(self, *approval_ids: str) -> None:
        """Their responses are in Redis."""
        with self.transaction("publication") as connection:
            connection.execute(_PUBLISHED, [{"approval_id": one} for one in approval_ids])

    def unpublish(self, approval_id: str = "") -> int:
        """Whether its response is in Redis is no longer known; or any that is still valid. How many."""
        with self.transaction("unpublication") as connection:
            if approval_id:
                return connection.execute(_UNPUBLISH_ONE, {"approval_id": approval_id}).rowcount
            return connection.execute(_UNPUBLISH).rowcount

    def clock(self) -> int:
        """The database's time, in microseconds since 1970."""
        with self.reading() as connection:
            return int(connection.execute(_NOW).scalar_one())


def find(connection: Connection, agent: str, request_id: str) -> str | None:
    """The id of the Approval of an agent's request."""
    return connection.execute(_FIND, {"agent": agent, "request_id": request_id}).scalar()


def load(connection: Connection, approval_id: str) -> Approval | None:
    """One Approval, with its decision and card."""
    found = _row(connection, approval_id)
    return _assemble(connection, found) if found else None


def _row(connection: Connection, approval_id: str) -> Any:
    """The approval's columns, `now`, its current payload, and its card's columns as `card_…`."""
    return _LOAD.first(connection, {"approval_id": approval_id})


def _is_whole(found: Any) -> bool:
    """Whether nothing else has to be read for it."""
    more = found.voted or found.has_files or found.has_talk or found.has_feedback
    return not (found.version > 1 or more or found.rejected_before or '"undo":{' in found.verdict)


def _assemble(connection: Connection, found: Row[Any]) -> Approval:
    """A `_row` → the Approval, reading what else belongs to it."""
    key = {"approval_id": found.id}
    text, claims, editors = found.payload, found.claims, tuple[str, ...]()
    if found.version > 1:
        first, *edits = connection.execute(_VERSIONS, key).all()
        text, claims = first.text, first.claims
        editors = tuple(one.by_id for one in edits if one.by_id)
    request = ApprovalRequest.from_rows(claims, json.loads(text)).with_text(text)
    voted = connection.execute(_DECISIONS, key).all() if found.voted else ()
    standing = [one for one in voted if one.withdrawn_at is None and one.version == found.version]
    filed = connection.execute(_FILES, key).all() if found.has_files else ()
    verdict = Verdict.model_validate_json(found.verdict)
    return Approval(
        **{name: getattr(found, name) for name in _AS_IT_STANDS},
        request=request,
        verdict=verdict,
        payload=like(json.loads(found.payload), request.payload),
        payload_text=found.payload,
        restored=found.closed_in is not None,
        any_stop=bool(found.any_stop),
        decisions=tuple(_decision(one, found, editors) for one in standing),
        voided=tuple(_voided(one) for one in voted if one.withdrawn_at is not None),
        editors=editors,
        outcome=Outcome.model_validate_json(found.outcome) if found.outcome else None,
        card=_card(found) if found.card_id is not None else None,
        files=tuple(File(*one) for one in filed),
        judged=found.judged or "",
        drawn=found.drawn or "",
        rejected=_rejected(connection, found),
        left_at=found.absent_at if found.waiter == GONE else None,
        feedback=feedback_rows.of(connection, found.id) if found.has_feedback else None,
        undo=undos.of(connection, found.id, found.agent, verdict.undo.action) if verdict.undo else None,
        **(talk_rows.of(connection, found.id) if found.has_talk else {}),
    )


def _rejected(connection: Connection, found: Row[Any]) -> Rejection | None:
    """What it brings to mind, while somebody may decide."""
    if found.rejected_before is None or found.status != "pending":
        return None
    return rejections.rejection(connection, found.rejected_before, found.digest_sent)


def _decision(decided: Row[Any], found: Row[Any], editors: Sequence[str]) -> Decision:
    by = editors[-1] if editors else decided.approver  # rows of before do not say who has edited
    edited = found.version > 1 and decided.vote == "approve" and decided.approver == by
    return Decision(
        vote=decided.vote,
        approver=decided.approver,
        name=decided.name,
        reason=decided.reason,
        resubmit=decided.resubmit,
        payload=json.loads(found.payload) if edited else None,
        second_factor=decided.second_factor,
        answer=json.loads(decided.answer) if decided.answer else None,
        at=moment(decided.at),
        deputy_for=decided.deputy_for,
        seat=decided.seat,
        fits=tuple(json.loads(decided.fits)) if decided.fits else (),
        self_approved=decided.self_approved,
    )


def _voided(decided: Row[Any]) -> Voided:
    return Voided(decided.approver, decided.name, decided.vote, decided.version, decided.void or "")


def _card(found: Row[Any]) -> Card:
    return Card(**{name: getattr(found, f"card_{name}") for name in _CARD})
