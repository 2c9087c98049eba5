"""Tokens of SQL → statements: what each does, to which tables, and what is dangerous; pure and linear.

It looks for words where a statement can begin, at any depth and in texts that are run as SQL, and says more
rather than less: a warning too many is read once, one that is missing costs a table.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

from signoff.bot.text.renderers.conditions import always
from signoff.bot.text.renderers.sql_tables import tables
from signoff.bot.text.renderers.sql_tokens import Token
from signoff.bot.text.words import summaries as words

VERBS = frozenset(
    [
        "SELECT",
        "INSERT",
        "UPDATE",
        "DELETE",
        "MERGE",
        "REPLACE",
        "UPSERT",
        "TRUNCATE",
        "DROP",
        "ALTER",
        "CREATE",
        "RENAME",
        "GRANT",
        "REVOKE",
        "EXEC",
        "EXECUTE",
        "CALL",
        "DO",
        "COPY",
        "LOAD",
        "PREPARE",
        "VACUUM",
        "ANALYZE",
        "EXPLAIN",
        "DESCRIBE",
        "SHOW",
        "SET",
        "USE",
        "BEGIN",
        "START",
        "COMMIT",
        "ROLLBACK",
        "SAVEPOINT",
        "LOCK",
        "UNLOCK",
        "REINDEX",
        "CLUSTER",
        "COMMENT",
        "ATTACH",
        "DETACH",
        "PRAGMA",
        "VALUES",
        "TABLE",
        "WITH",
        "REFRESH",
        "REASSIGN",
        "HANDLER",
        "IMPORT",
        "EXPORT",
        "UNLOAD",
        "OPTIMIZE",
        "PURGE",
        "KILL",
        "SHUTDOWN",
        "RESET",
        "DISCARD",
        "DECLARE",
        "FETCH",
        "CLOSE",
        "LISTEN",
        "NOTIFY",
        "UNDROP",
        "INSTALL",
        "FLUSH",
        "BACKUP",
        "RESTORE",
        "DENY",
    ]
)
"""What a statement begins with."""
WARNED = frozenset(
    [
        "TRUNCATE",
        "DROP",
        "ALTER",
        "GRANT",
        "REVOKE",
        "RENAME",
        "REASSIGN",
        "PURGE",
        "SHUTDOWN",
        "KILL",
        "DENY",
    ]
)
RUNS = frozenset(["EXEC", "EXECUTE", "CALL", "DO", "PREPARE"])
"""What runs something else, which may be SQL in a text."""
WRITES = frozenset(["INSERT", "UPDATE", "DELETE", "MERGE", "REPLACE", "TRUNCATE", "DROP", "ALTER"])
_NOT_AFTER = frozenset(
    ["FOR", "KEY", "ON", "OR", "BEFORE", "AFTER", "OF", "NO", "INSTEAD", "GRANT", "REVOKE"]
)
"""Words after which UPDATE or DELETE begins nothing."""
_ENDS_WHERE = frozenset(
    ["RETURNING", "LIMIT", "ORDER", "GROUP", "OPTION", "HAVING", "WINDOW", "OUTPUT", "FETCH"]
)
_BEFORE_ANY = frozenset(["BEGIN", "THEN", "ELSE", "LOOP", "GO", "EXPLAIN", "ANALYZE", "VERBOSE"])
DEEP = 16
"""Brackets that may stand before a statement's first word."""


@dataclass
class Statement:
    """Its verbs in order, its tables, and warnings; all texts as written."""

    verbs: list[str] = field(default_factory=list)
    tables: list[str] = field(default_factory=list)
    warnings: list[str] = field(default_factory=list)

    @property
    def key(self) -> tuple[tuple[str, ...], tuple[str, ...], tuple[str, ...]]:
        """All of it, to be looked up: statements are compared by the thousand."""
        return tuple(self.verbs), tuple(self.tables), tuple(self.warnings)


def statement_of(tokens: Sequence[Token]) -> Statement:
    """What stands between two semicolons."""
    return _Reader(tokens).statement


