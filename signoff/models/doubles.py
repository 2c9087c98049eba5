"""Messages that stand beside an approval's card, and have to be redrawn so that nobody decides on them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import Connection, bindparam, delete, func, literal_column, select, text, update

from signoff.models.leases import pause, rested, take
from signoff.models.store import MICROSECONDS, Store, approvals, cards, now
from signoff.models.tables import CardDoubleRow

CLAIM_SECONDS = 30
"""Longer than redrawing one takes; what a dead worker had claimed is free again by then."""
RECENT_SECONDS = 7 * 24 * 3600

doubles = CardDoubleRow.__table__  # type: ignore[attr-defined]

_ADD = text(
    "INSERT INTO card_double (approval_id, conversation, message, thread, not_before, moved) "
    "VALUES (:about, :where, :message, :thread, 0, :moved) ON CONFLICT (conversation, message) DO NOTHING"
)
_COLUMNS = (
    doubles.c.id, doubles.c.approval_id, doubles.c.conversation, doubles.c.message, doubles.c.thread,
    doubles.c.moved,
)  # fmt: skip
_OF = (
    select(*_COLUMNS)
    .where(doubles.c.approval_id == bindparam("about"), doubles.c.moved == literal_column("0"))
    .order_by(doubles.c.id)
)
_NEXT = select(doubles.c.id).where(rested(doubles.c.not_before)).order_by(doubles.c.id).limit(1)
_CLAIM = (
    update(doubles)
    .where(doubles.c.id == bindparam("row"), rested(doubles.c.not_before))
    .values(not_before=now() + literal_column(str(CLAIM_SECONDS * MICROSECONDS)))
    .returning(*_COLUMNS)
)
_LATER = update(doubles).where(doubles.c.id == bindparam("row")).values(not_before=now() + bindparam("pause"))
_DONE = delete(doubles).where(doubles.c.id == bindparam("row"))
_KNOWN_AS = (
    select(cards.c.conversation)
    .join(approvals, approvals.c.id == cards.c.approval_id)
    .where(
        approvals.c.conversation == bindparam("wished"),
        approvals.c.created_at > now() - literal_column(str(RECENT_SECONDS * MICROSECONDS)),
        func.coalesce(cards.c.conversation, literal_column("''")) != literal_column("''"),
    )
    .order_by(approvals.c.created_at.desc())
    .limit(1)
)


@dataclass(frozen=True)
class Place:
    """Where a message stands; `thread` is the first message of the thread that it is a reply in."""

    conversation: str
    message: str
    thread: str | None = None


@dataclass(frozen=True)
class Double:
    """One that has to be redrawn."""

    id: int
    approval_id: str
    place: Place
    moved: bool = False


def add(connection: Connection, approval_id: str, place: Place, *, moved: bool = False) -> None:
    """A message that stands beside the card, or instead of one; nothing happens where it is known.

    `moved`: it was the card, which is to stand elsewhere.
    """
    values: dict[str, object] = {"about": approval_id, "where": place.conversation, "message": place.message}
    values["moved"] = int(moved)
    connection.execute(_ADD, values | {"thread": place.thread})


def of(store: Store, approval_id: str) -> Sequence[Place]:
    """Those of one approval, in the order in which they were found."""
    with store.reading() as connection:
        found = connection.execute(_OF, {"about": approval_id}).all()
    return [Place(row.conversation, row.message, row.thread) for row in found]


def claim(store: Store) -> Double | None:
    """The next one, for the one who redraws it; None where none is due."""
    found = take(store, _NEXT, _CLAIM)
    if found is None:
        return None
    place = Place(found.conversation, found.message, found.thread)
    return Double(found.id, found.approval_id, place, bool(found.moved))


def postpone(store: Store, double_id: int, seconds: float) -> None:
    """Another time."""
    with store.transaction() as connection:
        connection.execute(_LATER, {"row": double_id, "pause": pause(seconds)})


def done(store: Store, double_id: int) -> None:
    """Nobody can decide on it any more."""
    with store.transaction() as connection:
        connection.execute(_DONE, {"row": double_id})


def known_as(store: Store, wished: str) -> str | None:
    """The id of a conversation that a policy names otherwise: of where the last card for it stands."""
    with store.reading() as connection:
        found: str | None = connection.execute(_KNOWN_AS, {"wished": wished}).scalar()
        return found
