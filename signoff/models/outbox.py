"""What is to be posted to webhooks: rows that are written with an approval's end, and sent by the workers.

A message's id is made of the endpoint, the approval and its end, so it is the same however often it is sent,
also after a restore. It holds no payload and no reason: what it says is read from the approval's row when it
is sent. Times are microseconds since 1970.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, get_args

from sqlalchemy import (
    ColumnElement,
    Connection,
    Row,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    text,
    update,
)

from signoff.models.approval import End
from signoff.models.codes import code
from signoff.models.jitter import between
from signoff.models.leases import over
from signoff.models.store import MICROSECONDS, Store, approvals, now
from signoff.models.tables import WebhookDeliveryRow, WebhookEndpointRow

KINDS: tuple[str, ...] = tuple(f"request.{status}" for status in get_args(End))
"""Each way that a request can end is an event of its own."""
SCHEDULE = (0, 5, 300, 1800, 7200, 18_000, 36_000, 50_400, 72_000, 86_400)
"""Seconds before each try, as Standard Webhooks proposes: the last is three days after the first."""
JITTER = 0.1
"""The part of a pause that chance adds: what failed together is not tried again together."""
REST_SECONDS = 86_400
"""The longest that a receiver's Retry-After is heeded."""
CLAIM_SECONDS = 40
"""Longer than sending one takes. What a worker that died had claimed is due again by then."""
FORGOTTEN = "its request is in no row any more"

endpoints = WebhookEndpointRow.__table__  # type: ignore[attr-defined]
deliveries = WebhookDeliveryRow.__table__  # type: ignore[attr-defined]

MESSAGES = (
    "INSERT INTO webhook_delivery (id, endpoint_id, approval_id, kind, created_at, due_at) "
    "SELECT 'msg_' || substr(e.id, 4) || '_' || a.id || '_' || a.status, e.id, a.id, 'request.' || a.status, "
    ":at, :at FROM approval AS a JOIN webhook_endpoint AS e ON e.agent = a.agent "
    "WHERE e.events LIKE '%\"request.' || a.status || '\"%' "
)
"""The messages of ended approvals to the endpoints that want them; which ones, has to be added."""
_ADD = text(MESSAGES + "AND a.id = :approval_id AND e.off_at IS NULL ON CONFLICT DO NOTHING")
# As a query of its own it is asked once, and PostgreSQL can look by an index for what is due.
_DUE = deliveries.c.due_at <= select(now()).scalar_subquery()
_FIRST = (
    select(func.min(deliveries.c.due_at))
    .where(deliveries.c.endpoint_id == endpoints.c.id, deliveries.c.due_at.is_not(None))
    .scalar_subquery()
)
_READY = select(endpoints.c.id, endpoints.c.failing_since.is_not(None)).where(
    endpoints.c.off_at.is_(None),
    over(endpoints.c.rests_until, REST_SECONDS + 1),
    now() >= _FIRST,
)
_NEXT = (
    select(deliveries.c.id)
    .where(deliveries.c.endpoint_id == bindparam("endpoint"), _DUE)
    .order_by(deliveries.c.due_at)
    .limit(bindparam("most"))
)
_CLAIM = (
    update(deliveries)
    .where(deliveries.c.id.in_(_NEXT), _DUE)
    .values(
        due_at=now() + literal_column(str(CLAIM_SECONDS * MICROSECONDS)),
        lease=deliveries.c.lease + 1,
        attempts=deliveries.c.attempts + 1,
        sent_at=now(),
    )
    .returning(deliveries.c.id)
)
_LOAD = (
    select(
        deliveries.c.id,
        deliveries.c.kind,
        deliveries.c.lease,
        deliveries.c.attempts,
        endpoints.c.id.label("endpoint_id"),
        endpoints.c.agent,
        endpoints.c.url,
        endpoints.c.generation,
        endpoints.c.rotated_at,
        approvals.c.id.label("approval_id"),
        approvals.c.request_id,
        approvals.c.kind.label("asked"),
        approvals.c.action,
        approvals.c.status,
        approvals.c.ended_at,
        approvals.c.code_length,
        now().label("now"),
    )
    .join(endpoints, endpoints.c.id == deliveries.c.endpoint_id)
    .outerjoin(approvals, approvals.c.id == deliveries.c.approval_id)
    .where(deliveries.c.id.in_(bindparam("ids", expanding=True)))
    .order_by(deliveries.c.created_at)
)
_MINE = (deliveries.c.id == bindparam("message"), deliveries.c.lease == bindparam("mine"))
_NOTED: dict[str, Any] = {"code": bindparam("answer"), "fault": bindparam("why")}
_TAKEN = update(deliveries).where(*_MINE).values(due_at=None, ended_at=now(), **_NOTED)
_WAITS = (*_MINE, deliveries.c.due_at.is_not(None))
_GIVEN_UP = update(deliveries).where(*_WAITS).values(due_at=None, ended_at=now(), **_NOTED)
_LATER = update(deliveries).where(*_WAITS).values(due_at=now() + bindparam("pause"), **_NOTED)
_THIS = endpoints.c.id == bindparam("endpoint")
_WORKS = (
    update(endpoints).where(_THIS).values(failing_since=None, answered_at=now(), answer=bindparam("said"))
)
_FAILS = (
    update(endpoints)
    .where(_THIS)
    .values(
        failing_since=func.coalesce(endpoints.c.failing_since, now()),
        answered_at=now(),
        answer=bindparam("said"),
        rests_until=now() + bindparam("rest"),
    )
    .returning(endpoints.c.failing_since, now().label("now"))
)


