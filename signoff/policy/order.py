"""Facts → what a policy's contents say to them; pure. The order is the whole of it:

`block` > `always_ask` > rules, the first that matches > `never_ask` > level.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from signoff.models.verdict import RISKS, Effect
from signoff.policy.conditions import NotEvaluable
from signoff.policy.facts import ATTEMPTS, Facts
from signoff.policy.rules import Contents, Level, Rule

FREEING: tuple[Effect, ...] = ("allow", "notify")
NO_GRACE = "what is high, critical or irreversible does not run after a while"
Trace = Callable[[Rule, str], None]
"""Is told of each rule that did not decide, and why."""


@dataclass(frozen=True)
class Finding:
    """What was decided: by which rule, if by one, and why in one sentence."""

    effect: Effect
    why: str
    rule: Rule | None = None

    @property
    def waits(self) -> bool:
        """Whether it lets run what nobody holds for a while."""
        return self.effect == "allow" and self.rule is not None and self.rule.after is not None


def decide(facts: Facts, contents: Contents, rules: Iterable[Rule], trace: Trace | None = None) -> Finding:
    """Which of a policy's parts answers, and what. `rules` may leave out those that cannot fit the facts."""
    entry = contents.block.first(facts.action, facts.classes)
    if entry:
        return Finding("block", f"block lists {entry}")
    forced = _forced(facts, contents)
    for rule in rules:
        if forced and rule.verdict in FREEING:
            if trace:
                trace(rule, f"{forced}: a rule that allows does not free it")
            continue
        why, note = missed(rule, facts)
        if not why:
            return Finding(rule.verdict, f"the rule “{rule.name}”{note}", rule)
        if trace:
            trace(rule, why)
    if forced:
        return Finding("ask", forced)
    level = contents.agent(facts.agent).autonomy or contents.autonomy
    entry = contents.never_ask.first(facts.action, facts.classes[:1])
    if entry and level != "supervised":
        return Finding("allow", f"never_ask lists {entry}")
    effect, why = at_level(level, facts)
    return Finding(effect, f"autonomy is {level}: {why}")


def _forced(facts: Facts, contents: Contents) -> str:
    """Why a person has to be asked, whatever a rule allows; empty where that is not so."""
    entry = contents.always_ask.first(facts.action, facts.classes)
    if entry:
        return f"always_ask lists {entry}"
    return f"it failed {ATTEMPTS} times or more" if facts.failed_often else ""


def missed(rule: Rule, facts: Facts) -> tuple[str, str]:
    """Why a rule does not match, empty where it does; and what has to be known about how it matched.

    Fails closed: a condition that cannot be evaluated matches in a rule that asks or blocks, and in no other.
    """
    why = rule.match.misses(facts, freeing=rule.verdict in FREEING)
    if why or rule.when is None:
        return why, ""
    try:
        values = facts.values if rule.when.walks else 0
        return ("" if rule.when.holds(facts.context, values) else "its condition does not hold"), ""
    except NotEvaluable as error:
        fault = f"its condition cannot be evaluated, as {error}"
        return (fault, "") if rule.verdict in FREEING else ("", f"; {fault}")


def at_level(level: Level, facts: Facts) -> tuple[Effect, str]:
    """What a level of autonomy says of what no list and no rule decides (issue: Levels)."""
    risk, undo = f"{facts.risk} risk", facts.reversibility
    if level == "supervised":
        return "ask", "it asks for everything"
    if level == "guided":
        asks = RISKS.index(facts.risk) >= RISKS.index("medium") or undo != "reversible"
        return ("ask" if asks else "allow"), f"{risk}, {undo}"
    if level == "autonomous":
        if RISKS.index(facts.risk) >= RISKS.index("high"):
            return "ask", risk
        known = facts.action_class is not None and facts.action_class.read_only
        return ("allow" if known else "notify"), f"{risk}{', only reads' if known else ''}"
    if facts.action_class is None:
        return "ask", "the action is in no class"
    return "allow", "no list and no rule asks"


def bounded(found: Finding, facts: Facts) -> Finding:
    """The same; what may run after a while asks instead, where it is too much for that."""
    if not found.waits:
        return found
    if RISKS.index(facts.risk) < RISKS.index("high") and facts.reversibility != "irreversible":
        return found
    return Finding("ask", f"{found.why}; but {NO_GRACE}", found.rule)


def strictness(found: Finding) -> tuple[int, int]:
    """From the loosest to the strictest; what can be held before it runs is stricter than what just runs."""
    waits = found.rule.after or 0 if found.rule and found.waits else 0
    order = ("allow", "notify", "waits", "ask", "block")
    return order.index("waits" if found.waits else found.effect), waits
