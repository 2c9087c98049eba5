"""A machine of what the policy lets run: people hold it before, undo it, and say whether it was right."""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from machine.base import ITEM, PEOPLE, TOO_LATE, USER, Base, crashes
from machine.ledger import Item
from machine.people import ANA, OWNER, STRICT
from machine.walk import any_of, one_of, verb
from sqlalchemy import text
from support import without_triggers

from signoff.approvals import audit
from signoff.approvals.errors import (
    AlreadyUndone,
    FeedbackGiven,
    NotAllowed,
    NotAsked,
    NotHeld,
    NotUndone,
    UndoBlocked,
    UnknownApproval,
)
from signoff.models.messages import CanUndo, Outcome, Spend
from signoff.queue import hearing

NOTE, TASK, DROP = "note.add", "task.start", "note.drop"
WORKER = "a-worker-of-the-agents-own"
HOUR, MINUTE = 3600 * 1_000_000, 60 * 1_000_000
REPLIES = text("SELECT count(*) FROM card_reply WHERE approval_id = :id AND kind = 'undo_untaken'")


UNDO = one_of(lambda machine: [one for one in machine.items if one.undoes], lambda one: not one.has_run)
RAN = one_of(lambda machine: machine.items, lambda one: one.has_run and not one.undoes)
LET = one_of(lambda machine: machine.items, lambda one: one.status == "approved" and not one.has_run)
"""An undo, something that has run, something that may run."""


@dataclass
class Grace:
    """What runs after a while: `active` until it ends or is asked about; `named` are then asked."""

    named: frozenset[str]
    active: bool = True
    shown: bool = False
    over: bool = False


@dataclass
class Ran:
    """What became of what was let run: reported or not, and every undo of it, the last one last."""

    succeeded: bool | None = None
    over: bool = False
    """Nobody can undo it any more; of an undo: no worker can take it."""
    asked: bool = False
    """People are asked whether it was right."""
    untaken: bool = False
    """Its owner was told that nobody takes it."""


