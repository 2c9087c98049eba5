"""The verdict that people decide by today; pure.

A request is judged when it comes, and again whenever somebody acts on it: by the policy in force then, over
the same facts. Judging again counts nothing in limits.
"""

from __future__ import annotations

import hashlib
import json

from signoff.models.approval import Approval
from signoff.models.verdict import Verdict
from signoff.policy.evaluate import evaluate
from signoff.policy.policy import Policy
from signoff.policy.questions import BY_OWNER


def standing(approval: Approval, policy: Policy) -> Verdict:
    """What a policy says today of a pending Approval.

    Where it asks, that verdict: its people decide, and nobody else. Where it would let it run, the one that
    it was asked under: what was asked about stays asked about, and whoever is in its groups today decides.
    Where it blocks, a verdict of `block`: nobody approves it. The card stays where it stands, and its time as
    it was. A question that its agent's owner was asked stays with them where the policy names nobody.

    What runs after a while goes on doing so by the rule of today, and never sooner than it was said to.
    """
    asked, request = approval.verdict, approval.request
    if approval.edited:
        request = request.model_copy(update={"payload": approval.payload})
    owner = asked.named[0] if asked.named and asked.why.endswith(BY_OWNER) else None
    today = evaluate(request, approval.agent, policy, owner=owner)
    if asked.in_grace and today.effect in ("allow", "notify"):
        after = max(asked.after or 0, today.after or 0)
        kept = {name: getattr(asked, name) for name in ("conversation", "thread", "expires_in", "undo")}
        if not today.in_grace:  # whoever could hold it still can
            kept |= {"named": asked.named, "approvers": policy.resolve(asked.named)}
        return today.model_copy(update=kept | {"effect": "allow", "after": after})
    if today.effect in ("allow", "notify"):
        return asked.model_copy(update={"approvers": policy.resolve(asked.named), "sums": today.sums})
    names = (
        "conversation",
        "thread",
        "expires_in",
        "held_by",
        *(("over",) if today.over and asked.over else ()),
    )
    kept = {name: getattr(asked, name) for name in names}
    return today.model_copy(update=kept)


def shown_of(verdict: Verdict) -> str:
    """A digest of what a card shows of a verdict: where it differs, the card tells what is no longer so."""
    seen = [
        sorted(verdict.approvers),
        verdict.risk,
        verdict.risk_from,
        verdict.reversibility,
        verdict.reversibility_from,
        verdict.headline,
        verdict.over,
        verdict.editable,
    ]
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False).encode()).hexdigest()[:16]
