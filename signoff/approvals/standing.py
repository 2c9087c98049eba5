"""The verdict that people decide by today; pure.

A request is judged when it comes, and again whenever somebody acts on it: by the policy in force then, over
the same facts. Judging again counts nothing in limits.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Sequence

from signoff.approvals.escalation import widened
from signoff.models.approval import Approval
from signoff.models.stops import STOPPED, Stop
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
        return policy.anew(asked).model_copy(update={"sums": today.sums})
    names = (
        "conversation",
        "thread",
        "expires_in",
        "held_by",
        *(("over",) if today.over and asked.over else ()),
    )
    kept = {name: getattr(asked, name) for name in names}
    return widened(today.model_copy(update=kept), asked.added, asked.escalated, policy)


def heeding(verdict: Verdict, stops: Sequence[Stop], policy: Policy) -> Verdict:
    """A verdict, as it is by the stops that cover what it is about."""
    standing = next((one for one in stops if one.stands), None)
    if standing is not None:
        return stopped(verdict, standing)
    return asking(verdict, stops[0], policy) if stops else verdict


def stopped(verdict: Verdict, stop: Stop) -> Verdict:
    """The verdict on what somebody has stopped: it is blocked, and counts in no limit."""
    update = {
        "effect": "block", "reason": stop.said, "why": f"{STOPPED}{stop.scope}", "rule": "",
        "sums": (), "over": "", "after": None, "undo": None, "require": (),
    }  # fmt: skip
    return verdict.model_copy(update=update)


def asking(verdict: Verdict, stop: Stop, policy: Policy) -> Verdict:
    """The verdict on what was stopped and is resumed in part: a person is asked, whatever the policy says."""
    if verdict.effect in ("ask", "block"):
        return verdict
    update = {
        "effect": "ask", "approvers": policy.resolve(verdict.named), "after": None, "undo": None,
        "why": f"{verdict.why}; {stop.scope} was stopped, and is resumed in part",
    }  # fmt: skip
    return verdict.model_copy(update=update)


def shown_of(verdict: Verdict) -> str:
    """A digest of what a card shows of a verdict: where it differs, the card tells what is no longer so."""
    seen = [
        sorted(verdict.approvers),
        [[seat.name, sorted(seat.people), seat.need] for seat in verdict.seats],
        verdict.reject,
        sorted(verdict.exclude),
        verdict.risk,
        verdict.risk_from,
        verdict.reversibility,
        verdict.reversibility_from,
        verdict.headline,
        verdict.over,
        verdict.editable,
    ]
    if verdict.asks_proof:
        seen.append(f"{verdict.second_factor} {verdict.in_session} {verdict.confirm}")
    return hashlib.sha256(json.dumps(seen, ensure_ascii=False).encode()).hexdigest()[:16]
