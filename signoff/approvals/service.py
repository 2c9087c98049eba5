"""The life of a request: submit, decide, expire, cancel, report. The only writer of state.

Each change is one transaction that moves the row only from the state it was seen in, appends to the audit
log and holds the signed receipt. *Then* the answer is published and `on_change` called; what fails there
is repeated by sweep, and never reaches the person who decided.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal

from signoff.approvals import audit, edits, epochs, transitions
from signoff.approvals.audit import Event, salted
from signoff.approvals.cards import Showing
from signoff.approvals.errors import AlreadyDecided, EditedMeanwhile, Restored, TimeRanOut, UnknownApproval
from signoff.approvals.receipts import Receipts, publish_now
from signoff.approvals.submit import Submitting
from signoff.approvals.verdicts import Judge
from signoff.models import changes, crash, people
from signoff.models.approval import Approval
from signoff.models.messages import Decision, Outcome
from signoff.models.receipt import Status
from signoff.models.store import Store
from signoff.models.verdict import Verdict
from signoff.policy.policy import Policy
from signoff.queue.publisher import Publisher

log = logging.getLogger("signoff.approvals")


class Approvals(Submitting, Showing):
    """Everything that changes a state goes through here.

    `policy` gives the policy in force. `on_change` is called with an approval's id after each visible
    change, and must not raise.
    """

    def __init__(
        self,
        store: Store,
        receipts: Receipts,
        publisher: Publisher,
        policy: Callable[[], Policy],
        directory: people.Directory,
        on_change: Callable[[str], None],
    ) -> None:
        self.store = store
        self.publisher = publisher
        self._receipts = receipts
        self.judge = Judge(policy, directory)
        self._directory = directory
        self._on_change = on_change

    def tell(self, approval: Approval) -> None:
        """Tell its agent where a request stands, once more where need be; raises RedisError."""
        if approval.pending:
            self.publisher.received(approval, self.store.clock())
        elif not self.publisher.published(approval):
            self.publisher.decided(approval, self.store.clock())
            crash.here("end.published")
            self.store.mark_published(approval.id)
            crash.here("end.marked")

    def refuse(self, agent: str, request_id: str, status: Status, reason: str) -> None:
        """Answer a request that never became an Approval; raises RedisError."""
        at = self.store.clock()
        self.publisher.refused(self._receipts.refuse(agent, request_id, status, reason, at=at), at)

    def find(self, agent: str, request_id: str) -> Approval | None:
        """The Approval of an agent's request; None where there is none."""
        return self.store.find(agent, request_id)

    def get(self, approval_id: str) -> Approval:
        """One Approval as it is now; raises UnknownApproval."""
        approval = self.store.get(approval_id)
        if approval is None:
            raise UnknownApproval
        return approval

    def may_decide(self, approval: Approval, user_id: str) -> people.Person:
        """The person, if they may decide on it now; raises NotAllowed."""
        return self.judge.may_decide(approval, user_id)

    def open_for(self, approval_id: str, version: int, user_id: str) -> tuple[Approval, people.Person]:
        """An Approval that this person may decide on now, at the version that they saw, and the person.

        Raises UnknownApproval, NotAllowed, Restored, TimeRanOut, AlreadyDecided or EditedMeanwhile.
        """
        found = self.store.look(approval_id)
        if found is None:
            raise UnknownApproval
        approval, now = found
        person = self.may_decide(approval, user_id)
        decision = approval.decision
        if approval.restored and approval.status in ("pending", "expired"):
            raise Restored
        if approval.status == "expired" or (approval.pending and approval.expires_at <= now):
            raise TimeRanOut(approval.expires_at)
        if not approval.pending:
            name, by_id = (decision.name, decision.approver) if decision else ("", "")
            raise AlreadyDecided(approval.status, name, by_id, approval.ended_at or 0)
        if approval.version != version:
            raise EditedMeanwhile
        return approval, person

    def waiting_for(self, user_id: str, about: str = "") -> list[str]:
        """The ids of all that this person may decide now, oldest first; of one agent or action `about`.

        Somebody who may not decide anything is given none; raises SlackUnavailable when Slack cannot say.
        """
        return self.judge.among(user_id, self.store.waiting(about))

    def decide(
        self,
        approval_id: str,
        version: int,
        user_id: str,
        vote: Literal["approve", "reject"],
        *,
        reason: str = "",
        resubmit: bool = False,
        payload: dict[str, Any] | None = None,
        permalink: str | None = None,
    ) -> Approval:
        """A person's vote on the `version` they saw; `payload` approves with these corrections.

        `permalink` is where they saw it: a click may be quicker than the note of where the card stands.

        Raises what `open_for` does, what `judge_edit` does, or Invalid (the corrections are). The database's
        errors pass: then nothing has changed.
        """
        approval, person = self.open_for(approval_id, version, user_id)
        corrected = edits.check_edit(approval, payload) if payload is not None else None
        judged = self.judge_edit(approval, corrected, user_id) if vote == "approve" else None
        crash.here("decide.checked")
        decision = Decision(
            vote=vote,
            approver=person.id,
            name=person.name,
            reason=reason.strip(),
            resubmit=resubmit,
            payload=corrected,
        )
        if permalink and approval.card and approval.card.permalink is None:
            approval = replace(approval, card=replace(approval.card, permalink=permalink))
        status: Status = "approved" if vote == "approve" else "rejected"
        why = decision.reason
        ended = self._end(approval, status, actor=person.id, reason=why, decision=decision, judged=judged)
        if ended is None:  # somebody was faster, or the time ran out: it says which
            self.open_for(approval_id, version, user_id)
            raise AlreadyDecided("decided")
        return ended

    def judge_edit(self, approval: Approval, payload: dict[str, Any] | None, user_id: str) -> Verdict:
        """The verdict under which this person approves; `payload` is the corrected one, if there is one.

        Raises BlockedNow, EditNotAllowed or Invalid.
        """
        if payload is not None:
            return self.judge.judge_edit(approval, payload, user_id)
        self.judge.check_approvable(approval)
        return approval.verdict

    def cancel(self, agent: str, request_id: str, reason: str = "") -> Approval | None:
        """Its agent withdraws a request; None where there is none. A decision that stands is kept."""
        approval = self.store.find(agent, request_id)
        if approval is None or not approval.pending:
            return approval
        ended = self._end(approval, "cancelled", actor=agent, reason=reason)
        return ended or self.store.get(approval.id)

    def expire(self, approval_id: str) -> Approval | None:
        """Nobody answered in time; None where it is not so."""
        return self._end(self.get(approval_id), "expired", actor="signoff")

    def close_restored(self, approval_id: str) -> Approval | None:
        """What a restore has closed ends: as its receipt in Redis says, else as expired.

        None where it has ended; raises RedisError: then it has not.
        """
        approval = self.get(approval_id)
        standing = self.publisher.standing(approval.agent, approval.request_id)
        receipt = self._receipts.read(standing, approval.agent, approval.request_id)
        if receipt is None or receipt.digest_sent != approval.digest_sent:
            return self._end(approval, "expired", actor="signoff", reason=epochs.CLOSED)
        try:
            with self.store.transaction() as connection:
                adopted = transitions.adopt(connection, approval, receipt)
                crash.here("adopt.written")
        except transitions.Moved:
            return None
        crash.here("adopt.committed")
        log.info("adopted: id=%s agent=%s status=%s", adopted.id, adopted.agent, adopted.status)
        self._on_change(adopted.id)
        crash.here("adopt.announced")
        return adopted

    def report(self, agent: str, request_id: str, outcome: Outcome) -> None:
        """What became of an approved action. The first report counts; others are passed over."""
        approval = self.store.find(agent, request_id)
        if approval is None:
            return
        with self.store.transaction() as connection:
            if not changes.report(connection, approval.id, outcome.model_dump_json()):
                return
            note = salted(changes.salt(connection, approval.id), outcome.note)
            data = {"succeeded": outcome.succeeded, "note": note}
            at = changes.clock(connection)
            if approval.card is None:
                changes.delivered(connection, approval.id, approval.revision + 1)
            audit.append(connection, Event("outcome", approval.id, at, agent, data))
            crash.here("report.written")
        crash.here("report.committed")
        self._on_change(approval.id)
        crash.here("report.announced")

    def _end(
        self,
        approval: Approval,
        status: Status,
        *,
        actor: str,
        reason: str = "",
        decision: Decision | None = None,
        judged: Verdict | None = None,
    ) -> Approval | None:
        """One transaction, then the answer and the card; None where the row had moved."""
        try:
            with self.store.transaction() as connection:
                ended = transitions.end(
                    connection,
                    self._receipts,
                    approval,
                    status,
                    actor=actor,
                    reason=reason,
                    decision=decision,
                    judged=judged,
                )
                crash.here("end.written")
        except transitions.Moved:
            return None
        crash.here("end.committed")
        assert ended.ended_at is not None
        publish_now(self.publisher, self.store, ended, ended.ended_at)
        log.info("%s: id=%s agent=%s by=%s", status, ended.id, ended.agent, actor)
        self._on_change(ended.id)
        crash.here("end.announced")
        return ended
