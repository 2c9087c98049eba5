"""Which changes of a stop the admins were told of."""

from __future__ import annotations

from sqlalchemy import bindparam, delete, select, text

from signoff.models import stop_rows
from signoff.models.fixed import Fixed
from signoff.models.stop_tables import StopToldRow
from signoff.models.stops import Stop
from signoff.models.store import Store

rows = StopToldRow.__table__  # type: ignore[attr-defined]
_UNTOLD = Fixed(
    select(stop_rows.rows.c.id)
    .outerjoin(rows, rows.c.stop == stop_rows.rows.c.id)
    .where(rows.c.changed.is_(None) | (rows.c.changed < stop_rows.rows.c.changed))
    .order_by(stop_rows.rows.c.changed)
    .limit(20)
)
_CLAIM = text(
    "INSERT INTO stop_told (stop, changed) VALUES (:which, :seen) ON CONFLICT (stop) "
    "DO UPDATE SET changed = excluded.changed WHERE stop_told.changed < excluded.changed RETURNING stop"
)
_BACK = delete(rows).where(rows.c.stop == bindparam("which"), rows.c.changed == bindparam("seen"))


def untold(store: Store) -> list[Stop]:
    """Stops with a change that nobody has told the admins of, the oldest change first."""
    with store.reading() as connection:
        ids = [row.id for row in _UNTOLD.all(connection, {})]
        found = [stop_rows.get(connection, one) for one in ids]
    return [one for one in found if one is not None]


def claim(store: Store, stop: Stop) -> bool:
    """Whether it is ours to tell of this change: once, whoever looks."""
    with store.transaction() as connection:
        return connection.execute(_CLAIM, {"which": stop.id, "seen": stop.changed}).first() is not None


def give_back(store: Store, stop: Stop) -> None:
    """Nobody could be told: it is to be tried again."""
    with store.transaction() as connection:
        connection.execute(_BACK, {"which": stop.id, "seen": stop.changed})
