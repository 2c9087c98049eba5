"""What people look through of several requests: ids and versions, and how many of them they have seen."""

from __future__ import annotations

import json
import secrets
from collections.abc import Sequence

from sqlalchemy import bindparam, case, delete, insert, literal_column, select, update

from signoff.models.batches import Review
from signoff.models.store import MICROSECONDS, Store, now
from signoff.models.tables import BatchReviewRow

KEPT_SECONDS = 24 * 3600
"""Nobody looks through anything for longer."""
reviews = BatchReviewRow.__table__  # type: ignore[attr-defined]

_ADD = insert(reviews)
_GET = select(reviews).where(reviews.c.id == bindparam("review"), reviews.c.user_id == bindparam("user"))
_SAW = (
    update(reviews)
    .where(reviews.c.id == bindparam("review"), reviews.c.user_id == bindparam("user"))
    .values(seen=case((reviews.c.seen < bindparam("many"), bindparam("many")), else_=reviews.c.seen))
)
_OLD = delete(reviews).where(reviews.c.created_at < now() - literal_column(str(KEPT_SECONDS * MICROSECONDS)))
_ANY = select(reviews.c.id).limit(literal_column("1"))


def begin(store: Store, user_id: str, items: Sequence[tuple[str, int]], batch_id: int | None) -> Review:
    """Note what a person begins to look through: nothing of it is seen yet."""
    review = Review(secrets.token_hex(8), batch_id, user_id, tuple(items), 0)
    values = {
        "id": review.id,
        "batch_id": batch_id,
        "user_id": user_id,
        "items": json.dumps(items),
        "seen": 0,
        "created_at": store.clock(),
    }
    with store.transaction("review") as connection:
        connection.execute(_ADD, values)
    return review


def get(store: Store, review_id: str, user_id: str) -> Review | None:
    """What this person looks through; None where there is none, or it is another's."""
    with store.reading() as connection:
        found = connection.execute(_GET, {"review": review_id, "user": user_id}).first()
    if found is None:
        return None
    items = tuple((approval_id, version) for approval_id, version in json.loads(found.items))
    return Review(found.id, found.batch_id, found.user_id, items, found.seen)


def note_seen(store: Store, review: Review, seen: int) -> None:
    """The first `seen` of it were shown whole; what was seen before stays seen."""
    many = min(max(seen, 0), len(review.items))
    with store.transaction("seen") as connection:
        connection.execute(_SAW, {"review": review.id, "user": review.user_id, "many": many})


def clear(store: Store) -> None:
    """Forget what nobody looks through any more."""
    with store.reading() as connection:
        if connection.execute(_ANY).first() is None:
            return
    with store.transaction() as connection:
        connection.execute(_OLD)
