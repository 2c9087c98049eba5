"""Rows that the policy lets run after a while, unless somebody holds them: when that is, and compare-and-set.

`runs_at` is 0 while such a row has not been shown, then `after` past the moment at which it first was. It is
NULL in every other row, and once one is held.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, literal_column, or_, select, update

from signoff.models.log import events
from signoff.models.store import MICROSECONDS, Store, approvals, now

MOVED = "grace"
"""The kind of line that tells of a time that was moved."""
UNSHOWN = 0
"""What `runs_at` holds until the card was shown."""
UNSHOWN_SECONDS = 60
"""A card that is not shown for so long may never be: then a person is asked."""
_WAITS = (
    approvals.c.status == literal_column("'pending'"),
    approvals.c.runs_at.is_not(None),
    approvals.c.closed_in.is_(None),
)
_SHOWN = approvals.c.runs_at > literal_column("0")
_ONE = approvals.c.id == bindparam("approval_id")
_DUE = (
    select(approvals.c.id)
    .where(
        *_WAITS,
        approvals.c.runs_at <= now(),
        or_(_SHOWN, approvals.c.created_at <= now() - UNSHOWN_SECONDS * MICROSECONDS),
    )
    .order_by(approvals.c.runs_at.desc(), approvals.c.created_at)
    .limit(bindparam("most"))
)
_BEGIN = (
    update(approvals)
    .where(_ONE, *_WAITS, approvals.c.runs_at == literal_column("0"), approvals.c.shown_at.is_not(None))
    .values(
        runs_at=approvals.c.shown_at + bindparam("pause"), revision=approvals.c.revision + 1, not_before=0
    )
)
_BEGUN = select(approvals.c.shown_at.label("since"), approvals.c.runs_at).where(_ONE)
_TAKE = (
    update(approvals)
    .where(_ONE, *_WAITS, _SHOWN, approvals.c.runs_at <= now(), approvals.c.expires_at > now())
    .values(runs_at=approvals.c.runs_at)
)
_LATER = (
    update(approvals)
    .where(_ONE, *_WAITS, _SHOWN, approvals.c.runs_at == bindparam("was"), approvals.c.expires_at > now())
    .values(runs_at=bindparam("to"), revision=approvals.c.revision + 1, not_before=0)
)
_TOLD = (
    select(events.c.kind, events.c.at, events.c.data)
    .where(events.c.approval_id == bindparam("approval_id"), events.c.kind.in_(("shown", MOVED)))
    .order_by(events.c.seq)
)
_HOLD = (
    update(approvals)
    .where(_ONE, *_WAITS, approvals.c.version == bindparam("seen"), approvals.c.expires_at > now())
    .values(
        runs_at=None,
        verdict=bindparam("to_verdict"),
        judged=bindparam("policy"),
        revision=approvals.c.revision + 1,
        not_before=0,
    )
)


def due(store: Store, most: int = 100) -> Sequence[str]:
    """Ids of what may run now, the last one first that may; and of what was never shown."""
    with store.reading() as connection:
        return connection.execute(_DUE, {"most": most}).scalars().all()


def begin(connection: Connection, approval_id: str, after: int) -> bool:
    """Its card was shown: it may run `after` seconds later. False where that was known, or is no grace."""
    values = {"approval_id": approval_id, "pause": after * MICROSECONDS}
    return connection.execute(_BEGIN, values).rowcount == 1


def begun(connection: Connection, approval_id: str) -> dict[str, int]:
    """When its time began and when it ends, for the line of its card."""
    return dict(connection.execute(_BEGUN, {"approval_id": approval_id}).mappings().one())


def take(connection: Connection, approval_id: str) -> bool:
    """It may run now, and until this transaction ends nobody holds it; False where somebody did, or it is
    too early.
    """
    return connection.execute(_TAKE, {"approval_id": approval_id}).rowcount == 1


def later(connection: Connection, approval_id: str, was: int, to: int) -> bool:
    """It may run at another moment, and its card is to say so; False where the row has moved."""
    values = {"approval_id": approval_id, "was": was, "to": to}
    return connection.execute(_LATER, values).rowcount == 1


@dataclass(frozen=True)
class Period:
    """The time in which it may be held, as the log tells it: when it was first shown, when the time began
    (later, where it began anew) and ends, in microseconds since 1970; and how often it began anew.
    """

    shown_at: int
    since: int
    runs_at: int
    anew: int


def period(store: Store, approval_id: str) -> Period | None:
    """What the log tells; None where its time has not begun."""
    with store.reading() as connection:
        lines = connection.execute(_TOLD, {"approval_id": approval_id}).all()
    found: Period | None = None
    for kind, at, said in ((line.kind, line.at, json.loads(line.data)) for line in lines):
        if kind == "shown" and found is None and "runs_at" in said:
            found = Period(at, said["since"], said["runs_at"], 0)
        elif kind == MOVED and found is not None:
            anew = found.anew + (said["why"] == "unheard")
            found = Period(found.shown_at, said["since"], said["runs_at"], anew)
    return found


def hold(connection: Connection, approval_id: str, seen: int, verdict: str, policy: str) -> bool:
    """It is asked about from now on, by this verdict; False where it has run, or was held already."""
    values = {"approval_id": approval_id, "seen": seen, "to_verdict": verdict, "policy": policy}
    return connection.execute(_HOLD, values).rowcount == 1
