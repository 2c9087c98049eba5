"""What the policy lets run after a while: somebody holds it, or its time ends.

A grace of the policy, not silence of somebody who was asked: nobody is. What is held is asked about, as if
the policy had said so. Nothing is signed before its time is over, and then the policy is judged once more.
"""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import replace
from typing import Literal

from signoff.approvals import audit
from signoff.approvals.announcer import Announcer
from signoff.approvals.audit import Event, lines, salted
from signoff.approvals.audit.fits import Near
from signoff.approvals.decide import Votes
from signoff.approvals.endings import Endings
from signoff.approvals.errors import NotAllowed, NotHeld, Tampered
from signoff.approvals.verdicts import Judge
from signoff.models import changes, crash, graces, stop_rows
from signoff.models.approval import Approval
from signoff.models.people import Person
from signoff.models.store import MICROSECONDS, Store
from signoff.models.verdict import Verdict
from signoff.queue.hearing import Heard

log = logging.getLogger("signoff.approvals")

Why = Literal["person", "policy", "unshown", "unheard", "stopped"]
"""Why it is asked about after all: somebody held it, the policy asks by now, its card was never shown, or
nobody could be heard hold it, again and again; or it was stopped meanwhile.
"""
SAID = {
    "person": "somebody held it",
    "policy": "",
    "unshown": "its card could not be shown in time",
    "unheard": "nobody could have held it, as Signoff was away again and again",
    "stopped": "somebody has stopped it meanwhile",
}
HEARD_SECONDS = 60
"""People have to be heard for so long before it runs, or for as long as it waits where that is shorter."""
ANEW = 3
"""So often its time begins anew; then a person is asked."""


