"""What a condition's text may hold, so that no payload makes it slow; pure.

A condition is CEL. Its walks over lists (`all`, `exists`, `exists_one`) take as long as the list; a walk in a
walk, and `map` and `filter`, which copy, take as long as its square: these are refused. So is `matches` in a
walk, as the library compiles its pattern for every entry, and a pattern that is not
written in the policy, since then an agent would choose what is compiled.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

MOST = 2000
"""Characters of a condition."""
WALKS = frozenset(["all", "exists", "exists_one"])
COPIES = frozenset(["map", "filter"])
USES = {
    "is_external": ("is_external(payload.to)", 1),
    "host_in": ("host_in(payload.url, ['*.example.com'])", 2),
    "any_glob": ("any_glob(payload.path, ['/tmp/*'])", 2),
}
"""How each helper is written, and how many arguments it takes."""
_TOKEN = re.compile(
    r"""(?P<text>[rRbB]{0,2}(?:'''(?:\\.|[^\\])*?'''|\"\"\"(?:\\.|[^\\])*?\"\"\"|'(?:\\.|[^'\\\n])*'|"(?:\\.|[^"\\\n])*"))
      | (?P<comment>//[^\n]*) | (?P<space>\s+) | (?P<name>[A-Za-z_][A-Za-z0-9_]*)
      | (?P<number>[0-9][A-Za-z0-9.]*) | (?P<sign>.)""",
    re.VERBOSE | re.DOTALL,
)


@dataclass(frozen=True)
class Shape:
    """What was found: the names that walks bind, whether there is a walk at all, and patterns as written."""

    bound: frozenset[str]
    patterns: tuple[str, ...] = ()

    @property
    def walks(self) -> bool:
        """Whether it takes as long as a list in the payload."""
        return bool(self.bound)


def shape(source: str) -> Shape:
    """A condition's text → its shape; raises ValueError, saying what to write instead."""
    if len(source) > MOST:
        raise ValueError(
            f"it has {len(source):,} characters; at most {MOST:,} are taken: make several rules of it"
        )
    tokens = list(tokens_of(source))
    bound, patterns, depth, inside = set[str](), list[str](), 0, 0
    for number, (kind, word) in enumerate(tokens):
        following = [text for _, text in tokens[number + 1 : number + 4]]
        called = kind == "name" and following[:1] == ["("]
        depth += (word == "(") - (word == ")") if kind == "sign" else 0
        if inside and depth < inside:
            inside = 0
        if called and word in USES:
            _check_use(word, tokens, number)
        if called and word == "matches":
            if not _written_out(tokens, number):
                raise ValueError(
                    "write what `matches` looks for as a text in the condition: payload.name.matches('^a')"
                )
            if inside:
                raise ValueError(
                    "`matches` stands inside a walk over a list, which is too slow for long ones: "
                    "ask with any_glob, startsWith or endsWith"
                )
            patterns.append(tokens[number + 2][1])
        if not called or number == 0 or tokens[number - 1][1] != ".":
            continue
        if word in COPIES:
            raise ValueError(f"`{word}` is too slow for a long list: ask with `exists` or `all`")
        if word in WALKS:
            if inside:
                raise ValueError(
                    f"`{word}` stands inside another walk over a list, which is too slow for long ones"
                )
            inside = depth + 1
            bound.add(following[1] if len(following) > 1 else "")
    return Shape(frozenset(bound), tuple(patterns))


def tokens_of(source: str) -> Iterator[tuple[str, str]]:
    """A condition's tokens, without blanks and comments: (text, name, number or sign; how it is written)."""
    for found in _TOKEN.finditer(source):
        if found.lastgroup not in ("comment", "space"):
            yield str(found.lastgroup), found[0]


def _check_use(helper: str, tokens: list[tuple[str, str]], number: int) -> None:
    """Raise ValueError where a helper has too few or too many arguments, or no list where one has to be."""
    usual, wanted = USES[helper]
    starts, depth = [], 0  # where each argument starts
    for place in range(number + 1, len(tokens)):
        kind, word = tokens[place]
        if depth == 1 and word != ")" and tokens[place - 1][1] in ("(", ","):
            starts.append(place)
        if kind == "sign":
            depth += (word in "([{") - (word in ")]}")
        if depth == 0:
            break
    before = number > 0 and tokens[number - 1][1] == "."
    if len(starts) + before != wanted:
        raise ValueError(f"{helper} takes {wanted} argument{'s' * (wanted > 1)}: write {usual}")
    if wanted == 2 and tokens[starts[-1]][0] in ("text", "number"):
        raise ValueError(f"{helper} takes a list of globs: write {usual}")


def _written_out(tokens: list[tuple[str, str]], number: int) -> bool:
    """Whether a call has one argument, which is a text."""
    arguments = tokens[number + 2 : number + 4]
    return [kind for kind, _ in arguments] == ["text", "sign"] and arguments[1][1] == ")"
