"""What an edit changes: two payloads → old and new, value by value, long texts by line; pure."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from difflib import SequenceMatcher
from typing import Any

from signoff.bot.text.alphabet import skeleton
from signoff.bot.text.differing import NOTHING, differing, shared_beginning
from signoff.bot.text.moments import date_span, seconds
from signoff.bot.text.place import joined, part_text
from signoff.bot.text.quotes import isolated
from signoff.bot.text.row import json_text, scalar_text
from signoff.bot.text.text import Block, cut, exact, length, line, literal, pieces, visible
from signoff.bot.text.words import card as card_words

SHORT = 80
"""Characters of a value that stands on one line beside what it becomes."""
OLD = 600
"""Characters of a long old value: enough to recognise it, and it is not what runs."""
AROUND = 2
"""Unchanged lines that are shown before and after changed ones."""
COMPARED = 400
"""Lines that are compared one by one: finding what two texts share takes the square of it."""


@dataclass(frozen=True)
class Change:
    """One value: visible names, and visible text before and after; None where there is none."""

    path: tuple[str, ...]
    old: str | None
    new: str | None

    @property
    def short(self) -> bool:
        """True where old and new stand on one line."""
        return all(text is None or (len(text) <= SHORT and "\n" not in text) for text in (self.old, self.new))


def changes(old: dict[str, Any], new: dict[str, Any]) -> list[Change]:
    """Every value that differs, in the new payload's order, then what is gone.

    Values are compared, not how they are written. Lists are compared item by item: an item more is one
    change, and so is one less. An item is named by its new place, and by its old one where it is gone.
    """
    return list(each_change(old, new))


def each_change(old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    """The same one by one, for whoever shows the first of them: each takes time to write out."""
    for path, was, now in differing(old, new):
        names = tuple(map(part_text, path))
        yield Change(names, *_shown(was, now))


def count_changes(old: dict[str, Any], new: dict[str, Any]) -> int:
    """How many there are."""
    return sum(1 for _ in differing(old, new))


def _shown(was: Any, now: Any) -> tuple[str | None, str | None]:
    show = _text
    if isinstance(was, str) and isinstance(now, str):
        if skeleton(was) == skeleton(now):  # they differ only in what an eye does not see
            show = _exact
        elif ends_of(was) != ends_of(now):
            show = _ended
    return None if was is NOTHING else show(was), None if now is NOTHING else show(now)


def ends_of(text: str) -> tuple[bool, bool]:
    """Which kinds of line end a text has: CRLF, LF."""
    crlf = text.count("\r\n")
    return bool(crlf), text.count("\n") > crlf


def _ended(value: Any) -> str:
    """A text in lines with its CRLF written out: for two that differ in that too."""
    return "\\u{d}\n".join(visible(part, keep="\n\t") for part in value.split("\r\n"))


def _exact(value: Any) -> str:
    keep = "\n\t" if "\n" in value else ""
    return "\\u{d}\n".join(exact(part, keep) for part in value.split("\r\n")) if keep else exact(value)


def _text(value: Any) -> str:
    if isinstance(value, list | dict) and value:
        return json_text(value)
    if isinstance(value, str) and "\n" in value:
        return visible(value.replace("\r\n", "\n"), keep="\n\t")
    return scalar_text(value)


def elements(found: Iterable[Change], room: int, old: int = OLD) -> tuple[list[Block], bool]:
    """Changes → elements of a rich_text block within `room` characters, and whether all of it fits.

    What is new is shown in full or not at all; an old value that shares no line with it in its first `old`
    characters.
    """
    shown: list[Block] = []
    for change in found:
        parts = _elements(change, old)
        room -= sum(length(span.get("text", "")) for part in parts for span in part["elements"])
        if room < 0:
            return shown, False
        shown += parts
    return shown, True


def _elements(change: Change, old: int) -> list[Block]:
    name = [literal(joined(change.path, 300), "bold")]
    if change.short:
        return [line(*name, literal("  "), *_short(change.old), literal(" → "), *_short(change.new))]
    lines = by_line(change.old, change.new) if change.old and change.new else None
    if lines is not None:
        return [line(*name), *(_code(part) for part in pieces(lines, 2900))]
    before = card_words.ABSENT if change.old is None else change.old or '""'
    after = card_words.ABSENT if change.new is None else change.new or '""'
    parts = [line(*name), _code(cut(before, old)), line(literal("→", "bold"))]
    return parts + [_code(part) for part in pieces(after, 2900)]


def _short(text: str | None) -> list[Block]:
    if text is None:
        return [literal(card_words.ABSENT, "italic")]
    at = seconds(text)
    return [literal(isolated(text) or '""'), *([literal(" "), date_span(at)] if at is not None else [])]


def by_line(old: str, new: str) -> str | None:
    """Two visible texts → their lines, after `- ` (gone), `+ ` (new) or two spaces (the same).

    Every new line is in it; of the same ones, those around. None where the two share no line, or differ in
    too many.
    """
    before, after = old.split("\n"), new.split("\n")
    start = shared_beginning(before, after)
    end = shared_beginning(before[start:][::-1], after[start:][::-1])
    middle = before[start : len(before) - end], after[start : len(after) - end]
    if max(map(len, middle)) > COMPARED:
        return None
    matcher = SequenceMatcher(None, *middle, autojunk=False)
    same = sum(block.size for block in matcher.get_matching_blocks())
    if not start + end + same:
        return None
    shown = [*_same(before[:start], False, True)]
    for kind, i1, i2, j1, j2 in matcher.get_opcodes():
        if kind == "equal":
            shown += _same(middle[0][i1:i2], True, True)
        else:
            shown += [f"- {isolated(text)}" for text in middle[0][i1:i2]]
            shown += [f"+ {isolated(text)}" for text in middle[1][j1:j2]]
    return "\n".join([*shown, *_same(before[len(before) - end :], True, False)])


def _same(lines: list[str], after: bool, before: bool) -> list[str]:
    """Unchanged lines after and before a change; the others are counted."""
    head, tail = AROUND if after else 0, AROUND if before else 0
    if len(lines) <= head + tail + 1:
        return [f"  {isolated(text)}" for text in lines]
    first, last = lines[:head], lines[len(lines) - tail :]
    skipped = card_words.unchanged_lines(len(lines) - head - tail)
    return [*(f"  {isolated(text)}" for text in first), skipped, *(f"  {isolated(text)}" for text in last)]


def _code(text: str) -> Block:
    return {"type": "rich_text_preformatted", "elements": [literal(text)]}
