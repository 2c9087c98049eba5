"""A machine of stops: people stop an agent and resume it, while others decide, and processes spend."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from machine.base import ITEM, PEOPLE, USER, Base, crashes
from machine.ledger import Item
from machine.people import ANA
from machine.walk import any_of, one_of, verb

from signoff import stops
from signoff.approvals.stop_errors import Held, NothingStopped, SamePerson
from signoff.models.messages import Spend
from signoff.models.stops import STOPS_KEY, StopScope

NOTE, TICKET = "note.add", "ticket.tidy"
GRANTED = one_of(
    lambda machine: [one for one in machine.items if one.status == "approved"],
    lambda one: not one.has_run,
)
"""Something that was approved."""
STOPPING = ("stop.written", "stop.committed", "stops.published", "stop.told", "stops.held", "stop.announced")
RESUMING = ("resume.written", "resume.committed", "stops.published", "resume.told")


@dataclass
class Standing:
    """A stop: who made it, and whether it is resumed in part."""

    id: str
    by: str
    staged: bool = False


class Stops(Base):
    """Tickets that people are asked about, and notes that the policy lets run; one agent, stopped or not."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.stops: list[Standing] = []
        self.void: set[str] = set()
        self.highest = 0

    def begin(self) -> None:
        for _ in range(3):
            self.open_ticket(None)
            self.add_a_note(None)

    @property
    def stopped(self) -> bool:
        return any(not one.staged for one in self.stops)

    @verb(crash=crashes("intake.acked"))
    def open_ticket(self, crash: Any) -> None:
        """Blocked while its agent is stopped."""
        item = self.ask(crash, TICKET)
        if self.stopped:
            item.status = "blocked"

    @verb(crash=crashes("intake.acked"))
    def add_a_note(self, crash: Any) -> None:
        """Runs at once; resumed in part, people are asked about it."""
        item = self.ask(crash, NOTE)
        if self.stopped:
            item.status = "blocked"
        elif not self.stops:
            item.status, item.let = "approved", True

    def may(self, item: Item) -> frozenset[str]:
        """Of a note: those whom its rule names."""
        return frozenset({ANA}) if item.sent.action == NOTE else super().may(item)

    @verb(8, item=ITEM, user=USER, vote=any_of("approve", "approve", "reject"), crash=crashes())
    def vote(self, item: Item, user: str, vote: str, crash: Any) -> None:
        """Nobody decides while it is stopped."""
        self.decide(crash, item, self.who(user, item), vote)

    def refusal(self, item: Item, user: str) -> tuple[type[Exception], ...]:
        return super().refusal(item, user) or ((Held,) if self.stopped else ())

    @verb(3, user=any_of(*PEOPLE), crash=crashes(*STOPPING))
    def stop(self, user: str, crash: Any) -> None:
        """From then on nothing runs; stopped already, it stays as it is."""
        scope, before = StopScope("agent", self.agent), self.stopped
        if self.attempt(crash, lambda: self.parts.approvals.stop(scope, by=user)) and not before:
            found = next(one for one in reversed(self.parts.approvals.stops()) if one.name == self.agent)
            assert found.by == user and found.stands
            self.stops.append(Standing(found.id, user))

    @verb(1, user=any_of(*PEOPLE))
    def stop_and_withdraw(self, user: str) -> None:
        """What waits ends."""
        self.stop(user, None)
        self.parts.approvals.stop(StopScope("agent", self.agent), by=user, withdraw=True)
        for item in self.items:
            if item.waits:
                item.ends("blocked")

    @verb(5, user=any_of(*PEOPLE), staged=any_of(True, False), crash=crashes(*RESUMING))
    def resume(self, user: str, staged: bool, crash: Any) -> None:
        """By somebody else; what was granted before is void for ever."""
        stop = self.stops[-1] if self.stops else Standing("none", "")
        refused: tuple[type[Exception], ...] = ()
        if not self.stops or (staged and stop.staged):
            refused = (NothingStopped,)
        elif user == stop.by:
            refused = (SamePerson,)
        approvals = self.parts.approvals
        if self.press(crash, refused, lambda: approvals.resume(stop.id, by=user, staged=staged)):
            if not stop.staged:
                self.void |= {one.approval_id for one in self.items if one.status == "approved"}
            if staged:
                stop.staged = True
            else:
                self.stops.remove(stop)

    @verb(8, item=GRANTED, crash=crashes("spend.written", "spend.committed", "spend.told"))
    def spend(self, item: Item, crash: Any) -> None:
        """One process may, and nobody what is stopped, or was since."""
        self.send(crash, "spend", item.sent.id, Spend(by="a-process-of-theirs").model_dump_json())
        if not self.stopped and item.approval_id not in self.void:
            item.has_run = True

    @verb(1, item=ITEM)
    def too_late(self, item: Item) -> None:
        """Its time goes on while it is held."""
        self.run_out(item)

    def compare(self) -> None:
        super().compare()
        for item in self.items:
            assert self.parts.approvals.get(item.approval_id).has_run == item.has_run, item
        found = stops.verify(self.parts.approvals.stopping.statement(), self.ledger.keys)
        assert found.number >= self.highest, "a number never gets lower"
        self.highest = found.number
        own = [one for one in found.stops if one.name == self.agent]
        assert any(one.until is None for one in own) == self.stopped

    def swept(self) -> None:
        """What is stopped stands in Redis again, whatever was lost."""
        self.parts.approvals.stopping.tell()
        token = self.redis.get(STOPS_KEY)
        assert stops.verify(token.decode(), self.ledger.keys).number == self.highest
