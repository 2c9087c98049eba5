"""A walk through a machine's verbs: any of them, in any order, by a seed, with a comparison after each.

Hypothesis drives the first machine. These have verbs that only say no once a request has ended, so they are
drawn by weights, and what they are about is drawn of what there is.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from random import Random
from typing import Any, Protocol, TypeVar

T = TypeVar("T")
Draw = Callable[[Random, Any], Any]
"""(dice, machine) → what a verb is given."""


class Walked(Protocol):
    """A machine."""

    def begin(self) -> None:
        """Make what there is at first."""

    def compare(self) -> None:
        """Everything is as it has to be."""

    def end(self) -> None:
        """So it is at the end, in the whole log."""


def verb(weight: int = 4, **draws: Draw) -> Callable[[T], T]:
    """Marks what a walk may do, how often beside other verbs, and what it is given."""

    def mark(function: T) -> T:
        function.drawn = (weight, draws)  # type: ignore[attr-defined]
        return function

    return mark


def any_of(*found: Any) -> Draw:
    """One of these."""
    return lambda dice, _: dice.choice(found)


def one_of(find: Callable[[Any], Sequence[Any]], likely: Callable[[Any], object]) -> Draw:
    """One of what is found in the machine as it is then, four times of five one that is likely to say yes;
    None where there is none.
    """

    def draw(dice: Random, machine: Any) -> Any:
        found = find(machine)
        wanted = [one for one in found if likely(one)] if dice.random() < 0.8 else []
        return dice.choice(wanted or found) if found else None

    return draw


def walk(machine: Walked, seed: int, steps: int) -> None:
    """So many steps. What was done is printed, for whoever reads of a failure."""
    dice = Random(seed)
    found = {name: getattr(type(machine), name) for name in dir(type(machine))}
    verbs = [(name, *one.drawn) for name, one in found.items() if hasattr(one, "drawn")]
    print(f"{type(machine).__name__}, seed {seed}")
    machine.begin()
    machine.compare()
    for _ in range(steps):
        [(name, _, draws)] = dice.choices(verbs, [weight for _, weight, _ in verbs])
        given = {what: draw(dice, machine) for what, draw in draws.items()}
        print(f"  {name} {', '.join(f'{what}={one!r}' for what, one in given.items())}")
        if None in [given[what] for what in draws if what not in ("crash", "key")]:
            continue  # there is nothing of that kind yet
        getattr(machine, name)(**given)
        machine.compare()
    machine.end()
