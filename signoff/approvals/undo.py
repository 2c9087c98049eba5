"""Undoing what the policy let run and reported: an approval of its own, given by the click that asks for it.

What undoes it is the policy's word, as it was when that let it run: the log's, and not only a row's. Today's
policy judges the undo, too: what it blocks nobody undoes, and where it asks people about that, it is for
them. Where it says nothing of the undo, it is for those whom the rule of what ran names (or the default
approvers); where it lets it run, for the agent's owner as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Collection
from dataclasses import dataclass, replace

from sqlalchemy import Connection, exc

from signoff.approvals import newcomers, past, transitions
from signoff.approvals.adoption import adopt
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
from signoff.models import card_replies, changes, crash, first_look, identity, store, undo_plan, undos
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest, CanUndo, Decision, Outcome, Response, payload_digest
from signoff.models.people import Person
from signoff.models.receipt import Receipt
from signoff.models.store import MICROSECONDS, Store
from signoff.models.undo_plan import Filled
from signoff.models.undos import Undoer
from signoff.models.verdict import Verdict
from signoff.payload.canonical import canonical, digest
from signoff.policy.asked import by_its_words, is_grave
from signoff.queue.publisher import Publisher
from signoff.receipts import UNDO_TEST_SECONDS

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

    @property
    def seen(self) -> str:
        """The digest of what a person is shown of it: by which action, and with what."""
        return digest(canonical([self.request.action, self.request.payload]))


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
        undos.taken(connection, approval.undoes)


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
            first = store.load(connection, approval.undoes)
            if first and first.verdict.undo:  # until then it may be tried again, and its card says so
                undos.offer(connection, first.id, first.verdict.undo.seconds)


class Undos:
    """Who can undo, and who does."""

    def __init__(
        self,
        store: Store,
        judge: Judge,
        receipts: Receipts,
        publisher: Publisher,
        announcer: Announcer,
        take_up: Callable[[Approval, Response | None], Approval],
    ) -> None:
        """`take_up` notes what Redis alone knows to have run: see `Spending.take_up`."""
        self._take_up = take_up
        self._publisher = publisher
        self._store = store
        self._judge = judge
        self._receipts = receipts
        self._announcer = announcer

    def register(self, agent: str, actions: Collection[str]) -> None:
        """An agent says that it can undo by these actions."""
        with self._store.transaction() as connection:
            at = changes.clock(connection)
            newcomers.meet(connection, self._judge, agent, at)
            for action in list(actions)[:MOST_ACTIONS]:
                undos.seen(connection, agent, action, at)

    def told(self, agent: str, said: CanUndo) -> None:
        """What an agent says of undoing."""
        self.register(agent, said.actions)
        if tested := said.tested:
            self.tested(agent, tested.action, tested.id, tested.passed, tested.fault)

    def test(self, agent: str, action: str) -> str:
        """Ask an agent to run its own test of an undo: what that comes to, it says; gives the test's id. No
        other answer counts, nor a second one. Raises RedisError.
        """
        at = self._store.clock()
        test_id, token = self._receipts.undo_test(agent, action, at=at)
        with self._store.transaction() as connection:
            undos.testing(connection, agent, action, test_id, UNDO_TEST_SECONDS)
        self._publisher.publish_undo_test(agent, test_id, token, at)
        return test_id

    def tested(self, agent: str, action: str, test_id: str, passed: bool, fault: str | None = None) -> bool:
        """The test of an undo that an agent was asked for came to that; False where nobody asked for it."""
        with self._store.transaction() as connection:
            said = None if passed else (fault or "")[:FAULT]
            return undos.tested(connection, agent, action, test_id, passed, said)

    def listed(self) -> list[Undoer]:
        """All that agents say they can undo."""
        with self._store.reading() as connection:
            return undos.listed(connection)

    def plan(self, approval_id: str, user_id: str) -> Planned:
        """What this person would have run by undoing it now.

        Raises UnknownApproval, NotAllowed, BlockedNow, AlreadyUndone, NotUndone (which says why), or Tampered
        (what ran is not what its row says).
        """
        found = self._store.look(approval_id)
        if found is None:
            raise UnknownApproval
        first, now = found
        until, plan = offered_until(first), first.verdict.undo
        if first.undo is not None and first.undo.done is not None and not first.undo.done.again(now):
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
        nonce = self._receipts.undo_nonce(first.id, first.undo.attempts if first.undo else 0)
        request = _request(first.agent, plan.action, known.payload, nonce)
        verdict, person = self._verdict(first, request, user_id)
        with self._store.reading() as connection:
            past.check(connection, first, self._receipts.keys)
        return Planned(first, request, verdict, person, known.of_agent)

    def ask(self, approval_id: str, user_id: str, seen: str | None = None) -> Approval:
        """Undo it: the undo's own approval, given by this person, once for all.

        `seen` is the digest of what they were shown; raises EditedMeanwhile where it is another, what `plan`
        does, and RedisError: a database that was put back may not know that it is undone.
        """
        planned = self.plan(approval_id, user_id)
        if seen is not None and seen != planned.seen:
            raise EditedMeanwhile
        if self._known_to_redis(planned):
            return self.ask(approval_id, user_id, seen)
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

    def _known_to_redis(self, planned: Planned) -> bool:
        """Whether Redis knows more of undoing it than the database did: by now that does, too."""
        agent, done = planned.first.agent, planned.first.undo.done if planned.first.undo else None
        before = self._store.get(done.approval_id) if done else None
        if before and not before.has_run:
            taken = self._take_up(before, self._publisher.standing(agent, before.request_id))
            if taken.has_run:
                return True
        standing = self._publisher.standing(agent, str(planned.request.id))
        receipt = self._receipts.read(standing, agent, str(planned.request.id), over=True)
        if receipt is None or not receipt.approved or receipt.undoes != planned.first.id:
            return False
        log.info("undone before: id=%s agent=%s undoes=%s", receipt.id, agent, planned.first.id)
        self._take_up(self._write(planned, receipt), standing)
        self._announcer.wake("undo", planned.first.id)
        return True

    def due(self) -> list[str]:
        """Ids of what has something to tell on its card of its undo."""
        with self._store.reading() as connection:
            return list(undos.due(connection))

    def age(self, approval_id: str) -> None:
        """Its card tells that its time is over; or that nobody took it, or reported of it, to its owner."""
        with self._store.transaction("untaken") as connection:
            if not undos.take(connection, approval_id):
                return
            approval = self._store.get(approval_id)
            undo = approval.undo if approval else None
            now = changes.clock(connection)
            if undo and undo.done and undo.done.unreported(now):
                card_replies.add(connection, approval_id, "undo_unreported", {"owner": undo.owner or ""})
            elif undo and undo.done and undo.done.untaken(now) and not undo.done.again(now):
                card_replies.add(connection, approval_id, "undo_untaken", {"owner": undo.owner or ""})
                if undo.done.until:  # from then on it may be tried again
                    undos.tell_at(connection, approval_id, undo.done.until)
        self._announcer.wake("untaken", approval_id)

    def _write(self, planned: Planned, standing: Receipt | None = None) -> Approval:
        """The undo, approved now; or as a receipt says that stands in Redis, and that no row knows of."""
        agent, request, person = planned.first.agent, planned.request, planned.person
        decision = Decision(vote="approve", approver=person.id, name=person.name)
        with self._store.transaction("undo") as connection:
            before = first_look.before(connection, agent, str(request.id))
            draft = transitions.draft(agent, request, planned.verdict, before, None)
            draft = replace(draft, approval=replace(draft.approval, undoes=planned.first.id))
            draft = transitions.beside_others(connection, draft, before.code_taken)
            pending = transitions.create(connection, draft, None)
            past.check(connection, planned.first, self._receipts.keys)
            ended = (
                adopt(connection, pending, standing)
                if standing
                else transitions.end(
                    connection, self._receipts, pending, "approved", actor=person.id, decision=decision
                )
            )
            changes.note_delivered(connection, ended.id, ended.revision)
            undos.asked(connection, planned.first.id)
        return ended

    def _verdict(self, first: Approval, request: ApprovalRequest, user_id: str) -> tuple[Verdict, Person]:
        """Today's on the undo, as this person approves it, if they may; raises BlockedNow or NotAllowed."""
        found, own = self._judge.evaluate(first.agent, request), self._judge.own(first)
        if found.effect == "block":
            self._judge.member(user_id)
            raise UndoBlocked(found.reason)
        asks = found.effect == "ask"
        by = found if asks and by_its_words(found, request, first.agent, self._judge.policy) else own
        try:
            person = self._judge.may_decide(user_id, by)
        except NotAllowed:
            if asks or is_grave(found) or user_id != self._judge.owner(self._store, first.agent):
                raise
            person = self._judge.member(user_id)
        approvers = by.approvers if person.id in by.approvers else (*by.approvers, person.id)
        verdict = found.model_copy(
            update={
                "effect": "ask",
                "approvers": approvers,
                "named": by.named,
                "after": None,
                "undo": None,
                "why": f"a person undid {first.code}; {found.why}",
            }
        )
        return verdict, person


def _request(agent: str, action: str, payload: dict[str, object], nonce: str) -> ApprovalRequest:
    """The undo as a request of the agent's, with a nonce of our own; raises NotUndone for what is none."""
    made = identity.request_id("approval", agent, action, payload_digest(payload), nonce)
    request = ApprovalRequest(id=made, nonce=nonce, action=action, payload=payload)
    try:
        request.check_size()
    except Invalid as error:
        raise NotUndone("missing", error.detail[:100]) from None
    return request