class Grace:
    """Holds what is to run after a while, and lets run what nobody has held."""

    def __init__(
        self,
        store: Store,
        judge: Judge,
        votes: Votes,
        endings: Endings,
        announcer: Announcer,
        heard: Callable[[int, int, int], Heard],
    ) -> None:
        """`heard` says whether people were, from one moment to another, as is known now: see `hearing`."""
        self._heard = heard
        self._store = store
        self._judge = judge
        self._votes = votes
        self._endings = endings
        self._announcer = announcer

    def hold(self, approval_id: str, version: int, user_id: str) -> Approval:
        """Have it asked about: this person wants that, who may decide on it or owns its agent.

        Raises what `Approvals.open_for` does, or NotHeld: somebody was faster, or the policy asks by now.
        """
        approval, verdict, person = self._votes.opened(approval_id, version, user_id, self._holder)
        if not approval.verdict.in_grace:
            raise NotHeld(approval.verdict.held_by)
        crash.here("grace.checked")
        by = verdict if not verdict.in_grace else approval.verdict  # today's policy asks: so it does
        asked = self._asking(by, "person", person.id)
        if not self._ask(approval, asked, "person", person):
            now = self._votes.opened(approval_id, version, user_id, self._holder)[0]  # raises what it became
            raise NotHeld(now.verdict.held_by)
        return self._found(approval_id)

    def look(self, approval_id: str, version: int, user_id: str) -> Approval:
        """What this person may hold, to be looked at; raises what `hold` does."""
        approval, verdict, _ = self._votes.opened(approval_id, version, user_id, self._holder)
        return replace(approval, verdict=verdict)

    def due(self) -> list[str]:
        """Ids of what may run now, or was never shown."""
        return list(graces.due(self._store))

    def step(self, approval_id: str) -> Approval | None:
        """Its time is over: it runs, unless the policy says otherwise by now; None where somebody was faster.

        Where its card was not shown, a person is asked. Where people could not be heard, nothing runs: once
        they can be, its time begins anew, a few times. Where today's policy has it wait for longer, it does.
        Raises Tampered: then nothing is signed. RedisError passes: so nobody knows who was heard.
        """
        found = self._store.look(approval_id)
        if found is None:
            return None
        approval, now = found
        if (
            not approval.pending
            or approval.restored
            or approval.runs_at is None
            or now >= approval.expires_at
        ):
            return None
        today = self._judge.standing(approval)
        if today.effect == "block":
            self._votes.block(approval, today)
            return None
        if not today.in_grace:
            return self._turned(approval, today, "policy")
        if approval.any_stop and self._is_stopped(approval):
            return self._turned(approval, approval.verdict, "stopped")
        if approval.shown_at is None or approval.runs_at == graces.UNSHOWN:
            return self._turned(approval, approval.verdict, "unshown")
        told = self._period(approval)
        if self._follow(approval, told, today) or now < told.runs_at:
            return None
        start = max(told.since, told.runs_at - HEARD_SECONDS * MICROSECONDS)
        match self._heard(start, told.runs_at, now):
            case "not yet":
                return None
            case "no" if told.anew >= ANEW:
                return self._turned(approval, today, "unheard")
            case "no":
                assert today.after is not None
                self._move(approval, now, now + today.after * MICROSECONDS, "unheard")
                return None
        return self._endings.end(
            approval,
            "approved",
            actor="policy",
            judged=today,
            if_still=lambda connection: graces.take(connection, approval_id),
        )

    def _is_stopped(self, approval: Approval) -> bool:
        """Whether it is stopped, or resumed in part: then silence lets nothing run any more."""
        with self._store.reading() as connection:
            found = stop_rows.standing(connection)
        return any(one.scope.covers(approval.agent, approval.action) for one in found)

    def follow(self, approval: Approval, today: Verdict) -> None:
        """Another policy is in force, and has it wait for longer: it does, and its card says so.

        Raises Tampered, where the row is not what the log tells.
        """
        if approval.shown_at is not None and approval.runs_at:
            self._follow(approval, self._period(approval), today)

    def _follow(self, approval: Approval, told: graces.Period, today: Verdict) -> bool:
        assert today.after is not None
        longer = told.since + today.after * MICROSECONDS
        if longer <= told.runs_at:  # never earlier than its card says
            return False
        self._move(approval, told.since, longer, "policy")
        return True

    def _period(self, approval: Approval) -> graces.Period:
        """When it may run, by the log; raises Tampered where its row says otherwise."""
        told = graces.period(self._store, approval.id)
        shown_at, runs_at = approval.shown_at or 0, approval.runs_at or 0
        if told and Near(told.shown_at).fits(shown_at) and runs_at == told.runs_at:
            return told
        log.error("rows were changed behind Signoff's back: id=%s; see `signoff audit verify`", approval.id)
        raise Tampered

    def _move(self, approval: Approval, since: int, runs_at: int, why: Literal["policy", "unheard"]) -> None:
        assert approval.runs_at is not None
        with self._store.transaction("grace") as connection:
            if not graces.later(connection, approval.id, approval.runs_at, runs_at):
                return
            data = {"why": why, "since": since, "runs_at": runs_at, "policy": self._judge.policy.digest}
            at = changes.clock(connection)
            audit.append(connection, Event(graces.MOVED, approval.id, at, "policy", data))
        log.info("runs later: id=%s agent=%s why=%s", approval.id, approval.agent, why)
        self._announcer.wake("grace", approval.id)

    def turn(self, approval: Approval, today: Verdict) -> Approval | None:
        """Another policy is in force, and asks: it is asked about from now on."""
        return self._turned(approval, today, "policy")

    def _turned(self, approval: Approval, verdict: Verdict, why: Why) -> Approval | None:
        asked = self._asking(verdict, why)
        return self._found(approval.id) if self._ask(approval, asked, why) else None

    def _asking(self, verdict: Verdict, why: Why, held_by: str = "") -> Verdict:
        """The verdict that asks in place of one that let it run after a while."""
        said = f"{verdict.why}; {SAID[why]}" if SAID[why] else verdict.why
        approvers = self._judge.policy.resolve(verdict.named)
        return verdict.model_copy(
            update={"effect": "ask", "why": said, "approvers": approvers, "held_by": held_by}
        )

    def _ask(self, approval: Approval, asked: Verdict, why: Why, person: Person | None = None) -> bool:
        with self._store.transaction("hold") as connection:
            text = asked.model_dump_json()
            digest = self._judge.policy.digest
            if not graces.hold(connection, approval.id, approval.version, text, digest):
                return False
            at, salt = changes.clock(connection), changes.salt(connection, approval.id)
            who = person.id if person else "policy" if why == "policy" else "signoff"
            name = salted(salt, person.name) if person else None
            audit.append(
                connection,
                Event("held", approval.id, at, who, {"why": why, "name": name}),
                Event("verdict", approval.id, at, "policy", lines.judged(asked, salt)),
            )
        log.info("held: id=%s agent=%s why=%s", approval.id, approval.agent, why)
        self._announcer.wake("hold", approval.id)
        return True

    def _found(self, approval_id: str) -> Approval:
        found = self._store.get(approval_id)
        assert found is not None
        return found

    def _holder(self, user_id: str, verdict: Verdict, agent: str) -> Person:
        """Who may hold: one of those who would be asked, or the agent's owner; raises NotAllowed."""
        try:
            return self._judge.may_decide_waiting(user_id, verdict)
        except NotAllowed:
            if user_id != self._judge.owner(self._store, agent):
                raise
            return self._judge.member(user_id)
