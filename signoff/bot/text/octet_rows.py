"""Bytes in a payload as a person reads them: what they are, what they say, where they can be seen; pure."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Any

from signoff.bot.text.octets import Blob, attached
from signoff.bot.text.row import Row, Span, scalar_text
from signoff.bot.text.text import visible
from signoff.bot.text.words import octets as words

SHORT = 200
"""Characters of a value that stands on a card as it is sent, beside what it is."""


def numbered(payload: Mapping[str, Any], in_thread: Collection[str]) -> dict[str, str]:
    """The names of the files that stand in the card's thread, by digest."""
    if not in_thread:
        return {}
    found = ((number, one) for number, one in enumerate(attached(payload), 1) if one.sha256 in in_thread)
    return {one.sha256: words.file_name(number, one.type.suffix) for number, one in found}


def octet_rows(
    names: tuple[str, ...], value: str, found: Blob, seen: Mapping[str, str], whole: bool
) -> tuple[Row, ...]:
    """The rows of a value that stands for bytes.

    `seen` are the files in the card's thread: one that can be looked at there is shown in full, and so is
    text that is decoded, if every program reads it so. `whole` gives what is not in the thread as it is
    sent as well.
    """
    is_short = len(value) <= SHORT and not found.shows
    name = seen.get(found.sha256) if found.shows else None
    spans: list[Span] = [(scalar_text(value) + "  ", "")] if is_short and "\n" not in value else []
    spans.append((found.described_whole if whole else found.described, "italic"))
    if name:
        spans.append((f"  {words.in_thread(name)}", "italic"))
    said = found.text is not None or name is not None
    shown_whole = whole or spans[0][1] == "" or (said and found.sure)
    rows = [Row(names, tuple(spans), partial=not shown_whole)]
    if not found.sure:
        rows.append(Row((), ((words.READ_OTHERWISE, "italic"),)))
    if found.text is not None:
        rows += [
            _said(words.DECODED),
            Row((), ((visible(found.text.strip("\ufeff"), keep="\n\t"), ""),), "code"),
        ]
    if whole and spans[0][1] != "" and not (name and found.sure):
        rows += [_said(words.sent_as(found.spelling)), Row((), ((visible(value, keep="\n\t"), ""),), "code")]
    return tuple(rows)


def _said(text: str) -> Row:
    return Row((), ((text, "italic"),))
