"""A machine of batches: what is asked together is frozen once, looked through, and ends one by one."""

from __future__ import annotations

import uuid
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from machine.base import ITEM, TOO_LATE, USER, Base, crashes
from machine.ledger import Item
from machine.people import MOST
from machine.walk import any_of, one_of, verb

from signoff.approvals.errors import NotRecorded, ShownOther, UnknownApproval
from signoff.models.batches import Batch, Decided, Review
from signoff.models.messages import Freeze
from signoff.models.shown import Shown, digest_of
from signoff.queue import stream

CLOSES = "ticket.close"
"""Cannot be undone, so it never shares a card."""
FREEZES = ("freeze.written", "freeze.committed", "freeze.announced", "freeze.told", "intake.acked")
FROZEN = one_of(lambda machine: machine.together, lambda one: any(item.waits for item in one.stays))
OPEN = one_of(lambda machine: machine.together, lambda one: one.id is None and not one.dropped)
LOOK = one_of(lambda machine: machine.looks, lambda one: any(item.waits for item in one.items))
SOMETIMES = any_of(False, False, False, True)
TIMES = any_of(1, 2, 3)
"""How often a point is passed before a process crashes there, where it passes it for each of several."""
PART = any_of("all", "all", "first", "last")


@dataclass(eq=False, repr=False)
class Together:
    """A batch as its agent has it. `id` is None until it is frozen."""

    name: str
    items: list[Item]
    id: int | None = None
    dropped: bool = False
    stays: list[Item] = field(default_factory=list)
    """Those that its card shows."""

    def __repr__(self) -> str:
        return f"batch {self.id} of {self.items}"


@dataclass(eq=False, repr=False)
class Looked:
    """Somebody looks several requests through; `seen` of them were shown whole."""

    review: Review
    user: str
    items: list[Item]
    seen: int = 0

    def __repr__(self) -> str:
        return f"{self.user}, {self.seen} seen of {self.items}"


