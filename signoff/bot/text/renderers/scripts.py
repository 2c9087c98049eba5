"""A text of SQL → its statements, in both ways that it can be read, and those of the texts in it; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from signoff.bot.text.renderers.sql_tokens import Reading, Token, readings
from signoff.bot.text.renderers.statements import RUNS, WRITES, Statement, statement_of

_MAKES = RUNS | {"CREATE", "SET", "DECLARE"}
"""In these statements a text may be SQL that runs."""
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


class _Scripts:
    """Reads a text, and the texts in it that are run as SQL: each of those once, and so many characters."""

    def __init__(self, characters: int) -> None:
        self._left = characters
        self._read = dict[tuple[str, int], tuple[Script, Script]]()

    def of(self, text: str, levels: int) -> tuple[Script, Script]:
        if (text, levels) not in self._read:
            standard, other = readings(text)
            first = self._script(standard, levels)
            second = first if other is standard else self._script(other, levels)
            self._read[text, levels] = first, second
        return self._read[text, levels]

    def _script(self, reading: Reading, levels: int) -> Script:
        found = Script(open=reading.open)
        for tokens in _between_semicolons(reading.tokens):
            statement = statement_of(tokens)
            found.statements.append(statement)
            if levels and not _MAKES.isdisjoint(statement.verbs):
                for token in tokens:
                    if token.kind == "text" and _may_run(token.text):
                        self._inside(found, token.text, levels - 1)
        return found

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
