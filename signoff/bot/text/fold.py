"""What of a payload's rows a card shows, and how long rows are cut into pieces; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from signoff.bot.text.payload import WIDTH, Row, rows
from signoff.bot.text.text import length, pieces
from signoff.models.approval import Approval

CHARACTERS = 1500
LINES = 15
"""A card folds a payload that is longer: about a phone's screen."""
PIECE_LINES = 50
"""Lines of one piece of a long value, so that pages can be cut between them."""


@dataclass(frozen=True)
class Folded:
    """The first rows of a payload; `lines` and `size` (bytes) are what is left out."""

    rows: tuple[Row, ...]
    lines: int = 0
    size: int = 0

    @property
    def whole(self) -> bool:
        """True where the payload stands there in full."""
        return not self.lines and not any(row.partial for row in self.rows)


def fold_payload(approval: Approval) -> Folded:
    """The payload as a card shows it."""
    return fold(rows(approval.request.json_schema, approval.payload), CHARACTERS, LINES)


def shown_whole(approval: Approval) -> bool:
    """True where the card shows the payload in full, so that an Approve may stand on it."""
    return fold_payload(approval).whole


def fold(all_rows: Iterable[Row], characters: int, lines: int) -> Folded:
    """All rows where they fit, give or take a fifth; else the first within so many characters and lines.

    The row that passes the limit is cut short.
    """
    found = list(all_rows)
    total = sum(row.size for row in found), sum(row.lines for row in found)
    if total[0] <= characters * 6 // 5 and total[1] <= lines * 6 // 5:
        return Folded(tuple(found))
    first = 0
    while first < len(found) and found[first].size <= characters and found[first].lines <= lines:
        characters, lines = characters - found[first].size, lines - found[first].lines
        first += 1
    kept, left_out = found[:first], found[first:]
    if left_out:
        head, left_out[0] = _cut_row(left_out[0], characters, lines)
        kept += [head] if head else []
    size = sum(len(row.text) if row.text.isascii() else len(row.text.encode()) for row in left_out)
    return Folded(tuple(kept), sum(row.lines for row in left_out), size)


def _cut_row(row: Row, characters: int, lines: int) -> tuple[Row | None, Row]:
    room = characters - (row.size - length(row.text))
    if row.form == "bullet" or len(row.spans) > 1 or room < WIDTH or lines < 3:
        return None, row
    text = row.text
    first = "\n".join(text.split("\n", lines - 1)[: lines - 1])
    head = next(pieces(first, min(room, (lines - 1) * WIDTH)), "")
    if not head.strip() or head == text:
        return None, row
    shown = replace(row, spans=((head.rstrip("\n"), row.spans[0][1]),))
    return shown, replace(row, path=(), spans=((text[len(head) :], ""),))


def split(all_rows: Iterable[Row], limit: int) -> Iterator[Row]:
    """The same rows, none longer than `limit` characters: a long value goes on in rows without a name."""
    for row in all_rows:
        if (row.size <= limit and row.lines <= PIECE_LINES) or len(row.spans) > 1:
            yield row
            continue
        room = limit - (row.size - length(row.text))
        parts = [piece for lines in _by_lines(row.text) for piece in pieces(lines, room)]
        for index, part in enumerate(parts):
            yield replace(row, path=row.path if index == 0 else (), spans=((part, ""),), form="code")


def _by_lines(text: str) -> Iterator[str]:
    lines = text.splitlines(keepends=True) if "\n" in text else [text]
    for at in range(0, len(lines), PIECE_LINES):
        yield "".join(lines[at : at + PIECE_LINES])
