"""A person votes: who they are, what they saw and what they changed is checked, and the votes are counted.

A vote that ends nothing is kept, until the last one, or until its voter takes it back.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, assert_never

from signoff.approvals import edits, keeping, transitions
from signoff.approvals.announcer import Announcer
from signoff.approvals.ballots import Ballot, Ballots
from signoff.approvals.endings import Endings
from signoff.approvals.errors import (
    AlreadyDecided,
    BlockedNow,
    EditedMeanwhile,
    HasNotVoted,
    InGrace,
    OtherKind,
    Restored,
    TimeRanOut,
    UnknownApproval,
)
from signoff.approvals.factors import Factors, Proof, Proven
from signoff.approvals.kinds import kind_of
from signoff.approvals.transitions import check_held
from signoff.approvals.verdicts import Judge
from signoff.models import crash
from signoff.models.approval import Approval
from signoff.models.messages import Decision
from signoff.models.people import Person
from signoff.models.store import Store
from signoff.models.verdict import Verdict

log = logging.getLogger("signoff.approvals")

TRIES = 20
"""So often a vote is counted anew where another one came in between."""
May = Callable[[str, Verdict, str], Person]


class Votes:
    """Takes people's votes."""

    def __init__(
        self,
        store: Store,
        judge: Judge,
        endings: Endings,
        ballots: Ballots,
        announcer: Announcer,
        channel: str,
        factors: Factors,
    ) -> None:
        self._store = store
        self._factors = factors
        self._judge = judge
        self._endings = endings
        self._ballots = ballots
        self._announcer = announcer
        self._channel = channel

    def open_for(self, approval_id: str, version: int, user_id: str) -> tuple[Approval, Person]:
        """What this person may decide on now, by today's verdict; see `Approvals.open_for`."""
        approval, verdict, person = self.opened(approval_id, version, user_id)
        return replace(approval, verdict=verdict), person

    def block(self, approval: Approval, verdict: Verdict) -> None:
        """Today's policy blocks what waits: it ends so, and its receipt gives that policy and its reason."""
        self._endings.end(approval, "blocked", actor="policy", reason=verdict.reason, judged=verdict)

    def opened(
        self, approval_id: str, version: int, user_id: str, may: May | None = None
    ) -> tuple[Approval, Verdict, Person]:
        """The Approval as its row has it, the verdict that people decide by today, and the person.

        `may` says who may, in place of who may decide: by the verdict, and the agent. Without it raises
        InGrace where nobody was asked.
        """
        found = self._store.look(approval_id)
        if found is None:
            raise UnknownApproval
        approval, now = found
        if approval.unseen and approval.pending:
            raise UnknownApproval
        waits = approval.pending and not approval.restored and approval.expires_at > now
        verdict = self._judge.standing(approval) if waits else self._judge.own(approval)
        if waits and verdict.effect == "block":
            self.block(approval, verdict)
            self._judge.member(user_id)
            raise BlockedNow(verdict.reason)
        may_decide = self._judge.may_decide_waiting if waits else self._judge.may_decide
        person = may(user_id, verdict, approval.agent) if may else may_decide(user_id, verdict)
        match approval.status:
            case "pending" | "expired" if approval.restored:
                raise Restored
            case "expired":
                raise TimeRanOut(approval.expires_at)
            case "approved" | "answered" | "rejected" | "cancelled" | "blocked":
                decision = approval.decision
                name, by_id = (decision.name, decision.approver) if decision else ("", "")
                raise AlreadyDecided(approval.status, name, by_id, approval.ended_at or 0)
            case "pending":
                if approval.expires_at <= now:
                    raise TimeRanOut(approval.expires_at)
                if approval.version != version:
                    raise EditedMeanwhile
                if may is None and approval.any_stop:
                    self._check_held(approval)
                if verdict.in_grace and may is None:
                    raise InGrace
                return approval, verdict, person
        assert_never(approval.status)

    def _check_held(self, approval: Approval) -> None:
        """Raises Held where it is stopped."""
        with self._store.reading() as connection:
            check_held(connection, approval)

    def decide(
        self,
        approval_id: str,
        version: int,
        user_id: str,
        vote: Literal["approve", "reject"],
        *,
        reason: str,
        resubmit: bool,
        payload: dict[str, Any] | None,
        permalink: str | None,
        proof: Proof | None = None,
        check: Callable[[Approval, Verdict], object] = lambda *_: None,
    ) -> Approval:
        """The Approval as this vote leaves it; see `Approvals.decide`. `check` may raise what stands against
        it, by today's verdict.
        """
        for _ in range(TRIES):
            approval, judged, person = self.opened(approval_id, version, user_id)
            check(approval, judged)
            kind = kind_of(approval.request)
            if vote not in kind.ends or "answer" in kind.ends:
                raise OtherKind("It is answered, and neither approved nor rejected.")
            corrected = None
            if payload is not None:
                corrected = edits.check_edit(replace(approval, verdict=judged), payload)
            if vote == "approve" and corrected is not None:
                judged = self._judge.judge_edit(approval, corrected, user_id)
            proven = Proven()
            if vote == "approve":
                runs = approval.payload if corrected is None else corrected
                proven = self._factors.prove(judged, person.id, runs, proof)
            decision = Decision(
                vote=vote,
                approver=person.id,
                name=person.name,
                reason=reason.strip(),
                resubmit=resubmit,
                payload=corrected,
                second_factor=proven.factor,
                deputy_for=person.deputy_for or None,
            )
            ballot = self._ballots.cast(approval, judged, person, decision)
            crash.here("decide.checked")
            if permalink and approval.card and approval.card.permalink is None:
                approval = replace(approval, card=replace(approval.card, permalink=permalink))
            left = self._given(approval, judged, decision, ballot, proven)
            if left is not None:
                return left
        raise AlreadyDecided(None)

    def _given(
        self, approval: Approval, judged: Verdict, decision: Decision, ballot: Ballot, proven: Proven
    ) -> Approval | None:
        """The Approval with this vote; None where somebody was faster with anything, or the time ran out:
        looking again says which.
        """
        if ballot.count.end is None or ballot.decision is None:
            return self._keep(approval, judged, decision, ballot, proven)
        return self._endings.end(
            approval,
            kind_of(approval.request).ends[ballot.count.end],
            actor=decision.approver,
            reason=decision.reason,
            decision=ballot.decision,
            judged=judged,
            ballot=ballot,
            if_still=proven.holds,
        )

    def _keep(
        self, approval: Approval, judged: Verdict, decision: Decision, ballot: Ballot, proven: Proven
    ) -> Approval | None:
        try:
            with self._store.transaction("vote") as connection:
                if not proven.holds(connection):
                    raise transitions.Moved
                kept = keeping.keep(connection, approval, ballot, judged, decision, channel=self._channel)
        except transitions.Moved:
            return None
        log.info("voted: id=%s agent=%s by=%s", kept.id, kept.agent, decision.approver)
        self._announcer.wake("vote", kept.id)
        return kept

    def take_back(self, approval_id: str, version: int, user_id: str) -> Approval:
        """The Approval without this person's vote; see `Approvals.take_back`."""
        for _ in range(TRIES):
            approval, _, person = self.opened(approval_id, version, user_id, self._voter(approval_id))
            if not any(one.approver == person.id for one in approval.decisions):
                raise HasNotVoted
            try:
                with self._store.transaction("take_back") as connection:
                    keeping.take_back(connection, approval, person.id)
            except transitions.Moved:
                continue
            log.info("vote taken back: id=%s agent=%s by=%s", approval.id, approval.agent, person.id)
            self._announcer.wake("take_back", approval.id)
            found = self._store.get(approval_id)
            assert found is not None
            return found
        raise AlreadyDecided(None)

    def _voter(self, approval_id: str) -> May:
        """Whoever has voted may take that back, also where they may not decide any more."""
        found = self._store.get(approval_id)
        voted = {one.approver for one in found.decisions} if found else set[str]()

        def may(user_id: str, verdict: Verdict, _: str) -> Person:
            return (
                self._judge.member(user_id) if user_id in voted else self._judge.may_decide(user_id, verdict)
            )

        return may
