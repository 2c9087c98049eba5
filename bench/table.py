"""The table that is printed: what was measured, beside its floor and its target."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import astuple, dataclass, fields


@dataclass(frozen=True)
class Row:
    """One line. What does not apply is left empty; `verdict` is `met`, `missed` or empty."""

    what: str
    reached: str
    floor: str = ""
    ratio: str = ""
    target: str = ""
    verdict: str = ""


def verdict(*held: bool) -> str:
    """What the last column says."""
    return "met" if all(held) else "missed"


def render(rows: Iterable[Row]) -> str:
    """Rows → the text of the table, its columns as wide as they need to be."""
    head = tuple(field.name for field in fields(Row))
    lines = [head, *(astuple(row) for row in rows)]
    widths = [max(len(line[column]) for line in lines) for column in range(len(head))]
    lines.insert(1, tuple("-" * width for width in widths))
    return "\n".join("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip()
                     for line in lines)  # fmt: skip
