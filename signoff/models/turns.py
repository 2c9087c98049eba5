"""Whose card is next, and what Slack asked to be left alone with.

In this order: cards whose row has changed, a person's decision first and then the newest change; new cards
that somebody may still decide, from each agent in turn; new cards of what has ended.
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
    select,
    text,
    update,
)

from signoff.models import changes
from signoff.models.leases import CARDS
from signoff.models.store import MICROSECONDS, Store, agents, approvals, cards, now
from signoff.models.tables import PauseRow

POST, UPDATE = "chat.postMessage", "chat.update"
"""What Slack limits: posts by the channel (one a second), updates by the workspace."""

pauses = PauseRow.__table__  # type: ignore[attr-defined]


@dataclass(frozen=True)
class Turn:
    """What is to be done next. `agent` is set where it is a new card's turn among the agents'.

    `served` is when that agent had its last turn, in microseconds since 1970; 0 where it had none.
    """

    approval_id: str
    card_id: int
    agent: str | None = None
    served: int = 0


def _paused(*what: ColumnElement[bool]) -> ColumnElement[bool]:
    return exists().where(pauses.c.not_before > now(), *what)


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


_ASKED = _new(approvals.c.status == "pending")
_ENDED = _new(approvals.c.status != "pending")
_PAUSED = select(_paused(pauses.c.method == bindparam("what")))
_SOONEST = select(
    now().label("now"),
    select(func.min(approvals.c.not_before))
    .where(approvals.c.delivered_revision < approvals.c.revision, approvals.c.not_before > now())
    .scalar_subquery()
    .label("card"),
    select(func.min(pauses.c.not_before)).where(pauses.c.not_before > now()).scalar_subquery().label("pause"),
)
_PAUSE = text(
    "INSERT INTO pause (method, conversation, not_before) VALUES (:method, :conversation, :end) "
    "ON CONFLICT (method, conversation) DO UPDATE SET not_before = excluded.not_before"
)
_UNSERVED = update(agents).where(agents.c.name == bindparam("agent")).values(served_at=bindparam("served"))


def next_turn(store: Store) -> Turn | None:
    """What is to be done next; None where nothing is due, or all that is has to wait for Slack."""
    with store.reading() as connection:
        for statement in (_REDRAW, _ASKED, _ENDED):
            found = connection.execute(statement).first()
            if found:
                return Turn(*found)
    return None


def pause(store: Store, method: str, conversation: str, seconds: float, unused: Turn | None = None) -> None:
    """Slack asked to be left alone; the agent of an `unused` turn stands where it stood before it."""
    with store.transaction() as connection:
        end = changes.clock(connection) + int(seconds * MICROSECONDS)
        where = conversation if method == POST else ""
        connection.execute(_PAUSE, {"method": method, "conversation": where, "end": end})
        if unused and unused.agent:
            connection.execute(_UNSERVED, {"agent": unused.agent, "served": unused.served})


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
