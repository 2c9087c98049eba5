"""Line ends of a text that a form shows in lines: what was left alone keeps its own; pure.

A form knows one kind of line end. Where a text used CRLF its lines get that back; where it used both, each
line that was not touched keeps the one it had.
"""

from __future__ import annotations

import re
from collections import Counter
from difflib import SequenceMatcher

COMPARED = 400
"""Lines that are compared one by one: finding what two texts share takes the square of it."""
_END = re.compile(r"\r\n|\n")


def in_lines(text: str) -> str:
    """A text with one kind of line end; a CR by itself is none."""
    return text.replace("\r\n", "\n")


def ends_of(text: str, shown: str, entered: str) -> list[str]:
    """The end of each line of `entered` but its last, by the text that `shown` stands for, line by line."""
    ends, count = _END.findall(text), entered.count("\n")
    kinds = Counter(ends)
    if len(kinds) < 2:
        return [*kinds, "\n"][:1] * count
    usual = "\r\n" if kinds["\r\n"] >= kinds["\n"] else "\n"
    found = [usual] * count
    for old, new in _pairs(shown.split("\n"), entered.split("\n")):
        if old < len(ends) and new < count:
            found[new] = ends[old]
    return found


def _pairs(old: list[str], new: list[str]) -> list[tuple[int, int]]:
    """Which line of `old` is which of `new`; a changed one is that in its place."""
    start = next(
        (at for at, (a, b) in enumerate(zip(old, new, strict=False)) if a != b), min(len(old), len(new))
    )
    most = min(len(old), len(new)) - start
    end = next((at for at in range(most) if old[-1 - at] != new[-1 - at]), most)
    found = [(at, at) for at in range(start)]
    found += [(len(old) - at, len(new) - at) for at in range(1, end + 1)]
    middle = old[start : len(old) - end], new[start : len(new) - end]
    if max(map(len, middle)) > COMPARED:
        return found + [(start + at, start + at) for at in range(min(map(len, middle)))]
    for kind, i1, i2, j1, j2 in SequenceMatcher(None, *middle, autojunk=False).get_opcodes():
        if kind in ("equal", "replace"):
            found += [(start + i1 + at, start + j1 + at) for at in range(min(i2 - i1, j2 - j1))]
    return found
