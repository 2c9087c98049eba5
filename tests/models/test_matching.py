"""A maximum matching, tried against all ways there are."""

from __future__ import annotations

import random
from itertools import product

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.models.matching import fill, is_full, left, wanted

KINDS = 3


def most_seated(fits: list[tuple[int, ...]], needs: list[int]) -> int:
    """The most people that can be seated: every way to put each of them somewhere, or nowhere."""
    best = 0
    for ways in product(*[(*one, None) for one in fits]):
        if all(ways.count(kind) <= need for kind, need in enumerate(needs)):
            best = max(best, sum(way is not None for way in ways))
    return best


def check(fits: list[tuple[int, ...]], needs: list[int]) -> None:
    taken, best = fill(fits, needs), most_seated(fits, needs)
    assert all(kind is None or kind in one for kind, one in zip(taken, fits, strict=True))
    assert all(taken.count(kind) <= need for kind, need in enumerate(needs))
    assert sum(kind is not None for kind in taken) == best
    assert is_full(fits, needs) == (best == sum(needs))
    assert sum(left(fits, needs)) == sum(needs) - best
    for kind, helps in enumerate(wanted(fits, needs)):
        assert helps == (most_seated([*fits, (kind,)], needs) > best)
    before = [one is not None for one in fill(fits[:-1], needs)]
    after = [one is not None for one in taken[: len(before)]]
    assert all(now for was, now in zip(before, after, strict=True) if was), "whoever has a place keeps one"


def case(source: random.Random) -> tuple[list[tuple[int, ...]], list[int]]:
    needs = [source.randint(1, 3) for _ in range(source.randint(1, KINDS))]
    kinds = range(len(needs))
    people = source.randint(0, 5)
    fits = [tuple(source.sample(kinds, source.randint(0, len(needs)))) for _ in range(people)]
    return fits, needs


@given(st.randoms(use_true_random=False))
def test_as_many_places_are_filled_as_can_be(source: random.Random) -> None:
    check(*case(source))


@pytest.mark.parametrize("seed", range(4))
def test_the_same_of_thousands_of_cases(seed: int) -> None:
    source, seen = random.Random(seed), set[str]()
    for _ in range(3_000):
        fits, needs = case(source)
        if repr((fits, needs)) not in seen:
            seen.add(repr((fits, needs)))
            check(fits, needs)


@pytest.mark.long
def test_the_same_of_a_million_cases() -> None:
    source, known = random.Random(16), dict[str, int]()
    for _ in range(1_000_000):
        fits, needs = case(source)
        same = repr((sorted(map(sorted, fits)), needs))  # neither the order of people nor theirs counts here
        if same not in known:
            known[same] = most_seated(fits, needs)
        assert sum(kind is not None for kind in fill(fits, needs)) == known[same]
