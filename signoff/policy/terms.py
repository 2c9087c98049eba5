"""A condition's text as the tests that it makes, for what `policy check` says about them; pure.

No grammar of CEL: it finds calls and comparisons by their tokens, and whether each stands under a `!`. What
it cannot find, it says nothing about; what is refused is up to `expression` and to CEL itself.
"""

from __future__ import annotations

import ast
from dataclasses import dataclass

from signoff.policy.expression import tokens_of

Token = tuple[str, str]
_OPERATORS = ("<=", ">=", "==", "!=", "&&", "||")
COMPARED = frozenset(["<", "<=", ">", ">=", "==", "!=", "in"])
_ENDS = frozenset(["&&", "||", "?", ":", ",", *COMPARED])
_CONVERTED = frozenset(["int", "double", "string", "dyn"])


@dataclass(frozen=True)
class Term:
    """A call or a comparison. `paths` are the fields on its left, `others` those on its right or inside it.

    `texts` are the texts written on its right or inside it; `negated` says that it stands under an odd number
    of `!`.
    """

    name: str
    paths: tuple[str, ...]
    others: tuple[str, ...]
    texts: tuple[str, ...]
    negated: bool
    left_texts: tuple[str, ...] = ()


def terms(source: str) -> tuple[Term, ...]:
    """The calls and comparisons of a condition, in their order."""
    tokens = _joined(list(tokens_of(source)))
    negated = _negations(tokens)
    found: list[Term] = []
    for place, (kind, word) in enumerate(tokens):
        if kind == "name" and tokens[place + 1 : place + 2] == [("sign", "(")] and word not in _CONVERTED:
            found.append(_call(tokens, place, negated))
        elif (kind == "sign" or word == "in") and word in COMPARED:
            left, right = tokens[_start(tokens, place) : place], tokens[place + 1 : _stop(tokens, place + 1)]
            found.append(Term(word, _paths(left), _paths(right), _texts(right), negated[place], _texts(left)))
    return tuple(found)


def alternatives(source: str) -> tuple[tuple[tuple[Term, ...], ...], ...]:
    """For each row of `||` in one pair of brackets that stands under no `!`: the terms of each side."""
    tokens = _joined(list(tokens_of(source)))
    negated = _negations(tokens)
    around: list[tuple[bool, list[list[str]]]] = [(False, [[]])]
    found: list[tuple[tuple[Term, ...], ...]] = []
    for (kind, word), under in zip([*tokens, ("sign", ")")], [*negated, False], strict=True):
        if kind == "sign" and word in ")]}":
            negates, sides = around.pop()
            if len(sides) > 1 and not negates:
                found.append(tuple(terms(" ".join(side)) for side in sides))
            if not around:
                break
            around[-1][1][-1] += [" || ".join(map(" ".join, sides)), word]
        elif kind == "sign" and word == "||":
            around[-1][1].append([])
        else:
            around[-1][1][-1].append(word)
            if kind == "sign" and word in "([{":
                around.append((under, [[]]))
    return tuple(found)


def fields(source: str) -> frozenset[str]:
    """All fields that a condition reads, as paths: `payload.amount`."""
    return frozenset(_paths(_joined(list(tokens_of(source)))))


def _call(tokens: list[Token], place: int, negated: list[bool]) -> Term:
    end = _stop(tokens, place + 2)
    inside = tokens[place + 2 : end]
    if place and tokens[place - 1][1] == ".":
        begin = _begin(tokens, place - 1)
        return Term(
            tokens[place][1],
            _paths(tokens[begin : place - 1]),
            _paths(inside),
            _texts(inside),
            negated[begin],
        )
    comma = _stop(tokens, place + 2, commas=True)
    first, rest = tokens[place + 2 : comma], tokens[comma:end]
    return Term(tokens[place][1], _paths(first), _paths(rest), _texts(rest or first), negated[place])


