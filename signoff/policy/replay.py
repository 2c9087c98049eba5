"""What a policy would have done with what came in; pure."""

from __future__ import annotations

from collections import Counter, deque
from collections.abc import Iterable
from dataclasses import dataclass, field
from decimal import Decimal
from functools import partial

from signoff.models.amounts import Entry, entries
from signoff.models.feedback import KIND, is_sampled
from signoff.models.history import UNDONE, Past
from signoff.models.messages import ApprovalRequest
from signoff.models.questions import QUESTION
from signoff.models.receipt_claims import APPROVAL
from signoff.models.verdict import Verdict, answer
from signoff.policy.evaluate import evaluate, missing
from signoff.policy.order import FREEING
from signoff.policy.placements import Placements
from signoff.policy.policy import Policy
from signoff.policy.rules import ASKS_PER_HOUR, BatchRules, Rule

DAY = 24 * 3600 * 1_000_000
"""Microseconds that a request counts for."""
HOUR = 3600 * 1_000_000
"""The same, for an hourly limit."""
_OFTEN = {QUESTION: "questions {}", KIND: "{} whether a result is right"}
"""What an agent may ask in any hour, by the kind of request."""
COUNTED = ("approved", "pending", UNDONE)
"""Statuses of what was asked about that counts in sums."""
REFUSED = "refused"
"""Would have been refused, as it does not say what a rule requires, or is one too many."""


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

    `asked_about` is of how many outcomes people would have been asked whether they were right; `undoable` is
    how many of what ran the policy says how to undo; `more_time` how many requests would have got more time
    once somebody had asked their agent about them; `several` how many would take more than one person. Of
    what agents asked together `batches` says where each would have stood; `shared_then` is how many stood on
    a batch's card.
    """

    requests: int = 0
    erased: int = 0
    then: Counter[str] = field(default_factory=Counter)
    now: Counter[str] = field(default_factory=Counter)
    changes: dict[Change, Changed] = field(default_factory=dict)
    hits: Counter[str] = field(default_factory=Counter)
    asked_about: int = 0
    undoable: int = 0
    more_time: int = 0
    several: int = 0
    batches: Placements = field(default_factory=lambda: Placements(BatchRules()))
    shared_then: int = 0
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


class _Often:
    """What each agent asked for within an hour, as far as it would have been taken."""

    def __init__(self, policy: Policy) -> None:
        self._policy = policy
        self._found: dict[tuple[str, str], deque[int]] = {}

    def over(self, past: Past, request: ApprovalRequest) -> str:
        """Why it would have been one too many, empty where it is taken, and counts."""
        contents, kind = self._policy.contents, request.kind
        of_results = contents.asks_per_hour if contents else ASKS_PER_HOUR
        most = of_results if kind == KIND else self._policy.limits(past.agent, kind).per_hour
        if most is None:
            return ""
        taken = self._found.setdefault((past.agent, kind), deque())
        while taken and taken[0] <= past.at - HOUR:
            taken.popleft()
        if len(taken) >= most:
            times = {0: "never", 1: "once in any hour"}.get(most, f"{most:,} times in any hour")
            return f"{past.agent} may ask {_OFTEN.get(kind, '{}').format(times)}"
        taken.append(past.at)
        return ""


def replay(policy: Policy, came: Iterable[Past]) -> Report:
    """Judge each request anew, the oldest first; takes memory for kinds of changes and for what was asked
    together, not for other requests.

    Sums count what would run now, and what people have approved or are still asked about, each as it was
    sent. What an agent's hourly limits refuse counts for nothing; what was refused then is not known here.
    """
    report, counts, often = Report(batches=Placements(policy.batch)), _Counts(), _Often(policy)
    for past in came:
        if past.request is None:
            report.erased += 1
            continue
        verdict = evaluate(past.request, past.agent, policy, partial(counts.total, past))
        lacks = missing(verdict, past.request)
        over = "" if lacks else often.over(past, past.request)
        now = REFUSED if lacks or over else answer(verdict.effect, verdict.after)
        why = over or (f"{verdict.why}: it lacks {', '.join(lacks)}" if lacks else verdict.why)
        if now != REFUSED and (verdict.effect in FREEING or (now == "ask" and past.status in COUNTED)):
            counts.add(past, entries(verdict.sums, past.request.payload))
        report.requests += 1
        report.then[past.effect] += 1
        report.now[now] += 1
        report.hits[verdict.rule] += 1
        _note(report, past, past.request, verdict, now)
        report.undone[verdict.rule] += past.status == UNDONE
        if now != past.effect:
            kind = report.changes.setdefault(Change(past.effect, now, past.action, why), Changed())
            kind.count += 1
            kind.ended[past.status] += 1
            kind.last = past.id
    report.batches.close()
    report.asked_about += report.batches.asked_about
    rules = policy.contents.rules if policy.contents else ()
    report.never_hit = tuple(rule for rule in rules if not report.hits[rule.name])
    return report


def _note(report: Report, past: Past, request: ApprovalRequest, verdict: Verdict, now: str) -> None:
    """What would have been beside its answer: where it stands, what it is asked about, what can be undone."""
    seen = now in ("ask", "notify") and past.status in ("approved", UNDONE)
    picked = seen and is_sampled(past.id, verdict.feedback)
    if request.batch is not None and request.kind == APPROVAL:
        asks = now == "ask"
        report.batches.add((past.agent, request.batch), request.action, verdict, asks, picked)
        report.shared_then += past.shared
    else:
        report.asked_about += picked
    report.undoable += now == "notify" and verdict.undo is not None
    report.more_time += now == "ask" and verdict.talk > 0
    report.several += now == "ask" and verdict.places > 1
