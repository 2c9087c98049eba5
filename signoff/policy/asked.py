"""Whether a policy itself says that people are asked about something; pure."""

from __future__ import annotations

from signoff.models.messages import ApprovalRequest
from signoff.models.verdict import Verdict
from signoff.policy.policy import Policy
from signoff.policy.rated import facts_of


def by_its_words(found: Verdict, request: ApprovalRequest, agent: str, policy: Policy) -> bool:
    """Whether a verdict that asks does so by a rule, by `always_ask`, or as there is no file; and not merely
    because nothing is said of such an action.
    """
    if policy.contents is None or found.rule or found.named:
        return True
    facts = facts_of(request, agent, policy.contents)
    return policy.contents.always_ask.first(facts.action, facts.classes) is not None


def is_grave(found: Verdict) -> bool:
    """Whether the policy calls it critical, or says that nothing undoes it."""
    critical = found.risk == "critical" and found.risk_from == "policy"
    return critical or (found.reversibility == "irreversible" and found.reversibility_from == "policy")
