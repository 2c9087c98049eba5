"""SQL → tokens, in the two ways that databases read quotes and comments; pure and linear.

A parser of one dialect is of little use here: what one database takes for a text or a comment another runs.
So a text is read twice, and a warning stands that either reading gives.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Literal, NamedTuple

Kind = Literal["word", "name", "text", "number", "sign"]


class Token(NamedTuple):
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
_TWO_WAYS = re.compile(r"['\"#$\\]|--|/\*|\*/")
"""Without any of these there is one way to read a text."""


def readings(text: str) -> tuple[Reading, Reading]:
    """As the standard and PostgreSQL have it, then as MySQL does: the same one where the two agree."""
    standard = _read(text, _STANDARD, nested=True)
    return standard, _read(text, _MYSQL, nested=False) if _TWO_WAYS.search(text) else standard


def _read(text: str, pattern: re.Pattern[str], nested: bool) -> Reading:
    found, at = Reading(), 0
    made = dict[tuple[str | None, str], Token]()
    """The same token is made once: a text of brackets has as many of them as characters."""
    while 0 <= at < len(text):
        for place in pattern.finditer(text, at):  # there is always one: the last alternative takes anything
            kind, found_text, at = place.lastgroup, place[0], place.end()
            if kind == "space":
                continue
            if kind == "comment":
                at = _end_of_comment(text, at, nested)
                break
            if kind == "dollar":
                end = text.find(found_text, at)
                found.tokens.append(Token("text", text[at : max(end, at)]))
                at = end + len(found_text) if end >= 0 else -1
                break
            if kind == "sign" and found_text in "'\"`":
                at = -1
                break
            token = made.get((kind, found_text))
            if token is None:
                token = made[kind, found_text] = _token(kind or "sign", found_text)
            found.tokens.append(token)
    found.open = at < 0
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
