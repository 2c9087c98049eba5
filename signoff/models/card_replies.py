"""What is to be said in cards' threads, each once: noted with the change that it tells of, posted afterwards.

Whoever takes one counts up its `lease`, and sets it back to 0 where Slack has surely posted nothing. So one
that is taken by its second lease may stand there already.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, exists, insert, literal_column, select, update

from signoff.models.doubles import Place
from signoff.models.leases import pause, rested, take
from signoff.models.more_tables import BatchRow, CardReplyRow
from signoff.models.store import MICROSECONDS, Store, approvals, now
from signoff.models.turns import POST, pauses

CLAIM_SECONDS = 30
"""Longer than posting one takes; what a dead worker had taken is free again by then."""
PASSED_OVER = ""
"""Stands for the message of one that is posted nowhere."""

rows: Any = CardReplyRow.__table__  # type: ignore[attr-defined]

_ADD = insert(rows).values(
    approval_id=bindparam("about"), kind=bindparam("kind"), said=bindparam("said"), created_at=now(),
    not_before=0, lease=0,
)  # fmt: skip
_DUE = (rows.c.message.is_(None), rested(rows.c.not_before))
_PAUSED = exists().where(
    pauses.c.method == literal_column(f"'{POST}'"),
    pauses.c.conversation == approvals.c.conversation,
    ~rested(pauses.c.not_before),
)
batches: Any = BatchRow.__table__  # type: ignore[attr-defined]
_BATCH = select(batches.c.conversation, batches.c.message).where(batches.c.id == bindparam("batch"))
_NEXT = (
    select(rows.c.id)
    .join(approvals, approvals.c.id == rows.c.approval_id)
    .where(*_DUE, ~_PAUSED)
    .order_by(rows.c.id)
    .limit(1)
)
_CLAIM = (
    update(rows)
    .where(rows.c.id == bindparam("row"), *_DUE)
    .values(lease=rows.c.lease + 1, not_before=now() + literal_column(str(CLAIM_SECONDS * MICROSECONDS)))
    .returning(rows.c.id, rows.c.approval_id, rows.c.kind, rows.c.said, rows.c.created_at, rows.c.lease)
)
_MINE = (rows.c.id == bindparam("row"), rows.c.lease == bindparam("mine"), rows.c.message.is_(None))
_LATER = update(rows).where(*_MINE).values(not_before=now() + bindparam("pause"))
_GIVE_BACK = _LATER.values(lease=bindparam("left"))
_DONE = update(rows).where(*_MINE).values(message=bindparam("ts"))


@dataclass(frozen=True)
class CardReply:
    """One that is this process's to post. `said` is what its sentence is made of, by `kind`.

    `created_at` is in microseconds since 1970, `lease` how often it was taken without an end.
    """

    id: int
    approval_id: str
    kind: str
    said: Mapping[str, Any]
    created_at: int
    lease: int


def add(connection: Connection, approval_id: str, kind: str, said: Mapping[str, Any]) -> None:
    """Have something said in a card's thread; in the transaction of what it tells of.

    `said` is small, and JSON: what `kind` needs for its sentence (`bot.text.words.card_replies`).
    """
    text = json.dumps(said, separators=(",", ":"))
    connection.execute(_ADD, {"about": approval_id, "kind": kind, "said": text})


def claim(store: Store) -> CardReply | None:
    """The next one, for the one who posts it; None where none is due."""
    found = take(store, _NEXT, _CLAIM)
    if found is None:
        return None
    said = json.loads(found.said)
    return CardReply(found.id, found.approval_id, found.kind, said, found.created_at, found.lease)


def give_back(store: Store, reply: CardReply, seconds: float, *, sure: bool = True) -> None:
    """Another time; `sure` is False where it may stand in Slack, and nobody noted it."""
    values = {"row": reply.id, "mine": reply.lease, "pause": pause(seconds)}
    with store.transaction() as connection:
        if sure:
            connection.execute(_GIVE_BACK, {**values, "left": reply.lease - 1})
        else:
            connection.execute(_LATER, values)


def done(store: Store, reply: CardReply, message: str = PASSED_OVER) -> None:
    """It stands in Slack as this message, or is passed over."""
    with store.transaction() as connection:
        connection.execute(_DONE, {"row": reply.id, "mine": reply.lease, "ts": message})


def batch_place(store: Store, batch_id: int) -> Place | None:
    """Where a batch's card stands, in whose thread its requests' replies are; None: nowhere yet."""
    with store.reading() as connection:
        found = connection.execute(_BATCH, {"batch": batch_id}).first()
    return Place(found.conversation, found.message) if found and found.message else None
