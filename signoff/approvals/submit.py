"""A request becomes an Approval, by the verdict of the policy in force."""

from __future__ import annotations

import logging
from dataclasses import asdict, replace

from sqlalchemy import Connection, exc

from signoff.approvals import sharing, transitions
from signoff.approvals.adoption import adopt
from signoff.approvals.announcer import Announcer
from signoff.approvals.endings import Endings
from signoff.approvals.kinds import kind_of
from signoff.approvals.limits import TooMuch
from signoff.approvals.receipts import Receipts
from signoff.approvals.verdicts import Deserted, Judge
from signoff.errors import NOT_APPROVED, Duplicate, Invalid, Limited
from signoff.models import changes, first_look, flood, spans, store
from signoff.models.approval import ASKED_ANEW, Approval, End
from signoff.models.messages import ApprovalRequest
from signoff.models.receipt import Receipt
from signoff.models.store import Store
from signoff.models.verdict import Effect
from signoff.queue.publisher import Publisher

log = logging.getLogger("signoff.approvals")

ENDS: dict[Effect, End | None] = {
    "allow": "approved",
    "notify": "approved",
    "block": "blocked",
    "ask": None,
}
"""What a verdict makes of a request at once; None where it waits for a person."""
SHOWN: frozenset[Effect] = frozenset(("ask", "notify"))
"""Verdicts that a card tells of."""


class Submission:
    """Takes requests, each once."""

    def __init__(
        self,
        store: Store,
        receipts: Receipts,
        publisher: Publisher,
        judge: Judge,
        announcer: Announcer,
        endings: Endings,
        channel: str,
    ) -> None:
        self._store = store
        self._receipts = receipts
        self._publisher = publisher
        self._judge = judge
        self._announcer = announcer
        self._endings = endings
        self._channel = channel

    def take(self, agent: str, request: ApprovalRequest) -> tuple[Approval, bool]:
        """The Approval of a request, and whether this made it; see `Approvals.submit`."""
        with spans.step("submit", agent, str(request.id), request.action, request.traceparent) as span:
            approval, new = self._take(agent, request)
            if span:
                span.set_attribute("signoff.status", approval.status)
            return approval, new

    def _take(self, agent: str, request: ApprovalRequest) -> tuple[Approval, bool]:
        if not request.commits(agent):
            raise Invalid("Its id is not the one of what it asks for: an id commits to that.")
        request = kind_of(request).check(request)
        standing = self._receipts.read(
            self._publisher.standing(agent, str(request.id)), agent, str(request.id)
        )
        try:
            approval, new = self._replacing(agent, request, standing)
        except (Duplicate, Limited) as error:
            known = self._store.find(agent, str(request.id))
            if known:  # another intake had the same entry, and was faster: it is not held against itself
                return known, False
            if isinstance(error, TooMuch):
                flood.warn(self._store, agent, asdict(error.flooded), error.flooded.until)
            raise
        if new:
            self._announce(approval)
        return approval, new

    def _replacing(
        self, agent: str, request: ApprovalRequest, standing: Receipt | None
    ) -> tuple[Approval, bool]:
        """As `_write`; the same that waits for nobody ends before, each in a transaction of its own.

        Whoever is asked about the new one cannot answer a run that is gone, and nobody who asks now is given
        the answer to another run.
        """
        while True:
            try:
                return self._write(agent, request, standing)
            except Deserted as found:
                for approval_id in found.ids:
                    before = self._store.get(approval_id)
                    if before and before.pending and before.left_at is not None:
                        self._endings.end(before, "cancelled", actor="signoff", reason=ASKED_ANEW)

    def _write(self, agent: str, request: ApprovalRequest, standing: Receipt | None) -> tuple[Approval, bool]:
        """The Approval, and whether it is new; `standing` is the receipt that its agent has already."""
        for again in (True, False):
            try:
                with self._store.transaction("submit") as connection:
                    return self._in_transaction(connection, agent, request, standing)
            except exc.IntegrityError:  # another intake had the same entry, and was faster
                if not again:
                    raise
        raise AssertionError("the second time it returns or raises")

    def _in_transaction(
        self, connection: Connection, agent: str, request: ApprovalRequest, standing: Receipt | None
    ) -> tuple[Approval, bool]:
        before = first_look.before(connection, agent, str(request.id))
        if before.approval_id:
            approval = store.load(connection, before.approval_id)
            assert approval is not None
            return approval, False
        if standing and standing.digest_sent is None:  # refused: its agent was told so, and may have gone on
            raise NOT_APPROVED[standing.status](standing.reason)
        transitions.check_key(connection, agent, request)
        if standing:
            verdict, owner = self._judge.evaluate(agent, request), None
        else:
            verdict, owner = self._judge.judge(connection, agent, request)
        if not before.agent_known:
            changes.add_agent(connection, agent, owner, before.now)
        draft = transitions.draft(agent, request, verdict, before, owner)
        draft = transitions.beside_others(connection, draft, before.code_taken)
        if standing:  # the database was put back: what became of it is in no row, and holds for all that
            return self._adopt(connection, draft, standing), False
        end = None if verdict.in_grace else ENDS[verdict.effect]
        if end is None:
            policy, at = self._judge.policy, before.now
            batch = sharing.join(connection, policy, agent, request, verdict, at)
            draft = replace(draft, approval=replace(draft.approval, batch_id=batch))
            return transitions.create(connection, draft, self._channel), True
        return transitions.create_ended(connection, self._receipts, draft, end, self._channel), True

    def _adopt(self, connection: Connection, draft: transitions.Draft, standing: Receipt) -> Approval:
        approval = adopt(connection, transitions.create(connection, draft, self._channel), standing)
        changes.note_delivered(connection, approval.id, approval.revision)  # its card stands, and tells it
        return approval

    def _announce(self, approval: Approval) -> None:
        if approval.ended_at is not None:
            self._announcer.publish_noted(approval, approval.ended_at)
        if approval.verdict.effect in SHOWN or approval.verdict.in_grace:
            self._announcer.wake("submit", approval.id)
        log.info("submitted: id=%s agent=%s status=%s", approval.id, approval.agent, approval.status)
