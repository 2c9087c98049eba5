"""What has to be so: of one request, of a new one beside others, and of a click."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from machine.rules import Rules

from signoff.approvals.errors import (
    AlreadyDecided,
    BlockedNow,
    EditedMeanwhile,
    NotAllowed,
    TimeRanOut,
)
from signoff.models.messages import ApprovalRequest

REFUSALS = ("duplicate", "invalid", "limited")
"""What becomes of a request that is in no row."""


@dataclass(eq=False)
class Request:
    """What has to be so of one request. `revision` is the last that was seen, `receipt` the first.

    `rule` and `policy` (its digest) are those of the verdict by which it ended, or waits. One without an
    `approval_id` was refused, and is in no row.
    """

    sent: ApprovalRequest
    approval_id: str = ""
    status: str = "pending"
    answer: str = "ask"
    rule: str = ""
    policy: str = ""
    version: int = 1
    payload: dict[str, Any] = field(default_factory=dict)
    approver: str = ""
    ran_out: bool = False
    left: bool = False
    reported: bool = False
    revision: int = 1
    receipt: str | None = None

    @property
    def waits(self) -> bool:
        return self.status == "pending" and not self.ran_out

    def ends(self, status: str, approver: str = "") -> None:
        self.status, self.approver = status, approver
        self.revision += 1


def expected(request: Request, known: list[Request], rules: Rules) -> str:
    """What becomes of a new request, beside those that are known."""
    sent, answer = request.sent, request.answer
    if any(sent.key and one.sent.key == sent.key for one in known):  # of other content, or it had its id
        return "invalid"
    if answer != "ask":
        return "blocked" if answer == "block" else "approved"
    waiting = [one for one in known if one.waits]
    same = doubles(request, known) if rules.pending else []
    if any(not one.left for one in same):
        return "duplicate"
    return "limited" if rules.pending and len(waiting) - len(same) >= rules.pending else "pending"


def doubles(request: Request, known: list[Request]) -> list[Request]:
    """What waits for the same. Where all of that has been left, a new request takes its place."""
    return [one for one in known if one.waits and one.sent.payload == request.sent.payload]


def standing(request: Request, rules: Rules) -> tuple[str, str, str]:
    """(answer, rule, policy) by which people decide: today's where that asks or blocks, else its own."""
    answer, rule = rules.verdict(request.payload["amount"])
    if answer in ("allow", "notify"):
        return "ask", request.rule, request.policy
    return answer, rule, rules.policy.digest


def refusal(request: Request, version: int, user: str, rules: Rules) -> type[Exception] | None:
    """Why a click comes to nothing, whatever it says. What today's policy blocks ends so, whoever clicks."""
    answer, rule, _ = standing(request, rules) if request.waits else ("ask", request.rule, "")
    if answer == "block":
        return BlockedNow
    if user not in rules.members(rules.group(rule)):
        return NotAllowed
    if request.status == "expired" or (request.status == "pending" and request.ran_out):
        return TimeRanOut
    if request.status != "pending":
        return AlreadyDecided
    return None if version == request.version else EditedMeanwhile


def refused_by_policy(request: Request, payload: dict[str, Any], rules: Rules) -> type[Exception] | None:
    """Why a payload cannot be approved."""
    return BlockedNow if rules.verdict(payload["amount"])[0] == "block" else None


def is_handed_over(request: Request, user: str, payload: dict[str, Any], rules: Rules) -> bool:
    """Whether others decide on an edit: it comes under a rule whose people this person is none of."""
    answer, rule = rules.verdict(payload["amount"])
    group = rules.group(rule) if answer == "ask" and payload != request.payload else ""
    return bool(group) and user not in rules.members(group)
