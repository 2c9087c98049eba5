"""What of a payload's values a card shows, and how long rows are cut into pieces; pure.

A fold hides nothing that decides: every one-line field stands there as far as Slack's limits go, and what is
long is cut in its own place, with its own size.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace

from signoff.bot.text.payload import Value, values
from signoff.bot.text.quotes import value_of
from signoff.bot.text.row import WIDTH, Row
from signoff.bot.text.text import length, pieces
from signoff.bot.text.words import card as card_words
from signoff.models.approval import Approval

CHARACTERS = 1500
LINES = 15
"""A card folds long values beyond: about a phone's screen."""
ONE_LINERS = 6000
"""Characters of a card's one-line fields. A message holds some 10,000, see `blocks.MESSAGE_TOTAL`: where
that is too little, claims are cut, and never these."""
LEAST = (600, 6)
"""Characters and lines for long values, however many one-line fields stand before them."""
NAMES = 600
"""Characters for the names of one-line fields that do not fit."""
FEW = 3
"""Rows of the last field that stands on a decided card all the same: the notice would take one as well."""
TINY = 60
"""Characters: the rest of a value that is shorter than the notice about it is not cut off."""
PIECE_LINES = 50
"""Lines of one piece of a long value, so that pages can be cut between them."""


@dataclass(frozen=True)
class Folded:
    """What is shown of a payload, and whether that is all of it."""

    rows: tuple[Row, ...]
    whole: bool = True


def values_of(approval: Approval) -> list[Value]:
    """The payload's values, and which of its files can be looked at in the card's thread."""
    return values(approval.request.json_schema, approval.payload, in_thread=approval.in_thread)


def on_card(found: Iterable[Value]) -> Folded:
    """What a card shows of these values while it waits: as much whatever else has to stand there."""
    return fold(found, CHARACTERS, LINES, ONE_LINERS, tables=True)


def shown_whole(approval: Approval) -> bool:
    """True where the card shows the payload in full, so that an Approve may stand on it."""
    return on_card(values_of(approval)).whole


def fold(
    found: Iterable[Value],
    characters: int,
    lines: int,
    one_liners: int | None = None,
    tables: bool = False,
) -> Folded:
    """One-line fields within `one_liners` characters, then long values within so many characters and lines.

    Without `one_liners` all of it shares the room, and fields that are left out are counted, not named. All
    long values stand whole where they fit, give or take a fifth; else each is cut to its share, the short
    ones first. What is left out is counted where it stood. With `tables` the first list that would be cut
    stands as a table instead.
    """
    every = list(found)
    short, long = [one for one in every if one.is_line], [one for one in every if not one.is_line]
    decides = one_liners is not None
    most_of_them = (one_liners, one_liners) if one_liners is not None else (characters, lines)
    shown, taken, whole = _one_liners(short, *most_of_them, named=decides)
    left_for_inside = (most_of_them[0] - taken[0], most_of_them[1] - taken[1]) if decides else (0, 0)
    least = LEAST if decides else (0, 0)
    room = max(characters - taken[0], least[0]), max(lines - taken[1], least[1])
    most = max(room[1], 3)
    if sum(row.size for value in long[most:] for row in value.rows) <= TINY:
        most = len(long)
    for value, share in zip(long[:most], _shares(long[:most], *room), strict=True):
        rows, is_whole = (value.rows, True) if share is None else _cut(value.rows, *share)
        if tables and not is_whole and any(row.table for row in value.rows):
            rows, tables = _tabled(value.rows), False
        shown += rows
        shown += [_left_out(list(value.rest))] if value.rest else []
        inside, used, is_all = _one_liners(list(value.inside), *left_for_inside, named=decides)
        left_for_inside = left_for_inside[0] - used[0], left_for_inside[1] - used[1]
        shown += inside
        whole = whole and is_whole and is_all and not value.rest
    for value in long[most:]:
        shown += _one_liners(list(value.inside), *left_for_inside, named=decides)[0]
    if long[most:]:
        shown.append(_notice(card_words.more_fields(len(long) - most, _names(long[most:]))))
    return Folded(tuple(shown), whole and not long[most:] and not any(row.partial for row in shown))