class Runs(Base):
    """Notes that the policy lets run and tells of, and tasks that run after a minute unless they are held."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.graces: dict[str, Grace] = {}
        self.ran: dict[str, Ran] = {}

    def begin(self) -> None:
        # A line of the log says whose agent it is: which request was its first is moved with their times.
        self.parts.approvals.undoers.register(self.agent, ["note.drop"])
        for number in range(3):
            self.start_a_task(None)
            self.report(self.add_a_note(None), number < 2, None)
        self.deliver(None)

    @verb(crash=crashes("intake.acked"))
    def add_a_note(self, crash: Any) -> Item:
        """Runs at once, and people are told."""
        item = self.ask(crash, NOTE)
        item.status, item.let = "approved", True
        return item

    @verb(crash=crashes())
    def start_a_task(self, crash: Any) -> None:
        item = self.ask(crash, TASK)
        row = self.parts.approvals.get(item.approval_id)
        assert row.verdict.in_grace == self.rules.free and not row.verdict.held_by
        self.graces[item.approval_id] = Grace(self.rules.graced, active=self.rules.free)

    def may(self, item: Item) -> frozenset[str]:
        """of a task: whom the policy asks by now, else those that were asked, or would have been."""
        return self.graces[item.approval_id].named if self.rules.free else STRICT.graced

    def in_grace(self, item: Item) -> bool:
        return self.rules.free and self.graces[item.approval_id].active

    @verb(item=ITEM, user=USER, crash=crashes("grace.checked", "hold.written", "hold.committed",
                                                 "hold.announced"))  # fmt: skip
    def hold(self, item: Item, user: str, crash: Any) -> None:
        """From then on it is an ordinary request: it is asked about, and never runs by itself."""
        user = self.who(user, item)
        grace, refused = self.graces.get(item.approval_id), tuple[type[Exception], ...]()
        if grace is None or not item.waits:
            refused = (*TOO_LATE, NotHeld)
        elif user not in self.may(item) | {OWNER}:
            refused = (NotAllowed,)
        elif not grace.active:
            refused = (NotHeld,)
        holding = self.parts.approvals.grace
        if self.press(crash, refused, lambda: holding.hold(item.approval_id, 1, user)) and grace:
            self._turn(grace)

    def _turn(self, grace: Grace) -> None:
        """It is asked about: those whom the policy names now, where it asks."""
        grace.active = False
        grace.named = grace.named if self.rules.free else STRICT.graced

    @verb(item=ITEM)
    def let_its_minute_pass(self, item: Item) -> None:
        """From when it was shown; or since it came, where it never was."""
        grace = self.graces.get(item.approval_id)
        if grace is None or not grace.active or not item.waits or grace.over:
            return
        grace.over = True
        if grace.shown:
            self._shift(item.approval_id, MINUTE)
        else:
            self.put("created_at", item.approval_id, f"created_at - {MINUTE}")

    def _shift(self, approval_id: str, back: int) -> None:
        """It was shown so much earlier, as its row and the log tell; what comes after in the log is kept."""
        with self.parts.store.transaction() as connection:
            query = (
                "UPDATE approval SET shown_at = shown_at - :back, runs_at = runs_at - :back WHERE id = :id"
            )
            connection.execute(text(query), {"back": back, "id": approval_id})
            without_triggers(connection)
            query = "SELECT min(seq) FROM audit_event WHERE approval_id = :id AND kind = 'shown'"
            first = {"first": connection.execute(text(query), {"id": approval_id}).scalar_one()}
            query = "SELECT * FROM audit_event WHERE seq >= :first ORDER BY seq"
            lines = connection.execute(text(query), first).mappings().all()
            connection.execute(text("DELETE FROM audit_event WHERE seq >= :first"), first)
            for line in lines:
                at, said = line["at"], json.loads(line["data"])
                if line["approval_id"] == approval_id and line["kind"] == "shown":
                    at -= back
                    said |= {name: said[name] - back for name in ("runs_at", "since") if name in said}
                audit.append(
                    connection, audit.Event(line["kind"], line["approval_id"], at, line["actor"], said)
                )

    @verb(1, hears=any_of(True, True, False))
    def hear_people_or_not(self, hears: bool) -> None:
        """While nobody could be heard hold it, nothing runs."""
        self.redis.delete(hearing.KEY)
        self.hears = False
        if hears:
            self.hear()

    def shown(self) -> None:
        for one, grace in self.graces.items():
            waits = next(item for item in self.items if item.approval_id == one).waits
            if grace.active and waits and not grace.shown:
                grace.shown, grace.over = True, False

    def swept(self) -> None:
        for item in self.items:
            grace = self.graces.get(item.approval_id)
            if grace is None or not grace.active or item.status != "pending":
                continue
            if not self.rules.free or (grace.over and not grace.shown):
                self._turn(grace)
            elif grace.over and self.hears:
                item.ends("approved")
                item.let = True

    @verb(item=ITEM, user=USER, vote=any_of("approve", "reject"), crash=crashes())
    def vote(self, item: Item, user: str, vote: str, crash: Any) -> None:
        user = self.who(user, item)
        self.decide(crash, item, user, vote)

    @verb(item=LET, succeeded=any_of(True, True, False), crash=crashes("intake.acked"))
    def report(self, item: Item, succeeded: bool, crash: Any) -> None:
        """The first report counts; people are asked about it where it has a card, and once."""
        outcome = Outcome(succeeded=succeeded, note="done", result={"id": f"re_{item.payload.get('n')}"})
        self.send(crash, "outcome", item.sent.id, outcome.model_dump_json())
        ran = self.ran.setdefault(item.approval_id, Ran())
        if item.status == "approved" and ran.succeeded is None:
            ran.succeeded, item.has_run = succeeded, True
            ran.asked = item.undoes is None
        row = self.parts.approvals.get(item.approval_id)
        assert (row.outcome.succeeded if row.outcome else None) == ran.succeeded
        assert (row.feedback is not None) == ran.asked

    @verb(undo=UNDO, succeeded=any_of(True, False), crash=crashes())
    def report_of_the_undo(self, undo: Item, succeeded: bool, crash: Any) -> None:
        self.report(undo, succeeded, crash)

    @verb(item=RAN, user=USER, crash=crashes("undo.checked", "undo.written", "undo.committed",
                                                 "undo.announced"))  # fmt: skip
    def undo(self, item: Item, user: str, crash: Any) -> None:
        """An approval of its own, bound to what it undoes; only in its time, and one that still counts."""
        user = user if user in PEOPLE else ANA
        before, undos = self._undos(item), self.parts.approvals.undo
        refused = self._not_undone(item, user)
        if not self.press(crash, refused, lambda: undos.ask(item.approval_id, user)):
            return
        known = self.parts.approvals.get(item.approval_id).undo
        assert known is not None and known.done is not None and known.attempts == len(before) + 1
        row = self.parts.approvals.get(known.done.approval_id)
        assert (row.action, row.payload) == (DROP, {"id": f"re_{item.payload['n']}", "n": item.payload["n"]})
        found = Item(row.request, row.id, "approved", payload=row.payload, by=user, undoes=item.approval_id)
        self.items.append(found)

    def _not_undone(self, item: Item, user: str) -> tuple[type[Exception], ...]:
        ran, before = self.ran.get(item.approval_id, Ran()), self._undos(item)
        if before and not self._again(before[-1]):
            return (AlreadyUndone,)
        if item.sent.action != NOTE or not ran.succeeded or ran.over:
            return (NotUndone,)
        if not self.rules.free:
            return (UndoBlocked,)
        return () if user in (ANA, OWNER) else (NotAllowed,)

    def _undos(self, item: Item) -> Sequence[Item]:
        return [one for one in self.items if one.undoes == item.approval_id]

    def _again(self, undo: Item) -> bool:
        """It failed, or no worker has taken it in its time."""
        ran = self.ran.get(undo.approval_id, Ran())
        return ran.succeeded is False or (ran.over and not undo.has_run)

    @verb(undo=UNDO, crash=crashes("spend.announced", "intake.acked"))
    def take(self, undo: Item, crash: Any) -> None:
        """One process may run it, while its receipt is valid."""
        if not self.ran.get(undo.approval_id, Ran()).over:
            self.send(crash, "spend", undo.sent.id, Spend(by=WORKER).model_dump_json())
            undo.has_run = True

    @verb(undo=UNDO)
    def leave_it_untaken(self, undo: Item) -> None:
        """After half a minute its owner is told in the card's thread, once for each attempt."""
        first = next(one for one in self.items if one.approval_id == undo.undoes)
        ran = self.ran.setdefault(undo.approval_id, Ran())
        if undo is self._undos(first)[-1] and not undo.has_run and not ran.untaken and not ran.over:
            ran.untaken = True
            self.put("ended_at", undo.approval_id, f"ended_at - {MINUTE}")
            with self.parts.store.transaction() as connection:
                which = {"id": first.approval_id}
                connection.execute(text("UPDATE approval SET undo_at = 1 WHERE id = :id"), which)
            self.sweep(None)
            with self.parts.store.reading() as connection:
                told = connection.execute(REPLIES, which).scalar_one()
            assert told == sum(self.ran.get(one.approval_id, Ran()).untaken for one in self._undos(first))

    @verb(undo=UNDO)
    def let_the_undo_grow_old(self, undo: Item) -> None:
        """Its receipt is no longer valid, and nobody has taken it."""
        ran = self.ran.setdefault(undo.approval_id, Ran())
        if not undo.has_run and not ran.over:
            self.put("receipt_expires_at", undo.approval_id, 1)
            ran.over = True

    @verb(1, item=RAN)
    def let_the_hour_pass(self, item: Item) -> None:
        """What ran cannot be undone any more."""
        ran = self.ran.get(item.approval_id)
        if ran and ran.succeeded is not None and not ran.over and item.undoes is None:
            self.put("outcome_at", item.approval_id, f"outcome_at - {HOUR}")
            ran.over = True

    @verb(1, crash=crashes("intake.acked"))
    def register(self, crash: Any) -> None:
        """The agent says that it can undo by this."""
        self.send(crash, "undo", uuid4(), CanUndo(actions=(DROP,)).model_dump_json())
        known = self.parts.approvals.undoers.listed()
        assert [one.action for one in known if one.agent == self.agent] == [DROP]

    @verb(item=RAN, user=USER, said=any_of("right", "partly", "wrong"),
          crash=crashes("feedback.written", "feedback.committed", "feedback.announced"))  # fmt: skip
    def say_whether_it_was_right(self, item: Item, user: str, said: str, crash: Any) -> None:
        """Said once, by one of those who are asked; nothing runs by it."""
        user = user if user in PEOPLE else item.by or OWNER
        refused: tuple[type[Exception], ...] = ()
        if not self.ran.get(item.approval_id, Ran()).asked:
            refused = (UnknownApproval,)
        elif user not in (item.by, OWNER):
            refused = (NotAsked,)
        elif item.said:
            refused = (FeedbackGiven,)
        feedback = self.parts.approvals.feedback
        if self.press(crash, refused, lambda: feedback.give(item.approval_id, user, said, "Net, please")):
            item.said = said

    @verb(1, item=ITEM, crash=crashes())
    def take_back(self, item: Item, crash: Any) -> None:
        self.withdraw(crash, item)

    @verb(1, item=ITEM)
    def let_time_pass(self, item: Item) -> None:
        self.run_out(item)
