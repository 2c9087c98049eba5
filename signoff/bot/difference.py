"""What an edit changes: two payloads → old and new, value by value; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from signoff.bot import words
from signoff.bot.payload import LEVELS, json_text, name_text, scalar_text
from signoff.bot.text import Block, cut, length, line, literal, pieces, visible
from signoff.canonical import canonical

SHORT = 80
"""Characters of a value that stands on one line beside what it becomes."""
OLD = 600
"""Characters of a long old value: enough to recognise it, and it is not what runs."""


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
    """Every value that differs, in the new payload's order, then what is gone."""
    return list(_changes((), old, new))


def _changes(path: tuple[str, ...], old: dict[str, Any], new: dict[str, Any]) -> Iterator[Change]:
    for name in [*new, *(name for name in old if name not in new)]:
        before, after = old.get(name), new.get(name)
        if name in old and name in new and canonical(before) == canonical(after):
            continue
        where = (*path, name_text(name))
        if isinstance(before, dict) and isinstance(after, dict) and len(path) < LEVELS:
            yield from _changes(where, before, after)
        else:
            yield Change(where, _text(before) if name in old else None, _text(after) if name in new else None)


def _text(value: Any) -> str:
    if isinstance(value, list | dict) and value:
        return json_text(value)
    return visible(value, keep="\n\t") if isinstance(value, str) and "\n" in value else scalar_text(value)


def elements(found: Sequence[Change], room: int, old: int = OLD) -> tuple[list[Block], bool]:
    """Changes → elements of a rich_text block within `room` characters, and whether all of it fits.

    A new value is shown in full or not at all; an old one in its first `old` characters.
    """
    shown: list[Block] = []
    for change in found:
        parts = _elements(change, old)
        room -= sum(length(span["text"]) for part in parts for span in part["elements"])
        if room < 0:
            return shown, False
        shown += parts
    return shown, True


def _elements(change: Change, old: int) -> list[Block]:
    name = [literal(cut(" › ".join(change.path), 300), "bold")]
    before = words.ABSENT if change.old is None else change.old or '""'
    after = words.ABSENT if change.new is None else change.new or '""'
    if change.short:
        old_style, new_style = ("italic" if text is None else "" for text in (change.old, change.new))
        arrow = [literal("  "), literal(before, old_style), literal(" → "), literal(after, new_style)]
        return [line(*name, *arrow)]
    parts = [line(*name), _code(cut(before, old)), line(literal("→", "bold"))]
    return parts + [_code(part) for part in pieces(after, 2900)]


def _code(text: str) -> Block:
    return {"type": "rich_text_preformatted", "elements": [literal(text)]}
