"""The rows of batches: joined by requests, frozen, dropped, and told that something has happened to them.

Whoever changes a request of a batch locks the batch's row first (`stir`, `join`), so that no two wait for
each other.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, case, func, insert, literal_column, select, text, update

from signoff.models.batches import BatchState
from signoff.models.fixed import Fixed, Step, together
from signoff.models.leases import GIVEN_BACK
from signoff.models.store import MICROSECONDS, Store, approvals, cards, now
from signoff.models.tables import BatchRow

OPEN_SECONDS = 60
"""For so long an agent may take to say that it has sent all."""
LONGEST_SECONDS = 600
"""And no longer, however much of it is still to be read."""
MOST_EMPTY = 100
"""Batches of one agent in an hour that are frozen before any of their requests is here."""
MISSING_SECONDS = 5
"""For so long a card waits for what was frozen and is not here yet: it may have been refused."""
batches = BatchRow.__table__  # type: ignore[attr-defined]

_MINE = (batches.c.agent == bindparam("of_agent"), batches.c.name == bindparam("named"))
_STATE = (batches.c.id, batches.c.state, batches.c.ids, batches.c.message, batches.c.lease_until)
_JOIN = update(batches).where(*_MINE).values(revision=batches.c.revision + 1).returning(*_STATE)
_BEGIN = text(
    "INSERT INTO batch (agent, name, title, state, created_at) VALUES (:of_agent, :named, '', 'open', :at) "
    "ON CONFLICT (agent, name) DO NOTHING"
)
_STIR = Fixed(
    update(batches).where(batches.c.id == bindparam("batch")).values(revision=batches.c.revision + 1)
)
_STIR_OF = (
    update(batches)
    .where(
        batches.c.id.in_(
            select(approvals.c.batch_id).where(
                approvals.c.id.in_(bindparam("ids", expanding=True)), approvals.c.batch_id.is_not(None)
            )
        )
    )
    .values(revision=batches.c.revision + 1)
)
_OF_BATCH = approvals.c.batch_id == bindparam("batch")
_PENDING = approvals.c.status == literal_column("'pending'")
_WAITING = (
    select(approvals.c.id, approvals.c.action, approvals.c.kind, approvals.c.verdict)
    .where(_OF_BATCH, _PENDING)
    .order_by(approvals.c.created_at, approvals.c.id)
)
_HELD = select(func.count()).select_from(approvals).where(_OF_BATCH)
_FOUNDER = _WAITING.limit(literal_column("1"))
_KNOWN = select(approvals.c.id, approvals.c.agent, approvals.c.batch_id).where(
    approvals.c.id.in_(bindparam("ids", expanding=True))
)
_OF = select(approvals.c.id, approvals.c.batch_id).where(
    approvals.c.id.in_(bindparam("ids", expanding=True)), approvals.c.batch_id.is_not(None)
)
_LEAVE = (
    update(approvals)
    .where(approvals.c.id == bindparam("approval_id"), approvals.c.batch_id.is_not(None))
    .values(batch_id=None, not_before=0, delivered_revision=0, revision=approvals.c.revision + 1)
)
_ADD_CARD = insert(cards)
_FREEZE = (
    update(batches)
    .where(batches.c.id == bindparam("batch"), batches.c.state == literal_column("'open'"))
    .values(
        state="frozen",
        frozen_at=now(),
        title=bindparam("titled"),
        run=bindparam("of_run"),
        size=bindparam("many"),
        ids=bindparam("named"),
        salt=bindparam("salted"),
        wanted=bindparam("where"),
        revision=batches.c.revision + 1,
        not_before=case((bindparam("missing") > 0, now() + MISSING_SECONDS * MICROSECONDS), else_=0),
    )
)
_PLACE = (
    update(batches)
    .where(batches.c.id == bindparam("batch"), batches.c.wanted.is_(None))
    .values(wanted=bindparam("where"))
)
_COMPLETE = (
    update(batches)
    .where(batches.c.id == bindparam("batch"), batches.c.message.is_(None))
    .values(not_before=0)
)
_DROP = (
    update(batches)
    .where(batches.c.id == bindparam("batch"), batches.c.state == literal_column("'open'"))
    .values(state="dropped")
)
_DONE = (
    update(batches)
    .where(batches.c.id == bindparam("batch"), batches.c.state == literal_column("'dropped'"))
    .values(shown_revision=batches.c.revision)
)
_UNDONE = (
    select(batches.c.id, batches.c.agent, batches.c.state, (now() - batches.c.created_at).label("age"))
    .where(
        batches.c.state != literal_column("'frozen'"),
        batches.c.shown_revision < batches.c.revision,
        # One that was begun in the future is of before the clock was put back.
        (batches.c.created_at <= now() - literal_column(str(OPEN_SECONDS * MICROSECONDS)))
        | (batches.c.created_at > now() + literal_column(str(OPEN_SECONDS * MICROSECONDS))),
    )
    .order_by(batches.c.created_at)
    .limit(literal_column("50"))
)
_EMPTY = (
    select(func.count())
    .select_from(batches)
    .where(
        batches.c.agent == bindparam("of_agent"),
        batches.c.wanted.is_(None),
        batches.c.created_at > now() - literal_column(str(3600 * MICROSECONDS)),
    )
)
_FIND = select(batches.c.id).where(*_MINE)
_GET = select(batches).where(batches.c.id == bindparam("batch"))
_ITEMS = select(approvals.c.id).where(_OF_BATCH)


@dataclass(frozen=True)
class Joined:
    """A batch's row, which is locked until the transaction ends. `ids` are None until it is frozen; `drawn`
    is whether its card stands, or somebody is at posting it.
    """

    id: int
    state: BatchState
    ids: tuple[str, ...] | None
    drawn: bool


def join(connection: Connection, agent: str, name: str, at: int) -> Joined:
    """The batch of this name, begun where it is new; `at` is now, in microseconds. Locks its row."""
    key = {"of_agent": agent, "named": name}
    found = connection.execute(_JOIN, key).first()
    if found is None:
        connection.execute(_BEGIN, {**key, "at": at})
        found = connection.execute(_JOIN, key).one()
    ids = tuple(json.loads(found.ids)) if found.ids else None
    drawn = found.message is not None or int(found.lease_until) != GIVEN_BACK
    return Joined(found.id, found.state, ids, drawn)


def stir(connection: Connection, batch_id: int) -> None:
    """Something happens to one of its requests: its card has to tell. Locks its row."""
    together(connection, stirred(batch_id))


def stirred(batch_id: int) -> Step:
    """What `stir` runs."""
    return _STIR, {"batch": batch_id}


def stir_of(connection: Connection, *approval_ids: str) -> None:
    """The same, of whatever batches these are shown in."""
    connection.execute(_STIR_OF, {"ids": approval_ids})


def waiting(connection: Connection, batch_id: int) -> Sequence[Any]:
    """id, action, kind and verdict (JSON) of what waits in it, in the order in which it came."""
    return connection.execute(_WAITING, {"batch": batch_id}).all()


def founder(connection: Connection, batch_id: int) -> Any:
    """The same of the first of them; None where none waits."""
    return connection.execute(_FOUNDER, {"batch": batch_id}).first()


def held(connection: Connection, batch_id: int) -> int:
    """How many requests it holds, whatever became of them."""
    return int(connection.execute(_HELD, {"batch": batch_id}).scalar_one())


def known(connection: Connection, ids: Sequence[str]) -> dict[str, tuple[str, int | None]]:
    """Of these ids those that are approvals → whose they are, and in which batch."""
    found = connection.execute(_KNOWN, {"ids": list(ids)})
    return {row.id: (row.agent, row.batch_id) for row in found}


def of(store: Store, ids: Sequence[str]) -> dict[str, int]:
    """Of these approvals those that a batch's card shows → which."""
    with store.reading() as connection:
        return {row.id: row.batch_id for row in connection.execute(_OF, {"ids": list(ids)})}


