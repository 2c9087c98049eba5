"""Whether agents wait for what is pending, as far as that was seen: an agent that parks never is.

`waiter` is NULL until somebody was seen to wait, then *waits*; *missed* where nobody was there at the last
look, since `absent_at`; *gone* where that is so long ago that the card says it.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import bindparam, case, exists, literal_column, select, update

from signoff.models.approval import GONE
from signoff.models.store import MICROSECONDS, Store, approvals, cards, now

WAITS: Final = "waits"
MISSED: Final = "missed"
GONE_SECONDS: Final = 60.0
"""How long nobody waits before a card says so: whoever connects anew is back much sooner."""
SETTLED_SECONDS: Final = 5.0
"""A request that is not waited for is listened for until it is received: so long after its card was posted
nobody does that any more."""
_PENDING = approvals.c.status == literal_column("'pending'")
_WATCHED = (
    select(approvals.c.id, approvals.c.agent, approvals.c.request_id, approvals.c.waiter)
    .where(
        _PENDING,
        approvals.c.shown_at.is_not(None),
        approvals.c.shown_at <= now() - bindparam("settled"),
        exists().where(cards.c.approval_id == approvals.c.id),
    )
    .order_by(approvals.c.created_at)
)
_THESE = (approvals.c.id.in_(bindparam("ids", expanding=True)), _PENDING)
_WAITS = (
    update(approvals)
    .where(*_THESE, approvals.c.waiter.is_(None) | (approvals.c.waiter != literal_column("'waits'")))
    .values(
        waiter=WAITS,
        absent_at=None,
        revision=approvals.c.revision
        + case(
            (approvals.c.waiter == literal_column("'gone'"), literal_column("1")), else_=literal_column("0")
        ),
    )
)
_MISSED = (
    update(approvals)
    .where(*_THESE, approvals.c.waiter == literal_column("'waits'"))
    .values(waiter=MISSED, absent_at=now())
)
_GONE = (
    update(approvals)
    .where(
        *_THESE,
        approvals.c.waiter == literal_column("'missed'"),
        approvals.c.absent_at <= now() - bindparam("long"),
    )
    .values(waiter=GONE, revision=approvals.c.revision + 1)
)
_ENDED = select(approvals.c.id).where(approvals.c.id.in_(bindparam("ids", expanding=True)), ~_PENDING)
CHUNK = 500
"""Ids in one statement."""


@dataclass(frozen=True)
class Watched:
    """A pending request whose card stands, and what is known of who waits for it."""

    id: str
    agent: str
    request_id: str
    waiter: str | None


def ended(store: Store, ids: Sequence[str]) -> set[str]:
    """Of these ids those that wait for nobody any more."""
    found = set[str]()
    with store.reading() as connection:
        for start in range(0, len(ids), CHUNK):
            found.update(connection.execute(_ENDED, {"ids": ids[start : start + CHUNK]}).scalars())
    return found


def watched(store: Store) -> list[Watched]:
    """All that is pending and shown, oldest first."""
    with store.reading() as connection:
        found = connection.execute(_WATCHED, {"settled": int(SETTLED_SECONDS * MICROSECONDS)})
        return [Watched(*row) for row in found]


def note(store: Store, looked: Iterable[Watched], waited_for: Collection[str], sure: float) -> int:
    """What a look has found: ids that somebody waits for; how many rows that changed.

    `sure` is for how many seconds one look has followed another: nobody is gone for longer than was looked.
    """
    seen = [one.id for one in looked if one.id in waited_for and one.waiter != WAITS]
    absent = [one for one in looked if one.id not in waited_for]
    missed = [one.id for one in absent if one.waiter == WAITS]
    gone = [one.id for one in absent if one.waiter == MISSED] if sure >= GONE_SECONDS else []
    steps: list[tuple[Any, list[str], dict[str, int]]] = [
        (_WAITS, seen, {}),
        (_MISSED, missed, {}),
        (_GONE, gone, {"long": int(GONE_SECONDS * MICROSECONDS)}),
    ]
    changed = 0
    if seen or missed or gone:
        with store.transaction() as connection:
            for statement, ids, more in steps:
                for start in range(0, len(ids), 500):
                    values = {"ids": ids[start : start + 500], **more}
                    changed += connection.execute(statement, values).rowcount
    return changed
