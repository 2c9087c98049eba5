"""How an Approval's end becomes a signed answer, and how answers reach Redis."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from datetime import timedelta

from redis.exceptions import RedisError

from signoff import crash
from signoff.canonical import digest
from signoff.errors import Invalid, NotVerified
from signoff.models.approval import Approval
from signoff.models.engine import OUTAGE as DATABASE_OUTAGE
from signoff.models.messages import Answer, Decider, Decision, Receipt, Status, moment
from signoff.models.store import MICROSECONDS, Store
from signoff.queue import stream
from signoff.receipts import Signer, accept, nonce, verify_keys

log = logging.getLogger("signoff.answers")

PENDING_GRACE = 24 * 3600
"""Seconds that `received` outlives a request's time, in case nobody is there to expire it."""


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

    def read(self, answer: Answer | None, agent: str, request_id: str) -> Receipt | None:
        """The receipt in an answer that Redis holds, where it is ours, for this request, and still valid."""
        if answer is None or answer.receipt is None:
            return None
        try:
            return accept(answer, self._keys, agent=agent, request_id=request_id)
        except NotVerified:  # whoever can write to Redis may have put it there
            return None

    def _sign(self, receipt: Receipt) -> Receipt:
        return receipt.model_copy(update={"token": self._signer.sign(receipt)})


class Publisher:
    """Puts answers into Redis. Its client gives up after 0.5 s: sweep repeats what failed."""

    def __init__(self, client: stream.Redis, lifetime: timedelta) -> None:
        self._redis = client
        self._seconds = int(lifetime.total_seconds())

    def received(self, approval: Approval, now: int) -> None:
        """Mark a pending request as received; raises RedisError."""
        answer = Answer(status="pending", action=approval.action, expires_at=approval.expires_at)
        seconds = (approval.expires_at - now) // MICROSECONDS + PENDING_GRACE
        stream.mark_received(self._redis, approval.agent, approval.request_id, answer, max(seconds, 60))

    def decided(self, approval: Approval, now: int) -> None:
        """Publish the answer of an Approval that has ended; raises RedisError."""
        answer = Answer(
            status=approval.status,
            receipt=approval.receipt,
            payload=approval.payload_text if approval.status == "approved" else None,
            permalink=approval.card.permalink if approval.card else None,
        )
        self._put(approval.agent, approval.request_id, answer, now)

    def refused(self, receipt: Receipt, now: int) -> None:
        """Publish a refusal, but where an answer stands already: a request has one answer."""
        standing = self.standing(receipt.agent, receipt.id)
        if standing is None or standing.status == "pending":
            self._put(receipt.agent, receipt.id, Answer(status=receipt.status, receipt=receipt.token), now)

    def published(self, approval: Approval) -> bool:
        """Whether Redis has this Approval's final answer."""
        standing = self.standing(approval.agent, approval.request_id)
        return standing is not None and standing.receipt == approval.receipt

    def standing(self, agent: str, request_id: str) -> Answer | None:
        """What Redis holds for a request, whoever put it there; raises RedisError."""
        try:
            return stream.published(self._redis, agent, request_id)
        except Invalid:
            return None

    def received_by_nobody(self, known: Callable[[str, str], bool]) -> Iterator[tuple[str, str]]:
        """(agent, request id) of what Redis has as received and is in no row; raises RedisError."""
        for agent, request_id in stream.answered(self._redis):
            answer = self.standing(agent, request_id)
            if answer is not None and answer.status == "pending" and not known(agent, request_id):
                yield agent, request_id

    def lost(self) -> str | None:
        """The run of a Redis that may have lost answers (restarted, emptied, replaced), else None."""
        run = stream.run_id(self._redis)
        return None if stream.known_run(self._redis) == run else run

    def recovered(self, run: str) -> None:
        """What that run lost is marked, to be published anew."""
        stream.remember_run(self._redis, run)

    def _put(self, agent: str, request_id: str, answer: Answer, now: int) -> None:
        trim_before = now // 1000 - self._seconds * 1000
        stream.publish(self._redis, agent, request_id, answer, self._seconds, trim_before)


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
