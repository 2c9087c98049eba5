"""A person votes: who they are, what they saw and what they changed is checked, and the votes are counted."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any, Literal, assert_never

from signoff.approvals import edits, quorum
from signoff.approvals.endings import Endings
from signoff.approvals.errors import (
    AlreadyDecided,
    BlockedNow,
    EditedMeanwhile,
    InGrace,
    OtherKind,
    Restored,
    TimeRanOut,
    UnknownApproval,
)
from signoff.approvals.kinds import kind_of
from signoff.approvals.verdicts import Judge
from signoff.models import crash
from signoff.models.approval import Approval
from signoff.models.messages import Decision
from signoff.models.people import Person
from signoff.models.store import Store
from signoff.models.verdict import Verdict

May = Callable[[str, Verdict, str], Person]


class Votes:
    """Takes people's votes."""

    def __init__(self, store: Store, judge: Judge, endings: Endings) -> None:
        self._store = store
        self._judge = judge
        self._endings = endings

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
                if verdict.in_grace and may is None:
                    raise InGrace
                return approval, verdict, person
        assert_never(approval.status)

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
        check: Callable[[Approval, Verdict], object] = lambda *_: None,
    ) -> Approval:
        """The Approval as this vote leaves it; see `Approvals.decide`. `check` may raise what stands against
        it, by today's verdict.
        """
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
        kept = approval.decisions if corrected is None else ()  # others voted on what is no longer asked
        counted = quorum.count((*kept, decision), quorum.seats_of(judged))
        assert counted.end is not None  # of one seat the first vote is the last
        status = kind.ends[counted.end]
        ended = self._endings.end(
            approval, status, actor=person.id, reason=decision.reason, decision=decision, judged=judged
        )
        if ended is None:  # somebody was faster, or the time ran out: it says which
            self.open_for(approval_id, version, user_id)
            raise AlreadyDecided(None)
        return ended
