"""What a policy would have done with what came in; pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from signoff.models.amounts import Entry, entries
from signoff.models.feedback import is_sampled
from signoff.models.history import UNDONE, Past
from signoff.models.verdict import answer
from signoff.policy.evaluate import evaluate, missing
from signoff.policy.order import FREEING
from signoff.policy.policy import Policy
from signoff.policy.rules import Rule

DAY = 24 * 3600 * 1_000_000
"""Microseconds that a request counts for."""
COUNTED = ("approved", "pending", UNDONE)
"""Statuses of what was asked about that counts in sums."""
REFUSED = "refused"
"""Would have been refused, as it does not say what a rule requires."""


@dataclass(frozen=True)
class Change:
    """Requests for one action that would be answered otherwise, for one reason."""

    then: str
    now: str
    action: str
    why: str


@dataclass
class Changed:
    """How many of a kind there are, what became of them, and the last one's id."""

    count: int = 0
    ended: Counter[str] = field(default_factory=Counter)
    last: str = ""


@dataclass
class Report:
    """What a replay found: answers then and now, what would change, and rules that decided nothing.

    `asked_about` is of how many outcomes people would have been asked whether they were right.
    """

    requests: int = 0
    erased: int = 0
    then: Counter[str] = field(default_factory=Counter)
    now: Counter[str] = field(default_factory=Counter)
    changes: dict[Change, Changed] = field(default_factory=dict)
    hits: Counter[str] = field(default_factory=Counter)
    asked_about: int = 0
    undone: Counter[str] = field(default_factory=Counter)
    """How much of what each rule decides people have undone."""
    never_hit: tuple[Rule, ...] = ()

    @property
    def changed(self) -> int:
        """How many requests would be answered otherwise."""
        return sum(one.count for one in self.changes.values())


class _Counts:
    """The sums of the last 24 hours, as they would have been."""

    def __init__(self) -> None:
        self._found: dict[tuple[str, str, str], deque[tuple[int, Decimal]]] = {}

    def total(self, past: Past, entry: Entry) -> Decimal:
        """What an agent had come to in a sum when a request came."""
        counted = self._found.setdefault((past.agent, entry.key, entry.bucket), deque())
        while counted and counted[0][0] <= past.at - DAY:
            counted.popleft()
        return sum((amount for _, amount in counted), Decimal())

    def add(self, past: Past, found: Iterable[Entry]) -> None:
        """A request counts from now on."""
        for entry in found:
            if entry.amount is not None:
                counted = self._found.setdefault((past.agent, entry.key, entry.bucket), deque())
                counted.append((past.at, entry.amount))


def replay(policy: Policy, came: Iterable[Past]) -> Report:
    """Judge each request anew, the oldest first; takes memory for kinds of changes, not for requests.

    Sums count what would run now, and what people have approved or are still asked about, each as it was
    sent.
    """
    report, counts = Report(), _Counts()
    for past in came:
        if past.request is None:
            report.erased += 1
            continue
        verdict = evaluate(past.request, past.agent, policy, partial(counts.total, past))
        lacks = missing(verdict, past.request)
        now = REFUSED if lacks else answer(verdict.effect, verdict.after)
        why = f"{verdict.why}: it lacks {', '.join(lacks)}" if lacks else verdict.why
        if not lacks and (verdict.effect in FREEING or (now == "ask" and past.status in COUNTED)):
            counts.add(past, entries(verdict.sums, past.request.payload))
        report.requests += 1
        report.then[past.effect] += 1
        report.now[now] += 1
        report.hits[verdict.rule] += 1
        if now in ("ask", "notify") and past.status == "approved" and is_sampled(past.id, verdict.feedback):
            report.asked_about += 1
        report.undone[verdict.rule] += past.status == UNDONE
        if now != past.effect:
            kind = report.changes.setdefault(Change(past.effect, now, past.action, why), Changed())
            kind.count += 1
            kind.ended[past.status] += 1
            kind.last = past.id
    rules = policy.contents.rules if policy.contents else ()
    report.never_hit = tuple(rule for rule in rules if not report.hits[rule.name])
    return report
