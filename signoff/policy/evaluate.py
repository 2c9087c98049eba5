"""Request → verdict; and an edited payload → verdict; pure."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any

from signoff.models.amounts import Entry, entries
from signoff.models.feedback import KIND
from signoff.models.messages import ApprovalRequest, Risk
from signoff.models.questions import QUESTION
from signoff.models.seating import EXCLUDED, Excluded
from signoff.models.verdict import (
    REVERSIBILITIES,
    RISKS,
    UNMAPPED_RISK,
    Verdict,
    stricter_reversibility,
    stricter_risk,
)
from signoff.policy import proofs, questions, times, wishes
from signoff.policy.facts import Facts
from signoff.policy.feedback import of_result
from signoff.policy.order import FREEING, Finding, bounded, decide, strictness
from signoff.policy.policy import Policy
from signoff.policy.rated import facts_of
from signoff.policy.rules import Contents, Rule
from signoff.policy.typed import is_typable, value_at

SPENT = "has come to its sum of a day"
UNCOUNTED = "has a sum of a day, and this cannot be counted"
"""Why a person is asked; without a word of the payload, since the log has it."""
GRAVE: tuple[Risk, ...] = ("high", "critical")
"""At these risks nobody approves for themselves, where a rule names approvers and says nothing else."""
Counted = Callable[[Entry], Decimal]
"""What has been counted in a sum before, in the bucket of an entry."""
CLAIMS_ASIDE = " (what the agent claims frees nothing)"


@dataclass(frozen=True)
class Explanation:
    """A verdict, and of each rule before the one that decided why it did not.

    `claims_aside` says that it was decided as if the agent had claimed nothing: so were these rules passed.
    """

    verdict: Verdict
    facts: Facts | None
    passed: tuple[tuple[Rule, str], ...]
    claims_aside: bool = False


def evaluate(
    request: ApprovalRequest,
    agent: str,
    policy: Policy,
    counted: Counted = lambda _: Decimal(),
    owner: str | None = None,
) -> Verdict:
    """Request → verdict, the same for the same three and what was counted before.

    `counted` gives what the agent's requests have come to in a sum of the policy, nothing if not said: then
    only what is over one by itself is asked about.

    Without a file everything is asked about. Its risk is high then, and a claim can only raise it; whether it
    can be undone is the agent's word, and the verdict says so; with no word it counts as irreversible.
    A question is judged by itself: see `policy.questions`, and there of the agent's `owner`.
    """
    if request.kind == KIND:
        return of_result(request, agent, policy, owner)
    if request.kind == QUESTION:
        return questions.judge(request, agent, policy, owner)
    if policy.contents is None:
        return _ask_for_everything(request, policy)
    facts = facts_of(request, agent, policy.contents)
    found, _, by_rules = _find(facts, policy.contents, policy.candidates(request.action, agent))
    verdict = proofs.wanted(_verdict(request, facts, found, policy), by_rules)
    return _summed(verdict, request, facts, by_rules, policy, counted)


def explain(request: ApprovalRequest, agent: str, policy: Policy) -> Explanation:
    """The same verdict, nothing counted before, with each rule that came before it and did not decide."""
    if request.kind == KIND:
        return Explanation(of_result(request, agent, policy), None, ())
    if request.kind == QUESTION:
        aside: list[tuple[Rule, str]] = []
        verdict = questions.judge(request, agent, policy, trace=lambda *one: aside.append(one))
        return Explanation(verdict, None, tuple(aside))
    if policy.contents is None:
        return Explanation(_ask_for_everything(request, policy), None, ())
    facts = facts_of(request, agent, policy.contents)
    passed: list[tuple[Rule, str]] = []
    found, by, by_rules = _find(facts, policy.contents, policy.contents.rules)
    decide(by, policy.contents, policy.contents.rules, lambda *one: passed.append(one))
    verdict = proofs.wanted(_verdict(request, facts, found, policy), by_rules)
    verdict = _summed(verdict, request, facts, by_rules, policy, lambda _: Decimal())
    return Explanation(verdict, facts, tuple(passed), by is not facts)


def evaluate_edit(
    policy: Policy, request: ApprovalRequest, agent: str, payload: dict[str, Any], verdict: Verdict
) -> Verdict:
    """The verdict on a request whose payload a person has changed; `verdict` is the one that stands.

    It never loosens: what was asked about stays asked about, by the people who were asked. Where the new
    payload comes under another rule that asks, that rule takes over, with its people and its channel where it
    names any: whoever edited it could have approved it before, and they have to agree, too. A verdict of
    `block` means: refuse the edit, with its reason.
    """
    new = evaluate(request.model_copy(update={"payload": payload}), agent, policy)
    if new.effect == "block" or verdict.effect == "block":
        return new if new.effect == "block" else verdict
    other = policy.rule(new.rule) if new.effect == "ask" and new.rule != verdict.rule else None
    taken = new if other else verdict
    theirs = other is not None and bool(other.approvers)
    named = other.approvers if other and theirs else verdict.named
    exclude, by_default = _excluded(new, verdict)
    headline = policy.rule(taken.rule)
    worse_risk, worse_undo = (
        RISKS.index(new.risk) > RISKS.index(verdict.risk),
        (REVERSIBILITIES.index(new.reversibility) > REVERSIBILITIES.index(verdict.reversibility)),
    )
    return taken.model_copy(
        update={
            "effect": "ask",
            "named": named,
            "approvers": policy.resolve(named) if taken is new else verdict.approvers,
            "seats": new.seats if theirs else verdict.seats,
            "reject": new.reject if theirs else verdict.reject,
            "exclude": exclude,
            "exclude_by_default": by_default,
            "conversation": other.conversation if other and other.conversation else verdict.conversation,
            "thread": None
            if other and other.conversation not in (None, verdict.conversation)
            else verdict.thread,
            "headline": headline.headline.fill(request.action, agent, payload)
            if headline and headline.headline
            else None,
            "risk": stricter_risk(new.risk, verdict.risk),
            "risk_from": new.risk_from if worse_risk else verdict.risk_from,
            "reversibility": stricter_reversibility(new.reversibility, verdict.reversibility),
            "reversibility_from": new.reversibility_from if worse_undo else verdict.reversibility_from,
            "expires_in": min(new.expires_in, verdict.expires_in),
            "editable": _both(new.editable, verdict.editable),
            "sums": new.sums,
            "feedback": new.feedback,
            **proofs.both(new, verdict),
        }
    )


def _excluded(one: Verdict, other: Verdict) -> tuple[tuple[Excluded, ...], bool]:
    """Who may not approve by two verdicts, and whether no rule says so: what a rule says comes first."""
    said = [verdict.exclude for verdict in (one, other) if verdict.exclude and not verdict.exclude_by_default]
    if said:
        return tuple(name for name in EXCLUDED if any(name in names for names in said)), False
    return one.exclude or other.exclude, one.exclude_by_default or other.exclude_by_default


def missing(verdict: Verdict, request: ApprovalRequest) -> tuple[str, ...]:
    """What the rule that asks requires, and the request does not say: then it is refused, naming it.

    A value that whoever approves has to type has to be there, and short enough to be typed.
    """
    found = {name: getattr(request, FIELDS.get(name, name)) for name in verdict.require}
    typed = (name for name in verdict.confirm if not is_typable(value_at(request.payload, name)))
    return (*(name for name, value in found.items() if not _says(value)), *typed)


def _says(value: Any) -> bool:
    """Whether a claim says anything; a text does where it has a letter or a digit."""
    if isinstance(value, str):
        return any(character.isalnum() for character in value)
    if isinstance(value, tuple):
        return any(map(_says, value))
    return value is not None and value != {}


FIELDS = {"schema": "json_schema"}


def _find(
    facts: Facts, contents: Contents, rules: tuple[Rule, ...]
) -> tuple[Finding, Facts, tuple[Rule, ...]]:
    """What is decided, the stricter of two: with the agent's claims and without them; and by which facts.

    The rules are those that decided, each in its way: a claim gets nobody past the sums of either.

    So a claim makes a verdict stricter, never looser, whatever the rules say about claims. Between two that
    are as strict the first is taken: which people are asked may depend on what the agent says.
    """
    found = bounded(decide(facts, contents, rules), facts)
    if found.effect == "block" or not _claimed(facts):
        return found, facts, _rules_of(found)
    bare = facts.bare()
    other = bounded(decide(bare, contents, rules), bare)
    both = _rules_of(found, other)
    if strictness(other) <= strictness(found):
        return found, facts, both
    return Finding(other.effect, other.why + CLAIMS_ASIDE, other.rule), bare, both


def _rules_of(*found: Finding) -> tuple[Rule, ...]:
    return tuple({one.rule.name: one.rule for one in found if one.rule}.values())


def _summed(
    verdict: Verdict,
    request: ApprovalRequest,
    facts: Facts,
    by_rules: tuple[Rule, ...],
    policy: Policy,
    counted: Counted,
) -> Verdict:
    """The verdict with the sums that it counts for; one that asks, where it would have let run what is over.

    The first rule that asks about such a request says who is asked, and where; without one the defaults do.
    """
    assert policy.contents is not None
    sums = (*policy.limits(facts.agent).sums, *(one for rule in by_rules for one in rule.sums))
    if not sums or verdict.effect == "block":
        return verdict
    if verdict.effect in FREEING:
        for entry in entries(sums, request.payload):
            before = counted(entry)
            if entry.over(before):
                why = f"{_place(entry)} {SPENT if entry.amount is not None else UNCOUNTED}"
                found, asking = _asking(facts, policy, why)
                verdict = proofs.wanted(_verdict(request, facts, found, policy), asking)
                over = entry.told(before, facts.agent)
                verdict = verdict.model_copy(update={"over": over})
                break
    return verdict.model_copy(update={"sums": sums})


def _asking(facts: Facts, policy: Policy, why: str) -> tuple[Finding, tuple[Rule, ...]]:
    assert policy.contents is not None
    rules = tuple(one for one in policy.candidates(facts.action, facts.agent) if one.verdict == "ask")
    found, _, by_rules = _find(facts, policy.contents, rules)
    return Finding("ask", f"{why}: {found.why}" if found.rule else why, found.rule), by_rules


def _place(entry: Entry) -> str:
    return f"the rule “{entry.sum.place}”" if entry.sum.place else "the agent"


def _claimed(facts: Facts) -> bool:
    """Whether the agent's claims change anything that rules could see."""
    own = facts.action_class.tags if facts.action_class else ()
    numbers = (facts.cost, facts.confidence, facts.attempts, facts.run)
    whose = (facts.risk_from, facts.reversibility_from)
    return any(number is not None for number in numbers) or "agent" in whose or facts.tags != own


