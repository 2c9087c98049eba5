"""When a card next tells how long nobody has reported what became of an approved action.

A card stands for hours, so it says *for over 10 min*, which stays true, and says it anew a few times: after
1 min, 10 min, 1 h and 1 day, and once more when its receipt's time is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from sqlalchemy import bindparam, select, update

from signoff.models.store import MICROSECONDS, Store, approvals, now

AGES: Final = tuple(seconds * MICROSECONDS for seconds in (60, 600, 3_600, 86_400))
"""Microseconds since the decision at which a card tells its age."""
FIRST: Final = AGES[0]
_DUE = (
    select(approvals.c.id)
    .where(approvals.c.ages_at.is_not(None), approvals.c.ages_at <= now())
    .order_by(approvals.c.ages_at)
    .limit(bindparam("most"))
)
_AGING = select(
    approvals.c.ages_at,
    approvals.c.ended_at,
    approvals.c.receipt_expires_at,
    approvals.c.outcome_at,
    now().label("now"),
).where(
    approvals.c.id == bindparam("approval_id"),
    approvals.c.ages_at.is_not(None),
    approvals.c.ages_at <= now(),
)
_AGED = (
    update(approvals)
    .where(approvals.c.id == bindparam("approval_id"), approvals.c.ages_at == bindparam("seen"))
    .values(ages_at=bindparam("next"), revision=approvals.c.revision + 1)
)


def due(store: Store, most: int = 100) -> Sequence[str]:
    """Ids of what is approved and not reported, and whose cards have to tell another age; and of what was
    asked for long enough whether it was right. Oldest first."""
    with store.reading() as connection:
        return connection.execute(_DUE, {"most": most}).scalars().all()


def note(store: Store, approval_id: str) -> bool:
    """Have its card tell how long that is by now; False where nothing of it is due, or somebody did it."""
    key = {"approval_id": approval_id}
    with store.transaction() as connection:
        found = connection.execute(_AGING, key).first()
        if found is None:
            return False
        after = None  # what is reported asks for a while whether it was right, and then no more
        if found.outcome_at is None:
            after = following(found.ended_at, found.receipt_expires_at, found.now)
        values = {**key, "seen": found.ages_at, "next": after}
        return connection.execute(_AGED, values).rowcount == 1


def following(ended_at: int, expires_at: int | None, at: int) -> int | None:
    """When a card that is drawn at `at` next tells its age; None once its receipt's time is over."""
    if expires_at is not None and at >= expires_at:
        return None
    ages = (ended_at + age for age in AGES if ended_at + age > at)
    return min((*ages, *([expires_at] if expires_at is not None else [])), default=None)
