"""Approvals as enforcement points carry them: what they are given, and what it is worth when it comes back.

An approval holds for exactly the tuple that was approved, for the agent that asked, until its time is over,
and as long as nobody has run it. The row says so, each time; the signed `state` only proves that we gave it.
"""

from __future__ import annotations

import re
from datetime import datetime
from typing import Any, Literal

from signoff.approvals.service import Approvals
from signoff.errors import NotVerified
from signoff.models.approval import Approval
from signoff.models.store import MICROSECONDS
from signoff.signatures import APPROVAL, Signer, open_sealed, verify_keys
from signoff.web.authzen.denials import rfc3339
from signoff.web.authzen.tuples import Tuple, approved, is_in_scope, is_ours

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
Worth = Literal["", "approval_expired", "out_of_scope", "grant_pending", "approval_unverifiable"]
"""Empty where it holds, else the profile's reason why it does not."""


class Grants:
    """Gives approvals, and tells what one is worth that is brought back."""

    def __init__(self, approvals: Approvals, signer: Signer, issuer: str) -> None:
        self._approvals = approvals
        self._signer = signer
        self._keys = verify_keys(signer.verify_key)
        self._issuer = issuer

    def give(self, approval: Approval) -> dict[str, Any]:
        """The profile's `approval` of what was approved; the same each time."""
        assert approval.ended_at is not None
        ends = until(approval)
        claims = {
            "iss": self._issuer,
            "aud": self._issuer,
            "sub": approval.agent,
            "iat": approval.ended_at // MICROSECONDS,
            "exp": ends // MICROSECONDS,
            "approval_id": approval.request_id,
            "binding_context_members": [],
            "binding_hash": approved(approval).hash,
        }
        return {
            "id": approval.request_id,
            "approved_at": rfc3339(approval.ended_at),
            "approved_until": rfc3339(ends),
            "state": self._signer.seal(APPROVAL, claims),
        }

    def look(self, agent: str, asked: Tuple, brought: Any, now: int) -> tuple[Worth, Approval | None]:
        """What a `context.approval` is worth for this agent and tuple at `now`; raises RedisError."""
        found = self._find(agent, brought)
        if found is None:
            return "approval_unverifiable", None
        if found.pending:
            return ("grant_pending" if is_in_scope(asked, found) else "out_of_scope"), found
        # What Redis knows of a run that a restored row does not counts, too.
        if found.status != "approved":
            return "approval_unverifiable", found
        stopped = self._approvals.stopping.void(found) is not None
        if now >= until(found) or stopped or self._approvals.response(found).status != "approved":
            return "approval_expired", found
        return ("" if is_in_scope(asked, found) else "out_of_scope"), found

    def _find(self, agent: str, brought: Any) -> Approval | None:
        if not isinstance(brought, dict) or not isinstance(named := brought.get("id"), str):
            return None
        found = self._approvals.find(agent, named) if ID.fullmatch(named) else None
        if found is None or not is_ours(found) or not self._fits(found, brought):
            return None
        return found

    def _fits(self, approval: Approval, brought: dict[str, Any]) -> bool:
        """Whether the signed state, where it is brought, is this approval's: its time is the row's to say."""
        if "state" not in brought:
            return True
        state = brought["state"]
        try:
            claims = open_sealed(
                state if isinstance(state, str) else "", self._keys, APPROVAL, issuer=self._issuer,
                audience=self._issuer, required=("iss", "aud", "sub", "exp"), over=True,
            )  # fmt: skip
        except NotVerified:
            return False
        return claims["sub"] == approval.agent and claims.get("approval_id") == approval.request_id


def until(approval: Approval) -> int:
    """Until when an approval holds, in microseconds: as long as its receipt, or shorter, as was asked for."""
    ends = approval.receipt_expires_at or 0
    wished = wish(approval.request.context.get("requested_access"))
    return ends if wished is None else min(ends, wished)


def wish(requested_access: Any) -> int | None:
    """`requested_until`, in microseconds; None where nothing was said, or what is no time with a zone."""
    said = requested_access.get("requested_until") if isinstance(requested_access, dict) else None
    try:
        found = datetime.fromisoformat(said) if isinstance(said, str) else None
        return int(found.timestamp() * MICROSECONDS) if found and found.tzinfo else None
    except (ValueError, OverflowError):
        return None
