"""What a policy would have done with what came in; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass, field

from signoff.models.history import Past
from signoff.policy.evaluate import evaluate, missing
from signoff.policy.policy import Policy
from signoff.policy.rules import Rule

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
    """What a replay found: answers then and now, what would change, and rules that decided nothing."""

    requests: int = 0
    erased: int = 0
    then: Counter[str] = field(default_factory=Counter)
    now: Counter[str] = field(default_factory=Counter)
    changes: dict[Change, Changed] = field(default_factory=dict)
    hits: Counter[str] = field(default_factory=Counter)
    never_hit: tuple[Rule, ...] = ()

    @property
    def changed(self) -> int:
        """How many requests would be answered otherwise."""
        return sum(one.count for one in self.changes.values())


def replay(policy: Policy, came: Iterable[Past]) -> Report:
    """Judge each request anew; takes memory for kinds of changes, not for requests."""
    report = Report()
    for past in came:
        if past.request is None:
            report.erased += 1
            continue
        verdict = evaluate(past.request, past.agent, policy)
        lacks = missing(verdict, past.request)
        now = REFUSED if lacks else verdict.effect
        why = f"{verdict.why}: it lacks {', '.join(lacks)}" if lacks else verdict.why
        report.requests += 1
        report.then[past.effect] += 1
        report.now[now] += 1
        report.hits[verdict.rule] += 1
        if now != past.effect:
            kind = report.changes.setdefault(Change(past.effect, now, past.action, why), Changed())
            kind.count += 1
            kind.ended[past.status] += 1
            kind.last = past.id
    rules = policy.contents.rules if policy.contents else ()
    report.never_hit = tuple(rule for rule in rules if not report.hits[rule.name])
    return report
