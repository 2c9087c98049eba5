"""A request → what a policy's contents judge it by; pure."""

from __future__ import annotations

from signoff.models.messages import ApprovalRequest, Reversibility, Risk
from signoff.models.verdict import REVERSIBILITIES, RISKS
from signoff.policy import facts as judged
from signoff.policy.classes import ActionClass
from signoff.policy.facts import Facts
from signoff.policy.rules import Contents


def facts_of(request: ApprovalRequest, agent: str, contents: Contents) -> Facts:
    """Its facts, rated by the policy's map, of that the strictest that fits; else by the action table."""

    def own(action_class: ActionClass | None) -> tuple[Risk | None, Reversibility | None]:
        action, one = request.action, (action_class,) if action_class else ()
        risks = [risk for names, risk in contents.risk if names.first(action, one)]
        undos = [undo for names, undo in contents.reversibility if names.first(action, one)]
        return (
            max(risks, key=RISKS.index) if risks else action_class.risk if action_class else None,
            max(undos, key=REVERSIBILITIES.index)
            if undos
            else action_class.reversibility
            if action_class
            else None,
        )

    return judged.facts(request, agent, contents.domains, own, contents.sensitive)