def leave(connection: Connection, approval_id: str, channel: str) -> bool:
    """It gets a card of its own, in a channel; False where it was in no batch."""
    if connection.execute(_LEAVE, {"approval_id": approval_id}).rowcount == 0:
        return False
    connection.execute(_ADD_CARD, {"approval_id": approval_id, "channel": channel, "shown_revision": 0})
    return True


def freeze(
    connection: Connection,
    batch_id: int,
    *,
    title: str,
    run: str | None,
    ids: Sequence[str],
    conversation: str | None,
    missing: int,
    salt: str,
) -> bool:
    """Open → frozen with these; `missing` of them are not here yet. False where it is not open."""
    values = {
        "batch": batch_id,
        "titled": title,
        "of_run": run,
        "many": len(ids),
        "named": json.dumps(list(ids)),
        "salted": salt,
        "where": conversation,
        "missing": missing,
    }
    return connection.execute(_FREEZE, values).rowcount == 1


def place(connection: Connection, batch_id: int, conversation: str) -> None:
    """Where its card is to stand, if that was not known before."""
    connection.execute(_PLACE, {"batch": batch_id, "where": conversation})


def complete(connection: Connection, batch_id: int) -> None:
    """All of it is here: its card waits no longer."""
    connection.execute(_COMPLETE, {"batch": batch_id})


def drop(connection: Connection, batch_id: int) -> None:
    """Open → dropped: what it holds is ended next."""
    connection.execute(_DROP, {"batch": batch_id})


def note_dropped(connection: Connection, batch_id: int) -> None:
    """All that it held has ended."""
    connection.execute(_DONE, {"batch": batch_id})


def undone(store: Store) -> Sequence[Any]:
    """id, agent, state and age (microseconds) of batches that nobody has frozen in time, or are dropped by
    somebody who did not come to the end of it.
    """
    with store.reading() as connection:
        return connection.execute(_UNDONE).all()


def empty(connection: Connection, agent: str) -> int:
    """How many of an agent's batches of the last hour show nothing."""
    return int(connection.execute(_EMPTY, {"of_agent": agent}).scalar_one())


def find(store: Store, agent: str, name: str) -> int | None:
    """The id of an agent's batch of this name; None where there is none."""
    with store.reading() as connection:
        found: int | None = connection.execute(_FIND, {"of_agent": agent, "named": name}).scalar()
        return found


def row(connection: Connection, batch_id: int) -> Any:
    """One batch as its row has it; None where there is none."""
    return connection.execute(_GET, {"batch": batch_id}).first()


def items(connection: Connection, batch_id: int) -> list[str]:
    """Ids of the approvals that it holds, in no order."""
    return list(connection.execute(_ITEMS, {"batch": batch_id}).scalars())