def _verdict(request: ApprovalRequest, facts: Facts, found: Finding, policy: Policy) -> Verdict:
    rule, contents = found.rule, policy.contents
    assert contents is not None
    undo = rule.undo if rule and found.effect == "notify" else None
    asked = found.effect == "ask" or found.waits or undo is not None
    named = rule.approvers if rule and asked else ()
    excluded = rule.exclude if rule and found.effect == "ask" else None
    by_default = found.effect == "ask" and excluded is None and facts.risk in GRAVE and bool(named)
    conversation = (
        (rule.conversation if rule else None) or contents.conversations.get(facts.risk) or policy.conversation
    )
    headline = (
        rule.headline.fill(facts.action, facts.agent, facts.payload) if rule and rule.headline else None
    )
    blocked = f"The policy blocks {request.action}." if found.effect == "block" else ""
    return Verdict(
        effect=found.effect,
        approvers=policy.resolve(named),
        named=named,
        seats=policy.seats(rule.seats) if rule and asked else (),
        reject=rule.reject if rule and found.effect == "ask" else 1,
        exclude=excluded if excluded is not None else EXCLUDED if by_default else (),
        exclude_by_default=by_default,
        conversation=conversation,
        thread=wishes.thread(request.conversation, conversation),
        expires_in=wishes.expires_in(request, rule.expires_in if rule else None),
        talk=rule.talk if rule and found.effect == "ask" else 0,
        reversibility=facts.reversibility,
        reversibility_from=facts.reversibility_from,
        risk=facts.risk,
        risk_from=facts.risk_from,
        headline=headline,
        reason=(rule.reason if rule else "") or blocked,
        rule=rule.name if rule else "",
        why=found.why,
        editable=rule.editable if rule else None,
        require=rule.require if rule else (),
        policy=policy.digest,
        feedback=contents.feedback if rule is None or rule.feedback is None else rule.feedback,
        after=rule.after if rule and found.waits else None,
        undo=undo,
        timing=times.of(rule, contents, facts.risk) if found.effect == "ask" else None,
    )


def _ask_for_everything(request: ApprovalRequest, policy: Policy) -> Verdict:
    claimed = request.risk or UNMAPPED_RISK
    raised = RISKS.index(claimed) > RISKS.index(UNMAPPED_RISK)
    return Verdict(
        effect="ask",
        approvers=policy.approvers,
        conversation=policy.conversation,
        thread=wishes.thread(request.conversation, policy.conversation),
        expires_in=request.expires_in,
        reversibility=request.reversibility or "irreversible",
        reversibility_from="agent" if request.reversibility else "nobody",
        risk=claimed if raised else UNMAPPED_RISK,
        risk_from="agent" if raised else "nobody",
        why="there is no policy file: everything is asked about",
        policy=policy.digest,
    )


def _both(one: tuple[str, ...] | None, other: tuple[str, ...] | None) -> tuple[str, ...] | None:
    """The fields that both let people change; None lets them change all."""
    if one is None or other is None:
        return other if one is None else one
    return tuple(name for name in one if name in other)
