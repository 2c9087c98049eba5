"""Undoing what the policy let run and reported: an approval of its own, given by the click that asks for it.

What undoes it is the policy's word, as it was when that let it run. Who may undo: those whom the rule names,
or the default approvers, or the agent's owner. Today's policy judges the undo, too: what it blocks nobody
undoes, and where a rule asks people by name, it is one of them. Nothing that it allows makes it looser.
"""

from __future__ import annotations

import logging
from collections.abc import Collection
from dataclasses import dataclass, replace

from sqlalchemy import Connection, exc

from signoff.approvals import transitions
from signoff.approvals.announcer import Announcer
from signoff.approvals.errors import (
    AlreadyUndone,
    EditedMeanwhile,
    NotAllowed,
    NotUndone,
    UndoBlocked,
    UnknownApproval,
)
from signoff.approvals.receipts import Receipts
from signoff.approvals.verdicts import Judge
from signoff.errors import Invalid
from signoff.models import card_replies, changes, crash, first_look, identity, undo_plan, undos
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest, CanUndo, Decision, Outcome, payload_digest
from signoff.models.people import Person
from signoff.models.store import MICROSECONDS, Store
from signoff.models.undo_plan import Filled
from signoff.models.undos import Undoer
from signoff.models.verdict import Verdict
from signoff.queue.publisher import Publisher

log = logging.getLogger("signoff.approvals")

MOST_ACTIONS = 100
"""Actions by which one agent undoes."""
FAULT = 300
"""Characters that are kept of what a test came to."""


@dataclass(frozen=True)
class Planned:
    """What this person would have run now: the undo's request, and the verdict that it is approved by.

    `first` is what is undone, `of_agent` names the values that are the agent's word alone.
    """

    first: Approval
    request: ApprovalRequest
    verdict: Verdict
    person: Person
    of_agent: tuple[str, ...]


def filled(approval: Approval) -> Filled:
    """The undo's payload, as far as it is known; of what the policy names no undo for, missing."""
    plan = approval.verdict.undo
    if plan is None:
        return Filled(None, "")
    result = approval.outcome.result if approval.outcome else None
    return undo_plan.fill(plan, approval.payload, result)


def offered_until(approval: Approval) -> int | None:
    """Until when it may be undone, in microseconds since 1970; None where nothing is offered.

    Of what is not reported, or failed, nobody knows what would have to be undone.
    """
    plan, outcome = approval.verdict.undo, approval.outcome
    if plan is None or outcome is None or not outcome.succeeded or approval.outcome_at is None:
        return None
    return approval.outcome_at + plan.seconds * MICROSECONDS


def spent(connection: Connection, approval: Approval) -> None:
    """A process has taken an undo: the card of what it undoes says so."""
    if approval.undoes:
        undos.touch(connection, approval.undoes, taken=True)


def reported(connection: Connection, approval: Approval, outcome: Outcome) -> None:
    """Something was reported: it may be undone from now on; or it is an undo, and its card says what became
    of that.
    """
    if approval.verdict.undo and approval.status == "approved" and outcome.succeeded:
        undos.offer(connection, approval.id, approval.verdict.undo.seconds)
    if approval.undoes:
        undos.touch(connection, approval.undoes, taken=True)
        if not outcome.succeeded:
            by = approval.decision.approver if approval.decision else ""
            card_replies.add(connection, approval.undoes, "undo_failed", {"by": by})


