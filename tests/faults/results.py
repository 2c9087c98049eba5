"""What was run and what it found: a JSON line a round, appended at once: an interrupted run keeps it."""

from __future__ import annotations

import json
import statistics
from collections import Counter, defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path

from faults.books import KINDS


@dataclass
class Round:
    """One world's life. `done` is how often it was broken, `seconds` how long each time until all went on."""

    kind: str
    database: str
    seed: int
    commit: str = ""
    done: int = 0
    seconds: list[float] = field(default_factory=list)
    requests: int = 0
    cards: int = 0
    doubles: int = 0
    left_open: int = 0
    breaches: dict[str, int] = field(default_factory=dict)
    details: list[str] = field(default_factory=list)

    @property
    def ok(self) -> bool:
        """Every promise was kept."""
        return not self.breaches


class Results:
    """A file of rounds."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def add(self, round: Round) -> None:
        """Append one."""
        with self.path.open("a") as file:
            file.write(json.dumps(asdict(round)) + "\n")

    def rounds(self) -> list[Round]:
        """All so far."""
        if not self.path.exists():
            return []
        return [Round(**json.loads(line)) for line in self.path.read_text().splitlines()]

    def done(self, kind: str) -> int:
        """How often a kind of fault was made so far."""
        return sum(round.done for round in self.rounds() if round.kind == kind)


def table(rounds: Sequence[Round]) -> str:
    """Markdown: a line for each kind and database."""
    grouped: defaultdict[tuple[str, str], list[Round]] = defaultdict(list)
    for round in rounds:
        grouped[round.kind, round.database].append(round)
    lines = [
        "| faults | database | times | requests | breaches | recovery p50 | p99 | longest "
        "| double cards | left open |",
        "| --- | --- | --: | --: | --- | --: | --: | --: | --: | --: |",
    ]
    for (kind, database), found in grouped.items():
        counted: Counter[str] = Counter()
        for round in found:
            counted.update(round.breaches)
        said = ", ".join(f"{counted[name]} {name}" for name in KINDS if counted[name]) or "0"
        seconds = sorted(second for round in found for second in round.seconds)
        p50, p99, most = (f"{value:.1f} s" for value in percentiles(seconds)) if seconds else ("–",) * 3
        cards, doubles = sum(r.cards for r in found), sum(r.doubles for r in found)
        share = f"{doubles} of {cards} ({100 * doubles / cards:.2f} %)" if cards else "–"
        open_ones = str(sum(r.left_open for r in found)) if cards else "–"
        numbers = f"{sum(r.done for r in found):,} | {sum(r.requests for r in found):,}"
        lines.append(
            f"| {kind} | {database} | {numbers} | {said} | {p50} | {p99} | {most} | {share} | {open_ones} |"
        )
    return "\n".join(lines)


def percentiles(seconds: Sequence[float]) -> tuple[float, float, float]:
    """p50, p99 and the longest."""
    ordered = sorted(seconds)
    return statistics.median(ordered), ordered[min(len(ordered) - 1, int(0.99 * len(ordered)))], ordered[-1]
