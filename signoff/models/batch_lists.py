"""Batches as lines of a list: what of each waits among given requests, or what has become of all of it."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import and_, bindparam, select

from signoff.models.batch_rows import batches
from signoff.models.store import Store, approvals, decisions

_AT_ONCE = 1_000
_OF = (
    select(approvals.c.id, approvals.c.batch_id, approvals.c.action, approvals.c.expires_at, batches.c.title)
    .join(batches, batches.c.id == approvals.c.batch_id)
    .where(approvals.c.id.in_(bindparam("ids", expanding=True)))
)


_BECAME = (
    select(
        approvals.c.id,
        approvals.c.batch_id,
        approvals.c.action,
        approvals.c.status,
        approvals.c.outcome,
        approvals.c.expires_at,
        decisions.c.approver,
        decisions.c.vote,
        decisions.c.resubmit,
        batches.c.title,
    )
    .join(batches, batches.c.id == approvals.c.batch_id)
    .outerjoin(decisions, and_(decisions.c.approval_id == approvals.c.id, decisions.c.withdrawn_at.is_(None)))
    .where(approvals.c.batch_id.in_(bindparam("batches", expanding=True)))
    .order_by(approvals.c.created_at, approvals.c.id)
)
MOST_ROWS = 20_000
"""Requests that are looked at for the lines of one page: so a page far back, over large batches, ends."""
_FIRST_ROWS = 4
"""Times as many as there are to be lines, at first; each time none is enough, four times as many."""
_VOTED = {"approve": "approved", "reject": "rejected", "answer": "answered"}


@dataclass(frozen=True)
class Folded:
    """Several requests of one batch as one line: which they are, `actions` with how many of each, the most
    frequent first, and when their time ends, in microseconds since 1970. `title` is the agent's. `became` is
    how many of them have which status, or were `sent back`, and `failed` how many failed when they ran;
    both are empty in a list of what waits.
    """

    batch_id: int
    title: str
    ids: tuple[str, ...]
    actions: tuple[tuple[str, int], ...]
    ends: tuple[int, ...]
    became: tuple[tuple[str, int], ...] = ()
    failed: int = 0


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


def over(store: Store, batch_ids: Iterable[int], user_id: str = "") -> dict[int, Folded]:
    """What has become of all of these batches, of those that show more than one request; of one person's
    votes alone where they are named.
    """
    rows: dict[int, dict[str, Any]] = {}
    with store.reading() as connection:
        for row in connection.execute(_BECAME, {"batches": list(dict.fromkeys(batch_ids))}):
            if not user_id or row.approver == user_id:
                rows.setdefault(row.batch_id, {})[row.id] = row
    return {
        batch_id: _over(batch_id, list(found.values()), bool(user_id))
        for batch_id, found in rows.items()
        if len(found) > 1
    }


def _over(batch_id: int, rows: Sequence[Any], votes: bool) -> Folded:
    became = Counter(_became(row, votes) for row in rows)
    failed = sum(not json.loads(row.outcome)["succeeded"] for row in rows if row.outcome)
    actions = Counter(row.action for row in rows).most_common()
    ids, ends = tuple(row.id for row in rows), tuple({row.expires_at for row in rows})
    return Folded(batch_id, rows[0].title, ids, tuple(actions), ends, tuple(became.items()), failed)


def _became(row: Any, votes: bool) -> str:
    status = _VOTED[row.vote] if votes else row.status
    return "sent back" if status == "rejected" and row.resubmit else str(status)


def first_of_each(rows: Iterable[tuple[str, int | None]]) -> dict[str, int | None]:
    """Approvals with their batches → those that stand alone, and the first of each batch, in their order."""
    seen, found = set[int](), dict[str, int | None]()
    for one, batch_id in rows:
        if batch_id is None or batch_id not in seen:
            found.setdefault(one, batch_id)
        if batch_id is not None:
            seen.add(batch_id)
    return found


def enough(
    read: Callable[[int], Sequence[tuple[str, int | None]]], lines: int
) -> list[tuple[str, int | None]]:
    """The first so many lines of a list, each the first of its batch where it has one. `read` gives as many
    of its rows as it is asked for, in the list's order, or all that there are.
    """
    many = lines * _FIRST_ROWS
    while True:
        rows = read(min(many, MOST_ROWS))
        found = first_of_each(rows)
        if len(found) >= lines or len(rows) < many or many >= MOST_ROWS:
            return list(found.items())[:lines]
        many *= 4
