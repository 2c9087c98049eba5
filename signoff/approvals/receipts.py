"""How an Approval's end becomes a signed receipt."""

from __future__ import annotations

from datetime import timedelta

from signoff.errors import NotVerified
from signoff.models.approval import Approval
from signoff.models.messages import Decision, Response, moment
from signoff.models.receipt import Decider, Receipt, Status
from signoff.payload.canonical import digest
from signoff.receipts import Signer, accept, nonce, verify_keys


class Receipts:
    """Signs. A receipt is valid for `hours` from the decision on."""

    def __init__(self, signer: Signer, hours: float) -> None:
        self._signer = signer
        self._keys = verify_keys(signer.verify_key)
        self.lifetime = timedelta(hours=hours)

    def end(
        self,
        approval: Approval,
        status: Status,
        *,
        at: int,
        reason: str = "",
        decision: Decision | None = None,
    ) -> Receipt:
        """The receipt of an Approval that ends now, `at` (microseconds), with its payload."""
        decider = None
        if decision:
            decider = Decider(
                id=decision.approver,
                name=decision.name,
                at=moment(at),
                second_factor=decision.second_factor,
            )
        return self._sign(
            Receipt(
                id=approval.request_id,
                agent=approval.agent,
                action=approval.action,
                status=status,
                version=approval.version,
                digest_sent=approval.digest_sent,
                digest=digest(approval.payload_text),
                decided_by=decider,
                reason=reason,
                resubmit=bool(decision and decision.resubmit),
                never_shown=status == "expired" and approval.shown_at is None,
                policy=approval.verdict.policy,
                rule=approval.verdict.rule,
                why=approval.verdict.why,
                nonce=nonce(),
                issued_at=moment(at),
                not_after=moment(at) + self.lifetime,
            )
        )

    def refuse(self, agent: str, request_id: str, status: Status, reason: str, *, at: int) -> Receipt:
        """The receipt of a request that never became an Approval."""
        return self._sign(
            Receipt(
                id=request_id,
                agent=agent,
                action="",
                status=status,
                reason=reason,
                nonce=nonce(),
                issued_at=moment(at),
                not_after=moment(at) + self.lifetime,
            )
        )

    def read(self, response: Response | None, agent: str, request_id: str) -> Receipt | None:
        """The receipt in an answer that Redis holds, where it is ours, for this request, and still valid."""
        if response is None or response.receipt is None:
            return None
        try:
            return accept(response, self._keys, agent=agent, request_id=request_id)
        except NotVerified:  # whoever can write to Redis may have put it there
            return None

    def _sign(self, receipt: Receipt) -> Receipt:
        return receipt.model_copy(update={"token": self._signer.sign(receipt)})
