"""Every renderer, and which of them knows a value; those of other packages after ours.

Another package adds one by an entry point of the group `signoff.renderers`: a function that takes a Seen and
gives a Summary or None. It is installed by whoever runs the server, and so trusted with a payload, but not
with the card: what it gives is checked, never counts as the whole, and one that raises is passed over.
"""

from __future__ import annotations

import logging
from functools import cache
from importlib.metadata import entry_points

from signoff.bot.text.renderers import Renderer, Seen, Summary, edits, mail, manifests, plan, sql, tables
from signoff.bot.text.renderers.tables import COLUMNS
from signoff.bot.text.row import Row
from signoff.bot.text.text import hides

log = logging.getLogger("signoff.renderers")

GROUP = "signoff.renderers"
OURS: tuple[Renderer, ...] = (
    edits.summarise,
    plan.summarise,
    manifests.summarise,
    mail.summarise,
    sql.summarise,
    tables.summarise,
)
"""In the order in which they are asked: the first that knows a value has it."""
MOST_ROWS = 1_000
"""Of a summary that another package's renderer makes."""


def summarise(seen: Seen) -> Summary | None:
    """A summary of a value; None where no renderer knows it. Never raises."""
    for renderer in OURS:
        try:
            summary = renderer(seen)
        except Exception as error:  # its text may repeat a payload: only the type is logged
            log.error("a renderer failed: %s %s", renderer.__module__, type(error).__name__)
            continue
        if summary is not None:
            return summary
    for name, renderer in _others():
        try:
            summary = renderer(seen)
            if summary is not None:
                return _checked(summary)
        except Exception as error:
            log.error("a renderer failed: %s %s", name, type(error).__name__)
    return None


@cache
def _others() -> tuple[tuple[str, Renderer], ...]:
    """Those of other packages, by name; one that cannot be loaded is logged and left out."""
    found: list[tuple[str, Renderer]] = []
    for point in sorted(entry_points(group=GROUP), key=lambda point: point.name):
        try:
            found.append((point.name, point.load()))
        except Exception:
            log.exception("a renderer could not be loaded: %s", point.name)
    return tuple(found)


def _checked(summary: Summary) -> Summary:
    """What another package made, if it is rows in which nothing hides; else raises ValueError."""
    rows = tuple(summary.rows)
    if not rows or len(rows) > MOST_ROWS:
        raise ValueError(f"a summary has from 1 to {MOST_ROWS:,} rows")
    for row in rows:
        if not isinstance(row, Row) or any(hides(text) for text in _texts(row)):
            raise ValueError("a summary is made of rows, and every text in it went through `visible`")
        if row.table and (
            len(row.table) < 2 or {len(line) for line in row.table} - set(range(1, COLUMNS + 1))
        ):
            raise ValueError(f"a table has a header, a line or more, and at most {COLUMNS} columns")
    return Summary(rows, frozenset(summary.takes), whole=False)


def _texts(row: Row) -> list[str]:
    cells = [cell for line in row.table for cell in line]
    return [*row.path, row.mark, *(text for text, _ in row.spans), *cells]
