"""What is stopped, in rows; and what of that which was approved before could still run."""

from __future__ import annotations

import secrets
import uuid
from collections.abc import Iterable, Mapping
from dataclasses import asdict
from typing import Any, Final

from sqlalchemy import Connection, Row, bindparam, func, insert, select, update

from signoff.models.changes import clock
from signoff.models.fixed import Fixed
from signoff.models.log import Event, append, salted
from signoff.models.stop_tables import StopRow
from signoff.models.stops import Stop, StopScope

rows = StopRow.__table__  # type: ignore[attr-defined]
STOP, RESUME = "stop", "resume"
"""Kinds of lines in the log."""
ALL_ROWS: Final = 'SELECT * FROM "stop" ORDER BY number'
"""For whoever replaces a database: what was stopped by it."""
_COLUMNS = tuple(column.name for column in rows.columns)
_STANDING = Fixed(select(rows).where(rows.c.ended_at.is_(None)).order_by(rows.c.number))
_UNTIL = func.coalesce(rows.c.staged_at, rows.c.ended_at)
_VOIDING = Fixed(
    select(rows).where(_UNTIL.is_(None) | (bindparam("issued_at") <= _UNTIL)).order_by(rows.c.number)
)
_ALL = select(rows).order_by(rows.c.number.desc()).limit(bindparam("most"))
_GET = select(rows).where(rows.c.id == bindparam("which"))
_LAST = select(func.max(rows.c.changed))
_ADD = insert(rows)
_CHANGE = (
    update(rows)
    .where(rows.c.id == bindparam("which"), rows.c.changed == bindparam("seen"))
    .values(
        changed=bindparam("number_now"), staged_at=bindparam("staged"), ended_at=bindparam("ended"),
        resumed_by=bindparam("who"), resumed_name=bindparam("who_name"),
    )
)  # fmt: skip


def standing(connection: Connection) -> list[Stop]:
    """What is stopped now, or resumed in part, the first one first."""
    return [_read(row) for row in _STANDING.all(connection, {})]


def holding(connection: Connection, agent: str, action: str, *, undo: bool = False) -> Stop | None:
    """The stop that stands in the way of this agent's action now."""
    found = (one for one in standing(connection) if one.holds(agent, action, undo=undo))
    return next(found, None)


def voiding(
    connection: Connection, agent: str, action: str, issued_at: int, *, undo: bool = False
) -> Stop | None:
    """The stop for which what was approved then (microseconds since 1970) may not run any more."""
    found = map(_read, _VOIDING.all(connection, {"issued_at": issued_at}))
    return next((one for one in found if one.voids(agent, action, issued_at, undo=undo)), None)


def since(connection: Connection, issued_at: int) -> list[Stop]:
    """All stops that may void what was approved then, or later."""
    return [_read(row) for row in _VOIDING.all(connection, {"issued_at": issued_at})]


def newest(connection: Connection, most: int = 100) -> list[Stop]:
    """The newest ones, standing or not."""
    return [_read(row) for row in connection.execute(_ALL, {"most": most})]


def get(connection: Connection, stop_id: str) -> Stop | None:
    """One of them."""
    row = connection.execute(_GET, {"which": stop_id}).first()
    return _read(row) if row else None


def number(connection: Connection) -> int:
    """The number of what is stopped now: it grows with each change; 0 where nothing ever was."""
    return int(connection.execute(_LAST).scalar() or 0)


def add(connection: Connection, scope: StopScope, by: str, by_name: str, reason: str, *, undos: bool) -> Stop:
    """Stop it, from now on; a line of the log says so."""
    at = clock(connection)
    new = _next(connection, at)
    stop = Stop(str(uuid.uuid4()), new, new, scope.kind, scope.name, by, by_name, reason, at, undos)
    salt = secrets.token_hex(16)
    connection.execute(_ADD, {**_values(stop), "salt": salt})
    append(connection, Event(STOP, None, at, by, line(stop, salt)))
    return stop


def change(
    connection: Connection, stop: Stop, by: str, by_name: str, *, staged: bool, **more: Any
) -> Stop | None:
    """Resume it, or the first of two steps of that; None where somebody was faster. `more` is for the log."""
    at = clock(connection)
    values = {
        "which": stop.id, "seen": stop.changed, "number_now": _next(connection, at),
        "staged": at if staged else stop.staged_at, "ended": None if staged else at,
        "who": by, "who_name": by_name,
    }  # fmt: skip
    if connection.execute(_CHANGE, values).rowcount != 1:
        return None
    row = connection.execute(_GET, {"which": stop.id}).one()
    found = _read(row)
    append(connection, Event(RESUME, None, at, by, {**line(found, row.salt), **more}))
    return found


def carry(connection: Connection, before: Iterable[Mapping[str, Any]]) -> int:
    """Stops of a database that is replaced hold on as they stood there, and lines say so → how many."""
    count, at = 0, clock(connection)
    for values in before:
        row = {name: values[name] for name in _COLUMNS} | {"undos": bool(values["undos"])}
        there = connection.execute(_GET, {"which": row["id"]}).first()
        if there is not None and there.changed >= row["changed"]:
            continue
        if there is not None:
            connection.execute(rows.delete().where(rows.c.id == row["id"]))
        connection.execute(_ADD, row)
        kind = STOP if row["ended_at"] is None and row["staged_at"] is None else RESUME
        said = {**line(_read_values(row), row["salt"]), "carried": True}
        append(connection, Event(kind, None, at, "signoff", said))
        count += 1
    return count


def line(stop: Stop, salt: str) -> dict[str, Any]:
    """What the log says of it: all of its row, and digests of what people have written."""
    said = _values(stop)
    for name in ("by_name", "reason", "resumed_name"):
        said[name] = salted(salt, said[name])
    return said


def _next(connection: Connection, at: int) -> int:
    """The number of what is stopped from now on: larger than any before, also than of a database that this
    one has replaced, as long as its clock was not ahead of this one's.
    """
    return max(at, number(connection) + 1)


def _read(row: Row[Any] | Any) -> Stop:
    return _read_values(dict(row._mapping) if isinstance(row, Row) else row._asdict())


def _read_values(values: Mapping[str, Any]) -> Stop:
    found = {name: values[name] for name in _COLUMNS if name not in ("salt", "by_id")}
    return Stop(**{**found, "by": values["by_id"], "undos": bool(found["undos"])})


def _values(stop: Stop) -> dict[str, Any]:
    """Its columns, but for the salt."""
    found = asdict(stop)
    found["by_id"] = found.pop("by")
    return found
