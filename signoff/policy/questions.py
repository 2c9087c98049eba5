"""An agent's question → who is asked, where and for how long, or that it is blocked; pure.

A question lets nothing run, so no rule allows one, and what it might risk or undo means nothing. What blocks
an action blocks a question, too; who is asked, only rules that name questions say.
"""

from __future__ import annotations

from signoff.models.messages import ApprovalRequest
from signoff.models.questions import ACTION as ACTION
from signoff.models.verdict import Verdict
from signoff.policy import times, wishes
from signoff.policy.facts import Facts
from signoff.policy.globs import Globs
from signoff.policy.order import FREEING, Finding, Trace, missed
from signoff.policy.policy import Policy
from signoff.policy.rated import facts_of
from signoff.policy.rules import Contents, Rule

BY_POLICY = "the policy's questions say who is asked"
BY_OWNER = "the agent's owner is asked"
BY_DEFAULT = "the default approvers are asked"
NOTHING_RUNS = "a question lets nothing run, so nothing allows it"
NOT_NAMED = "it does not name questions (match.action: question)"
BLOCKED = "The policy blocks questions of this agent."


def judge(
    request: ApprovalRequest,
    agent: str,
    policy: Policy,
    owner: str | None = None,
    trace: Trace | None = None,
) -> Verdict:
    """The verdict on a question: `ask` or `block`.

    Asked are the approvers of the first rule that names questions and fits, else those of the policy's
    `questions`, else the agent's owner, by the policy or as the server knows them (`owner`), else the default
    approvers.
    """
    contents = policy.contents
    found = Finding("ask", "") if contents is None else _find(request, agent, contents, trace)
    rule, general = found.rule, contents.questions if contents else None
    named, why = _asked(rule, found.why, policy, policy.owner(agent) or owner)
    if found.effect == "block":
        named, why = (), found.why
    conversation = (
        (rule.conversation if rule else None)
        or (general.conversation if general else None)
        or policy.conversation
    )
    most = (rule.expires_in if rule else None) or (general.expires_in if general else None)
    return Verdict(
        effect=found.effect,
        approvers=policy.resolve(named),
        named=named,
        conversation=conversation,
        thread=wishes.thread(request.conversation, conversation),
        expires_in=wishes.expires_in(request, most),
        reversibility="reversible",
        reversibility_from="policy",
        risk="low",
        risk_from="policy",
        reason=((rule.reason if rule else "") or BLOCKED) if found.effect == "block" else "",
        rule=rule.name if rule else "",
        why=why,
        require=rule.require if rule else (),
        policy=policy.digest,
        timing=times.of(rule, contents, "low") if contents and found.effect == "ask" else None,
    )


def names_questions(rule: Rule) -> bool:
    """Whether a rule is about questions, and not about everything: `question`, or a glob with a letter."""
    patterns = rule.match.action.patterns if rule.match.action else ()
    named = [one for one in patterns if any(map(str.isalnum, one))]
    return bool(named) and Globs(tuple(named)).matches(ACTION)


def only_questions(rule: Rule) -> bool:
    """Whether a rule is about nothing else."""
    action = rule.match.action
    return action is not None and all(one.lower() == ACTION for one in action.patterns)


def passes_questions(rule: Rule) -> bool:
    """Whether a rule says nothing of questions, whatever they are."""
    return rule.verdict in FREEING or (rule.verdict == "ask" and not names_questions(rule))


def _asked(rule: Rule | None, why: str, policy: Policy, owner: str | None) -> tuple[tuple[str, ...], str]:
    """Whom the policy names, and why them; nobody is named where the default approvers are asked."""
    if rule is not None and rule.approvers:
        return rule.approvers, why
    general = policy.contents.questions.approvers if policy.contents else ()
    named, of_whom = (general, BY_POLICY) if general else ((owner,), BY_OWNER) if owner else ((), BY_DEFAULT)
    return named, f"{why}; {of_whom}" if rule is not None else of_whom


def _find(request: ApprovalRequest, agent: str, contents: Contents, trace: Trace | None) -> Finding:
    """With the agent's claims and without them: a claim can have a question blocked, and not freed."""
    facts = facts_of(request, agent, contents)
    found = _by_rules(facts, contents, trace or _untold)
    if found.effect == "block":
        return found
    bare = _by_rules(facts.bare(), contents, _untold)
    return bare if bare.effect == "block" else found


def _by_rules(facts: Facts, contents: Contents, trace: Trace) -> Finding:
    if entry := contents.block.first(facts.action, facts.classes):
        return Finding("block", f"block lists {entry}")
    for rule in contents.rules:
        why, note = _passed(rule, facts)
        if not why:
            return Finding(rule.verdict, f"the rule “{rule.name}”{note}", rule)
        trace(rule, why)
    return Finding("ask", "")


def _passed(rule: Rule, facts: Facts) -> tuple[str, str]:
    """Why a rule says nothing of a question, empty where it does; and how it matched."""
    if rule.verdict in FREEING:
        return NOTHING_RUNS, ""
    if rule.verdict == "ask" and not names_questions(rule):
        return NOT_NAMED, ""
    return missed(rule, facts)


def _untold(_: Rule, __: str) -> None:
    """Nobody wants to know."""
