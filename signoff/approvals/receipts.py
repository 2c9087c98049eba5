"""How an Approval's end becomes a signed answer, and how answers reach Redis."""

from __future__ import annotations

import logging
from datetime import timedelta

from redis.exceptions import RedisError

from signoff.errors import NotVerified
from signoff.models import crash
from signoff.models.approval import Approval
from signoff.models.engine import OUTAGE as DATABASE_OUTAGE
from signoff.models.messages import Decision, Response, moment
from signoff.models.receipt import Decider, Receipt, Status
from signoff.models.store import Store
from signoff.payload.canonical import digest
from signoff.queue.publisher import Publisher
from signoff.receipts import Signer, accept, nonce, verify_keys

log = logging.getLogger("signoff.answers")


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


def publish_now(publisher: Publisher, store: Store, approval: Approval, now: int) -> bool:
    """Publish an ended Approval and note that it is; False when that failed, for sweep to repeat."""
    try:
        publisher.decided(approval, now)
        crash.here("end.published")
        store.mark_published(approval.id)
        crash.here("end.marked")
    except (RedisError, OSError, *DATABASE_OUTAGE) as error:
        log.warning("answer not published yet: id=%s %s", approval.id, type(error).__name__)
        return False
    return True


def publish_settled(publisher: Publisher, store: Store, approval: Approval, now: int) -> None:
    """Publish an Approval that was written as published; where that fails it no longer counts as such."""
    try:
        publisher.decided(approval, now)
    except (RedisError, OSError) as error:
        store.unpublish(approval.id)
        log.warning("answer not published yet: id=%s %s", approval.id, type(error).__name__)
