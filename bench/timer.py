"""Numbers out of samples. Times are in milliseconds."""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from dataclasses import dataclass, field


def percentile(samples: Sequence[float], percent: float) -> float:
    """The smallest sample that `percent` of all do not exceed; NaN of none."""
    if not samples:
        return float("nan")
    ranked = sorted(samples)
    return ranked[min(len(ranked) - 1, int(len(ranked) * percent / 100))]


def median(samples: Sequence[float]) -> float:
    """The middle; NaN of none."""
    return statistics.median(samples) if samples else float("nan")


@dataclass
class Rounds:
    """Product and floor, measured in turn: each round gives a sample of both, and so a ratio.

    A ratio within a round, and the median of those, hold where the machine is slower in one minute than
    in the next.
    """

    product: list[float] = field(default_factory=list)
    floor: list[float] = field(default_factory=list)

    def add(self, product: float, floor: float) -> None:
        """One round, in ms."""
        self.product.append(product)
        self.floor.append(floor)

    @property
    def ratio(self) -> float:
        """The median of the rounds' ratios."""
        return median([ours / theirs for ours, theirs in zip(self.product, self.floor, strict=True)])

    @property
    def spread(self) -> str:
        """The same, and between which two a half of the rounds' ratios lie."""
        ratios = [ours / theirs for ours, theirs in zip(self.product, self.floor, strict=True)]
        return f"{self.ratio:.2f} ({percentile(ratios, 25):.2f}–{percentile(ratios, 75):.2f})"
