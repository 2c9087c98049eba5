"""Leases: who holds one is alone in posting or updating what its row stands for.

A lease is a number that counts who has had it: `lease`. Nobody notes anything by another's number, so who was
stopped (a suspended machine, say) and wakes after its time cannot write over what was done meanwhile. Until
when it is held is a time, `lease_until`: 0 once it was given back. Where it was not, whoever had it may have
posted something that nobody noted: the next one finds its row `unsure`.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    ColumnElement,
    Connection,
    Executable,
    Row,
    and_,
    bindparam,
    case,
    literal_column,
    or_,
    select,
    update,
)

from signoff.models.store import MICROSECONDS, Store, agents, cards, now

LEASE_SECONDS = 5
"""Renewed every second while it is held. Whoever died with it keeps its card back for so long."""
TOO_FAR_SECONDS = LEASE_SECONDS + 1
"""What lies further ahead was written before the clock was put back: nobody has it. 1 s for small steps."""
GIVEN_BACK, ENDED_UNSURE = 0, 1
"""`lease_until` of what was given back: with all noted, or with a post of which nobody knows what became."""
PAUSE_SECONDS = 300
"""The longest that anything rests, whatever Slack asks for: a time further ahead is known to be wrong."""

_SERVE = update(agents).where(agents.c.name == bindparam("agent")).values(served_at=now())


def over(column: ColumnElement[int], most: int) -> ColumnElement[bool]:
    """Of a time that never lies more than `most` seconds ahead: it is over, or the clock was put back."""
    return or_(column <= now(), column > now() + literal_column(str(most * MICROSECONDS)))


def pause(seconds: float) -> int:
    """A rest in microseconds, no longer than any may be."""
    return int(min(seconds, PAUSE_SECONDS) * MICROSECONDS)


def rested(column: ColumnElement[int]) -> ColumnElement[bool]:
    """Of the time until which something rests: it is over."""
    return over(column, PAUSE_SECONDS + 1)


def take(store: Store, next_one: Executable, claim: Executable) -> Row[Any] | None:
    """The next row that is due, claimed; None where none is, or somebody was faster.

    `next_one` finds its id, and `claim` takes it, by that id as `row`, and gives what is claimed.
    """
    with store.reading() as connection:
        row = connection.execute(next_one).scalar()
    if row is None:
        return None
    with store.transaction() as connection:
        return connection.execute(claim, {"row": row}).first()


class Leases:
    """The leases of a table's rows, which have `id`, `message`, `lease`, `lease_until` and `unsure`.

    `free` holds of rows that nobody has, `held` of the `row` whose `lease` somebody has.
    """

    def __init__(self, rows: Any) -> None:
        until = now() + literal_column(str(LEASE_SECONDS * MICROSECONDS))
        this = rows.c.id == bindparam("row")
        self.free: ColumnElement[bool] = over(rows.c.lease_until, TOO_FAR_SECONDS)
        mine = and_(rows.c.lease == bindparam("mine"), rows.c.lease_until > literal_column("1"))
        self.held: tuple[ColumnElement[bool], ...] = (this, mine)
        lost = and_(rows.c.lease_until > literal_column("0"), rows.c.message.is_(None))
        taken = {
            "lease": rows.c.lease + 1,
            "lease_until": until,
            "unsure": case((lost, literal_column("1")), else_=rows.c.unsure),
        }
        self._take = update(rows).where(this, self.free).values(taken).returning(rows.c.lease)
        self._renew = update(rows).where(*self.held).values(lease_until=until)
        self._held = select(rows.c.id).where(*self.held)
        self._release = update(rows).where(*self.held).values(lease_until=bindparam("end"))

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

    def renew(self, store: Store, row: int, lease: int) -> bool:
        """A lease that is held → for longer; False where somebody else has had it since."""
        with store.transaction() as connection:
            return connection.execute(self._renew, {"row": row, "mine": lease}).rowcount == 1

    def is_held(self, connection: Connection, row: int, lease: int) -> bool:
        """Whether nobody else has had it since."""
        return connection.execute(self._held, {"row": row, "mine": lease}).first() is not None

    def release(self, store: Store, row: int, lease: int, *, sure: bool = True) -> None:
        """Give it back; nothing happens where it ran out and is another's by now.

        `sure` is False where something may have been posted that is not noted.
        """
        with store.transaction() as connection:
            end = GIVEN_BACK if sure else ENDED_UNSURE
            connection.execute(self._release, {"row": row, "mine": lease, "end": end})


CARDS = Leases(cards)
