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

from signoff.bot.text.amounts import numbers
from signoff.bot.text.common import Common
from signoff.bot.text.place import part_text
from signoff.bot.text.told import told
from signoff.bot.text.words import batch_marks as words
from signoff.models.approval import Approval
from signoff.models.verdict import REVERSIBILITIES, RISKS
from signoff.payload.canonical import canonical

FAR = 3.5
"""Median absolute deviations, scaled to those of a bell curve, from which a value is far from the rest."""
_SCALE, _MEAN_SCALE = 0.6745, 1.2533
TWICE = 2.0
"""A number is never far from the rest that is less than so many times the median, or more than its half."""
ENOUGH = 3
"""Requests among which a value can stand out; what one of two asks for may well be the usual."""
FEW = 0.1
"""Of all requests: a value that so few have is rare where MOST share another one."""
MOST = 0.6
PLACES = 20
"""Of a list, so many entries are compared, and so many fields of each."""
MORE = 10
"""Entries by which a list is longer at least that stands out for it."""
LONGER = 200
"""Characters by which a text is longer at least that stands out for it."""


Place = tuple[str | int, ...]
"""Names that lead to a value, and the places of entries in lists, counted from 0."""


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
    if len(items) > 1:
        _stakes(marks, items)
        _actions(marks, items)
    if len(items) >= ENOUGH:
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
    if len(items) == 2 and len(counts) == 2:
        for at in (0, 1):
            marks.add(at, 0, words.the_other_action(items[1 - at].action))
        return
    usual, most = counts.most_common(1)[0]
    for at, one in enumerate(items):
        if one.action != usual and 2 * counts[one.action] <= most:
            marks.add(at, 0, words.another_action(usual))


def _values(marks: _Marks, path: Place, values: Sequence[Any]) -> None:
    there = [value for value in values if value is not _NONE]
    missing = len(values) - len(there)
    if there and min(missing, len(there)) <= max(1, FEW * len(values)) and missing:
        rare = len(there) < missing
        for at, value in enumerate(values):
            if rare and value is not _NONE:
                marks.add(at, 1, words.only_here(_names(path)))
            elif not rare and value is _NONE:
                marks.add(at, 1, words.not_here(_names(path)))
    if len(there) < ENOUGH:
        return
    if _numbers(marks, path, values):
        return
    if _rare(marks, path, values):
        return
    if all(isinstance(value, str) for value in there):
        _far(marks, path, _lengths(values), lambda names, _: words.longer(names), 1.0, LONGER)
    elif all(isinstance(value, list) for value in there):
        _far(marks, path, _lengths(values), lambda names, _: words.longer(names), TWICE, MORE)
        _inside(marks, path, values)


def _names(path: Place) -> list[str]:
    return [part_text(part) for part in path]


def _lengths(values: Sequence[Any]) -> list[float | None]:
    return [None if value is _NONE else float(len(value)) for value in values]


def _inside(marks: _Marks, path: Place, values: Sequence[Any]) -> None:
    """Numbers in lists, by their places there; and in the objects of a list."""
    for at in range(min(PLACES, max(len(value) for value in values if value is not _NONE))):
        place = (*path, at)
        here = [_NONE if value is _NONE or at >= len(value) else value[at] for value in values]
        _numbers(marks, place, here)
        objects = [value for value in here if isinstance(value, dict)]
        for name in list(objects[0])[:PLACES] if objects else ():
            _numbers(
                marks,
                (*place, name),
                [one.get(name, _NONE) if isinstance(one, dict) else _NONE for one in here],
            )


def _numbers(marks: _Marks, path: Place, values: Sequence[Any]) -> bool:
    """Numbers far from the rest, where there are enough and nothing else; whether any is."""
    there = [value for value in values if value is not _NONE]
    found = numbers(there) if len(there) >= ENOUGH else None
    if found is None:
        return False
    known = iter(found)
    measured = [None if value is _NONE else next(known) for value in values]
    return _far(marks, path, measured, words.far, TWICE)


def _far(
    marks: _Marks,
    path: Place,
    measured: Sequence[float | None],
    say: Callable[[Sequence[str], bool], str],
    times: float,
    least: float = 0.0,
) -> bool:
    """Those far from the rest by a measure (None: not there); `say` is told whether it is more.

    True where there are any.
    """
    any_far = False
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
        marks.add(at, 1, say(_names(path), more))
        any_far = True
    return any_far


def _rare(marks: _Marks, path: Place, values: Sequence[Any]) -> bool:
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
            marks.add(at, 1, words.rare(_names(path), shown, most, len(values)))
    return True


def alike(lines: Sequence[str], look: Callable[[str], str]) -> Iterator[tuple[list[int], bool]]:
    """Places of those that read alike, and whether they are the same; `look` is what an eye sees of one."""
    places: dict[str, list[int]] = {}
    for at, text in enumerate(lines):
        places.setdefault(look(text), []).append(at)
    for found in places.values():
        if len(found) > 1:
            yield found, len({lines[at] for at in found}) == 1
