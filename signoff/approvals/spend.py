"""An approved request is spent: one process may run it, and all that ask are told which."""

from __future__ import annotations

import logging

from sqlalchemy import Connection

from signoff.approvals import audit, offers, records
from signoff.approvals.announcer import Announcer
from signoff.approvals.audit import Event, salted
from signoff.approvals.receipts import Receipts
from signoff.models import batch_rows, changes, stop_rows
from signoff.models.approval import Approval
from signoff.models.messages import Response
from signoff.models.stops import Stop
from signoff.models.store import MICROSECONDS, Store
from signoff.queue.publisher import Publisher

log = logging.getLogger("signoff.approvals")

BEFORE = "somebody, before the database was put back"
"""Who has spent what a restored row does not know of."""
NOT_APPROVED = "No approval of this request is known here: ask again, under another key."


class Void(Exception):
    """It was approved before somebody stopped it: nothing runs by that."""

    def __init__(self, stop: Stop) -> None:
        super().__init__(stop.id)
        self.stop = stop


class Spending:
    """Spends *before* anything runs: a process that dies in between has not run it, and nobody else will."""

    def __init__(self, store: Store, receipts: Receipts, publisher: Publisher, announcer: Announcer) -> None:
        self._store = store
        self._receipts = receipts
        self._publisher = publisher
        self._announcer = announcer

    def spend(self, agent: str, request_id: str, by: str) -> Response:
        """The process `by` wants to run a request: the first that asks may. All are told who that was.

        What they are told: a notice, or a refusal where nothing was approved. Raises RedisError: then it is
        asked again.
        """
        approval = self._store.find(agent, request_id)
        if approval is not None and not self._receipts.holds(approval):
            approval = None  # its time is over: nothing runs by it any more
        if approval is not None and not approval.has_run:
            approval = self.take_up(approval, self._publisher.standing(agent, request_id))
            if not approval.has_run:
                try:
                    approval = self._note(approval, by, unless_stopped=True)
                except Void as error:
                    return self._stopped(approval, error.stop)
                log.info("spent: id=%s agent=%s", approval.id, agent)
            self._announcer.publish_noted(approval, self._store.clock())
        if approval is None or approval.spent_at is None:
            told = self._refusal(agent, request_id, approval)
        else:
            told = self._receipts.notice(approval)
        self._publisher.publish_notice(agent, request_id, told)
        return told

    def take_up(self, approval: Approval, standing: Response | None) -> Approval:
        """The Approval, noted as run where Redis says so in our own words, and its row does not.

        A database that was put back may be from before somebody has run it. `standing` is what its agent was
        told last; a notice of who has spent it says more.
        """
        if approval.status != "approved" or approval.has_run:
            return approval
        told = self._publisher.notice(approval.agent, approval.request_id)
        notice = self._receipts.read_notice(told, approval)
        if notice is not None:
            return self._note(approval, notice.by, int(notice.at.timestamp() * MICROSECONDS))
        with self._store.reading() as connection:
            logged = records.has_run(connection, approval)
        if logged or self._receipts.says_run(standing, approval):
            return self._note(approval, BEFORE)
        return approval

    def _stopped(self, approval: Approval, stop: Stop) -> Response:
        told = self._receipts.stopped(approval, stop, at=self._store.clock())
        self._publisher.publish_notice(approval.agent, approval.request_id, told)
        log.info("not spent, as it is stopped: id=%s agent=%s", approval.id, approval.agent)
        return told

    def _note(
        self, approval: Approval, by: str, when: int | None = None, *, unless_stopped: bool = False
    ) -> Approval:
        """The Approval as spent: by this process, or by whoever was faster; raises Void."""
        with self._store.transaction("spend") as connection:
            if unless_stopped and (stop := voided(connection, approval)):
                raise Void(stop)
            if approval.batch_id is not None:
                batch_rows.stir(connection, approval.batch_id)
            at = changes.clock(connection)
            if changes.spend(connection, approval.id, by, when or at):
                data = {"by": salted(changes.salt(connection, approval.id), by), "spent_at": when or at}
                offers.spent(connection, approval)
                audit.append(connection, Event("spend", approval.id, at, approval.agent, data))
        found = self._store.get(approval.id)
        assert found is not None
        if found.undoes:
            self._announcer.wake("spend", found.undoes)
        return found

    def _refusal(self, agent: str, request_id: str, approval: Approval | None) -> Response:
        at = self._store.clock()
        if approval is not None and approval.has_run:  # reported, and never spent
            return self._receipts.response(approval, at=at)
        receipt = self._receipts.refuse(agent, request_id, "invalid", NOT_APPROVED, at=at)
        return Response(status=receipt.status, receipt=receipt.token)


def voided(connection: Connection, approval: Approval) -> Stop | None:
    """The stop for which nothing runs by this Approval's receipt."""
    undo, at = approval.undoes is not None, approval.ended_at or 0
    return stop_rows.voiding(connection, approval.agent, approval.action, at, undo=undo)
