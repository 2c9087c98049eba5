"""What lines say of a verdict and of a vote: the policy's and our own words plainly, all else salted."""

from __future__ import annotations

from typing import Any

from signoff.approvals.audit.log import salted
from signoff.models.messages import Decision
from signoff.models.verdict import Verdict
from signoff.payload.canonical import canonical

PLAIN = frozenset(
    (
        "effect",
        "rule",
        "why",
        "approvers",
        "named",
        "conversation",
        "risk",
        "risk_from",
        "reversibility",
        "reversibility_from",
        "policy",
        "expires_in",
        "editable",
        "require",
    )
)
"""Of a verdict: what comes from the policy's file. The rest may repeat the payload, and is salted."""
RENAMED = {"answer": "effect", "channel": "conversation", "thread_ts": "thread"}
"""What lines of before called parts of a verdict; lines stay as they were written."""


def judged(verdict: Verdict, salt: str) -> dict[str, Any]:
    """A verdict, whole: each of its fields plainly or as a salted digest."""
    fields = verdict.model_dump(mode="json")
    return {name: value if name in PLAIN else digest(salt, value) for name, value in fields.items()}


def voted(decision: Decision, salt: str) -> dict[str, Any]:
    """A vote; who voted is the line's actor."""
    return {
        "vote": decision.vote,
        "reason": salted(salt, decision.reason),
        "name": salted(salt, decision.name),
        "resubmit": decision.resubmit,
        "second_factor": decision.second_factor,
    }


def digest(salt: str, value: Any) -> str:
    """A salted digest of any JSON value."""
    return salted(salt, canonical(value))


def optional(salt: str, text: str | None) -> str | None:
    """A salted digest of a text that may be missing."""
    return None if text is None else salted(salt, text)
