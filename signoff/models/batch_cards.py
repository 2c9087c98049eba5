"""Where batches' cards stand: which are due, who is alone in posting or editing one, what it tells."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, and_, bindparam, exists, func, literal_column, or_, select, update

from signoff.models.batch_rows import batches
from signoff.models.leases import GIVEN_BACK, Leases, rested
from signoff.models.leases import pause as lasting
from signoff.models.store import Store, approvals, now
from signoff.models.turns import POST, UPDATE, pauses

LEASES = Leases(batches)

_STALE = (
    batches.c.state == literal_column("'frozen'"),
    batches.c.shown_revision < batches.c.revision,
    rested(batches.c.not_before),
)


def _paused(method: str, *where: Any) -> Any:
    return exists().where(pauses.c.method == method, ~rested(pauses.c.not_before), *where)


_POSTS = and_(
    batches.c.message.is_(None),
    exists().where(approvals.c.batch_id == batches.c.id),
    ~_paused(POST, pauses.c.conversation == batches.c.wanted),
)
_EDITS = and_(batches.c.message.is_not(None), ~_paused(UPDATE))
_DUE = (
    select(batches.c.id)
    .where(*_STALE, LEASES.free, or_(_POSTS, _EDITS))
    .order_by(batches.c.not_before, batches.c.id)
    .limit(literal_column("50"))
)
_TAKE = LEASES.taking(*_STALE)
_SHOWN = (
    update(batches)
    .where(*LEASES.held)
    .values(
        conversation=bindparam("where"),
        message=bindparam("ts"),
        thread=bindparam("first"),
        permalink=bindparam("link"),
        shown_revision=bindparam("told"),
        shown_at=func.coalesce(batches.c.shown_at, now()),
        lease_until=0,
        unsure=0,
        not_before=now() + bindparam("pause"),
    )
)
_LOST = update(batches).where(batches.c.id == bindparam("row")).values(revision=batches.c.revision + 1)
_LATER = (
    update(batches)
    .where(*LEASES.held)
    .values(lease_until=bindparam("end"), not_before=now() + bindparam("pause"))
)
_FORGET = (
    update(batches).where(*LEASES.held).values(message=None, thread=None, conversation=None, permalink=None)
)
_ITEMS_SHOWN = (
    update(approvals)
    .where(approvals.c.id.in_(bindparam("ids", expanding=True)))
    .values(
        shown_at=func.coalesce(approvals.c.shown_at, now()),
        delivered_revision=approvals.c.revision,
    )
)
_UNNOTED = select(batches.c.id).where(
    batches.c.id == bindparam("batch"), batches.c.lease_until != literal_column(str(GIVEN_BACK))
)
_AT = select(batches.c.id).where(
    batches.c.conversation == bindparam("where"), batches.c.message == bindparam("ts")
)


def due(store: Store) -> Sequence[int]:
    """Ids of batches whose card is to be posted, or tells what is no longer so, and may be touched now."""
    with store.reading() as connection:
        return connection.execute(_DUE).scalars().all()


def take(store: Store, batch_id: int) -> int | None:
    """The lease of its card; None where it is not due, or somebody else has it."""
    return LEASES.take(store, batch_id, _TAKE)


def note_shown(
    connection: Connection, batch_id: int, lease: int, revision: int, where: dict[str, Any], seconds: float
) -> bool:
    """Its card stands, and tells this revision; gives the lease back. `where` is `where`, `ts`, `first`,
    `link`; the card rests for so long. False where somebody else has had the lease since: then it is told
    once more.
    """
    values = {"row": batch_id, "mine": lease, "told": revision, "pause": lasting(seconds), **where}
    if connection.execute(_SHOWN, values).rowcount == 1:
        return True
    connection.execute(_LOST, {"row": batch_id})
    return False


def is_unnoted(store: Store, batch_id: int) -> bool:
    """Whether its card may show more than is noted: it is being posted or edited, or somebody broke off."""
    with store.reading() as connection:
        return connection.execute(_UNNOTED, {"batch": batch_id}).first() is not None


def note_items(connection: Connection, ids: Sequence[str]) -> None:
    """These approvals were shown by it, at the revision that they have."""
    if ids:
        connection.execute(_ITEMS_SHOWN, {"ids": list(ids)})


def postpone(store: Store, batch_id: int, lease: int, seconds: float, *, sure: bool) -> None:
    """Give the lease back, and let the card rest. `sure` is False where one may stand that nobody noted."""
    with store.transaction() as connection:
        values = {"row": batch_id, "mine": lease, "end": int(not sure), "pause": lasting(seconds)}
        connection.execute(_LATER, values)


def forget(store: Store, batch_id: int, lease: int) -> None:
    """Its card is gone: another is posted."""
    with store.transaction() as connection:
        connection.execute(_FORGET, {"row": batch_id, "mine": lease})


def at(store: Store, conversation: str, message: str) -> int | None:
    """The id of the batch whose card this message is; None where it is none's."""
    with store.reading() as connection:
        found: int | None = connection.execute(_AT, {"where": conversation, "ts": message}).scalar()
        return found