class Undos:
    """Who can undo, and who does."""

    def __init__(
        self, store: Store, judge: Judge, receipts: Receipts, publisher: Publisher, announcer: Announcer
    ) -> None:
        self._publisher = publisher
        self._store = store
        self._judge = judge
        self._receipts = receipts
        self._announcer = announcer

    def register(self, agent: str, actions: Collection[str]) -> None:
        """An agent says that it can undo by these actions."""
        with self._store.transaction() as connection:
            at = changes.clock(connection)
            for action in list(actions)[:MOST_ACTIONS]:
                undos.seen(connection, agent, action, at)

    def told(self, agent: str, said: CanUndo) -> None:
        """What an agent says of undoing."""
        self.register(agent, said.actions)
        if said.tested:
            self.tested(agent, said.tested.action, said.tested.passed, said.tested.fault)

    def test(self, agent: str, action: str) -> None:
        """Ask an agent to run its own test of an undo: what that comes to, it says. Raises RedisError."""
        at = self._store.clock()
        test_id, token = self._receipts.undo_test(agent, action, at=at)
        self._publisher.publish_undo_test(agent, test_id, token, at)

    def tested(self, agent: str, action: str, passed: bool, fault: str | None = None) -> bool:
        """An agent's own test of an undo came to that; False where it never said that it can."""
        with self._store.transaction() as connection:
            said = None if passed else (fault or "")[:FAULT]
            return undos.tested(connection, agent, action, passed, said)

    def listed(self) -> list[Undoer]:
        """All that agents say they can undo."""
        with self._store.reading() as connection:
            return undos.listed(connection)

    def plan(self, approval_id: str, user_id: str) -> Planned:
        """What this person would have run by undoing it now.

        Raises UnknownApproval, NotAllowed, BlockedNow, AlreadyUndone, or NotUndone (which says why).
        """
        found = self._store.look(approval_id)
        if found is None:
            raise UnknownApproval
        first, now = found
        person = self._person(first, user_id)
        until, plan = offered_until(first), first.verdict.undo
        if first.undo is not None and first.undo.done is not None:
            raise AlreadyUndone(first.undo.done.by_id, first.undo.done.at)
        if plan is None:
            raise NotUndone("nothing")
        if until is None:
            raise NotUndone("failed" if first.outcome else "unreported")
        if now >= until:
            raise NotUndone("over", at=until)
        known = filled(first)
        if known.payload is None:
            raise NotUndone("missing", known.missing)
        request = _request(first.agent, plan.action, known.payload)
        verdict = self._verdict(first, request, person)
        return Planned(first, request, verdict, person, known.of_agent)

    def ask(self, approval_id: str, user_id: str, seen: str | None = None) -> Approval:
        """Undo it: the undo's own approval, given by this person, once for all.

        `seen` is the digest of the payload that they were shown; raises EditedMeanwhile where it is another,
        and what `plan` does.
        """
        planned = self.plan(approval_id, user_id)
        if seen is not None and seen != planned.request.digest:
            raise EditedMeanwhile
        crash.here("undo.checked")
        try:
            approval = self._write(planned)
        except exc.IntegrityError:  # somebody pressed it at the same moment
            self.plan(approval_id, user_id)
            raise
        assert approval.ended_at is not None
        told = self._announcer.publish(approval, approval.ended_at)
        log.info("undone: id=%s agent=%s undoes=%s", approval.id, approval.agent, approval_id)
        if told:
            self._announcer.told.add(approval.id)
        self._announcer.wake("undo", approval_id)
        return approval

    def due(self) -> list[str]:
        """Ids of what has something to tell on its card of its undo."""
        with self._store.reading() as connection:
            return list(undos.due(connection))

    def age(self, approval_id: str) -> None:
        """Its card tells that its time is over; or that nobody has taken it, and its owner is told."""
        with self._store.transaction() as connection:
            if not undos.take(connection, approval_id):
                return
            approval = self._store.get(approval_id)
            undo = approval.undo if approval else None
            if undo and undo.done and undo.done.untaken(changes.clock(connection)):
                card_replies.add(connection, approval_id, "undo_untaken", {"owner": undo.owner or ""})
        self._announcer.wake("undo", approval_id)

    def _write(self, planned: Planned) -> Approval:
        agent, request, person = planned.first.agent, planned.request, planned.person
        decision = Decision(vote="approve", approver=person.id, name=person.name)
        with self._store.transaction("undo") as connection:
            before = first_look.before(connection, agent, str(request.id))
            draft = transitions.draft(agent, request, planned.verdict, before, None)
            draft = replace(draft, approval=replace(draft.approval, undoes=planned.first.id))
            draft = transitions.beside_others(connection, draft, before.code_taken)
            pending = transitions.create(connection, draft, None)
            ended = transitions.end(
                connection, self._receipts, pending, "approved", actor=person.id, decision=decision
            )
            changes.note_delivered(connection, ended.id, ended.revision)
            undos.asked(connection, planned.first.id)
        return ended

    def _person(self, first: Approval, user_id: str) -> Person:
        """The person, if they may undo it: one of the rule's people, or the agent's owner."""
        try:
            return self._judge.may_decide(user_id, self._judge.own(first))
        except NotAllowed:
            if user_id != self._judge.owner(self._store, first.agent):
                raise
            return self._judge.member(user_id)

    def _verdict(self, first: Approval, request: ApprovalRequest, person: Person) -> Verdict:
        """Today's on the undo, as it is approved by this person; raises BlockedNow or NotAllowed."""
        found = self._judge.evaluate(first.agent, request)
        if found.effect == "block":
            raise UndoBlocked(found.reason)
        if found.effect == "ask" and found.named:
            self._judge.may_decide(person.id, found)
        asks = self._judge.own(first)
        approvers = asks.approvers if person.id in asks.approvers else (*asks.approvers, person.id)
        return found.model_copy(
            update={
                "effect": "ask",
                "approvers": found.approvers if found.named else approvers,
                "named": found.named or asks.named,
                "after": None,
                "undo": None,
                "why": f"a person undid {first.code}; {found.why}",
            }
        )


def _request(agent: str, action: str, payload: dict[str, object]) -> ApprovalRequest:
    """The undo as a request of the agent's, with a nonce of our own; raises NotUndone for what is none."""
    nonce = identity.new_nonce()
    made = identity.request_id("approval", agent, action, payload_digest(payload), nonce)
    request = ApprovalRequest(id=made, nonce=nonce, action=action, payload=payload)
    try:
        request.check_size()
    except Invalid as error:
        raise NotUndone("missing", error.detail[:100]) from None
    return request
