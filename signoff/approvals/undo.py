"""Undoing what the policy let run and reported: an approval of its own, given by the click that asks for it.

What undoes it is the policy's word, as it was when that let it run: the log's, and not only a row's. Today's
policy judges the undo, too: what it blocks nobody undoes, and where it asks people about that, it is for
them. Where it says nothing of the undo, it is for those whom the rule of what ran names (or the default
approvers); where it lets it run, for the agent's owner as well.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass, replace

from sqlalchemy import exc

from signoff.approvals import past, transitions
from signoff.approvals.adoption import adopt
from signoff.approvals.announcer import Announcer
from signoff.approvals.errors import (
    AlreadyUndone,
    EditedMeanwhile,
    Excluded,
    GroupsUnread,
    NotAllowed,
    NotUndone,
    UndoBlocked,
    UnknownApproval,
)
from signoff.approvals.offers import filled, offered_until
from signoff.approvals.receipts import Receipts
from signoff.approvals.stop_errors import Held
from signoff.approvals.verdicts import Judge
from signoff.errors import Invalid
from signoff.models import card_replies, changes, crash, first_look, identity, stop_rows, undos
from signoff.models.approval import Approval
from signoff.models.messages import ApprovalRequest, Decision, Response, payload_digest
from signoff.models.people import Person
from signoff.models.receipt import Receipt
from signoff.models.store import Store
from signoff.models.verdict import Verdict
from signoff.payload.canonical import canonical, digest
from signoff.policy.asked import by_its_words, is_grave
from signoff.queue.publisher import Publisher

log = logging.getLogger("signoff.approvals")


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


class Undos:
    """Who undoes what, and what becomes of that. `undoers` has who can."""

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
        self._check_held(first, plan.action if plan else "")
        if first.undo is not None and first.undo.done is not None and not first.undo.done.again(now):
            raise AlreadyUndone.by(first.undo.done)
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

    def _check_held(self, first: Approval, action: str) -> None:
        """Raises Held where somebody has stopped it, and undos, too."""
        with self._store.reading() as connection:
            stop = stop_rows.holding(connection, first.agent, action, undo=True) if action else None
        if stop is not None:
            raise Held(stop)

    def ask(self, approval_id: str, user_id: str, seen: str | None = None) -> Approval:
        """Undo it: the undo's own approval, given by this person, once for all.

        `seen` is the digest of what they were shown; raises EditedMeanwhile where it is another, what `plan`
        does, and RedisError: a database that was put back may not know that it is undone.
        """
        planned = self.plan(approval_id, user_id)
        if seen is not None and seen != planned.seen:
            raise EditedMeanwhile
        try:
            if self._known_to_redis(planned):
                return self.ask(approval_id, user_id, seen)
            crash.here("undo.checked")
            approval = self._write(planned)
        except exc.IntegrityError as fault:  # somebody pressed it at the same moment, and was faster
            raise self._faster(approval_id) or fault from None
        assert approval.ended_at is not None
        told = self._announcer.publish(approval, approval.ended_at)
        log.info("undone: id=%s agent=%s undoes=%s", approval.id, approval.agent, approval_id)
        if told:
            self._announcer.told.add(approval.id)
        self._announcer.wake("undo", approval_id)
        return approval

    def _faster(self, approval_id: str) -> AlreadyUndone | None:
        """Who was, whatever has become of that by now."""
        first = self._store.get(approval_id)
        done = first.undo.done if first and first.undo else None
        return AlreadyUndone.by(done) if done else None

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
        if asks and found.places > 1:
            raise NotUndone("several")
        by = found if asks and by_its_words(found, request, first.agent, self._judge.policy) else own
        try:
            person = self._judge.may_decide(user_id, by)
        except NotAllowed as error:
            if asks or is_grave(found) or isinstance(error, GroupsUnread):
                raise
            owner = self._judge.owner(self._store, first.agent)
            if user_id != owner:
                raise NotAllowed(error.detail, (*error.approvers, *([owner] if owner else []))) from None
            person = self._judge.member(user_id)
        if asks and "owner" in found.exclude and not found.exclude_by_default:
            who = self._judge.policy.person
            if who(person.id) == who(self._judge.owner(self._store, first.agent) or ""):
                raise Excluded(("owner",))
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
