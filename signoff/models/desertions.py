"""Of which requests admins were told that nobody may decide on them any more."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from sqlalchemy import bindparam, literal_column, select, update

from signoff.models.store import Store, approvals, now

_WAITS = approvals.c.status == literal_column("'pending'")
_TOLD = select(approvals.c.id).where(_WAITS, approvals.c.deserted_at.is_not(None))
_NOTE = (
    update(approvals)
    .where(approvals.c.id.in_(bindparam("ids", expanding=True)), _WAITS, approvals.c.deserted_at.is_(None))
    .values(deserted_at=now())
    .returning(approvals.c.id)
)
_CLEAR = (
    update(approvals).where(approvals.c.id.in_(bindparam("ids", expanding=True))).values(deserted_at=None)
)


def told(store: Store) -> set[str]:
    """Ids that wait, and of which admins were told."""
    with store.reading() as connection:
        return set(connection.execute(_TOLD).scalars())


def note(store: Store, ids: Sequence[str]) -> list[str]:
    """Note that admins are told of these now; those of which nobody has told them yet, for who tells them."""
    if not ids:
        return []
    with store.transaction() as connection:
        return list(connection.execute(_NOTE, {"ids": list(ids)}).scalars())


def clear(store: Store, ids: Iterable[str]) -> None:
    """Somebody may decide on these again, or nobody could be told."""
    found = list(ids)
    if found:
        with store.transaction() as connection:
            connection.execute(_CLEAR, {"ids": found})
