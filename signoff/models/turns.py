"""Whose card is next, and what Slack asked to be left alone with.

In this order: cards whose row has changed, a person's decision first and then the newest change; new cards
that somebody may still decide, from each agent in turn; new cards of what has ended; cards that name other
people than today's policy, one a second in each conversation.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    and_,
    bindparam,
    exists,
    func,
    literal_column,
    select,
    update,
)

from signoff.models import changes, pace
from signoff.models.leases import CARDS, PAUSE_SECONDS, rested
from signoff.models.store import MICROSECONDS, Store, agents, approvals, cards, now

POST, UPDATE = pace.POST, "chat.update"
MOVED = "moved"
"""Stands among the pauses for our own: cards that a change of policy has redrawn, one after another."""
MOVED_SECONDS = 1.0
"""What Slack limits: posts by the channel (one a second), updates by the workspace."""

pauses = pace.pauses


@dataclass(frozen=True)
class Turn:
    """What is to be done next. `agent` is set where it is a new card's turn among the agents'.

    `served` is when that agent had its last turn, in microseconds since 1970; 0 where it had none. `moved_in`
    is the conversation of a card that is only due as it shows what a change of policy has made untrue: see
    `move`.
    """

    approval_id: str
    card_id: int
    agent: str | None = None
    served: int = 0
    moved_in: str | None = None


def _paused(*what: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(~rested(pauses.c.not_before), *what)


_POST_PAUSED = and_(pauses.c.method == POST, pauses.c.conversation == approvals.c.conversation)
_DUE = (approvals.c.delivered_revision < approvals.c.revision, approvals.c.not_before <= now())
_FREE = CARDS.free
_OF_CARD = cards.c.approval_id == approvals.c.id
_REDRAW = (
    select(approvals.c.id, cards.c.id)
    .join(cards, _OF_CARD)
    .where(approvals.c.shown_at.is_not(None), *_DUE, _FREE, ~_paused(pauses.c.method == UPDATE))
    .order_by(
        approvals.c.status.in_(("approved", "rejected")).desc(),
        func.coalesce(approvals.c.outcome_at, approvals.c.ended_at).desc(),
    )
    .limit(1)
)


def _new(*which: ColumnElement[bool]) -> Select[Any]:
    """Each agent's oldest new card, and of those the one of the agent that has waited longest for a turn."""
    oldest = (
        select(approvals.c.id)
        .where(
            approvals.c.agent == agents.c.name,
            approvals.c.shown_at.is_(None),
            *_DUE,
            *which,
            exists().where(_OF_CARD, _FREE),
            ~_paused(_POST_PAUSED),
        )
        .order_by(approvals.c.created_at, approvals.c.id)
        .limit(1)
        .scalar_subquery()
    )
    served = func.coalesce(agents.c.served_at, 0).label("served")
    first = select(agents.c.name, served, oldest.label("approval_id")).subquery()
    asked = approvals.alias()
    return (
        select(first.c.approval_id, cards.c.id, first.c.name, first.c.served)
        .join(cards, cards.c.approval_id == first.c.approval_id)
        .join(asked, asked.c.id == first.c.approval_id)
        .order_by(first.c.served, asked.c.created_at, first.c.approval_id)
        .limit(1)
    )