def _one_liners(
    found: list[Value], characters: int, lines: int, named: bool
) -> tuple[list[Row], tuple[int, int], bool]:
    """The rows of those that fit, what they take, and whether they are all."""
    shown: list[Row] = []
    left: list[Value] = []
    taken = [0, 0]
    for value in found:
        size, high = sum(row.size for row in value.rows), sum(row.lines for row in value.rows)
        if taken[0] + size > characters or taken[1] + high > lines:
            left.append(value)
        else:
            shown += value.rows
            taken = [taken[0] + size, taken[1] + high]
    if len(left) == 1 and not named and lines and len(left[0].rows) <= FEW:
        return shown + list(left[0].rows), (taken[0], taken[1]), True
    if left:
        shown.append(_notice(card_words.more_fields(len(left), _names(left) if named else ())))
    return shown, (taken[0], taken[1]), not left


def _names(found: list[Value]) -> list[str]:
    named: list[str] = []
    room = NAMES
    for value in found:
        name = " › ".join(map(value_of, value.rows[0].path))
        room -= length(name) + 2
        if room < 0 or not name:
            break
        named.append(name)
    return named


def _shares(found: list[Value], characters: int, lines: int) -> list[tuple[int, int] | None]:
    """For each value the characters and lines that it gets; None where it gets all that it needs."""
    needs = [(sum(row.size for row in one.rows), sum(row.lines for row in one.rows)) for one in found]
    total = sum(need[0] for need in needs), sum(need[1] for need in needs)
    if total[0] <= characters * 6 // 5 and total[1] <= lines * 6 // 5:
        return [None] * len(found)
    shares: list[tuple[int, int] | None] = [None] * len(found)
    left, places = (characters, lines), sorted(range(len(found)), key=lambda at: needs[at])
    for done, at in enumerate(places):
        many = len(places) - done
        share = left[0] // many, left[1] // many
        need = needs[at]
        if need[0] > share[0] or need[1] > share[1]:
            shares[at] = share
            need = share
        left = max(left[0] - need[0], 0), max(left[1] - need[1], 0)
    return shares


def _cut(rows: tuple[Row, ...], characters: int, lines: int) -> tuple[list[Row], bool]:
    """The first of a long value's rows, and what is left out counted; and whether that is nothing."""
    kept: list[Row] = []
    for at, row in enumerate(rows):
        if row.size <= characters and row.lines <= lines:
            kept.append(row)
            characters, lines = characters - row.size, lines - row.lines
            continue
        head, rest = _cut_row(row, characters, lines, first=at == 0)
        left = [*([rest] if rest else []), *rows[at + 1 :]]
        if sum(one.size for one in left) <= TINY and len(left) <= 1:
            return [*kept, row, *rows[at + 1 :]], True
        kept += [head] if head else []
        return [*kept, _left_out(left)], False
    return kept, True


def _tabled(rows: tuple[Row, ...]) -> list[Row]:
    """A list that stands as a table, without its text: Slack pages it, so it does not count as whole."""
    return [replace(row, path=rows[0].path, spans=(), form="line") if row.table else row for row in rows]


def _left_out(left: list[Row]) -> Row:
    if len(left) == 1 and "\n" not in left[0].text and left[0].form != "bullet":
        return _notice(card_words.cut_text(len(left[0].text)))
    size = sum(len(row.text) if row.text.isascii() else len(row.text.encode()) for row in left)
    return _notice(card_words.cut_rows(sum(row.lines for row in left), size))


def _notice(text: str) -> Row:
    return Row((), ((text, "italic"),))


def _cut_row(row: Row, characters: int, lines: int, first: bool) -> tuple[Row | None, Row]:
    """A row's head within so much room, and its rest; the first of a value keeps at least its name."""
    room = max(characters - (row.size - length(row.text)), WIDTH if first else 0)
    most = max(lines - bool(row.path and row.form == "code"), 1)
    head = ""
    if row.form != "bullet" and len(row.spans) == 1 and room >= TINY:
        head = next(pieces("\n".join(row.text.split("\n", most)[:most]), min(room, most * WIDTH)), "")
    if not head.strip("\n"):
        return (replace(row, spans=(("", ""),), form="line") if first else None), row
    rest = replace(row, path=(), mark="", at=None, spans=((row.text[len(head) :].removeprefix("\n"), ""),))
    return replace(row, spans=((head.rstrip("\n"), row.spans[0][1]),), at=None), rest


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
