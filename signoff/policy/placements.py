"""Which requests of a batch would share a card, and why others would not; pure.

It says of what came in together what `approvals.sharing` does when a batch is frozen, as far as the requests
themselves tell: what a person decided, or what came too late, is not known here.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field

from signoff.models.verdict import Verdict
from signoff.policy.rules import BatchRules

OTHERS = "other people are asked than about most of it, or in another place"
OVER = "batch.most are on its card already"
ONLY_ONE = "nothing else of its batch may share a card with it"
NOT_ASKED = "nobody is asked about it"
OF_BATCH = 3
"""Outcomes of one batch that people are asked about: whoever approved fifty at once is asked no more."""
Group = tuple[str, str | None, tuple[str, ...]]


def group_of(verdict: Verdict) -> Group:
    """Where somebody is asked, and who: what shares a card is alike in that."""
    return verdict.conversation, verdict.thread, tuple(sorted(verdict.approvers))


@dataclass
class Placements:
    """Batches as they come in, and where each of their requests would stand.

    `shared` would share a card with others, `alone` counts the reasons why others would not, `asked_about`
    the outcomes that people would be asked about, of all of them.
    """

    rules: BatchRules
    _found: dict[tuple[str, str], list[tuple[Group | None, bool]]] = field(default_factory=dict)
    alone: Counter[str] = field(default_factory=Counter)
    shared: int = 0
    asked_about: int = 0

    @property
    def batches(self) -> int:
        """How many there were."""
        return len(self._found)

    def add(self, batch: tuple[str, str], action: str, verdict: Verdict, asks: bool, picked: bool) -> None:
        """One request of a batch (its agent and name). `asks`: somebody is asked about it; `picked`: its
        outcome is one that people are asked about, by its share.
        """
        why = self.rules.why_alone(action, verdict) if asks else NOT_ASKED
        self.alone[why] += bool(why)
        self._found.setdefault(batch, []).append((None if why else group_of(verdict), picked))

    def close(self) -> None:
        """All have come."""
        for items in self._found.values():
            shares = set(self._sharing([group for group, _ in items]))
            picks = [number in shares for number, (_, picked) in enumerate(items) if picked]
            self.asked_about += min(picks.count(True), OF_BATCH) + picks.count(False)
            self.shared += len(shares)

    def _sharing(self, groups: list[Group | None]) -> Iterator[int]:
        """The numbers of those that share a card; of the others it is noted why not."""
        may = [group for group in groups if group is not None]
        largest = Counter(may).most_common(1)[0][0] if may else None
        same = [number for number, group in enumerate(groups) if group is not None and group == largest]
        self.alone[OTHERS] += len(may) - len(same)
        self.alone[OVER] += len(same[self.rules.most :])
        same = same[: self.rules.most]
        if len(same) == 1:
            self.alone[ONLY_ONE] += 1
            return
        yield from same
