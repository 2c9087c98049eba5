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
_OTHERS = re.compile(
    r"""(?P<space>\s++|--[^\n]*+)
|(?P<comment>/\*)
|(?P<dollar>\$(?:[^\W\d]\w*+)?\$|\'\'\'|\"\"\")
|(?P<ends>[nN]?[qQ]'[^\s'])
|(?P<bracket>\[)
|(?P<text>[eE]'(?:[^'\\]|\\.|'')*+'|'(?:[^']|'')*+')
|(?P<quoted>"(?:[^"]|"")*+")"""
    + _REST,
    re.DOTALL | re.VERBOSE,
)
"""With what only some databases know: `[it's]`, `q'[it's]'`, and quotes three at a time."""
_OTHER_FORMS = re.compile(r"(?<![\w'])[nN]?[qQ]'[^\s']|\'\'\'|\"\"\"")
_IN_BRACKETS = re.compile(r"\[([^\[\]]*+)\]")
_ENDS = {"[": "]", "{": "}", "(": ")", "<": ">"}
_EDGES = re.compile(r"/\*|\*/")
_TWO_WAYS = re.compile(r"['\"#$\\]|--|/\*|\*/")
"""Without any of these there is one way to read a text."""


def readings(text: str) -> tuple[Reading, Reading]:
    """As the standard and PostgreSQL have it, then as MySQL does: the same one where the two agree."""
    standard = _read(text, _STANDARD, nested=True)
    return standard, _read(text, _MYSQL, nested=False) if _TWO_WAYS.search(text) else standard


def other_reading(text: str) -> Reading | None:
    """As SQL Server, Oracle or BigQuery have it; None where they read it as the standard does."""
    if not _OTHER_FORMS.search(text) and not any(map(_is_odd, _IN_BRACKETS.finditer(text))):
        return None
    found = _read(text, _OTHERS, nested=True)
    return None if found == _read(text, _STANDARD, nested=True) else found


def _is_odd(found: re.Match[str]) -> bool:
    """Whether a quote or a comment begins in brackets, and does not end there."""
    inside = found[1]
    return any(inside.count(sign) % 2 for sign in "'\"`") or any(sign in inside for sign in ("--", "/*", "#"))


def _end_of_brackets(text: str, at: int, last: int) -> int:
    """Where a name in brackets that began before `at` ends, `]]` in it is one `]`; -1 where it does not."""
    while at <= last:
        at = text.find("]", at)
        if text[at + 1 : at + 2] != "]":
            return at
        at += 2
    return -1


def _read(text: str, pattern: re.Pattern[str], nested: bool) -> Reading:
    found, at = Reading(), 0
    made = dict[tuple[str | None, str], Token]()
    """The same token is made once: a text of brackets has as many of them as characters."""
    last = text.rfind("]")
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
            if kind == "ends":
                close = _ENDS.get(found_text[-1], found_text[-1]) + "'"
                end = text.find(close, at)
                found.tokens.append(Token("text", text[at : max(end, at)]))
                at = end + len(close) if end >= 0 else -1
                break
            if kind == "bracket" and (end := _end_of_brackets(text, at, last)) >= 0:
                found.tokens.append(Token("name", text[at:end]))
                at = end + 1
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
