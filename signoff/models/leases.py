"""A card's lease: who holds it is alone in posting or updating that card."""

from __future__ import annotations

from sqlalchemy import bindparam, update

from signoff.models.store import MICROSECONDS, Store, agents, cards, now

LEASE_SECONDS = 5
"""Renewed every second while it is held. Whoever died with it keeps its card back for so long."""

_TAKE = (
    update(cards)
    .where(cards.c.id == bindparam("card_id"), cards.c.lease_until < now())
    .values(lease_until=now() + LEASE_SECONDS * MICROSECONDS)
    .returning(cards.c.lease_until)
)
_RENEW = (
    update(cards)
    .where(cards.c.id == bindparam("card_id"), cards.c.lease_until == bindparam("lease"))
    .values(lease_until=now() + LEASE_SECONDS * MICROSECONDS)
    .returning(cards.c.lease_until)
)
_RELEASE = (
    update(cards)
    .where(cards.c.id == bindparam("card_id"), cards.c.lease_until == bindparam("lease"))
    .values(lease_until=0)
)
_SERVE = update(agents).where(agents.c.name == bindparam("agent")).values(served_at=now())


def take(store: Store, card_id: int, agent: str | None = None) -> int | None:
    """The lease, to be given back with `release`; None while somebody else holds it.

    `agent` is whose turn it is: the next turn is another's.
    """
    with store.transaction() as connection:
        lease = connection.execute(_TAKE, {"card_id": card_id}).scalar()
        if lease and agent:
            connection.execute(_SERVE, {"agent": agent})
        return lease


def renew(store: Store, card_id: int, lease: int) -> int | None:
    """A lease that is held → for longer; None where it ran out and somebody else may have it."""
    with store.transaction() as connection:
        return connection.execute(_RENEW, {"card_id": card_id, "lease": lease}).scalar()


def release(store: Store, card_id: int, lease: int) -> None:
    """Give it back; nothing happens where it ran out and is another's by now."""
    with store.transaction() as connection:
        connection.execute(_RELEASE, {"card_id": card_id, "lease": lease})
