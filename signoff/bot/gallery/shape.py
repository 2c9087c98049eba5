"""A shape: what a well-known tool server is asked to do, with made-up data, and what became of it; pure."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

from signoff.bot.gallery.approval import BEGAN, SECOND
from signoff.bot.gallery.cards import Case, ended
from signoff.models.messages import Decision, Outcome

_AT = datetime.fromtimestamp(BEGAN / 1e6 + 38, UTC)
_REPORTED = BEGAN + 50 * SECOND


@dataclass(frozen=True)
class Shape:
    """`what` it is and what `decides`, a line each for the page that shows it; `end` is its decision."""

    what: str
    decides: str
    action: str
    payload: dict[str, Any]
    schema: dict[str, Any]
    reason: str
    verdict: dict[str, Any]
    end: dict[str, Any]
    agent: str = "ops-bot"
    claims: dict[str, Any] = field(default_factory=dict)
    summed_up: str = ""
    """The field whose value is long, and stands on the card as a summary alone: Review… shows it in full."""

    @property
    def before(self) -> Case:
        """While it waits."""
        fields = {"action": self.action, "schema": self.schema, "verdict": self.verdict, "agent": self.agent}
        return self.payload, {**fields, "reason": self.reason, **self.claims}

    @property
    def after(self) -> Case:
        """Once it is decided: what is left of the agent's words is in Details…."""
        payload, fields = self.before
        fields = {name: value for name, value in fields.items() if name != "reason"}
        return payload, {**fields, **self.end}


def done(note: str = "", **fields: Any) -> dict[str, Any]:
    """Approved, run and reported."""
    outcome = Outcome(succeeded=True, note=note)
    return ended("approved", decision=_vote(), outcome=outcome, outcome_at=_REPORTED) | fields


def failed(note: str) -> dict[str, Any]:
    return ended(
        "approved", decision=_vote(), outcome=Outcome(succeeded=False, note=note), outcome_at=_REPORTED
    )


def edited(payload: dict[str, Any], why: str, note: str = "") -> dict[str, Any]:
    """Approved with this payload in the place of the one that was sent, run and reported."""
    return done(note, decision=_vote(reason=why), payload_now=payload)


def rejected(why: str) -> dict[str, Any]:
    return ended("rejected", decision=_vote("reject", reason=why))


def sent_back(why: str) -> dict[str, Any]:
    return ended("rejected", decision=_vote("reject", reason=why, resubmit=True))


def expired() -> dict[str, Any]:
    return ended("expired", ended_at=BEGAN + 3600 * SECOND)


def _vote(answer: str = "approve", **fields: Any) -> Decision:
    return Decision(vote=answer, approver="U0ANA", name="Ana", at=_AT, **fields)  # type: ignore[arg-type]