class Batches(Base):
    """Tickets that are asked together or alone, and people who look through several, or press one card."""

    def __init__(self, *given: Any) -> None:
        super().__init__(*given)
        self.together: list[Together] = []
        self.looks: list[Looked] = []

    def begin(self) -> None:
        for _ in range(2):
            self.ask_alone(None, False)
            self.freeze(self.send_together(4, False, None), None)
        self.show()
        for batch in self.together:
            self.look_through(batch, "U0BEN")
            self.turn_pages(self.looks[-1], 3)

    @verb(crash=crashes(), closes=SOMETIMES)
    def ask_alone(self, crash: Any, closes: bool) -> None:
        self.ask(crash, CLOSES if closes else "ticket.tidy")

    @verb(size=any_of(*range(1, MOST + 3)), closes=SOMETIMES, crash=crashes("intake.acked"))
    def send_together(self, size: int, closes: bool, crash: Any) -> Together:
        """Nobody sees any of it yet."""
        batch = Together(uuid.uuid4().hex, [])
        for number in range(size):
            action = CLOSES if closes and number == 1 else "ticket.tidy"
            batch.items.append(self.ask(None if number else crash, action, batch=batch.name))
        self.together.append(batch)
        assert not {one.approval_id for one in batch.items} & {*self.parts.approvals.waiting_for("U0BEN")}
        return batch

    @verb(batch=OPEN, crash=crashes(*FREEZES))
    def freeze(self, batch: Together, crash: Any) -> None:
        """Said again it changes nothing; what cannot share its card has one of its own."""
        new = batch.id is None
        answer = self._freeze(crash, batch, batch.items)
        if batch.dropped:
            assert answer.status == "invalid"
            return
        assert answer.status == "pending", "its agent knows that it was read"
        found = self._find(batch)
        stays = {one.id for one in found.items}
        assert (found.state, found.size) == ("frozen", len(batch.items))
        if not new:
            assert stays <= {one.approval_id for one in batch.stays}, "nothing comes to a card that stands"
            return
        batch.id = found.id
        self.ledger.batches.add(found.id)
        batch.stays = [one for one in batch.items if one.approval_id in stays]
        assert len(batch.stays) <= MOST and all(one.sent.action != CLOSES for one in batch.stays)
        assert stays | {one.id for one in found.apart} == {one.approval_id for one in batch.items}
        for item in batch.items:
            row = self.parts.approvals.get(item.approval_id)
            assert (row.card is None) == (item in batch.stays), "each is shown in one place"

    @verb(1, batch=FROZEN, crash=crashes(*FREEZES))
    def freeze_with_others(self, batch: Together, crash: Any) -> None:
        """A batch's name stands for what was frozen under it."""
        if batch.id is not None and len(batch.items) > 1:
            assert self._freeze(crash, batch, batch.items[::-1]).status == "invalid"

    def _freeze(self, crash: Any, batch: Together, items: Sequence[Item]) -> Any:
        entry_id = stream.batch_id(batch.name)
        body = Freeze(title="Clean up", ids=tuple(one.sent.id for one in items)).model_dump_json()
        self.send(crash, "batch", entry_id, body)
        told_at = stream.frozen(entry_id, body.encode())
        answer = self.told(told_at)
        if answer.status == "invalid":
            self.ledger.refused.add(told_at)
        return answer

    @verb(batch=FROZEN, crash=crashes())
    def come_late(self, batch: Together, crash: Any) -> None:
        """Whoever has read a card has not seen what was not frozen with it: it has a card of its own."""
        if batch.id is None:
            return
        item = self.ask(crash, "ticket.tidy", batch=batch.name)
        assert self.parts.approvals.get(item.approval_id).card is not None

    @verb(1, batch=OPEN, crash=crashes("sweep.drop", "sweep.expire"))
    def never_freeze(self, batch: Together, crash: Any) -> None:
        """Its agent has died: what it sent ends, and was shown to nobody."""
        if batch.id is not None or batch.dropped:
            return
        self.put("created_at", self._find(batch).id, 1, "batch")
        for item in batch.items:  # what else is over by now is told first
            if item.ran_out:
                item.ends("expired") if item.status == "pending" else None
            elif item.status == "pending":
                item.ends("cancelled")
        batch.dropped = True
        self.sweep(crash)
        for item in batch.items:
            assert self.parts.approvals.get(item.approval_id).shown_at is None

    @verb(batch=FROZEN, user=USER)
    def look_through(self, batch: Together, user: str) -> None:
        """Those that wait and that they may decide, at the versions that they have."""
        user = self.who(user, *batch.stays[:1])
        if batch.id is not None:
            self._look(user, batch.stays, batch.id)

    @verb(item=ITEM, user=USER)
    def look_through_what_is_alike(self, item: Item, user: str) -> None:
        """What waits alone is offered together; nothing of a batch, and nothing that cannot be undone."""
        user = self.who(user, item)
        found = self.parts.approvals.batches.alike(user, item.approval_id)
        items = [one for one in self.items if one.approval_id in found]
        shown = {one.approval_id for batch in self.together for one in batch.stays}
        for one in items:
            assert one.waits and one.sent.action != CLOSES and user in self.may(one)
            assert one.approval_id not in shown
        if found:
            self._look(user, items, None)

    def _look(self, user: str, items: Sequence[Item], batch_id: int | None) -> None:
        mine = [one for one in items if one.waits and user in self.may(one)]
        found: list[Review] = []
        ids = [one.approval_id for one in items]
        begin = lambda: found.append(self.parts.approvals.batches.review(user, ids, batch_id))  # noqa: E731
        self.press(None, () if mine else TOO_LATE, begin)
        if not mine:
            return
        assert sorted(found[0].items) == sorted((one.approval_id, one.version) for one in mine)
        self.looks.append(Looked(found[0], user, [self._of(one) for one, _ in found[0].items]))

    @verb(look=LOOK, seen=any_of(*range(MOST + 1)))
    def turn_pages(self, look: Looked, seen: int) -> None:
        """What was seen stays seen; nobody else has seen it by that."""
        look.seen = min(max(look.seen, seen), len(look.items))
        assert self.parts.approvals.batches.saw(look.review.id, look.user, seen).seen == look.seen
        other = "U0MIA" if look.user != "U0MIA" else "U0ANA"
        self.press(
            None, (UnknownApproval,), lambda: self.parts.approvals.batches.looked(look.review.id, other)
        )

    @verb(look=LOOK, vote=any_of("approve", "reject"), part=PART, times=TIMES,
          crash=crashes())  # fmt: skip
    def decide_those(self, look: Looked, vote: Any, part: str, times: int, crash: Any) -> None:
        """Those that were seen, and of them those that are meant; each at the version that was seen."""
        meant = {"all": look.items, "first": look.items[:1], "last": look.items[-1:]}[part]
        of = None if part == "all" else [one.approval_id for one in meant]
        chosen = [one for one in look.items[: look.seen] if one in meant]
        batches = self.parts.approvals.batches
        self._several(
            crash and (crash[0], times), chosen, look.user, vote,
            lambda: batches.decide(look.review.id, look.user, vote, of=of, reason="Not now"),
        )  # fmt: skip

    @verb(batch=FROZEN, user=USER, times=TIMES, crash=crashes())
    def reject_all(self, batch: Together, user: str, times: int, crash: Any) -> None:
        user = self.who(user, *batch.stays[:1])
        if batch.id is not None:
            batches, which = self.parts.approvals.batches, batch.id
            do = lambda: batches.reject(which, user, "Not now")  # noqa: E731
            self._several(crash and (crash[0], times), batch.stays, user, "reject", do)

    @verb(batch=FROZEN, user=USER, times=TIMES, changed=SOMETIMES, crash=crashes())
    def approve_on_the_card(self, batch: Together, user: str, times: int, changed: bool, crash: Any) -> None:
        """All that the card has shown, and only where it is still what it was."""
        if batch.id is None:
            return
        user = self.who(user, *batch.stays[:1])
        found, batches = self._find(batch), self.parts.approvals.batches
        waiting = {number: one for number, one in found.known.items() if one in found.pending}
        digest = "0" * 32 if changed else digest_of(waiting.values())
        shown = Shown(found.id, {number: one.version for number, one in waiting.items()}, digest)
        items = [] if changed else [self._of(one.id) for one in waiting.values() if one.shown_at is not None]
        self._several(
            crash and (crash[0], times), items, user, "approve", lambda: batches.approve(user, shown)
        )

    def _several(self, crash: Any, items: Sequence[Item], user: str, vote: str, do: Any) -> None:
        """Each is decided by itself, in order: a crash on the way leaves the first of them, and no other."""
        due = [one for one in items if not self.refusal(one, user)]
        given: list[Decided] = []

        def press() -> None:
            try:
                given.append(do())
            except NotRecorded as error:
                assert not due and isinstance(error, (*TOO_LATE, ShownOther)), error

        self.attempt(crash, press)
        if given:
            assert list(given[0].decided) == [one.approval_id for one in due]
            assert not {one.approval_id for one in given[0].left} & {*given[0].decided}
        status = "approved" if vote == "approve" else "rejected"
        done = [one for one in due if not self.parts.approvals.get(one.approval_id).pending]
        assert done == due[: len(done)] and (crash or done == due)
        for one in done:
            one.ends(status, user)

    @verb(item=ITEM, user=USER, vote=any_of("approve", "approve", "reject"),
          changed=SOMETIMES, crash=crashes())  # fmt: skip
    def decide_one(self, item: Item, user: str, vote: str, changed: bool, crash: Any) -> None:
        user = self.who(user, item)
        self.decide(crash, item, user, vote, changed and vote == "approve")

    @verb(1, item=ITEM, crash=crashes())
    def take_back(self, item: Item, crash: Any) -> None:
        self.withdraw(crash, item)

    @verb(1, item=ITEM)
    def let_time_pass(self, item: Item) -> None:
        self.run_out(item)

    def unseen(self, item: Item) -> bool:
        return item.status == "pending" and any(
            item in one.items for one in self.together if one.id is None and not one.dropped
        )

    def shown(self) -> None:
        for batch in self.together:
            if batch.id is not None and batch.stays:
                found = self._find(batch)
                assert found.message and found.shown_revision == found.revision
                assert all(one.shown_at is not None for one in found.items)
            elif batch.id is None:
                assert all(self.parts.approvals.get(one.approval_id).shown_at is None for one in batch.items)

    def _find(self, batch: Together) -> Batch:
        found = self.parts.approvals.batches.find(self.agent, batch.name)
        assert found is not None
        return found

    def _of(self, approval_id: str) -> Item:
        return next(one for one in self.items if one.approval_id == approval_id)
