"""Globs over names: `*` is any characters, `?` one; upper and lower case alike; pure.

Case is not told apart, so that a name in other letters does not slip past a list of what is blocked. But no
letter outside ASCII is ever the same as one inside: the Kelvin sign is no k, and ſ is no s.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import cached_property, lru_cache


@dataclass(frozen=True)
class Globs:
    """Several globs, one of which has to match. None at all match nothing."""

    patterns: tuple[str, ...]
    _regex: re.Pattern[str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_regex", compiled(self.patterns))

    def matches(self, name: str) -> bool:
        """Whether one of them matches the whole name."""
        return self._regex.fullmatch(fold(name)) is not None

    def first(self, name: str) -> str | None:
        """The first that matches the whole name."""
        if not self.matches(name):
            return None
        return next((one for one, glob in self._each if glob.matches(name)), None)

    @cached_property
    def _each(self) -> tuple[tuple[str, Globs], ...]:
        return tuple((pattern, Globs((pattern,))) for pattern in self.patterns)


@lru_cache(maxsize=4096)
def compiled(patterns: tuple[str, ...]) -> re.Pattern[str]:
    """Globs → one expression. Runs of `*` are one, and a `*` between literals takes what is shortest."""
    either = "|".join(_expression(fold(pattern)) for pattern in patterns)
    return re.compile(either or r"(?!)", re.DOTALL)


_KELVIN, _DOTTED_I = "\u212a", "\u0130"
"""The letters outside ASCII whose small ones have an ASCII letter in them."""


def fold(text: str) -> str:
    """A text in small letters, as globs compare it: as long as before, and ASCII only where it was that."""
    if text.isascii():
        return text.lower()
    kept = (_DOTTED_I.join(one.lower() for one in part.split(_DOTTED_I)) for part in text.split(_KELVIN))
    return _KELVIN.join(kept).replace(
        "ς", "σ"
    )  # which of the two small sigmas it is, depends on what follows


def _expression(pattern: str) -> str:
    """Each `*` but the last is an atomic group up to what follows it, so that no name is tried twice."""
    parts = re.sub(r"\*+", "*", pattern).split("*")
    literals = ["".join("." if one == "?" else re.escape(one) for one in part) for part in parts]
    if len(literals) == 1:
        return literals[0]
    first, *middle, last = literals
    return first + "".join(f"(?>.*?{literal})" for literal in middle) + f".*{last}"


def covers(wide: Iterable[str], narrow: Iterable[str]) -> bool:
    """True only where each name that one of `narrow` matches is matched by one of `wide`, too.

    It compares glob with glob: where several wide ones together cover a narrow one, it says False.
    """
    return all(any(_covers(fold(one), fold(other)) for one in wide) for other in narrow)


def _covers(wide: str, narrow: str) -> bool:
    """`reached` are the places in `wide` that one may have come to at this place of `narrow`."""
    reached = _past_stars(wide, {0})
    for character in narrow:
        after = set()
        for place in reached:
            if place < len(wide) and (
                wide[place] == "*" or (character != "*" and wide[place] in (character, "?"))
            ):
                after.add(place if wide[place] == "*" else place + 1)
        reached = _past_stars(wide, after)
    return len(wide) in reached


def _past_stars(wide: str, places: set[int]) -> set[int]:
    found = set(places)
    for place in places:
        while place < len(wide) and wide[place] == "*":
            place += 1
            found.add(place)
    return found
