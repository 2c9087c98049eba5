"""Who is away, until when, and who decides in their place: rows, at most one of a person that stands."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, bindparam, insert, literal_column, or_, select, update

from signoff.models.store import Store, now
from signoff.models.time_tables import AbsenceRow

rows: Any = AbsenceRow.__table__  # type: ignore[attr-defined]

_COLUMNS = ("id", "person", "deputy", "by_id", "since", "until", "ended_at", "told")
_ALL = [rows.c[name] for name in _COLUMNS]
_STAND = (rows.c.ended_at.is_(None), rows.c.until > now())
_STANDING = select(*_ALL).where(*_STAND).order_by(rows.c.id)
_OPEN = select(*_ALL).where(rows.c.person == bindparam("who"), rows.c.ended_at.is_(None))
_ADD = insert(rows).values(since=now(), told=0).returning(*_ALL)
_END = (
    update(rows)
    .where(rows.c.id == bindparam("row"), rows.c.ended_at.is_(None))
    .values(ended_at=now())
    .returning(rows.c.ended_at)
)
_UNTOLD = (
    select(*_ALL)
    .where(
        rows.c.told < literal_column("2"),
        or_(rows.c.told == literal_column("0"), rows.c.ended_at.is_not(None), rows.c.until <= now()),
    )
    .order_by(rows.c.id)
    .limit(literal_column("50"))
)
_TOLD = (
    update(rows)
    .where(rows.c.id == bindparam("row"), rows.c.told < bindparam("to"))
    .values(told=bindparam("to"))
)


@dataclass(frozen=True)
class Absence:
    """One of them; times in microseconds since 1970. `ended_at` is None while it stands."""

    id: int
    person: str
    deputy: str
    by_id: str
    since: int
    until: int
    ended_at: int | None
    told: int

    @property
    def is_over(self) -> bool:
        """Whether they are back, as it was noted."""
        return self.ended_at is not None


def standing(connection: Connection) -> Mapping[str, Absence]:
    """Who is away now, by person."""
    return {one.person: Absence(*one) for one in connection.execute(_STANDING)}


def read(store: Store) -> Mapping[str, Absence]:
    """The same, of a store."""
    with store.reading() as connection:
        return standing(connection)


def open_of(connection: Connection, person: str) -> Absence | None:
    """A person's that was not ended, be its time over or not."""
    found = connection.execute(_OPEN, {"who": person}).first()
    return Absence(*found) if found else None


def add(connection: Connection, values: Mapping[str, Any]) -> Absence:
    """Somebody is away from now on: person, deputy, by_id and until."""
    return Absence(*connection.execute(_ADD, dict(values)).one())


def end(connection: Connection, absence: Absence) -> int | None:
    """They are back, from then on; None where that was noted before."""
    found: int | None = connection.execute(_END, {"row": absence.id}).scalar()
    return found


def untold(store: Store) -> Sequence[Absence]:
    """Those of which admins and cards do not know that they began, or that they are over."""
    with store.reading() as connection:
        return [Absence(*one) for one in connection.execute(_UNTOLD)]


def note_told(connection: Connection, absence: Absence, told: int) -> bool:
    """They know; False where another process has told them."""
    return connection.execute(_TOLD, {"row": absence.id, "to": told}).rowcount == 1
