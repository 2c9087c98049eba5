"""An approved request is spent: one process may run it, and all that ask are told which."""

from __future__ import annotations

import logging
from dataclasses import replace

from signoff.approvals import audit
from signoff.approvals.announcer import Announcer
from signoff.approvals.audit import Event, salted
from signoff.approvals.receipts import Receipts
from signoff.models import changes
from signoff.models.approval import Approval
from signoff.models.messages import Response
from signoff.models.store import MICROSECONDS, Store
from signoff.queue.publisher import Publisher

log = logging.getLogger("signoff.approvals")

NOT_APPROVED = "No approval of this request is known here: ask again, under another key."


class Spending:
    """Spends *before* anything runs: a process that dies in between has not run it, and nobody else will."""

    def __init__(self, store: Store, receipts: Receipts, publisher: Publisher, announcer: Announcer) -> None:
        self._store = store
        self._receipts = receipts
        self._publisher = publisher
        self._announcer = announcer

    def spend(self, agent: str, request_id: str, by: str) -> None:
        """The process `by` wants to run a request: the first that asks may. All are told who that was.

        Where nothing was approved, a refusal is told instead. Raises RedisError: then it is asked again.
        """
        approval = self._store.find(agent, request_id)
        if approval is not None and approval.status == "approved" and not approval.has_run:
            self._spend(approval, by)
            approval = self._store.get(approval.id)
        if approval is None or approval.spent_at is None:
            self._refuse(agent, request_id, approval)
        else:
            self._publisher.publish_notice(agent, request_id, self._receipts.notice(approval))

    def _spend(self, approval: Approval, by: str) -> None:
        # A database that was put back may not know who has spent it; Redis does, and the notice is signed.
        told = self._publisher.notice(approval.agent, approval.request_id)
        notice = self._receipts.read_notice(told, approval)
        with self._store.transaction("spend") as connection:
            at = changes.clock(connection)
            who = notice.by if notice else by
            when = int(notice.at.timestamp() * MICROSECONDS) if notice else at
            if not changes.spend(connection, approval.id, who, when):
                return
            data = {"by": salted(changes.salt(connection, approval.id), who), "spent_at": when}
            audit.append(connection, Event("spend", approval.id, at, approval.agent, data))
        log.info("spent: id=%s agent=%s", approval.id, approval.agent)
        self._announcer.publish_noted(replace(approval, spent_by=who, spent_at=when), at)

    def _refuse(self, agent: str, request_id: str, approval: Approval | None) -> None:
        at = self._store.clock()
        if approval is not None and approval.has_run:  # reported, and never spent
            response = self._receipts.response(approval, at=at)
        else:
            receipt = self._receipts.refuse(agent, request_id, "invalid", NOT_APPROVED, at=at)
            response = Response(status=receipt.status, receipt=receipt.token)
        self._publisher.publish_notice(agent, request_id, response)
