"""The life of a request: submit, decide, expire, cancel, report. The only writer of state.

Each change is one transaction that moves the row only from the state it was seen in, appends to the audit
log and holds the signed receipt. *Then* the answer is published and `on_change` called; what fails there
is repeated by sweep, and never reaches the person who decided.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import asdict, replace
from typing import Any, Literal

from sqlalchemy import Connection, exc

from signoff import audit, editing, people, transitions
from signoff.answers import Publisher, Receipts, publish_now, publish_settled
from signoff.audit import Event, salted
from signoff.errors import (
    AlreadyDecided,
    EditedMeanwhile,
    NotAllowed,
    TimeRanOut,
    UnknownApproval,
)
from signoff.judging import Judge, TooMuch, check
from signoff.models import changes, flood, store
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest, Decision, Outcome, Status
from signoff.models.store import Store
from signoff.policy import Policy, Verdict

log = logging.getLogger("signoff.approvals")

ENDS: dict[str, Status] = {"allow": "approved", "notify": "approved", "block": "blocked"}
"""Verdicts that need nobody, and what the request becomes."""
SHOWN = ("ask", "notify")
"""Verdicts that a card tells of."""


class Approvals:
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

    def submit(self, agent: str, request: ApprovalRequest) -> Approval:
        """A request becomes an Approval; one that is there already stays as it is.

        Raises Invalid (the request is at fault), Duplicate (its key belongs to another request of the same
        content, or the same waits) or Limited; the database's errors pass.
        """
        check(request)
        try:
            try:
                with self.store.transaction() as connection:
                    approval, new = self._submit(connection, agent, request)
            except exc.IntegrityError:  # another intake had the same entry, and was faster
                with self.store.transaction() as connection:
                    approval, new = self._submit(connection, agent, request)
        except TooMuch as error:
            flood.notice(self.store, agent, asdict(error.flooded), error.flooded.until)
            raise
        if new:
            if approval.ended_at is not None:
                publish_settled(self.publisher, self.store, approval, approval.ended_at)
            if approval.verdict.answer in SHOWN:
                self._on_change(approval.id)
            log.info("submitted: id=%s agent=%s status=%s", approval.id, agent, approval.status)
        return approval

    def answer(self, approval: Approval) -> None:
        """Tell its agent where a request stands, once more where need be; raises RedisError."""
        if approval.pending:
            self.publisher.received(approval, self.store.clock())
        elif not self.publisher.published(approval):
            self.publisher.decided(approval, self.store.clock())
            self.store.mark_published(approval.id)

    def refuse(self, agent: str, request_id: str, status: Status, reason: str) -> None:
        """Answer a request that never became an Approval; raises RedisError."""
        at = self.store.clock()
        self.publisher.refused(self._receipts.refuse(agent, request_id, status, reason, at=at), at)

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

        Raises UnknownApproval, NotAllowed, TimeRanOut, AlreadyDecided or EditedMeanwhile.
        """
        found = self.store.look(approval_id)
        if found is None:
            raise UnknownApproval
        approval, now = found
        person = self.may_decide(approval, user_id)
        decision = approval.decision
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
        found = []
        may: dict[tuple[str, ...], bool] = {}
        for approval_id, named in self.store.waiting(about):
            approvers = self.judge.resolve(named)
            if approvers not in may:
                try:
                    people.may_decide(user_id, approvers, self._directory)
                    may[approvers] = True
                except NotAllowed:
                    may[approvers] = False
            if may[approvers]:
                found.append(approval_id)
        return found

    def decide(
        self,
        approval_id: str,
        version: int,
        user_id: str,
        answer: Literal["approve", "reject"],
        *,
        reason: str = "",
        resubmit: bool = False,
        payload: dict[str, Any] | None = None,
        permalink: str | None = None,
    ) -> Approval:
        """A person's answer to the `version` they saw; `payload` approves with these corrections.

        `permalink` is where they saw it: a click may be quicker than the note of where the card stands.

        Raises what `open_for` does, what `judge_edit` does, or Invalid (the corrections are). The database's
        errors pass: then nothing has changed.
        """
        approval, person = self.open_for(approval_id, version, user_id)
        corrected = editing.check_edit(approval, payload) if payload is not None else None
        judged = self.judge_edit(approval, corrected, user_id) if answer == "approve" else None
        decision = Decision(
            answer=answer,
            approver=person.id,
            name=person.name,
            reason=reason.strip(),
            resubmit=resubmit,
            payload=corrected,
        )
        if permalink and approval.card and approval.card.permalink is None:
            approval = replace(approval, card=replace(approval.card, permalink=permalink))
        status: Status = "approved" if answer == "approve" else "rejected"
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
            audit.append(connection, Event("outcome", approval.id, at, agent, data))
        self._on_change(approval.id)

    def shown(
        self,
        approval: Approval,
        channel: str,
        ts: str,
        permalink: str | None,
        rendered: str,
        thread_ts: str | None = None,
    ) -> None:
        """A card stands in Slack, maybe in a thread, at this revision; `rendered` is what was sent."""
        assert approval.card is not None
        with self.store.transaction() as connection:
            values = {
                "card_id": approval.card.id,
                "to_channel": channel,
                "to_ts": ts,
                "to_thread": thread_ts,
                "link": permalink,
                "revision": approval.revision,
            }
            changes.shown(connection, approval.id, values)
            digest = salted(changes.salt(connection, approval.id), rendered)
            data = {"channel": channel, "ts": ts, "revision": approval.revision, "rendered": digest}
            at = changes.clock(connection)
            audit.append(connection, Event("shown", approval.id, at, "signoff", data))

    def logged(self, approval: Approval, ts: str) -> None:
        """A card's log reply stands, and shows this revision."""
        assert approval.card is not None
        with self.store.transaction() as connection:
            changes.logged(connection, approval.card.id, ts, approval.revision)

    def delivered(self, approval: Approval) -> None:
        """All that shows it is at this revision."""
        card = approval.card
        with self.store.transaction() as connection:
            changes.delivered(connection, approval.id, approval.revision)
            if card and card.channel and card.thread_ts:
                changes.stirred(connection, card.channel, card.thread_ts)

    def cannot_show(self, approval_id: str, fault: str) -> bool:
        """Slack refuses its card; True where no other card waits for the same fault to be mended."""
        with self.store.transaction() as connection:
            return changes.fault(connection, approval_id, fault)

    def _submit(self, connection: Connection, agent: str, request: ApprovalRequest) -> tuple[Approval, bool]:
        known = store.find(connection, agent, str(request.id))
        if known:
            approval = store.load(connection, known)
            assert approval is not None
            return approval, False
        verdict, owner = self.judge.judge(connection, agent, request)
        ends = ENDS.get(verdict.answer)
        if ends is None:
            return transitions.create(connection, agent, request, verdict, owner), True
        return transitions.settle(connection, self._receipts, agent, request, verdict, ends, owner), True

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
        except transitions.Moved:
            return None
        assert ended.ended_at is not None
        publish_now(self.publisher, self.store, ended, ended.ended_at)
        log.info("%s: id=%s agent=%s by=%s", status, ended.id, ended.agent, actor)
        self._on_change(ended.id)
        return ended