@dataclass(frozen=True)
class Message:
    """One that is to be posted, claimed: where to, what about, and which try it is, from 1."""

    id: str
    endpoint_id: str
    agent: str
    url: str = field(repr=False)
    generation: int
    rotated_at: int | None
    kind: str
    lease: int
    attempts: int
    about: About | None
    now: int


@dataclass(frozen=True)
class About:
    """What a message tells of a request."""

    request_id: str
    agent: str
    kind: str
    action: str
    status: str
    ended_at: int
    code: str


@dataclass(frozen=True)
class Failed:
    """What became of a message that was not taken: whether it is given up, and since when all have failed."""

    given_up: bool
    since: int
    now: int


def wanted(agent: Any) -> ColumnElement[bool]:
    """Whether anybody wants to hear of an agent's decisions; a part of statements that run anyway."""
    return exists().where(endpoints.c.agent == agent, endpoints.c.off_at.is_(None))


def add(connection: Connection, approval_id: str, at: int) -> None:
    """An approval has ended: its messages, one for each endpoint that wants it."""
    connection.execute(_ADD, {"approval_id": approval_id, "at": at})


def ready(store: Store) -> list[tuple[str, bool]]:
    """The endpoints that have something due, and do not rest; and whether they have failed last."""
    with store.reading() as connection:
        return [(name, bool(fails)) for name, fails in connection.execute(_READY)]


def claim(store: Store, endpoint: str, most: int) -> list[Message]:
    """Up to so many of what is due there, the longest due first, for the one who sends it."""
    with store.transaction() as connection:
        ids = connection.execute(_CLAIM, {"endpoint": endpoint, "most": most}).scalars().all()
        if not ids:
            return []
        rows: Any = connection.execute(_LOAD, {"ids": ids})
        return [_message(row) for row in rows]


def note_taken(store: Store, message: Message, answer: int) -> None:
    """It was answered with a 2xx."""
    with store.transaction() as connection:
        connection.execute(_TAKEN, _values(message, answer, None))
        connection.execute(_WORKS, {"endpoint": message.endpoint_id, "said": f"answered {answer}"})


def note_failed(
    connection: Connection, message: Message, answer: int | None, why: str, rest: float | None
) -> Failed | None:
    """It was not, and is due again in a while; None where somebody else has had it since, or the endpoint is
    off or gone.

    `rest` is for how many seconds its receiver wants nothing.
    """
    pause = rest_of(rest)
    values = _values(message, answer, why)
    given_up = message.attempts >= len(SCHEDULE) or message.about is None
    if given_up:
        moved = connection.execute(_GIVEN_UP, values).rowcount
    else:
        seconds = SCHEDULE[message.attempts] * (1 + between(0, JITTER))
        values["pause"] = int(max(seconds, pause) * MICROSECONDS)
        moved = connection.execute(_LATER, values).rowcount
    said = {"endpoint": message.endpoint_id, "said": why, "rest": int(pause * MICROSECONDS)}
    found = connection.execute(_FAILS, said).first() if moved else None
    return Failed(given_up, found.failing_since, found.now) if found else None


def rest_of(seconds: float | None) -> float:
    """What a receiver asks for, in seconds, as far as it is heeded."""
    return min(max(seconds or 0.0, 0.0), REST_SECONDS)


def _values(message: Message, answer: int | None, why: str | None) -> dict[str, Any]:
    return {"message": message.id, "mine": message.lease, "answer": answer, "why": why}


def _message(row: Row[Any]) -> Message:
    about = None
    if row.approval_id is not None and row.ended_at is not None:
        named = code(row.approval_id, row.code_length)
        about = About(row.request_id, row.agent, row.asked, row.action, row.status, row.ended_at, named)
    names = (
        "id", "endpoint_id", "agent", "url", "generation", "rotated_at", "kind", "lease", "attempts", "now"
    )  # fmt: skip
    return Message(**{name: row._mapping[name] for name in names}, about=about)
