"""What a stop is about: what waits, what was approved and could still run, and which guards know of it."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, delete, insert, select, update

from signoff.models import batch_rows, stop_rows, tokens
from signoff.models.changes import clock
from signoff.models.stop_tables import StopSeenRow
from signoff.models.stops import Stop
from signoff.models.store import MICROSECONDS, Store, approvals
from signoff.models.tokens import Token

seen_rows: Any = StopSeenRow.__table__  # type: ignore[attr-defined]
QUIET_SECONDS = 120
"""A guard that says nothing for so long is told of as one that may not hear of a stop."""
FORGET_DAYS = 7
"""For how long a guard that says nothing any more is remembered."""
CHUNK = 500
_WAITING = (
    select(
        approvals.c.id, approvals.c.agent, approvals.c.action, approvals.c.undoes, approvals.c.batch_id,
        approvals.c.request_id, approvals.c.expires_at,
    )
    .where(approvals.c.status == "pending")
    .order_by(approvals.c.created_at)
)  # fmt: skip
_STIR = (
    update(approvals)
    .where(approvals.c.id.in_(bindparam("ids", expanding=True)), approvals.c.status == "pending")
    .values(revision=approvals.c.revision + 1)
)
_UNSPENT = (
    select(approvals.c.id, approvals.c.agent, approvals.c.action, approvals.c.undoes, approvals.c.batch_id)
    .where(
        approvals.c.status == "approved",
        approvals.c.kind == "approval",
        approvals.c.receipt_expires_at > bindparam("now_at"),
        approvals.c.spent_at.is_(None),
        approvals.c.outcome.is_(None),
    )
    .order_by(approvals.c.ended_at)
)  # fmt: skip
_STIR_GRANTED = (
    update(approvals)
    .where(approvals.c.id.in_(bindparam("ids", expanding=True)), approvals.c.spent_at.is_(None))
    .values(revision=approvals.c.revision + 1)
)
_GRANTED = select(
    approvals.c.agent, approvals.c.action, approvals.c.undoes, approvals.c.ended_at, approvals.c.spent_at,
    approvals.c.outcome_at, approvals.c.receipt_expires_at,
).where(
    approvals.c.status == "approved",
    approvals.c.receipt_expires_at > bindparam("stopped_at"),
    approvals.c.kind == "approval",
)  # fmt: skip
_SEEN = select(seen_rows)
_IS_SEEN = (seen_rows.c.token == bindparam("whose")) & (seen_rows.c.guard == bindparam("which"))
_NOTE = (
    update(seen_rows)
    .where(_IS_SEEN, seen_rows.c.number <= bindparam("saw"))
    .values(number=bindparam("saw"), fresh=bindparam("within"), at=bindparam("now_at"))
)
_THERE = select(seen_rows.c.number).where(_IS_SEEN)
_ADD = insert(seen_rows)
_FORGET = delete(seen_rows).where(seen_rows.c.at < bindparam("before"))


@dataclass(frozen=True)
class Seen:
    """What a guard has last said: the highest number it has seen, and `at` (microseconds since 1970)."""

    token: str
    guard: str
    number: int
    fresh: int
    at: int


@dataclass(frozen=True)
class Known:
    """What is known of what was approved before a stop, and had not run then.

    `void` are those whose guards have all said that they know of the stop. Others, `unconfirmed`, could run
    `until` then (microseconds since 1970; 0 where there are none): where guards are known, as long as those
    may believe what they knew before, else as long as a receipt is valid. `spent` are reported to run, or to
    have run, meanwhile.
    """

    void: int
    unconfirmed: int
    until: int
    spent: int

    def said(self, clock: str) -> str:
        """In one line; `clock` is what people read for `until`."""
        parts = [
            f"{self.void:,} void, confirmed by guards" if self.void else "",
            f"{self.unconfirmed:,} unconfirmed, could run until {clock}" if self.unconfirmed else "",
            f"{self.spent:,} reported spent" if self.spent else "",
        ]
        return " · ".join(part for part in parts if part) or "nothing was granted that could still run"


@dataclass(frozen=True)
class Waits:
    """A request that waits and is covered by a stop; `undo` says that it undoes something."""

    id: str
    agent: str
    request_id: str
    action: str
    expires_at: int
    undo: bool


def waiting(store: Store, stop: Stop) -> list[Waits]:
    """What waits and is covered, the oldest first."""
    with store.reading() as connection:
        return _waits(_waiting(connection, stop))


def stir(connection: Connection, stop: Stop) -> list[Waits]:
    """What shows something that waits, and is covered, is drawn anew → what that is."""
    found = _waiting(connection, stop)
    ids = [row.id for row in found]
    for start in range(0, len(ids), CHUNK):
        connection.execute(_STIR, {"ids": ids[start : start + CHUNK]})
    for batch in {row.batch_id for row in found if row.batch_id is not None}:
        batch_rows.stir(connection, batch)
    return _waits(found)


def stir_granted(store: Store, stop: Stop) -> list[str]:
    """What shows something that was approved, has not run and is covered, is drawn anew → those ids."""
    with store.transaction() as connection:
        rows = connection.execute(_UNSPENT, {"now_at": clock(connection)})
        found = [row for row in rows if _covers(stop, row)]
        ids = [row.id for row in found]
        for start in range(0, len(ids), CHUNK):
            connection.execute(_STIR_GRANTED, {"ids": ids[start : start + CHUNK]})
        for batch in {row.batch_id for row in found if row.batch_id is not None}:
            batch_rows.stir(connection, batch)
    return ids


def known(connection: Connection, stop: Stop) -> Known:
    """What is known by now: see Known."""
    void = unconfirmed = until = spent = 0
    guards, found = tokens.standing(connection), seen(connection)
    for row in connection.execute(_GRANTED, {"stopped_at": stop.at}):
        granted_after = stop.until is not None and row.ended_at > stop.until
        if granted_after or not _covers(stop, row):
            continue
        ran = min((at for at in (row.spent_at, row.outcome_at) if at is not None), default=None)
        if ran is not None:
            spent += ran >= stop.at or row.outcome_at is None or row.outcome_at >= stop.at
            continue
        limit = _could_run_until(stop, row, guards, found)
        if limit is None:
            void += 1
        else:
            unconfirmed, until = unconfirmed + 1, max(until, limit)
    return Known(void, unconfirmed, until, spent)


def seen(connection: Connection) -> list[Seen]:
    """What every guard has last said."""
    return [Seen(row.token, row.guard, row.number, row.fresh, row.at) for row in connection.execute(_SEEN)]


def stale(connection: Connection) -> list[Seen]:
    """Guards that have said nothing for long, or do not know of what is stopped by now."""
    number, at = stop_rows.number(connection), clock(connection)
    return [
        one
        for one in seen(connection)
        if at - one.at > max(one.fresh * 2, QUIET_SECONDS) * MICROSECONDS
        or (one.number < number and at - one.at > one.fresh * MICROSECONDS)
    ]


def note_seen(connection: Connection, token: str, guard: str, number: int, fresh: int) -> None:
    """A guard has said so now; a lower number than before changes nothing."""
    at = clock(connection)
    connection.execute(_FORGET, {"before": at - FORGET_DAYS * 86_400 * MICROSECONDS})
    named = {"whose": token, "which": guard}
    if connection.execute(_NOTE, {**named, "saw": number, "within": fresh, "now_at": at}).rowcount:
        return
    if connection.execute(_THERE, named).first() is None:
        row = {"token": token, "guard": guard, "number": number, "fresh": fresh, "at": at}
        connection.execute(_ADD, row)


def _could_run_until(stop: Stop, row: Any, guards: Iterable[Token], found: Iterable[Seen]) -> int | None:
    """Until when this could run all the same; None where every guard of it knows of the stop."""
    may = [one.id for one in guards if one.may_spend(row.agent, row.action)]
    said = [one for one in found if one.token in may]
    if not said or {one.token for one in said} != {*may}:
        return int(row.receipt_expires_at)
    late = [one for one in said if one.number < stop.number]
    if not late:
        return None
    believes = stop.at + max(one.fresh for one in late) * MICROSECONDS
    return min(int(row.receipt_expires_at), believes)


def _waiting(connection: Connection, stop: Stop) -> list[Any]:
    return [row for row in connection.execute(_WAITING) if _covers(stop, row)]


def _waits(rows: Iterable[Any]) -> list[Waits]:
    return [
        Waits(row.id, row.agent, row.request_id, row.action, row.expires_at, row.undoes is not None)
        for row in rows
    ]


def _covers(stop: Stop, row: Any) -> bool:
    passes = stop.undos and row.undoes is not None
    return not passes and stop.scope.covers(row.agent, row.action)