def _joined(tokens: list[Token]) -> list[Token]:
    """The same tokens, with operators of two signs as one."""
    found: list[Token] = []
    for token in tokens:
        if found and found[-1][0] == token[0] == "sign" and found[-1][1] + token[1] in _OPERATORS:
            found[-1] = ("sign", found[-1][1] + token[1])
        else:
            found.append(token)
    return found


def _negations(tokens: list[Token]) -> list[bool]:
    """For each token, whether what begins there stands under an odd number of `!`."""
    found: list[bool] = []
    around, now = [False], False
    for kind, word in tokens:
        if (kind, word) == ("sign", "!"):
            now = not now
        elif word in ("(", "[", "{") and kind == "sign":
            around.append(around[-1] ^ now)
            now = False
        elif word in (")", "]", "}") and kind == "sign":
            around = around[:-1] or [False]
            now = False
        elif word in _ENDS:
            now = False
        found.append(around[-1] ^ now)
    return found


def _begin(tokens: list[Token], dot: int) -> int:
    """Where what stands before a dot begins: `a.b[0]`, `double(a.b)` or `f(x).y`."""
    place, depth = dot - 1, 0
    while place >= 0:
        kind, word = tokens[place]
        if kind == "sign":
            depth += (word in ")]}") - (word in "([{")
            if depth < 0 or (depth == 0 and word not in ")]}([{."):
                return place + 1
        place -= 1
        if depth == 0 and place >= 0 and kind in ("name", "text", "number"):
            before = tokens[place]
            if before[0] == "sign" and before[1] == ".":
                continue
            return place + 1
    return 0


def _start(tokens: list[Token], operator: int) -> int:
    """Where the left side of a comparison begins."""
    depth = 0
    for place in range(operator - 1, -1, -1):
        kind, word = tokens[place]
        if kind == "sign":
            depth += (word in ")]}") - (word in "([{")
        if depth < 0 or (depth == 0 and word in _ENDS and kind != "text"):
            return place + 1
    return 0


def _stop(tokens: list[Token], begin: int, *, commas: bool = False) -> int:
    """Where the right side, or a call's arguments, end."""
    depth = 0
    inside = begin > 0 and tokens[begin - 1][1] == "("
    for place in range(begin, len(tokens)):
        kind, word = tokens[place]
        if kind == "sign":
            depth += (word in "([{") - (word in ")]}")
        ends = word == "," if commas else word in _ENDS and not inside
        if depth < 0 or (depth == 0 and ends and kind != "text"):
            return place
    return len(tokens)


def _paths(tokens: list[Token]) -> tuple[str, ...]:
    """The fields that are read: names with dots, of indexes only those that are texts."""
    found: list[str] = []
    place = 0
    while place < len(tokens):
        kind, word = tokens[place]
        called = tokens[place + 1 : place + 2] == [("sign", "(")]
        if called and word == "size":
            place = _stop(tokens, place + 2)
        if kind != "name" or called or word in ("true", "false", "null", "in"):
            place += 1
            continue
        path, place = word, place + 1
        while place < len(tokens):
            following = tokens[place : place + 3]
            words = [one for _, one in following]
            if words[:1] == ["."] and len(words) > 1 and words[2:3] != ["("] and following[1][0] == "name":
                path, place = f"{path}.{words[1]}", place + 2
            elif words[:1] == ["["] and words[2:3] == ["]"]:
                path = f"{path}.{written(words[1])}" if following[1][0] == "text" else path
                place += 3
            else:
                break
        if [one for _, one in tokens[place : place + 2]] != [".", "size"]:
            found.append(path)
    return tuple(found)


def _texts(tokens: list[Token]) -> tuple[str, ...]:
    return tuple(written(word) for kind, word in tokens if kind == "text")


def written(text: str) -> str:
    """What a text means that is written in a condition; as it is written where that cannot be told."""
    raw = text.lstrip("rRbB")
    try:
        value = ast.literal_eval(f"r{raw}" if text[:1] in "rR" else raw)
    except (ValueError, SyntaxError):
        return raw.strip("'\"")
    return str(value)
