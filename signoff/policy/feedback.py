"""How often people are asked whether something was right, and who: what a policy says of it; pure."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from signoff.models.feedback import OPEN_SECONDS, WHOLE
from signoff.models.messages import ApprovalRequest
from signoff.models.verdict import Verdict
from signoff.policy.policy import Policy
from signoff.policy.questions import BY_OWNER
from signoff.policy.rules import ASKS_PER_HOUR

OWNERS_WORD = f"whether it was right, {BY_OWNER}"
NO_OWNER = "an agent asks whether this was right, and it has no owner: its approvers may say"
_SHARE = re.compile(r"([0-9]{1,3})(?:\.([0-9]{1,2}))?%")


@dataclass(frozen=True)
class Asking:
    """What a policy says at its top: `share` of 10,000 outcomes are asked about, and in any hour an agent may
    ask `per_hour` times by itself.
    """

    share: int = 0
    per_hour: int = ASKS_PER_HOUR

    @classmethod
    def of(cls, said: Any) -> Asking:
        """`10%`, or an object with `outcomes` and `per_hour`; raises ValueError."""
        if not isinstance(said, dict):
            return cls(share(said))
        return cls(share(said.get("outcomes", "0%")), int(said.get("per_hour", ASKS_PER_HOUR)))


def share(said: str) -> int:
    """`10%` or `0.5%` → how many of 10,000; raises ValueError."""
    found = _SHARE.fullmatch(said)
    many = int(found[1]) * 100 + int((found[2] or "0").ljust(2, "0")) if found else WHOLE + 1
    if many > WHOLE:
        raise ValueError("write a share from 0% to 100%, such as 10% or 0.5%")
    return many


def of_result(request: ApprovalRequest, agent: str, policy: Policy, owner: str | None = None) -> Verdict:
    """The verdict on a request of kind `feedback`: the agent's owner is asked, or where it has none who may
    decide by default. Nothing runs by it. `owner` is the agent's as the server knows it, where the policy
    names none.
    """
    owner = policy.owner(agent) or owner
    named = (owner,) if owner else ()
    contents = policy.contents
    conversation = (contents.conversations.get("low") if contents else None) or policy.conversation
    return Verdict(
        effect="ask",
        approvers=policy.resolve(named),
        named=named,
        conversation=conversation,
        expires_in=OPEN_SECONDS,
        reversibility="reversible",
        reversibility_from="policy",
        risk="low",
        risk_from="policy",
        editable=(),
        why=OWNERS_WORD if owner else NO_OWNER,
        policy=policy.digest,
    )
