"""Which of several requests stand out from the others, and why; pure.

Whoever decides on forty at once looks at those first. Numbers are compared by their median and how far the
others are from it, which one wild value does not move; a value that few have, a field that only some have
and a text far longer than the others stand out too.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from statistics import fmean, median
from typing import Any

from signoff.bot.text.common import Common, Path
from signoff.bot.text.told import path_text, told
from signoff.bot.text.words import batch_marks as words
from signoff.models.approval import Approval
from signoff.models.verdict import REVERSIBILITIES, RISKS
from signoff.payload.canonical import canonical
from signoff.payload.fields import is_number

FAR = 3.5
"""Median absolute deviations, scaled to those of a bell curve, from which a value is far from the rest."""
_SCALE, _MEAN_SCALE = 0.6745, 1.2533
TWICE = 2.0
"""A number is never far from the rest that is less than so many times the median, or more than its half."""
ENOUGH = 3
"""Requests among which something can stand out."""
FEW = 0.1
"""Of all requests: a value that so few have is rare where MOST share another one."""
MOST = 0.6
LONGER = 200
"""Characters by which a text is longer at least that stands out for it."""


@dataclass(frozen=True)
class Mark:
    """Why one stands out, as a sentence's part in our words, and how much that matters: 0 is the most."""

    text: str
    rank: int


@dataclass
class _Marks:
    found: dict[int, list[Mark]] = field(default_factory=dict)

    def add(self, at: int, rank: int, text: str) -> None:
        marks = self.found.setdefault(at, [])
        if all(mark.text != text for mark in marks):
            marks.append(Mark(text, rank))


def outliers(
    items: Sequence[Approval], shared: Common, misleads: Sequence[str] = ()
) -> dict[int, list[Mark]]:
    """The marks of those that stand out, by their places in `items`, the worst first.

    `misleads` says of each what in it can mislead, empty where nothing does (see `caution_lines`).
    """
    marks = _Marks()
    for at, approval in enumerate(items):
        if approval.rejected is not None:
            marks.add(at, 0, words.rejected_before(approval.rejected.same))
    if len(items) >= ENOUGH:
        _stakes(marks, items)
        _actions(marks, items)
        for path in shared.paths:
            _values(marks, path, [one[path].value if path in one else _NONE for one in shared.own])
    warned = [text for text in misleads if text]
    for at, text in enumerate(misleads):
        if text and (len(warned) < len(misleads) or len(set(warned)) > 1):
            marks.add(at, 2, words.MISLEADS)
    for found in marks.found.values():
        found.sort(key=lambda mark: mark.rank)
    worst = sorted(marks.found, key=lambda at: (marks.found[at][0].rank, at))
    return {at: marks.found[at] for at in worst}


_NONE: Any = object()


def _stakes(marks: _Marks, items: Sequence[Approval]) -> None:
    """What is harder to undo, and what the policy rates higher, than most of them are."""
    levels: tuple[tuple[Sequence[str], Callable[[Approval], str], Callable[[Approval], str]], ...] = (
        (REVERSIBILITIES, lambda one: one.verdict.reversibility, words.undo_differs),
        (RISKS, lambda one: one.verdict.risk, words.risk_differs),
    )
    for order, of, say in levels:
        places = [order.index(of(one)) for one in items]
        usual = sorted(places)[(len(places) - 1) // 2]
        for at, place in enumerate(places):
            if place > usual:
                marks.add(at, 0, say(items[at]))


def _actions(marks: _Marks, items: Sequence[Approval]) -> None:
    counts = Counter(one.action for one in items)
    usual, most = counts.most_common(1)[0]
    for at, one in enumerate(items):
        if one.action != usual and 2 * counts[one.action] <= most:
            marks.add(at, 0, words.another_action(usual))


def _values(marks: _Marks, path: Path, values: Sequence[Any]) -> None:
    there = [value for value in values if value is not _NONE]
    missing = len(values) - len(there)
    if there and min(missing, len(there)) <= max(1, FEW * len(values)) and missing:
        rare = len(there) < missing
        for at, value in enumerate(values):
            if rare and value is not _NONE:
                marks.add(at, 1, words.only_here(path_text(path)))
            elif not rare and value is _NONE:
                marks.add(at, 1, words.not_here(path_text(path)))
    if len(there) < ENOUGH:
        return
    if all(map(is_number, there)):
        _far(marks, path, values, float, words.far, TWICE)
        return
    if not _rare(marks, path, values) and all(isinstance(value, str) for value in there):
        _far(marks, path, values, len, lambda name, _: words.longer(name), 1.0, LONGER)


def _far(
    marks: _Marks,
    path: Path,
    values: Sequence[Any],
    measure: Callable[[Any], float],
    say: Callable[[str, bool], str],
    times: float,
    least: float = 0.0,
) -> None:
    """Those far from the rest by a measure; `say` is told whether it is more than the others."""
    measured = [None if value is _NONE else measure(value) for value in values]
    known = [value for value in measured if value is not None]
    middle = median(known)
    away = [abs(value - middle) for value in known]
    spread = median(away) / _SCALE or fmean(away) * _MEAN_SCALE
    for at, value in enumerate(measured):
        if value is None or not spread or abs(value - middle) <= max(FAR * spread, least):
            continue
        more = value > middle
        if least and not more:
            continue
        if middle > 0 and middle / times < value < middle * times:
            continue
        marks.add(at, 1, say(path_text(path), more))


def _rare(marks: _Marks, path: Path, values: Sequence[Any]) -> bool:
    """Values that few have, where most share one; whether most do."""
    texts = [None if value is _NONE else canonical(value) for value in values]
    counts = Counter(text for text in texts if text is not None)
    usual, most = counts.most_common(1)[0]
    if most < MOST * len(values) or most < 2:
        return False
    usual_value = next(value for value, text in zip(values, texts, strict=True) if text == usual)
    shown = told(usual_value) or words.AN_OTHER
    for at, text in enumerate(texts):
        if text is not None and text != usual and counts[text] <= max(1, FEW * len(values)):
            marks.add(at, 1, words.rare(path_text(path), shown, most, len(values)))
    return True


def alike(lines: Sequence[str], look: Callable[[str], str]) -> Iterator[tuple[list[int], bool]]:
    """Places of those that read alike, and whether they are the same; `look` is what an eye sees of one."""
    places: dict[str, list[int]] = {}
    for at, text in enumerate(lines):
        places.setdefault(look(text), []).append(at)
    for found in places.values():
        if len(found) > 1:
            yield found, len({lines[at] for at in found}) == 1
