"""Whom to ping about what waits, each once: noted in rows, said afterwards in the card's thread.

`approval.calls_at` is when its reminders and escalations have next to be looked at: 0 as soon as may be, NULL
never. A row of `call` is one person to be pinged about one request; `pinged` keeps anybody from being twice
within `APART_SECONDS`.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

from sqlalchemy import Connection, Text, bindparam, cast, exists, insert, literal_column, select, update

from signoff.models.approval import Approval
from signoff.models.store import MICROSECONDS, Store, approvals, now
from signoff.models.time_tables import CallRow, PingedRow
from signoff.models.verdict import Verdict

Why = Literal["asked", "remind", "escalate"]
APART_SECONDS = 600
"""Nobody is pinged twice within so long."""
AT_ONCE = 100
"""Requests that are looked at before others of the sweep have their turn."""
AT_ONCE_LOOKED = 0
"""What `calls_at` holds of what is to be looked at now."""

rows: Any = CallRow.__table__  # type: ignore[attr-defined]
pinged: Any = PingedRow.__table__  # type: ignore[attr-defined]

_ONE = approvals.c.id == bindparam("approval_id")
_WAITS = (_ONE, approvals.c.status == literal_column("'pending'"), approvals.c.closed_in.is_(None))
_BEGIN = (
    update(approvals)
    .where(*_WAITS, approvals.c.shown_at.is_not(None), approvals.c.calls_at.is_(None))
    .values(calls_at=AT_ONCE_LOOKED)
)
_RESTART = (
    update(approvals)
    .where(*_WAITS, approvals.c.shown_at.is_not(None), approvals.c.expires_at > now())
    .values(
        expires_at=approvals.c.shown_at + bindparam("length"),
        revision=approvals.c.revision + 1,
        not_before=0,
    )
    .returning(approvals.c.expires_at)
)
_DUE = (
    select(approvals.c.id)
    .where(approvals.c.calls_at.is_not(None), approvals.c.calls_at <= now())
    .order_by(approvals.c.calls_at)
    .limit(literal_column(str(AT_ONCE)))
)
_MOVE = (
    update(approvals).where(_ONE, approvals.c.calls_at == bindparam("was")).values(calls_at=bindparam("to"))
)
_AGAIN = update(approvals).where(*_WAITS, approvals.c.shown_at.is_not(None)).values(calls_at=AT_ONCE_LOOKED)
_WAS = select(approvals.c.calls_at).where(_ONE)
_ESCALATE = (
    update(approvals)
    .where(
        *_WAITS,
        approvals.c.version == bindparam("seen"),
        approvals.c.revision == bindparam("was_revision"),
        approvals.c.expires_at > now(),
    )
    .values(
        verdict=bindparam("to_verdict"),
        judged=bindparam("policy"),
        revision=approvals.c.revision + 1,
        not_before=0,
    )
)
_KNOWN = select(rows.c.person).where(
    rows.c.approval_id == bindparam("approval_id"),
    rows.c.why == bindparam("reason"),
    rows.c.after == bindparam("step"),
)
_ADD = insert(rows).values(created_at=now())
_TO_SAY = (
    select(rows.c.approval_id)
    .where(rows.c.said_at.is_(None), rows.c.due_at <= now())
    .group_by(rows.c.approval_id)
    .limit(literal_column(str(AT_ONCE)))
)
_UNSAID = (
    select(rows.c.id, rows.c.person, rows.c.why, rows.c.after, rows.c.due_at)
    .where(rows.c.approval_id == bindparam("approval_id"), rows.c.said_at.is_(None))
    .order_by(rows.c.person, rows.c.id)
)
_LATER = (
    update(rows).where(rows.c.id == bindparam("row"), rows.c.said_at.is_(None)).values(due_at=bindparam("to"))
)
_SAID = update(rows).where(rows.c.id == bindparam("row"), rows.c.said_at.is_(None)).values(said_at=now())
_LAST = select(pinged.c.at).where(pinged.c.person == bindparam("who"))
_PING = (
    update(pinged)
    .where(
        pinged.c.person == bindparam("who"),
        pinged.c.at <= now() - literal_column(str(APART_SECONDS * MICROSECONDS)),
    )
    .values(at=now())
)
_FIRST_PING = (
    insert(pinged)
    .from_select(
        ["person", "at"],
        select(cast(bindparam("who"), Text), now()).where(
            ~exists().where(pinged.c.person == bindparam("who"))
        ),
    )
    .returning(pinged.c.person)
)


@dataclass(frozen=True)
class Call:
    """One person to be pinged. `due_at` in microseconds since 1970, `after` in seconds."""

    id: int
    person: str
    why: Why
    after: int
    due_at: int


def begin(connection: Connection, approval_id: str, restart_seconds: int | None) -> dict[str, int]:
    """Its card was shown for the first time: what it has to be looked at for is looked at now.

    `restart_seconds` is how long it has from this moment on, where its clock starts now: given back is when
    that ends, for the line of its card; nothing where it stays as it was.
    """
    connection.execute(_BEGIN, {"approval_id": approval_id})
    if restart_seconds is None:
        return {}
    values = {"approval_id": approval_id, "length": restart_seconds * MICROSECONDS}
    ends = connection.execute(_RESTART, values).scalar()
    return {} if ends is None else {"expires_at": int(ends)}


def due(store: Store) -> Sequence[str]:
    """Ids of what is to be looked at now, the longest overdue first."""
    with store.reading() as connection:
        return connection.execute(_DUE).scalars().all()


def looked_at(store: Store, approval_id: str) -> int | None:
    """When it is to be looked at next, as its row has it."""
    with store.reading() as connection:
        found: int | None = connection.execute(_WAS, {"approval_id": approval_id}).scalar()
        return found


def move(connection: Connection, approval_id: str, was: int, to: int | None) -> bool:
    """It is to be looked at then; False where another process has looked at it."""
    values = {"approval_id": approval_id, "was": was, "to": to}
    return connection.execute(_MOVE, values).rowcount == 1


def again(connection: Connection, approval: Approval, today: Verdict) -> None:
    """Another policy is in force: its steps may be others, where it has or had any."""
    if today.timing or approval.verdict.timing:
        connection.execute(_AGAIN, {"approval_id": approval.id})


def escalate(
    connection: Connection, approval_id: str, seen: int, revision: int, verdict: str, policy: str
) -> bool:
    """More people are asked, by this verdict; False where it is no longer as it was seen."""
    values = {"approval_id": approval_id, "seen": seen, "was_revision": revision, "to_verdict": verdict}
    values |= {"policy": policy}
    return connection.execute(_ESCALATE, values).rowcount == 1


def add(
    connection: Connection, approval_id: str, why: Why, after: int, people: Iterable[tuple[str, int]]
) -> None:
    """Each person is to be pinged from a moment on; nobody twice for the same step."""
    key = {"approval_id": approval_id, "reason": why, "step": after}
    known = set(connection.execute(_KNOWN, key).scalars())
    new = [
        {"approval_id": approval_id, "person": person, "why": why, "after": after, "due_at": at}
        for person, at in people
        if person not in known
    ]
    if new:
        connection.execute(_ADD, new)


def to_say(store: Store) -> Sequence[str]:
    """Ids of what somebody is to be pinged about now."""
    with store.reading() as connection:
        return connection.execute(_TO_SAY).scalars().all()


def unsaid(connection: Connection, approval_id: str) -> tuple[Call, ...]:
    """Whom it is still to be said to, by person."""
    found = connection.execute(_UNSAID, {"approval_id": approval_id})
    return tuple(Call(*one) for one in found)


def later(connection: Connection, call: Call, at: int) -> None:
    """They were pinged just now: another time."""
    connection.execute(_LATER, {"row": call.id, "to": at})


def said(connection: Connection, call: Call) -> bool:
    """It is said, or needs no saying; False where another process has said it."""
    return connection.execute(_SAID, {"row": call.id}).rowcount == 1


def last(connection: Connection, person: str) -> int | None:
    """When somebody was last pinged."""
    found: int | None = connection.execute(_LAST, {"who": person}).scalar()
    return found


def ping(connection: Connection, person: str) -> bool:
    """Somebody is pinged now, by this transaction; False where they were within the last ten minutes."""
    values = {"who": person}
    if connection.execute(_PING, values).rowcount == 1:
        return True
    return connection.execute(_FIRST_PING, values).first() is not None


def none_left(connection: Connection, approval_id: str) -> None:
    """It waits no more: nobody is pinged about it."""
    for call in unsaid(connection, approval_id):
        said(connection, call)
