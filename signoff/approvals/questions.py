"""People answer questions, or hand them to somebody else who may. An answer lets nothing run."""

from __future__ import annotations

import logging
from dataclasses import replace

from signoff.approvals import audit
from signoff.approvals.announcer import Announcer
from signoff.approvals.audit import Event
from signoff.approvals.decide import Votes
from signoff.approvals.endings import Endings
from signoff.approvals.errors import AlreadyDecided, GroupsUnread, NotAllowed, NotHanded, OtherKind
from signoff.approvals.verdicts import Judge
from signoff.models import card_replies, changes, crash, hands
from signoff.models.approval import Approval
from signoff.models.messages import Decision
from signoff.models.questions import QUESTION, GivenAnswer, Question
from signoff.models.store import Store

log = logging.getLogger("signoff.approvals")


class Questions:
    """Takes people's answers. What an `Approvals` raises of its database passes here, too."""

    def __init__(
        self, store: Store, judge: Judge, votes: Votes, endings: Endings, announcer: Announcer
    ) -> None:
        self._store = store
        self._judge = judge
        self._votes = votes
        self._endings = endings
        self._announcer = announcer

    def answer(
        self,
        approval_id: str,
        version: int,
        user_id: str,
        answer: GivenAnswer,
        *,
        permalink: str | None = None,
    ) -> Approval:
        """A person's answer to the `version` of a question that they saw; `permalink` is where.

        Raises what `Approvals.open_for` does, OtherKind (it is no question) or Invalid (it does not answer
        this one, or holds what looks like a secret): then nothing has changed.
        """
        approval, verdict, person = self._votes.opened(approval_id, version, user_id)
        given = answer.check(_question(approval))
        crash.here("decide.checked")
        decision = Decision(vote="answer", approver=person.id, name=person.name, answer=given.said())
        if permalink and approval.card and approval.card.permalink is None:
            approval = replace(approval, card=replace(approval.card, permalink=permalink))
        ended = self._endings.end(approval, "answered", actor=person.id, decision=decision, judged=verdict)
        if ended is None:  # somebody was faster, or the time ran out: it says which
            self._votes.opened(approval_id, version, user_id)
            raise AlreadyDecided(None)
        return ended

    def hand(self, approval_id: str, version: int, user_id: str, to: str) -> Approval:
        """A person who may answer asks another one, `to`, to do it: a member whom the policy lets answer.

        All who may answer still can. Raises what `Approvals.open_for` does, OtherKind, or NotHanded (not to
        them): then nothing has changed.
        """
        approval, verdict, person = self._votes.opened(approval_id, version, user_id)
        _question(approval)
        if to == person.id:
            raise NotHanded("You have it already: answer it, or hand it to somebody else.", to)
        if to == approval.handed_to:
            raise NotHanded("They have it already.", to)
        try:
            self._judge.may_decide(to, verdict)
        except GroupsUnread:
            raise
        except NotAllowed:
            raise NotHanded("They may not answer it: the policy does not name them.", to) from None
        with self._store.transaction("hand") as connection:
            moved = hands.hand(connection, approval_id, version, to, person.id)
            if moved:
                at = changes.clock(connection)
                card_replies.add(connection, approval_id, "handed", {"to": to, "by": person.id})
                audit.append(connection, Event("handed", approval_id, at, person.id, {"to": to}))
        if not moved:  # it has ended meanwhile, or somebody else has handed it there
            self._votes.opened(approval_id, version, user_id)
            raise NotHanded("They have it already.", to)
        log.info("handed: id=%s by=%s to=%s", approval_id, person.id, to)
        self._announcer.wake("hand", approval_id)
        return self._votes.opened(approval_id, version, user_id)[0]


def _question(approval: Approval) -> Question:
    """What is asked; raises OtherKind where it is no question."""
    if approval.request.kind != QUESTION:
        raise OtherKind("It is no question: it is approved or rejected, and not answered.")
    return Question.of(approval.payload)
