"""Who fills which place, where somebody could fill several: a maximum matching; pure.

People and kinds of places are numbers: `fits[p]` are the kinds that person `p` may fill, in the order in
which they would be tried, `needs[k]` how many people kind `k` takes. Nobody fills two places. Augmenting
paths (Kuhn 1955): whoever could sit elsewhere moves, so that the next one finds a place, and nobody who has
a place loses it.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence


def fill(fits: Sequence[Collection[int]], needs: Sequence[int]) -> list[int | None]:
    """For each person the kind of place that they fill, None where none is left for them.

    As many places are filled as can be. Earlier people come first: whoever has a place keeps one.
    """
    taken: list[int | None] = [None] * len(fits)
    filled: list[list[int]] = [[] for _ in needs]
    for person in range(len(fits)):
        _seat(person, fits, needs, taken, filled, set())
    return taken


def left(fits: Sequence[Collection[int]], needs: Sequence[int]) -> list[int]:
    """How many of each kind of place `fill` leaves open."""
    taken = fill(fits, needs)
    return [need - taken.count(kind) for kind, need in enumerate(needs)]


def is_full(fits: Sequence[Collection[int]], needs: Sequence[int]) -> bool:
    """Whether these people can fill all places."""
    return not any(left(fits, needs))


def wanted(fits: Sequence[Collection[int]], needs: Sequence[int]) -> list[bool]:
    """Of each kind of place, whether one more person who may fill just that would help.

    That is more than the open ones: somebody may move from a full one to them.
    """
    seated = len([one for one in fill(fits, needs) if one is not None])
    return [
        len([one for one in fill([*fits, (kind,)], needs) if one is not None]) > seated
        for kind in range(len(needs))
    ]


def _seat(
    person: int,
    fits: Sequence[Collection[int]],
    needs: Sequence[int],
    taken: list[int | None],
    filled: list[list[int]],
    tried: set[int],
) -> bool:
    """Find a place for a person, moving others where that takes it; False where there is none."""
    for kind in fits[person]:
        if kind in tried:
            continue
        tried.add(kind)
        if len(filled[kind]) < needs[kind]:
            filled[kind].append(person)
            taken[person] = kind
            return True
        for number, other in enumerate(filled[kind]):
            if _seat(other, fits, needs, taken, filled, tried):
                filled[kind][number] = person
                taken[person] = kind
                return True
    return False
