"""Leases: who holds one is alone in posting or updating what its row stands for."""

from __future__ import annotations

from typing import Any

from sqlalchemy import ColumnElement, bindparam, literal_column, update

from signoff.models.store import MICROSECONDS, Store, agents, cards, now

LEASE_SECONDS = 5
"""Renewed every second while it is held. Whoever died with it keeps its card back for so long."""

_SERVE = update(agents).where(agents.c.name == bindparam("agent")).values(served_at=now())


class Leases:
    """The leases of a table's rows, which have an `id` and a `lease_until`.

    `free` holds of rows that nobody has, `held` of the `row` whose `lease` somebody has.
    """

    def __init__(self, rows: Any) -> None:
        until = now() + literal_column(str(LEASE_SECONDS * MICROSECONDS))
        this = rows.c.id == bindparam("row")
        self.free: ColumnElement[bool] = rows.c.lease_until < now()
        self.held: tuple[ColumnElement[bool], ...] = (this, rows.c.lease_until == bindparam("lease"))
        self._take = (
            update(rows).where(this, self.free).values(lease_until=until).returning(rows.c.lease_until)
        )
        self._renew = update(rows).where(*self.held).values(lease_until=until).returning(rows.c.lease_until)
        self._release = update(rows).where(*self.held).values(lease_until=0)

    def taking(self, *which: ColumnElement[bool]) -> Any:
        """The statement that takes one, where the row is `which`; for `take`."""
        return self._take.where(*which)

    def take(self, store: Store, row: int, statement: Any = None, agent: str | None = None) -> int | None:
        """The lease, to be given back with `release`; None while somebody else holds it.

        `agent` is whose turn it is: the next turn is another's.
        """
        with store.transaction() as connection:
            taken = self._take if statement is None else statement
            lease: int | None = connection.execute(taken, {"row": row}).scalar()
            if lease and agent:
                connection.execute(_SERVE, {"agent": agent})
            return lease

    def renew(self, store: Store, row: int, lease: int) -> int | None:
        """A lease that is held → for longer; None where it ran out and somebody else may have it."""
        with store.transaction() as connection:
            return connection.execute(self._renew, {"row": row, "lease": lease}).scalar()

    def release(self, store: Store, row: int, lease: int) -> None:
        """Give it back; nothing happens where it ran out and is another's by now."""
        with store.transaction() as connection:
            connection.execute(self._release, {"row": row, "lease": lease})


CARDS = Leases(cards)
