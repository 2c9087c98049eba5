"""Batches by the names that agents give them, for who asks how one stands."""

from __future__ import annotations

import json
from typing import NamedTuple

from sqlalchemy import bindparam, literal_column, select

from signoff.models.store import Store, approvals
from signoff.models.tables import BatchRow

batches = BatchRow.__table__  # type: ignore[attr-defined]
_NAMED = select(batches.c.id, batches.c.ids).where(
    batches.c.agent == bindparam("of_agent"), batches.c.name == bindparam("named")
)
_HELD = select(approvals.c.id).where(approvals.c.batch_id == bindparam("batch"))
_WAITING = select(approvals.c.request_id, approvals.c.id).where(
    approvals.c.agent == bindparam("of_agent"),
    approvals.c.request_id.in_(bindparam("ids", expanding=True)),
    approvals.c.status == literal_column("'pending'"),
)


class Named(NamedTuple):
    """A batch's row, and the ids of its requests as they were frozen; None before."""

    id: int
    ids: tuple[str, ...] | None


def find(store: Store, agent: str, name: str) -> Named | None:
    """An agent's batch of this name; None where there is none."""
    with store.reading() as connection:
        row = connection.execute(_NAMED, {"of_agent": agent, "named": name}).first()
    return None if row is None else Named(row.id, None if row.ids is None else tuple(json.loads(row.ids)))


def held(store: Store, batch_id: int) -> list[str]:
    """Ids of the approvals that it holds, whatever became of them."""
    with store.reading() as connection:
        return list(connection.execute(_HELD, {"batch": batch_id}).scalars())


def waiting(store: Store, agent: str, ids: tuple[str, ...]) -> list[tuple[str, str]]:
    """(request's id, approval's) of those that somebody may still decide."""
    with store.reading() as connection:
        found = connection.execute(_WAITING, {"of_agent": agent, "ids": list(ids)})
        return [(row.request_id, row.id) for row in found]
