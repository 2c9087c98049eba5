"""Somebody who is asked hands it to somebody else who may, and is not left out by that."""

from __future__ import annotations

import logging

from signoff.approvals import audit
from signoff.approvals.announcer import Announcer
from signoff.approvals.audit import Event
from signoff.approvals.decide import Votes
from signoff.approvals.errors import GroupsUnread, NotAllowed, NotHanded, OtherKind
from signoff.approvals.verdicts import Judge
from signoff.models import card_replies, changes, hands
from signoff.models.approval import Approval
from signoff.models.feedback import KIND
from signoff.models.store import Store

log = logging.getLogger("signoff.approvals")


class Hands:
    """Hands on what waits. What an `Approvals` raises of its database passes here, too."""

    def __init__(self, store: Store, judge: Judge, votes: Votes, announcer: Announcer) -> None:
        self._store = store
        self._judge = judge
        self._votes = votes
        self._announcer = announcer

    def hand(self, approval_id: str, version: int, user_id: str, to: str) -> Approval:
        """A person who may decide asks another one, `to`, to do it: a member whom the policy lets decide.

        All who may still can. Raises what `Approvals.open_for` does, OtherKind (nobody hands on whether
        something was right), or NotHanded (not to them): then nothing has changed.
        """
        approval, verdict, person = self._votes.opened(approval_id, version, user_id)
        if approval.request.kind == KIND:
            raise OtherKind("Whether it was right is for whoever was asked.")
        if to == person.id:
            raise NotHanded("You have it already: decide it, or hand it to somebody else.", to)
        if to == approval.handed_to:
            raise NotHanded("They have it already.", to)
        try:
            self._judge.may_decide(to, verdict)
        except GroupsUnread:
            raise
        except NotAllowed:
            raise NotHanded("They may not decide it: the policy does not name them.", to) from None
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
