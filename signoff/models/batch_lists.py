"""Batches as lines of a list: what of each waits among given requests."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from sqlalchemy import bindparam, select

from signoff.models.batch_rows import batches
from signoff.models.store import Store, approvals

_AT_ONCE = 1_000
_OF = (
    select(approvals.c.id, approvals.c.batch_id, approvals.c.action, approvals.c.expires_at, batches.c.title)
    .join(batches, batches.c.id == approvals.c.batch_id)
    .where(approvals.c.id.in_(bindparam("ids", expanding=True)))
)


@dataclass(frozen=True)
class Folded:
    """Several requests of one batch as one line: which they are, `actions` with how many of each, the most
    frequent first, and when their time ends, in microseconds since 1970. `title` is the agent's.
    """

    batch_id: int
    title: str
    ids: tuple[str, ...]
    actions: tuple[tuple[str, int], ...]
    ends: tuple[int, ...]


def folded(store: Store, ids: Sequence[str]) -> dict[str, Folded]:
    """Of these approvals those that stand on one card with others of them → all of that card."""
    found: dict[int, list[tuple[str, str, int, str]]] = {}
    order = {one: at for at, one in enumerate(ids)}
    with store.reading() as connection:
        for at in range(0, len(ids), _AT_ONCE):
            for row in connection.execute(_OF, {"ids": list(ids[at : at + _AT_ONCE])}):
                found.setdefault(row.batch_id, []).append((row.id, row.action, row.expires_at, row.title))
    told: dict[str, Folded] = {}
    for batch_id, rows in found.items():
        if len(rows) > 1:
            rows.sort(key=lambda row: order[row[0]])
            actions = Counter(action for _, action, _, _ in rows).most_common()
            one = Folded(
                batch_id,
                rows[0][3],
                tuple(row[0] for row in rows),
                tuple(actions),
                tuple({r[2] for r in rows}),
            )
            told |= dict.fromkeys(one.ids, one)
    return told