_MOVED = (
    select(approvals.c.id, cards.c.id, approvals.c.conversation)
    .join(cards, _OF_CARD)
    .where(
        approvals.c.moved == literal_column("1"),
        approvals.c.status == literal_column("'pending'"),
        approvals.c.shown_at.is_not(None),
        approvals.c.not_before <= now(),
        _FREE,
        ~_paused(pauses.c.method == UPDATE),
        ~_paused(pauses.c.method == MOVED, pauses.c.conversation == approvals.c.conversation),
    )
    .order_by(approvals.c.created_at)
    .limit(1)
)
_MOVE = (
    update(approvals)
    .where(
        approvals.c.id == bindparam("approval_id"),
        approvals.c.moved == literal_column("1"),
        approvals.c.status == literal_column("'pending'"),
    )
    .values(moved=0, revision=approvals.c.revision + 1)
)
_ASKED = _new(approvals.c.status == "pending")
_ENDED = _new(approvals.c.status != "pending")
# By themselves, since no index serves two ranges: nothing is postponed for so long, the clock was put back.
_TOO_FAR = (
    approvals.c.delivered_revision < approvals.c.revision,
    approvals.c.not_before > now() + literal_column(str((PAUSE_SECONDS + 1) * MICROSECONDS)),
)
_ANY_TOO_FAR = select(approvals.c.id).where(*_TOO_FAR).limit(literal_column("1"))
_NOT_SO_FAR = update(approvals).where(*_TOO_FAR).values(not_before=0)
_PAUSED = select(_paused(pauses.c.method == bindparam("what")))
_SOONEST = select(
    now().label("now"),
    select(func.min(approvals.c.not_before))
    .where(approvals.c.delivered_revision < approvals.c.revision, approvals.c.not_before > now())
    .scalar_subquery()
    .label("card"),
    select(func.min(pauses.c.not_before)).where(pauses.c.not_before > now()).scalar_subquery().label("pause"),
)
_UNSERVED = update(agents).where(agents.c.name == bindparam("agent")).values(served_at=bindparam("served"))
_UNSERVED_BY = _UNSERVED.where(
    exists().where(cards.c.id == bindparam("card"), cards.c.lease == bindparam("mine"))
)


def next_turn(store: Store) -> Turn | None:
    """What is to be done next; None where nothing is due, or all that is has to wait for Slack."""
    with store.reading() as connection:
        found = _next(connection)
        if found or connection.execute(_ANY_TOO_FAR).first() is None:
            return found
    with store.transaction() as connection:
        connection.execute(_NOT_SO_FAR)
        return _next(connection)


def _next(connection: Connection) -> Turn | None:
    for statement in (_REDRAW, _ASKED, _ENDED):
        found = connection.execute(statement).first()
        if found:
            return Turn(*found)
    moved = connection.execute(_MOVED).first()
    return Turn(moved[0], moved[1], moved_in=moved[2] or "") if moved else None


def move(store: Store, turn: Turn) -> bool:
    """Have a card redrawn that a change of policy has overtaken; False where another process has.

    The next one of its conversation has its turn a second later.
    """
    with store.transaction() as connection:
        if connection.execute(_MOVE, {"approval_id": turn.approval_id}).rowcount == 0:
            return False
        at = changes.clock(connection)
        pace.note(connection, MOVED, turn.moved_in or "", MOVED_SECONDS, at)
    return True


def pause(
    store: Store,
    method: str,
    conversation: str,
    seconds: float,
    unused: Turn | None = None,
    lease: int | None = None,
) -> None:
    """Slack asked to be left alone; the agent of an `unused` turn stands where it stood before it.

    `lease` is the turn's: where somebody else has had it since, the agent stays where it is.
    """
    with store.transaction() as connection:
        at = changes.clock(connection)
        pace.note(connection, method, conversation if method == POST else "", seconds, at)
        if unused and unused.agent:
            values = {"agent": unused.agent, "served": unused.served}
            if lease is None:
                connection.execute(_UNSERVED, values)
            else:
                connection.execute(_UNSERVED_BY, {**values, "card": unused.card_id, "mine": lease})


def paused(store: Store, method: str) -> bool:
    """Whether Slack asked to be left alone with this method, somewhere."""
    with store.reading() as connection:
        return bool(connection.execute(_PAUSED, {"what": method}).scalar())


def rest(store: Store, most: float) -> float:
    """Seconds until something that waits now may be due; at most `most`."""
    with store.reading() as connection:
        return min([most, *_waits(connection)])


def _waits(connection: Connection) -> list[float]:
    found = connection.execute(_SOONEST).one()
    return [(end - found.now) / MICROSECONDS for end in (found.card, found.pause) if end]
