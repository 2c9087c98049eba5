"""A text of SQL → its statements, in both ways that it can be read, and those of the texts in it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from signoff.bot.text.renderers.sql_tokens import Reading, Token, other_reading, readings
from signoff.bot.text.renderers.statements import RUNS, WRITES, Statement, statement_of
from signoff.bot.text.words import summaries as words

_MAKES = RUNS | {"CREATE", "SET", "DECLARE"}
"""In these statements a text may be SQL that runs."""
_CHANGES = WRITES | RUNS | {"GRANT", "REVOKE", "CREATE"}
_NO_CALLS = frozenset(
    [
        "IN",
        "VALUES",
        "VALUE",
        "ANY",
        "ALL",
        "SOME",
        "EXISTS",
        "AND",
        "OR",
        "NOT",
        "WHERE",
        "ON",
        "AS",
        "BY",
        "HAVING",
        "SELECT",
        "FROM",
        "JOIN",
        "USING",
        "SET",
        "WHEN",
        "THEN",
        "ELSE",
        "CASE",
        "LIKE",
        "ILIKE",
        "BETWEEN",
        "OVER",
    ]
)
"""Words that may stand before a bracket, and are no function's name."""
NESTED = 3
"""Texts in texts that are read as SQL."""
NESTED_CHARACTERS = 60_000
"""Characters of those: each can be read in two ways, and so can each in it."""


@dataclass
class Script:
    """Statements of one text; `open` where a quote or a comment has no end, so that its rest is not read."""

    statements: list[Statement] = field(default_factory=list)
    open: bool = False


def scripts(text: str) -> tuple[Script, Script]:
    """A text in both ways that it can be read; the same script where they agree."""
    return _Scripts(NESTED_CHARACTERS).of(text, NESTED)


def other_script(text: str) -> Script | None:
    """The text with the quotes that only some databases know; None where it has none of them."""
    reading = other_reading(text)
    return None if reading is None else _Scripts(NESTED_CHARACTERS).script(reading, NESTED)


class _Scripts:
    """Reads a text, and the texts in it that are run as SQL: each of those once, and so many characters."""

    def __init__(self, characters: int) -> None:
        self._left = characters
        self._read = dict[tuple[str, int], tuple[Script, Script]]()

    def of(self, text: str, levels: int) -> tuple[Script, Script]:
        if (text, levels) not in self._read:
            standard, other = readings(text)
            first = self.script(standard, levels)
            second = first if other is standard else self.script(other, levels)
            self._read[text, levels] = first, second
        return self._read[text, levels]

    def script(self, reading: Reading, levels: int) -> Script:
        """The statements of one reading, and of the texts that they run."""
        found = Script(open=reading.open)
        for tokens in _between_semicolons(reading.tokens):
            statement = statement_of(tokens)
            found.statements.append(statement)
            if levels and not _MAKES.isdisjoint(statement.verbs):
                for token in tokens:
                    if token.kind == "text" and _may_run(token.text):
                        self._inside(found, token.text, levels - 1)
            elif levels:
                for text in filter(_may_run, _given(tokens)):
                    self._given(found, statement, text, levels - 1)
        return found

    def _given(self, found: Script, statement: Statement, text: str, levels: int) -> None:
        """A text that a function is given: SQL that changes something may be run by it."""
        inner = Script()
        self._inside(inner, text, levels)
        found.open = found.open or inner.open
        changes = [one for one in inner.statements if one.tables and _CHANGES.intersection(one.verbs)]
        if changes and words.SQL_GIVEN not in statement.warnings:
            statement.warnings.append(words.SQL_GIVEN)
        found.statements += changes

    def _inside(self, found: Script, text: str, levels: int) -> None:
        """A text that a statement runs; where too much has been read, the script is not read whole."""
        if (text, levels) not in self._read:
            self._left -= len(text)
        if self._left < 0:
            found.open = True
            return
        first, second = self.of(text, levels)
        found.statements += _both(first.statements, second.statements)


def _both(one: list[Statement], other: list[Statement]) -> list[Statement]:
    return one if one is other else one + others(one, other)


def others(one: list[Statement], other: list[Statement]) -> list[Statement]:
    """Those of the other reading that the first does not have."""
    known = {statement.key for statement in one}
    return [statement for statement in other if statement.key not in known]


def _given(tokens: Sequence[Token]) -> Iterator[str]:
    """Texts that stand in the brackets of a function; those that are put together, as one."""
    calls, parts = list[bool](), list[str]()
    for at, token in enumerate(tokens):
        if token.kind == "text":
            parts += [token.text] if calls and calls[-1] else []
            continue
        if token.text in ("||", "+") and token.kind == "sign":
            continue
        if parts:
            yield "".join(parts)
            parts = []
        if token.kind != "sign":
            continue
        if token.text == "(":
            before = tokens[at - 1] if at else token
            named = before.kind == "name" or (before.kind == "word" and before.word not in _NO_CALLS)
            calls.append(named or bool(calls and calls[-1]))
        elif token.text == ")" and calls:
            calls.pop()
    if parts:
        yield "".join(parts)


def _may_run(text: str) -> bool:
    upper = text.upper()
    return any(verb in upper for verb in (*WRITES, "EXEC", "GRANT"))


def _between_semicolons(tokens: Sequence[Token]) -> Iterator[Sequence[Token]]:
    start = 0
    for at, token in enumerate(tokens):
        if token.kind == "sign" and token.text == ";":
            if at > start:
                yield tokens[start:at]
            start = at + 1
    if start < len(tokens):
        yield tokens[start:]
