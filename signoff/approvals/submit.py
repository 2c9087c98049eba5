"""A request becomes an Approval, by the verdict of the policy in force."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict
from typing import Any

from sqlalchemy import Connection, Row, exc

from signoff.approvals import transitions
from signoff.approvals.receipts import Receipts, publish_settled
from signoff.approvals.verdicts import Judge, TooMuch, check
from signoff.errors import NOT_APPROVED, Duplicate, Invalid, Limited
from signoff.models import changes, crash, flood, store
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest, Response
from signoff.models.receipt import Receipt, Status
from signoff.models.store import Store
from signoff.queue.publisher import Publisher

log = logging.getLogger("signoff.approvals")

ENDS: dict[str, Status] = {"allow": "approved", "notify": "approved", "block": "blocked"}
"""Verdicts that need nobody, and what the request becomes."""
SHOWN = ("ask", "notify")
"""Verdicts that a card tells of."""


class Submitting:
    """The part of `signoff.approvals` that takes requests."""

    store: Store
    publisher: Publisher
    _receipts: Receipts
    judge: Judge
    _on_change: Callable[[str], None]

    def submit(self, agent: str, request: ApprovalRequest) -> Approval:
        """A request becomes an Approval; one that is there already stays as it is.

        Raises Invalid (the request is at fault), Duplicate (its key belongs to another request of the same
        content, or the same waits) or Limited; what was refused before is refused as then (Expired: a restore
        has lost it). RedisError and the database's errors pass.
        """
        check(request)
        standing = self.publisher.standing(agent, str(request.id))
        try:
            try:
                with self.store.transaction() as connection:
                    approval, new = self._submit(connection, agent, request, standing)
                    crash.here("submit.written")
            except exc.IntegrityError:  # another intake had the same entry, and was faster
                with self.store.transaction() as connection:
                    approval, new = self._submit(connection, agent, request, standing)
        except (Duplicate, Limited) as error:
            known = self.store.find(agent, str(request.id))
            if known:  # another intake had the same entry, and was faster: it is not held against itself
                return known
            if isinstance(error, TooMuch):
                flood.warn(self.store, agent, asdict(error.flooded), error.flooded.until)
                crash.here("submit.flooded")
            raise
        crash.here("submit.committed")
        if new:
            if approval.ended_at is not None:
                publish_settled(self.publisher, self.store, approval, approval.ended_at)
                crash.here("submit.settled")
            if approval.verdict.effect in SHOWN:
                self._on_change(approval.id)
            crash.here("submit.announced")
            log.info("submitted: id=%s agent=%s status=%s", approval.id, agent, approval.status)
        return approval

    def _submit(
        self, connection: Connection, agent: str, request: ApprovalRequest, standing: Response | None
    ) -> tuple[Approval, bool]:
        """The Approval, and whether it is new and nothing more is known of it than its request."""
        before = store.before(connection, agent, str(request.id))
        if before.approval_id:
            approval = store.load(connection, before.approval_id)
            assert approval is not None
            return approval, False
        receipt = self._receipts.read(standing, agent, str(request.id))
        if receipt and receipt.digest_sent is None:  # refused: its agent was told so, and may have gone on
            raise NOT_APPROVED[receipt.status](receipt.reason)
        transitions.check_key(connection, agent, request)
        if receipt and receipt.digest_sent is not None:
            return self._adopt(connection, agent, request, receipt, before), False
        verdict, owner = self.judge.judge(connection, agent, request)
        if not before.agent_known:
            changes.add_agent(connection, agent, owner, before.now)
        new, ends = transitions.new(agent, request, verdict, before), ENDS.get(verdict.effect)
        if ends is None:
            return transitions.create(connection, new), True
        return transitions.settle(connection, self._receipts, new, ends), True

    def _adopt(
        self,
        connection: Connection,
        agent: str,
        request: ApprovalRequest,
        receipt: Receipt,
        before: Row[Any],
    ) -> Approval:
        """The database was put back: what this request became is in no row, and holds for all that."""
        verdict = self.judge.evaluate(agent, request)
        if not before.agent_known:
            changes.add_agent(connection, agent, None, before.now)
        approval = transitions.create(connection, transitions.new(agent, request, verdict, before))
        if receipt.digest_sent != approval.digest_sent:
            raise Invalid("Its id was used by another request.")
        approval = transitions.adopt(connection, approval, receipt)
        changes.delivered(connection, approval.id, approval.revision)  # its card stands, and tells it
        return approval
