"""Whether the condition of a WHERE can be seen to hold for every row; pure and linear.

It finds what is written to look like a condition: nothing but constants, a value compared with itself, one
OR that is always true. It never says that a condition is good.
"""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.text.renderers.sql_tokens import Token

DEEP = 8
"""Brackets in each other that are followed; a condition that hides deeper counts as one that always holds."""
_OF_ITSELF = frozenset({"=", "==", "<=", ">=", "LIKE", "ILIKE", "IN"})
_CONSTANT_WORDS = frozenset(
    [
        "TRUE",
        "FALSE",
        "NULL",
        "NOT",
        "IN",
        "IS",
        "LIKE",
        "ILIKE",
        "BETWEEN",
        "AND",
        "OR",
        "XOR",
        "EXISTS",
        "SELECT",
        "UNKNOWN",
        "DISTINCT",
        "ALL",
        "ANY",
        "SOME",
        "CAST",
        "AS",
        "INT",
        "INTEGER",
        "TEXT",
        "BOOLEAN",
        "ISNULL",
        "NOTNULL",
        "ESCAPE",
        "SIMILAR",
        "TO",
        "REGEXP",
        "RLIKE",
    ]
)
_OF_ALL_IDS = (
    (">", "0"),
    (">=", "0"),
    (">=", "1"),
    (">", "-", "1"),
    ("<>", "0"),
    ("!=", "0"),
    ("<>", "-", "1"),
    ("!=", "-", "1"),
    ("IS", "NOT", "NULL"),
)
_OPPOSITES = {"=": "<>", "==": "<>", "<>": "=", "!=": "=", ">": "<=", "<": ">=", ">=": "<", "<=": ">"}


def always(tokens: Sequence[Token], level: int = 0) -> bool:
    """Whether it can be seen to be so. `tokens` are those of the condition."""
    tokens = _bare(tokens)
    if level > DEEP:
        return True
    if not tokens:
        return True
    parts = _split(tokens, ("OR", "||"))
    if len(parts) > 1:
        return any(always(part, level + 1) for part in parts) or _cover(parts)
    parts = _split(tokens, ("AND", "&&"))
    if len(parts) > 1:
        return all(always(part, level + 1) for part in parts)
    if tokens[0].word == "NOT" and tokens[1:] and tokens[1].text == "(":
        return _constant(tokens)
    return _constant(tokens) or _same(tokens) or _everything(tokens)


def _bare(tokens: Sequence[Token]) -> Sequence[Token]:
    """Without the brackets around all of it; nothing where there are too many of them."""
    for _ in range(DEEP):
        if len(tokens) < 2 or not _step(tokens[0]):
            return tokens
        depth = at = 0
        for at, token in enumerate(tokens):  # noqa: B007 (not by _step: that takes twice as long)
            if token.kind == "sign":
                depth += 1 if token.text == "(" else -1 if token.text == ")" else 0
            if not depth:
                break
        if at < len(tokens) - 1:
            return tokens
        tokens = tokens[1:-1] if not depth else tokens[1:]
    return ()


def _step(token: Token) -> int:
    if token.kind != "sign":
        return 0
    return 1 if token.text == "(" else -1 if token.text == ")" else 0


def _split(tokens: Sequence[Token], at_words: tuple[str, ...]) -> list[Sequence[Token]]:
    found, depth, start = list[Sequence[Token]](), 0, 0
    for at, token in enumerate(tokens):
        if token.kind == "sign":
            depth += 1 if token.text == "(" else -1 if token.text == ")" else 0
        if depth == 0 and (token.word or token.text) in at_words and token.kind in ("sign", "word"):
            found.append(tokens[start:at])
            start = at + 1
    return [*found, tokens[start:]]


def _constant(tokens: Sequence[Token]) -> bool:
    """No column and no table in it."""
    for at, token in enumerate(tokens):
        called = at + 1 < len(tokens) and tokens[at + 1].text == "("
        if token.kind == "name" or (token.word and token.word not in _CONSTANT_WORDS and not called):
            return False
        if token.word.startswith((":", "@")):
            return False
    return True


def _key(tokens: Sequence[Token]) -> tuple[str, ...]:
    return tuple(token.word or token.text.upper() for token in tokens)


def _same(tokens: Sequence[Token]) -> bool:
    """A value compared with itself."""
    for at, token in enumerate(tokens):
        if (token.word or token.text) in _OF_ITSELF and token.kind in ("word", "sign"):
            one, other = _key(_bare(tokens[:at])), _key(_bare(tokens[at + 1 :]))
            return one == other or (token.word == "IN" and other[: len(one) + 1] in (one, (*one, ",")))
    return False


def _everything(tokens: Sequence[Token]) -> bool:
    """`x LIKE '%'`, and `id > 0` or `id IS NOT NULL`, which hold for every row that there is."""
    words = _key(tokens)
    if words[-2:-1] in (("LIKE",), ("ILIKE",)) and tokens[-1].kind == "text":
        return bool(tokens[-1].text) and not tokens[-1].text.strip("%")
    tail = next((tail for tail in _OF_ALL_IDS if words[-len(tail) :] == tail), ())
    column = words[: len(words) - len(tail)]
    return bool(tail) and len(column) in (1, 3) and column[-1] in ("ID", "_ID", "ROWID")


def _cover(parts: Sequence[Sequence[Token]]) -> bool:
    """Two alternatives of which one always holds: `a = 1 OR a <> 1`, `a IS NULL OR a IS NOT NULL`."""
    keys = {_key(_bare(part)) for part in parts}
    for key in keys:
        if key[:1] == ("NOT",) and (key[1:] in keys or (key[1:2] == ("(",) and key[2:-1] in keys)):
            return True
        if key[-2:] == ("IS", "NULL") and (*key[:-1], "NOT", "NULL") in keys:
            return True
        for at, word in enumerate(key):
            if word in _OPPOSITES:
                other = (*key[:at], _OPPOSITES[word], *key[at + 1 :])
                if other in keys or (word == "=" and (*key[:at], "!=", *key[at + 1 :]) in keys):
                    return True
                break
    return False