class _Reader:
    """Reads one statement from its beginning to its end, once."""

    def __init__(self, tokens: Sequence[Token]) -> None:
        self.tokens = tokens
        self.statement = Statement()
        self.left = 2 * len(tokens)
        self.depths, self.closes = _brackets(tokens)
        self.first = next((token.word for token in tokens if token.word), "")
        self.starts = {
            at: token.word for at, token in enumerate(tokens) if token.word in VERBS and self._begins(at)
        }
        self.statement.verbs = list(
            dict.fromkeys(verb for verb in self.starts.values() if verb not in ("WITH", "EXPLAIN"))
        )
        self.statement.tables = tables(tokens, self.depths, self.starts)
        for at, verb in self.starts.items():
            self._look(at, verb)

    def _word(self, at: int) -> str:
        return self.tokens[at].word if 0 <= at < len(self.tokens) else ""

    def _sign(self, at: int) -> str:
        token = self.tokens[at] if 0 <= at < len(self.tokens) else None
        return token.text if token is not None and token.kind == "sign" else ""

    def _begins(self, at: int) -> bool:
        """Whether something is done from a verb on."""
        verb, before, then = self._word(at), self._word(at - 1), self._sign(at + 1)
        if at < DEEP and all(self._sign(place) == "(" for place in range(at)):
            return True
        if (
            self._sign(at - 1) == "."
            or then in ("=", ",", ".", ")")
            or self.first in ("GRANT", "REVOKE", "DENY")
        ):
            return False
        if verb == "DELETE":
            return before not in _NOT_AFTER
        if verb == "UPDATE":
            return self._in_merge(at) or (before not in _NOT_AFTER and self._word(at + 1) != "SET")
        if verb in ("INSERT", "REPLACE"):
            return self._in_merge(at) or self._word(at + 1) in ("INTO", "IGNORE", "OVERWRITE", "OR")
        if verb in ("MERGE", "TRUNCATE", "DROP"):
            return then != "("
        return verb in ("SELECT", "EXEC", "EXECUTE", "CALL") or before in _BEFORE_ANY

    def _in_merge(self, at: int) -> bool:
        return self.first in ("MERGE", "WITH") and self._word(at - 1) == "THEN"

    def _warn(self, text: str) -> None:
        if text not in self.statement.warnings:
            self.statement.warnings.append(text)

    def _look(self, at: int, verb: str) -> None:
        if verb in WARNED:
            self._warn(words.sql_warned(verb))
        elif verb in RUNS:
            self._warn(words.sql_runs(verb))
        elif verb == "MERGE" and at == next(iter(self.starts)):
            self._merge(at)
        elif verb in ("UPDATE", "DELETE") and not self._in_merge(at):
            self._rows(at, verb)
        elif verb == "COPY" and any(token.word == "PROGRAM" for token in self.tokens):
            self._warn(words.sql_runs("COPY … PROGRAM"))

    def _rows(self, at: int, verb: str) -> None:
        """An UPDATE or DELETE: has it a WHERE of its own, and one that leaves rows out?"""
        own, end = self._own(at)
        if verb == "UPDATE" and not any(self._word(place) == "SET" for place in own):
            return
        where = next((place for place in own if self._word(place) == "WHERE"), 0)
        if not where:
            self._warn(words.sql_no_where(verb))
            return
        until = (place for place in own if place > where and self._word(place) in _ENDS_WHERE)
        if self._always(where + 1, next(until, end)):
            self._warn(words.sql_always(verb))

    def _always(self, start: int, end: int) -> bool:
        """Whether a condition holds for every row, or stands in so many others that it is not looked at."""
        self.left -= end - start
        return self.left < 0 or always(self.tokens[start:end])

    def _own(self, at: int) -> tuple[list[int], int]:
        """The places of a statement that begins here, without what stands in brackets in it; and its end.

        It ends with the bracket around it, or where the next one begins.
        """
        found, place = list[int](), at + 1
        while place < len(self.tokens) and self.depths[place] >= self.depths[at] and place not in self.starts:
            found.append(place)
            place = self.closes.get(place, place + 1)
        return found, place

    def _merge(self, at: int) -> None:
        text = " ".join(token.word for token in self.tokens[at:] if token.word)
        if "BY SOURCE THEN DELETE" in text or "BY SOURCE THEN UPDATE" in text:
            self._warn(words.SQL_MERGE_ALL)
        elif "THEN DELETE" in text:
            self._warn(words.SQL_MERGE_DELETES)
        own, end = self._own(at)
        on = next((place for place in own if self._word(place) == "ON"), 0)
        when = next((place for place in own if place > on and self._word(place) == "WHEN"), end)
        if on and self._always(on + 1, when):
            self._warn(words.sql_always("MERGE"))


def _brackets(tokens: Sequence[Token]) -> tuple[list[int], dict[int, int]]:
    """How deep in brackets each token stands, brackets themselves as outside; and where each one closes."""
    depths, closes, opened = list[int](), dict[int, int](), list[int]()
    depth = 0
    for at, token in enumerate(tokens):
        sign = token.text if token.kind == "sign" else ""
        if sign == ")":
            depth -= 1
            if opened:
                closes[opened.pop()] = at
        depths.append(depth)
        if sign == "(":
            depth += 1
            opened.append(at)
    closes.update((at, len(tokens)) for at in opened)
    return depths, closes
