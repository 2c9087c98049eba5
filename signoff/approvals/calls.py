"""Reminders and escalations: noted in rows by the clock, and said in the card's thread, each once.

Two steps, either of which may be cut anywhere: `look` notes whom to ping about something, and from when on;
`say` has it said, merged with what else waits for them. Quiet hours delay what is said, and nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import replace

from sqlalchemy import Connection

from signoff.approvals import audit
from signoff.approvals.announcer import Announcer
from signoff.approvals.audit import Event, lines
from signoff.approvals.called import Callers
from signoff.approvals.escalation import steps_due, widened
from signoff.approvals.seats import waiting_for
from signoff.approvals.verdicts import Judge
from signoff.models import calls, card_replies, changes
from signoff.models.approval import Approval
from signoff.models.calls import APART_SECONDS, Call
from signoff.models.store import MICROSECONDS, Store
from signoff.models.verdict import Verdict
from signoff.queue.publisher import Publisher

log = logging.getLogger("signoff.approvals")


class Calls:
    """Whom to ping, and what about."""

    def __init__(
        self, store: Store, judge: Judge, callers: Callers, publisher: Publisher, announcer: Announcer
    ) -> None:
        self._store = store
        self._judge = judge
        self._callers = callers
        self._publisher = publisher
        self._announcer = announcer

    def due(self) -> Sequence[str]:
        """Ids whose steps have to be looked at now."""
        return calls.due(self._store)

    def look(self, approval_id: str) -> None:
        """Take the steps whose time has come. RedisError passes: then nothing is noted."""
        was, found = calls.looked_at(self._store, approval_id), self._store.look(approval_id)
        if was is None or found is None:
            return
        approval, now = found
        over = not approval.pending or approval.restored or now >= approval.expires_at
        if over or approval.shown_at is None:
            with self._store.transaction() as connection:
                calls.move(connection, approval_id, was, None)
            return
        verdict = self._judge.standing(approval)
        if verdict.effect == "block":  # it ends so, as soon as its policy is held against it
            verdict = approval.verdict
        if verdict.times.clock == "shown":
            self._publisher.mark_received(approval, now)  # its agent learns of its new end
        self._step(approval, verdict, was, now)

    def _step(self, approval: Approval, verdict: Verdict, was: int, now: int) -> None:
        shown_at = approval.shown_at or now
        waited = (now - shown_at) / MICROSECONDS
        steps = steps_due(verdict, waited)
        wider = verdict
        for step in steps:
            wider = widened(wider, step.to, step.after, self._judge.policy)
        before = self._open(replace(approval, verdict=verdict))
        with self._store.transaction("call") as connection:
            if not calls.move(connection, approval.id, was, _next(wider, shown_at, now)):
                return
            self._ask_later(connection, approval, verdict, before)
            passed = [after for after in verdict.times.remind if after <= waited]
            if passed:
                self._add(connection, approval.id, "remind", passed[-1], verdict, before, now)
            if steps and self._escalate(connection, approval, wider, steps[-1].after):
                more = [one for one in self._open(replace(approval, verdict=wider)) if one not in before]
                self._add(connection, approval.id, "escalate", steps[-1].after, wider, more, now)
        if steps:
            log.info("escalated: id=%s agent=%s", approval.id, approval.agent)
            self._announcer.wake("call", approval.id)

    def _open(self, approval: Approval) -> list[str]:
        """Whom a vote is still wanted from, with who is away replaced by who stands in."""
        asked = approval.verdict.approvers
        voted = {vote.approver for vote in approval.decisions}
        wanted = [one for seat in waiting_for(approval) for one in seat.people]
        people = self._callers.instead(asked, self._callers.people(wanted))
        return [one for one in people if one not in voted]

    def _ask_later(
        self, connection: Connection, approval: Approval, verdict: Verdict, people: Sequence[str]
    ) -> None:
        """Whom the card did not ping, as it was their quiet hours."""
        at = approval.shown_at or 0
        due = [(one, self._callers.quiet_until(one, verdict.times, at)) for one in people]
        calls.add(connection, approval.id, "asked", 0, [one for one in due if one[1] > at])

    def _add(
        self,
        connection: Connection,
        approval_id: str,
        why: calls.Why,
        after: int,
        verdict: Verdict,
        people: Sequence[str],
        now: int,
    ) -> None:
        due = [(one, self._callers.quiet_until(one, verdict.times, now)) for one in people]
        calls.add(connection, approval_id, why, after, due)

    def _escalate(self, connection: Connection, approval: Approval, wider: Verdict, after: int) -> bool:
        text, digest = wider.model_dump_json(), self._judge.policy.digest
        if not calls.escalate(connection, approval.id, approval.version, approval.revision, text, digest):
            raise Moved  # nothing is written: it is looked at once more
        at, salt = changes.clock(connection), changes.salt(connection, approval.id)
        data = {"to": list(wider.added), "after": after}
        audit.append(
            connection,
            Event("escalated", approval.id, at, "policy", data),
            Event("verdict", approval.id, at, "policy", lines.judged(wider, salt)),
        )
        return True

    def to_say(self) -> Sequence[str]:
        """Ids of what somebody is to be pinged about now."""
        return calls.to_say(self._store)

    def say(self, approval_id: str) -> None:
        """Ping those whose time has come, in one message; who has voted, or was just pinged of it, is not."""
        found = self._store.look(approval_id)
        if found is None:
            return
        approval, now = found
        if not approval.pending or approval.restored or now >= approval.expires_at:
            with self._store.transaction() as connection:
                calls.none_left(connection, approval_id)
            return
        verdict = self._judge.standing(approval)
        still = set(self._open(replace(approval, verdict=verdict)))
        beside = self._beside(approval_id)
        with self._store.transaction("called") as connection:
            told = [
                call
                for call in calls.unsaid(connection, approval_id)
                if call.due_at <= now and self._pings(connection, approval, call, still, now)
            ]
            if told:
                why = min((call.why for call in told), key=_LOUDEST.index)
                people = [call.person for call in told]
                more = {one: beside.get(one, 0) for one in people if beside.get(one, 0)}
                after = max(call.after for call in told)
                said = {"people": people, "why": why, "more": more, "after": after}
                card_replies.add(connection, approval_id, "called", said)
                data = {"people": people, "why": why}
                audit.append(
                    connection, Event("called", approval_id, changes.clock(connection), "signoff", data)
                )

    def _pings(
        self, connection: Connection, approval: Approval, call: Call, still: set[str], now: int
    ) -> bool:
        """Whether this one is said now, by this transaction."""
        if call.person not in still:
            calls.said(connection, call)
            return False
        last = calls.last(connection, call.person)
        if last is not None and last > now - APART_SECONDS * MICROSECONDS:
            if call.why == "remind" and (approval.shown_at or now) <= last:
                calls.said(connection, call)  # what they were told then has counted this
            else:
                calls.later(connection, call, last + APART_SECONDS * MICROSECONDS)
            return False
        return calls.said(connection, call) and calls.ping(connection, call.person)

    def _beside(self, approval_id: str) -> dict[str, int]:
        """How many other requests wait for each person who is to be told."""
        with self._store.reading() as connection:
            people = {one.person for one in calls.unsaid(connection, approval_id)}
        waiting = [one for one in self._store.waiting() if one[0] != approval_id and not one[1].grace]
        return {one: len(self._judge.among(one, waiting)) for one in people if one[:1] in ("U", "W")}


class Moved(Exception):
    """It is no longer as it was seen."""


_LOUDEST: tuple[calls.Why, ...] = ("escalate", "asked", "remind")
"""What a message to several people is about: of more asked, rather than of a reminder."""


def _next(verdict: Verdict, shown_at: int, now: int) -> int | None:
    """When it has to be looked at next, in microseconds since 1970; None where never."""
    steps = (*verdict.times.remind, *(one.after for one in verdict.times.escalate))
    return min((at for one in steps if (at := shown_at + one * MICROSECONDS) > now), default=None)


def restart(verdict: Verdict) -> int | None:
    """How many seconds it has once its card is shown, where its clock starts then."""
    return verdict.expires_in if verdict.times.clock == "shown" and verdict.effect == "ask" else None
