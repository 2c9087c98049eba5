"""SQL → tokens, in the two ways that databases read quotes and comments; pure and linear.

A parser of one dialect is of little use here: what one database takes for a text or a comment another runs.
So a text is read twice, and a warning stands that either reading gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Literal

Kind = Literal["word", "name", "text", "number", "sign"]


@dataclass(frozen=True, slots=True)
class Token:
    """`word` is the upper case of an unquoted word, else empty; `text` is as it was written."""

    kind: Kind
    text: str
    word: str = ""


@dataclass
class Reading:
    """All tokens, what is quoted without its quotes; `open` where a quote or a comment has no end."""

    tokens: list[Token] = field(default_factory=list)
    open: bool = False


_REST = r"""
|(?P<name>`(?:[^`]|``)*+`|\[[A-Za-z_][\w .]*+\])
|(?P<number>[0-9][\w.]*+)
|(?P<word>[^\W\d][\w$\#]*+|[@:]++\w++)
|(?P<sign><>|!=|<=|>=|==|\|\||&&|::|.)
"""
_STANDARD = re.compile(
    r"""(?P<space>\s++|--[^\n]*+)
|(?P<comment>/\*)
|(?P<dollar>\$(?:[^\W\d]\w*+)?\$)
|(?P<text>[eE]'(?:[^'\\]|\\.|'')*+'|'(?:[^']|'')*+')
|(?P<quoted>"(?:[^"]|"")*+")"""
    + _REST,
    re.DOTALL | re.VERBOSE,
)
_MYSQL = re.compile(
    r"""(?P<space>\s++|--(?=[\s]|\Z)[^\n]*+|\#[^\n]*+|/\*M?!\d*+|\*/)
|(?P<comment>/\*)
|(?P<text>'(?:[^'\\]|\\.|'')*+')
|(?P<quoted>"(?:[^"\\]|\\.|"")*+")
|(?P<dollar>\$\$)"""
    + _REST,
    re.DOTALL | re.VERBOSE,
)
_EDGES = re.compile(r"/\*|\*/")


def readings(text: str) -> Iterator[Reading]:
    """As the standard and PostgreSQL have it, then as MySQL does."""
    yield _read(text, _STANDARD, nested=True)
    yield _read(text, _MYSQL, nested=False)


def _read(text: str, pattern: re.Pattern[str], nested: bool) -> Reading:
    found, at = Reading(), 0
    while at < len(text):
        place = pattern.match(text, at)
        assert place is not None  # the last alternative takes anything
        kind, at = place.lastgroup, place.end()
        if kind == "comment":
            at = _end_of_comment(text, at, nested)
        elif kind == "dollar":
            end = text.find(place[0], at)
            found.tokens.append(Token("text", text[at : max(end, at)]))
            at = end + len(place[0]) if end >= 0 else -1
        elif kind == "sign" and place[0] in "'\"`":
            at = -1
        elif kind != "space":
            found.tokens.append(_token(kind or "sign", place[0]))
        if at < 0:
            found.open = True
            break
    return found


def _token(kind: str, text: str) -> Token:
    match kind:
        case "word":
            return Token("word", text, text.upper())
        case "name" | "quoted":
            return Token("name", text[1:-1])
        case "text":
            return Token("text", text[text.index("'") + 1 : -1])
        case "number":
            return Token("number", text)
    return Token("sign", text)


def _end_of_comment(text: str, at: int, nested: bool) -> int:
    """Where a comment that began before `at` ends; -1 where it does not."""
    depth = 1
    for edge in _EDGES.finditer(text, at):
        if edge[0] == "*/":
            depth -= 1
        elif nested:
            depth += 1
        if not depth:
            return edge.end()
    return -1
