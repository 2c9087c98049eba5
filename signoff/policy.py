"""The policy's answer to a request; pure.

There is no policy file yet: every request is asked about, in one channel, of one list of approvers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any, Literal

from signoff.canonical import canonical, digest
from signoff.models.messages import ApprovalRequest, Reversibility, Risk, Wire

_ID = re.compile(r"[CDG][A-Z0-9]{1,40}")
_THREAD = re.compile(r"([CDG][A-Z0-9]{1,40}):([0-9]{10,12}\.[0-9]{6})")
"""A wish for a thread: the channel's id, and the ts of the thread's first message."""
RISKS: tuple[Risk, ...] = ("low", "medium", "high", "critical")
UNMAPPED_RISK: Risk = "high"
"""What an action counts as that no policy has mapped (design: Trust)."""


class Verdict(Wire):
    """Whether a request runs, is asked about or blocked; by whom, where, and for how long.

    `approvers` holds Slack user ids, user-group ids, or `members`; `expires_in` is in seconds.
    `…_from` says whose word a value is: the policy's, the agent's claim, or nobody's. `thread_ts` is a
    thread of `channel` that the card appears in, where the agent wished for one and it was granted.
    """

    answer: Literal["allow", "notify", "ask", "block"]
    approvers: tuple[str, ...]
    channel: str
    expires_in: int
    reversibility: Reversibility
    reversibility_from: Literal["policy", "agent", "nobody"]
    risk: Risk
    risk_from: Literal["policy", "agent", "nobody"]
    thread_ts: str | None = None
    headline: str | None = None
    reason: str = ""
    policy: str = ""


@dataclass(frozen=True)
class Policy:
    """Ask `approvers` in `channel` about everything."""

    approvers: tuple[str, ...]
    channel: str

    @property
    def digest(self) -> str:
        """Names this policy in receipts, so that a decision can be traced to the rules of its day."""
        values: dict[str, Any] = {"approvers": sorted(self.approvers), "channel": self.channel}
        return digest(canonical(values, "policy"))[:16]


def evaluate(request: ApprovalRequest, policy: Policy) -> Verdict:
    """Request → verdict.

    With no policy that maps the action its risk is high, and a claim can only raise it. Whether it can be
    undone is the agent's word, and the verdict says so; with no word it counts as irreversible.
    """
    claimed = request.risk or UNMAPPED_RISK
    raised = RISKS.index(claimed) > RISKS.index(UNMAPPED_RISK)
    return Verdict(
        answer="ask",
        approvers=policy.approvers,
        channel=policy.channel,
        thread_ts=_thread(request.channel, policy.channel),
        expires_in=request.expires_in,
        reversibility=request.reversibility or "irreversible",
        reversibility_from="agent" if request.reversibility else "nobody",
        risk=claimed if raised else UNMAPPED_RISK,
        risk_from="agent" if raised else "nobody",
        policy=policy.digest,
    )


def _thread(wish: str | None, channel: str) -> str | None:
    """The thread that an agent wishes for, where it is one of the policy's channel; ids are compared.

    Any other wish is passed over: in another channel nobody who may decide would be sure to see the card.
    A policy that names its channel by name leaves the comparison to Slack: the card is posted there, and a
    thread of another channel is none of its own.
    """
    named = _THREAD.fullmatch(wish or "")
    same = named is not None and (named[1] == channel or not _ID.fullmatch(channel))
    return named[2] if named and same else None
