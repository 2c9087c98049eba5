"""What was posted to webhooks, and what was not: to be looked at, sent again, and forgotten in the end."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Row, bindparam, delete, func, literal_column, select, text, update

from signoff.models.outbox import MESSAGES, deliveries
from signoff.models.store import MICROSECONDS, Store, now

KEPT_SECONDS = 30 * 86_400
"""How long it is known what was sent."""
TOO_FAR_SECONDS = 2 * 86_400
"""What is due later than this was written before the clock was put back."""
CHUNK = 1000

_AGAIN: dict[str, Any] = {"due_at": now(), "attempts": 0, "ended_at": None, "code": None, "fault": None}
_REPLAY = update(deliveries).where(deliveries.c.id == bindparam("message")).values(**_AGAIN)
_ENDPOINT_OF = select(deliveries.c.endpoint_id).where(deliveries.c.id == bindparam("message"))
_UNDELIVERED = deliveries.c.ended_at.is_(None) | deliveries.c.fault.is_not(None)
_REPLAY_FAILED = (
    update(deliveries).where(deliveries.c.endpoint_id == bindparam("endpoint"), _UNDELIVERED).values(**_AGAIN)
)
_REPLAY_SINCE = (
    MESSAGES  # nosec B608
    + "AND e.id = :endpoint AND a.ended_at >= :since "
    "ON CONFLICT (endpoint_id, approval_id, kind) DO UPDATE "
    "SET due_at = excluded.due_at, attempts = 0, ended_at = NULL, code = NULL, fault = NULL"
)
_SINCE_ALL = text(_REPLAY_SINCE)
_SINCE = text(
    _REPLAY_SINCE + " WHERE webhook_delivery.ended_at IS NULL OR webhook_delivery.fault IS NOT NULL"
)
_NEWEST = (
    select(deliveries).order_by(deliveries.c.created_at.desc(), deliveries.c.id).limit(bindparam("most"))
)
_NEWEST_OF = _NEWEST.where(deliveries.c.endpoint_id == bindparam("endpoint"))
_FAILED = deliveries.c.ended_at.is_not(None) & deliveries.c.fault.is_not(None)
_WAITING = (
    select(
        deliveries.c.endpoint_id,
        func.count().label("number"),
        func.min(deliveries.c.created_at).label("oldest"),
    )
    .where(deliveries.c.due_at.is_not(None))
    .group_by(deliveries.c.endpoint_id)
)
_OLD = (
    select(deliveries.c.id)
    .where(
        deliveries.c.created_at < now() - literal_column(str(KEPT_SECONDS * MICROSECONDS)),
        deliveries.c.ended_at.is_not(None),
    )
    .limit(CHUNK)
)
_CLEAR = delete(deliveries).where(deliveries.c.id.in_(_OLD))
_TOO_FAR = (
    update(deliveries)
    .where(deliveries.c.due_at > now() + literal_column(str(TOO_FAR_SECONDS * MICROSECONDS)))
    .values(due_at=now())
)


def replay(store: Store, message: str) -> bool:
    """A message is due at once, whatever became of it; False where there is none."""
    with store.transaction() as connection:
        return connection.execute(_REPLAY, {"message": message}).rowcount == 1


def endpoint_of(store: Store, message: str) -> str | None:
    """The endpoint that a message is for; None where there is no such message."""
    with store.reading() as connection:
        found: str | None = connection.execute(_ENDPOINT_OF, {"message": message}).scalar()
        return found


def replay_failed(store: Store, endpoint: str) -> int:
    """All that an endpoint has not taken is due at once → how many."""
    with store.transaction() as connection:
        return connection.execute(_REPLAY_FAILED, {"endpoint": endpoint}).rowcount


def replay_since(store: Store, endpoint: str, since: int, *, delivered: bool) -> int:
    """All that ended since then is due, also what ended while the endpoint was off → how many.

    What was `delivered` only if that is said.
    """
    with store.transaction() as connection:
        at = connection.execute(select(now())).scalar_one()
        values = {"endpoint": endpoint, "since": since, "at": at}
        return connection.execute(_SINCE_ALL if delivered else _SINCE, values).rowcount


def newest(store: Store, endpoint: str | None, *, failed: bool, most: int) -> Sequence[Row[Any]]:
    """The last messages, of one endpoint or all, as their rows are; or only those that are given up."""
    statement = _NEWEST_OF if endpoint else _NEWEST
    with store.reading() as connection:
        found = statement.where(_FAILED) if failed else statement
        return connection.execute(found, {"endpoint": endpoint, "most": most}).all()


def waiting(store: Store) -> dict[str, tuple[int, int]]:
    """Endpoint → how many messages wait, and when the oldest was made."""
    with store.reading() as connection:
        return {row.endpoint_id: (row.number, row.oldest) for row in connection.execute(_WAITING)}


def tidy(store: Store) -> None:
    """Forget what was done with long ago, and have sent what a clock that was put back keeps waiting."""
    cleared = CHUNK
    while cleared == CHUNK:
        with store.transaction() as connection:
            cleared = connection.execute(_CLEAR).rowcount
    with store.transaction() as connection:
        connection.execute(_TOO_FAR)
