"""Which tables a statement of SQL names; pure and linear."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.text.renderers.sql_tokens import Token

_AFTER = frozenset(["FROM", "JOIN", "INTO", "UPDATE", "USING", "TABLE", "TRUNCATE"])
_AFTER_DROP = frozenset(
    [
        "DATABASE",
        "SCHEMA",
        "VIEW",
        "INDEX",
        "SEQUENCE",
        "FUNCTION",
        "PROCEDURE",
        "TRIGGER",
        "ROLE",
        "USER",
        "TYPE",
    ]
)
_DROPS = frozenset(["DROP", "ALTER", "CREATE"])
_AT_ONCE = frozenset(["DELETE", "MERGE", "COPY", "LOCK", "CALL", "EXEC", "EXECUTE", "REPLACE"])
"""Verbs that a name may follow."""
_ENDS_LIST = frozenset(
    ["WHERE", "SET", "ON", "GROUP", "ORDER", "HAVING", "VALUES", "SELECT", "RETURNING", "LIMIT", "WHEN"]
)
_NO_NAME = frozenset(
    [
        "SELECT",
        "SET",
        "WHERE",
        "ON",
        "VALUES",
        "AS",
        "ONLY",
        "IF",
        "NOT",
        "EXISTS",
        "LATERAL",
        "TOP",
        "LOW_PRIORITY",
        "IGNORE",
        "QUICK",
        "TABLE",
        "FROM",
        "INTO",
        "CONCURRENTLY",
        "OUTFILE",
        "DUMPFILE",
        "DELAYED",
        "OVERWRITE",
        "TEMPORARY",
        "TEMP",
        "PROGRAM",
        "STDIN",
    ]
)
_FUNCTIONS = frozenset(["EXTRACT", "SUBSTRING", "TRIM", "OVERLAY", "POSITION"])
"""Functions with a FROM between their arguments."""


def tables(tokens: Sequence[Token], depths: Sequence[int], starts: dict[int, str]) -> list[str]:
    """Their names as written, each once; not those of a WITH. `starts` is where something is done."""
    named = _named_here(tokens) if any(token.word == "WITH" for token in tokens) else set()
    found: dict[str, None] = {}
    granted = next(iter(starts.values()), "") in ("GRANT", "REVOKE", "DENY")
    wanted, listing = False, -1
    for at, token in enumerate(tokens):
        if not wanted and not token.word and token.text != ",":
            continue  # most of what there is
        if wanted and (token.kind == "name" or (token.word and token.word not in _NO_NAME)):
            name = _full(tokens, at)
            if name.upper() not in named:
                found[name] = None
            wanted = False
        elif wanted and not token.word:
            wanted = token.text == "(" and (at + 1 < len(tokens) and tokens[at + 1].word != "SELECT")
        if _leads(tokens, at, starts) or (granted and token.word == "ON"):
            wanted, listing = True, depths[at]
        elif token.word in _ENDS_LIST and depths[at] <= listing:
            wanted, listing = False, -1
        elif token.kind == "sign" and token.text == "," and depths[at] == listing:
            wanted = True
    return list(found)


def _leads(tokens: Sequence[Token], at: int, starts: dict[int, str]) -> bool:
    """Whether a table's name may follow."""
    word, before = tokens[at].word, tokens[at - 1].word if at else ""
    if word == "FROM":
        return before != "DISTINCT" and not _in_function(tokens, at)
    if word in ("UPDATE", "TRUNCATE") or word in _AT_ONCE:
        return at in starts
    if word == "USING":
        return at + 1 < len(tokens) and tokens[at + 1].text != "("
    return word in _AFTER or (word in _AFTER_DROP and before in _DROPS)


def _in_function(tokens: Sequence[Token], at: int) -> bool:
    """Whether this FROM is one of `extract(year from x)`: a name, a bracket, a few words."""
    for place in range(at - 1, max(at - 5, 0), -1):
        if tokens[place].text == "(":
            return tokens[place - 1].word in _FUNCTIONS
    return False


def _named_here(tokens: Sequence[Token]) -> set[str]:
    """Names that a WITH gives to what stands after them."""
    found = set[str]()
    for at in range(len(tokens) - 2):
        one, two = tokens[at + 1], tokens[at + 2]
        if tokens[at].kind in ("word", "name") and (
            (one.word == "AS" and (two.text == "(" or two.word in ("MATERIALIZED", "NOT")))
            or (one.text == "(" and at and tokens[at - 1].word in ("WITH", "RECURSIVE"))
        ):
            found.add(tokens[at].text.upper())
    return found


def _full(tokens: Sequence[Token], at: int) -> str:
    """A name with the schemas before it."""
    name = tokens[at].text
    for place in range(at + 1, min(at + 8, len(tokens) - 1), 2):
        if tokens[place].text != "." or tokens[place + 1].kind not in ("word", "name"):
            break
        name += f".{tokens[place + 1].text}"
    return name
