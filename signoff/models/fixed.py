"""A statement of the road, run as its text is: a third of what a click costs would go into the way from
SQLAlchemy's statement to the driver, and from its rows back.

The text is SQLAlchemy's own, made once a database. What the driver raises is raised as SQLAlchemy raises it.
"""

from __future__ import annotations

from collections import namedtuple
from collections.abc import Callable, Mapping, Sequence
from contextlib import closing, nullcontext
from typing import Any, NamedTuple, TypeAlias

from sqlalchemy import Connection, Delete, Dialect, Insert, Select, Update, exc
from sqlalchemy.sql.selectable import CompoundSelect


class _Text(NamedTuple):
    """What one database is given: its text, the order of its values (none: by name), and what is fixed."""

    text: str
    order: Sequence[str] | None
    fixed: dict[str, Any]
    row: Callable[[Sequence[Any]], Any]

    def given(self, values: Mapping[str, Any]) -> Any:
        """Values by name, as the driver takes them."""
        found = {**self.fixed, **values}
        return found if self.order is None else [found[name] for name in self.order]

    def answer(self, cursor: Any) -> Any:
        """The rows; of what gives none, how many it has changed or added."""
        return int(cursor.rowcount) if cursor.description is None else [*map(self.row, cursor.fetchall())]


class Fixed:
    """One statement; `columns` are those that an insert gives. Its values need no conversion by their types,
    and are given by name, all of them.
    """

    def __init__(
        self,
        statement: Select[Any] | CompoundSelect[Any] | Update | Insert | Delete,
        columns: Sequence[str] | None = None,
    ) -> None:
        self._statement = statement
        self._columns = columns
        self._texts: dict[str, _Text] = {}

    def all(self, connection: Connection, values: Mapping[str, Any]) -> list[Any]:
        """The rows, their columns by name."""
        cursor, text = self._run(connection, values)
        return [*map(text.row, cursor.fetchall())]

    def first(self, connection: Connection, values: Mapping[str, Any]) -> Any:
        """The first row, or None."""
        cursor, text = self._run(connection, values)
        found = cursor.fetchone()
        cursor.close()
        return None if found is None else text.row(found)

    def run(self, connection: Connection, values: Mapping[str, Any]) -> int:
        """How many rows it has changed or added."""
        return int(self._run(connection, values)[0].rowcount)

    def run_many(self, connection: Connection, rows: Sequence[Mapping[str, Any]]) -> None:
        """Once for each, in as few round trips as the driver can."""
        text = self._text(connection)
        with closing(connection.connection.cursor()) as cursor:
            _safely(connection, text.text, lambda: cursor.executemany(text.text, [*map(text.given, rows)]))

    def _run(self, connection: Connection, values: Mapping[str, Any]) -> tuple[Any, _Text]:
        text = self._text(connection)
        driver: Any = connection.connection.dbapi_connection
        cursor = _safely(connection, text.text, lambda: driver.execute(text.text, text.given(values)))
        return cursor, text

    def _text(self, connection: Connection) -> _Text:
        return self._texts.get(connection.dialect.name) or self._made(connection.dialect)

    def _made(self, dialect: Dialect) -> _Text:
        made: Any = self._statement.compile(dialect=dialect, column_keys=self._columns)
        fixed = {name: value for name, value in made.params.items() if value is not None}
        row: Callable[[Sequence[Any]], Any] = tuple
        if isinstance(self._statement, Select | CompoundSelect):
            kind: Any = namedtuple("Row", [column.name for column in self._statement.selected_columns])  # type: ignore[misc]
            row = kind._make
        self._texts[dialect.name] = found = _Text(str(made), made.positiontup, fixed, row)
        return found


Step: TypeAlias = tuple[Fixed, Mapping[str, Any]]
"""A statement, and its values by name."""


def together(connection: Connection, *steps: Step) -> list[Any]:
    """Run these one after the other: on PostgreSQL in one round trip, with what begins the transaction where
    nothing was run in it yet. Of each its rows, or how many it has changed.

    None of them can depend on what another one gives. Where one fails, none after it has an effect.
    """
    driver: Any = connection.connection.dbapi_connection
    texts = [one._text(connection) for one, _ in steps]
    given = [(text.text, text.given(values)) for text, (_, values) in zip(texts, steps, strict=True)]

    def sent() -> list[Any]:
        with driver.pipeline() if _in_one_trip(connection) else nullcontext():
            return [driver.execute(*one) for one in given]

    cursors = _safely(connection, "; ".join(text for text, _ in given), sent)
    return [text.answer(cursor) for text, cursor in zip(texts, cursors, strict=True)]


def _in_one_trip(connection: Connection) -> bool:
    """Whether the driver can send a statement before the last one was answered: libpq 14 and later."""
    if connection.dialect.name != "postgresql":
        return False
    driver: Any = connection.dialect.loaded_dbapi
    return bool(driver.capabilities.has_pipeline())


def _safely(connection: Connection, text: str, step: Callable[[], Any]) -> Any:
    try:
        return step()
    except driver_errors(connection.dialect) as error:
        raise _translated(connection, text, error) from error


def driver_errors(dialect: Dialect) -> Any:
    """What a database's driver raises."""
    return dialect.loaded_dbapi.Error


def _translated(connection: Connection, text: str, error: Exception) -> Exception:
    """The same as SQLAlchemy's; a connection that is dead is not used again."""
    dialect: Any = connection.dialect
    lost = dialect.is_disconnect(error, connection.connection.dbapi_connection, None)
    if lost:
        connection.invalidate(error)
    return exc.DBAPIError.instance(
        text,
        None,
        error,
        driver_errors(dialect),
        hide_parameters=True,
        connection_invalidated=lost,
        dialect=dialect,
    )
