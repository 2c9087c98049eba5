"""Where two payloads differ, by their values; pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from difflib import SequenceMatcher
from typing import Any, Final

from signoff.payload.canonical import canonical

NOTHING: Final = object()
"""In the place of a value that one of the two does not have."""
COMPARED = 400
"""Items that are compared one by one: finding what two lists share takes the square of it."""
PAIRED = 40
"""Items, removed and added at one place, among which each is found that became another."""
Place = tuple[tuple[str | int, ...], Any, Any]


def differing(old: Any, new: Any, path: tuple[str | int, ...] = ()) -> Iterator[Place]:
    """(place, value before, value after) of each value that differs; `NOTHING` where there is none.

    Objects and lists are gone into, whatever their depth. Items are counted from 0: by their new place, or by
    their old one where they are gone.
    """
    if _is_same(old, new):
        return
    if isinstance(old, dict) and isinstance(new, dict) and ((old and new) or not path):
        for name in [*new, *(name for name in old if name not in new)]:
            yield from differing(old.get(name, NOTHING), new.get(name, NOTHING), (*path, name))
    elif isinstance(old, list) and isinstance(new, list) and old and new:
        for before, after in _paired(old, new):
            was = NOTHING if before is None else old[before]
            now = NOTHING if after is None else new[after]
            place = before if after is None else after
            yield from differing(was, now, (*path, place or 0))
    else:
        yield path, old, new


def _is_same(before: Any, after: Any) -> bool:
    """Whether two values are one JSON; 1 is not true, though Python says so, and 120.0 is 120."""
    if before is after:
        return True
    if before is NOTHING or after is NOTHING:
        return False
    return bool(before == after) and canonical(before) == canonical(after)


def _paired(old: list[Any], new: list[Any]) -> Iterator[tuple[int | None, int | None]]:
    """Which item became which, by their places in the old and in the new list; None where there is none.

    Items that are the same are left out.
    """
    before, after = [canonical(item) for item in old], [canonical(item) for item in new]
    most = min(len(before), len(after))
    start = next((at for at in range(most) if before[at] != after[at]), most)
    most -= start
    end = next((at for at in range(most) if before[-1 - at] != after[-1 - at]), most)
    middle = before[start : len(before) - end], after[start : len(after) - end]
    if max(map(len, middle)) > COMPARED:
        spans = [("replace", 0, len(middle[0]), 0, len(middle[1]))]
    else:
        spans = list(SequenceMatcher(None, *middle, autojunk=False).get_opcodes())
    for kind, i1, i2, j1, j2 in spans:
        if kind != "equal":
            yield from _matched(old, new, range(start + i1, start + i2), range(start + j1, start + j2))


def _matched(
    old: list[Any], new: list[Any], gone: range, come: range
) -> Iterator[tuple[int | None, int | None]]:
    """Items that stand in one place before and after: in order, each with the one that it is most like."""
    count = min(len(gone), len(come))
    if len(gone) == len(come) or not count or max(len(gone), len(come)) > PAIRED:
        yield from zip(gone[:count], come[:count], strict=True)
        yield from ((None, at) for at in come[count:])
        yield from ((at, None) for at in gone[count:])
        return
    longer, shorter = (gone, come) if len(gone) > len(come) else (come, gone)
    pairs = _best(
        [_parts((old if longer is gone else new)[at]) for at in longer],
        [_parts((old if shorter is gone else new)[at]) for at in shorter],
    )
    taken = dict(pairs)
    for at, place in enumerate(longer):
        other = shorter[taken[at]] if at in taken else None
        yield (place, other) if longer is gone else (other, place)


def _best(longer: list[frozenset[str]], shorter: list[frozenset[str]]) -> list[tuple[int, int]]:
    """Which of the longer list each of the shorter one is, in order, so that they share the most."""
    width = len(longer) - len(shorter)
    likeness = [
        [2 * len(one & longer[at + by]) + 1 for by in range(width + 1)] for at, one in enumerate(shorter)
    ]
    best = [0] * (width + 2)
    chosen: list[list[int]] = []
    for at in range(len(shorter) - 1, -1, -1):
        row, takes = [0] * (width + 2), [0] * (width + 1)
        row[width + 1] = -1
        for by in range(width, -1, -1):
            here = likeness[at][by] + best[by]
            row[by], takes[by] = (
                (here, by) if here >= row[by + 1] else (row[by + 1], takes[min(by + 1, width)])
            )
        best = row
        chosen.insert(0, takes)
    found, by = [], 0
    for at in range(len(shorter)):
        by = chosen[at][by]
        found.append((at + by, at))
    return found


def _parts(item: Any) -> frozenset[str]:
    """What two items are compared by: fields with their values, entries, or words."""
    if isinstance(item, dict):
        return frozenset(canonical([name, value]) for name, value in item.items())
    if isinstance(item, list):
        return frozenset(map(canonical, item))
    return frozenset(str(item).split()) if isinstance(item, str) else frozenset()


def shared_beginning(one: Sequence[str], other: Sequence[str]) -> int:
    """How many lines two texts begin with together."""
    pairs = enumerate(zip(one, other, strict=False))
    return next((at for at, (a, b) in pairs if a != b), min(len(one), len(other)))
