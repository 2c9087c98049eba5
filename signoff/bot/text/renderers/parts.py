"""What summaries are made of: our own lines, names from a payload, and boxes of text; pure."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from signoff.bot.text.quotes import quoted
from signoff.bot.text.row import Row, Span, name_text, scalar_text
from signoff.bot.text.text import visible
from signoff.bot.text.words import summaries as words

ARROW = " → "
"""Between a name and what it becomes."""
FEW = 8
"""Names that stand one a bullet, of those that are said to have no more than a line to tell."""
_AMBIGUOUS = re.compile(r"[\s,;“”]|[^\x00-\x7f]")
BULLETS = 20
"""Names that stand one a bullet; more of them stand one a line in a box, which can be cut in its place."""


def headline(*counts: str) -> Row:
    """The first row of every summary."""
    return Row((), ((words.headline(*counts), "italic"),))


def said(text: str) -> Row:
    """A line of ours."""
    return Row((), ((text, "italic"),))


def warned(text: str) -> Row:
    """A warning of ours."""
    return said(words.warning(text))


def box(text: str) -> Row:
    """Visible text in lines."""
    return Row((), ((text, ""),), "code")


def lines_of(text: str) -> str:
    """A text from a payload in lines, visible; CR and LF are one line end."""
    return visible(text.replace("\r\n", "\n"), keep="\n\t")


def listed(names: Sequence[Sequence[Span]]) -> Iterable[Row]:
    """Names from a payload, visible, one a row; what we say of one stands after it in italics."""
    if len(names) <= BULLETS:
        return [Row((), tuple(spans), "bullet") for spans in names]
    return [box("\n".join("".join(text for text, _ in spans) for spans in names))]


def named(names: Sequence[Sequence[Span]]) -> Iterable[Row]:
    """The same, many of them on few lines: `a, b, c`. One with a space or a comma in it stands in quotes."""
    if len(names) <= FEW:
        return [Row((), tuple(spans), "bullet") for spans in names]
    each = ("".join(text if style == "italic" else _apart(text) for text, style in spans) for spans in names)
    return [Row((), ((", ".join(each), ""),))]


def _apart(text: str) -> str:
    """A visible name in a list of ours; `→` between two names stands as it is."""
    return text if text == ARROW or (text and not _AMBIGUOUS.search(text)) else quoted(text)


def fields(beside: Iterable[tuple[str, object]]) -> tuple[Span, ...]:
    """Short values with their names, on one line."""
    spans: list[Span] = []
    for name, value in beside:
        spans += [("  ", "")] if spans else []
        spans += [(name_text(name), "bold"), (" " + scalar_text(value), "")]
    return tuple(spans)
