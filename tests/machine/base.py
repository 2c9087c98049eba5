"""What the machines of questions, batches, undoing and grace share: one agent, its requests, the verbs that
all of these have, a channel that shows cards, and a server that crashes.

To add a verb: write a `@verb` in the machine that it belongs to. What a person does goes into `self.press`
with what it has to be refused with, what an agent does into `self.send`; then say in the `Item` what has to
be so. After every verb `compare` compares.
"""

from __future__ import annotations

from collections.abc import Callable
from itertools import count
from typing import Any

from bot.test_batch_delivery import Slack
from machine.ledger import Item, Ledger
from machine.parts import IN_TRANSACTION, Crash, Parts
from machine.people import ANA, BEN, FREE, MIA, STRICT, Rules
from machine.walk import Draw, any_of, one_of, verb
from sqlalchemy import text
from support import a_request, send_entry

from signoff.approvals.errors import (
    AlreadyDecided,
    InGrace,
    NotAllowed,
    NotRecorded,
    OtherKind,
    TimeRanOut,
    UnknownApproval,
)
from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.delivery.turns import Turns
from signoff.errors import Invalid
from signoff.models.messages import Cancel
from signoff.queue import hearing, stream

PEOPLE = (ANA, BEN, MIA)
USER = any_of(*["who may"] * 4, *PEOPLE)
"""Mostly somebody who may; see `Base.who`."""
ITEM = one_of(lambda machine: machine.items, lambda one: one.waits)
"""A request, mostly one that waits."""
POINTS = (IN_TRANSACTION, "before it is published", "after it is published", "decide.checked", "end.written",
          "end.committed", "publication.sent")  # fmt: skip
"""Where a process may crash on anybody's verb; each machine adds its own."""
TOO_LATE = (AlreadyDecided, TimeRanOut, NotAllowed)
TIMES = {
    *(
        ("approval", one)
        for one in ("created_at", "expires_at", "outcome_at", "ended_at", "receipt_expires_at")
    ),
    ("talk", "until"),
    ("batch", "created_at"),
}
READY = (
    "UPDATE batch SET not_before = 0, lease_until = CASE WHEN lease_until > 1 THEN 2 ELSE lease_until END",
    "UPDATE card SET lease_until = CASE WHEN lease_until > 1 THEN 2 ELSE lease_until END",
    "UPDATE approval SET not_before = 0",
    "DELETE FROM pause",
)
"""Whoever died with a card has been dead for long, and all cards have rested."""
BEHIND = (
    text(
        "SELECT count(*) FROM approval WHERE agent = :agent AND batch_id IS NULL "
        "AND delivered_revision < revision"
    ),
    text(
        "SELECT count(*) FROM batch WHERE agent = :agent AND state = 'frozen' AND shown_revision < revision "
        "AND id IN (SELECT batch_id FROM approval)"
    ),
)


def crashes(*points: str) -> Draw:
    """Mostly none; else the point, and how often it is passed before."""
    found = [(point, 1) for point in POINTS + points]
    return any_of(*[None] * len(found), *found)


def is_nothing(point: str) -> bool:
    """Whether a verb that was cut off there has done nothing."""
    return point == IN_TRANSACTION or point.endswith((".checked", ".written"))


class Base:
    """The verbs of all requests, whatever their kind."""

    def __init__(self, parts: Parts, redis: Any, verify_key: str, agent: str) -> None:
        self.parts, self.redis, self.agent = parts, redis, agent
        self.ledger = Ledger(parts, redis, verify_key, agent)
        self.items = self.ledger.items
        self.slack, self.numbers = Slack(), count()
        self._moved: dict[tuple[str, str, str | int], Any] = {}
        redis.flushall()
        self._start()
        self.hear()
        self.follow(FREE)

    def _start(self) -> None:
        self.parts.build()
        approvals = self.parts.approvals
        delivery = Delivery(approvals, self.slack, Admins(self.slack, ()))  # type: ignore[arg-type]
        self.turns = Turns(self.parts.store, delivery, delivery.beside)

    def who(self, user: str, item: Item | None = None) -> str:
        """Somebody, or one of those who may decide it today."""
        if user in PEOPLE:
            return user
        may = self.may(item) if item and item.waits else PEOPLE
        return min(may)

    def begin(self) -> None:
        """Make what there is at first."""

    def hear(self) -> None:
        """People are heard all the time."""
        hearing.note(self.redis, "a-bot", hearing.Ears(0, 0, 1 << 60))
        self.hears = True

    def follow(self, rules: Rules) -> None:
        self.rules, self.parts.policy = rules, rules.policy

    def attempt(self, crash: Any, do: Callable[[], Any]) -> bool:
        """Do it, or crash on the way and start again; False where nothing of it was done."""
        self.parts.arm(*crash) if crash else None
        try:
            do()
        except Crash:
            self._start()
            return not is_nothing(crash[0])
        finally:
            self.parts.armed = None
        return True

    def press(self, crash: Any, refused: tuple[type[Exception], ...], do: Callable[[], Any]) -> bool:
        """What a person does; True where it is recorded. Empty `refused`: it has to be."""

        def pressed() -> None:
            try:
                do()
            except (NotRecorded, Invalid) as error:
                assert isinstance(error, refused), f"{error!r}, not {refused}"
            else:
                assert not refused, f"recorded, not {refused}"

        return self.attempt(crash, pressed) and not refused

    def send(self, crash: Any, kind: str, request_id: Any, body: str) -> None:
        """By the stream; what a crash left unacknowledged is delivered again."""
        send_entry(self.redis, self.agent, kind, str(request_id), body)
        self.attempt(crash, self.parts.drain)
        self.parts.drain()

    def told(self, request_id: Any) -> Any:
        return stream.response(self.redis, self.agent, str(request_id))

    def ask(self, crash: Any, action: str, payload: Any = None, **fields: Any) -> Item:
        """A new request that somebody is asked about, by the policy or the machine that calls this."""
        payload = {"n": next(self.numbers)} if payload is None else payload
        sent = a_request(action, payload, agent=self.agent, **fields)
        self.send(crash, "request", sent.id, sent.encode())
        found = self.parts.store.find(self.agent, str(sent.id))
        assert found is not None
        item = Item(sent, found.id, payload=payload)
        self.items.append(item)
        return item

    def may(self, item: Item) -> frozenset[str]:
        """Who decides it today, while it waits."""
        return self.rules.questioned if item.question else self.rules.asked

    def in_grace(self, item: Item) -> bool:
        """Whether the policy lets it run after a while, and nobody was asked."""
        return False

    def unseen(self, item: Item) -> bool:
        """Whether it is of a batch of which nobody sees anything yet."""
        return False

    def refusal(self, item: Item, user: str) -> tuple[type[Exception], ...]:
        """Why what this person presses on a request comes to nothing; empty: it does not."""
        if self.unseen(item):
            return (UnknownApproval,)
        if not item.waits:
            return TOO_LATE
        if user not in self.may(item):
            return (NotAllowed,)
        return (InGrace,) if self.in_grace(item) else ()

    def decide(self, crash: Any, item: Item, user: str, vote: str, changed: bool = False) -> None:
        """By its own card, wherever else it is shown; a question is never approved, nor rejected."""
        refused = self.refusal(item, user) or ((OtherKind,) if item.question else ())
        payload = {**item.payload, "n": next(self.numbers)} if changed else item.payload
        more: dict[str, Any] = {"payload": payload} if changed else {}
        approvals, seen = self.parts.approvals, item.version
        if self.press(crash, refused, lambda: approvals.decide(item.approval_id, seen, user, vote, **more)):  # type: ignore[arg-type]
            item.ends("approved" if vote == "approve" else "rejected", user)
            item.version, item.payload = item.version + changed, payload

    def put(self, where: str, which: str | int, value: int | str, table: str = "approval") -> None:
        """A time of a row is another one until the machine ends. Tests move rows, not clocks."""
        assert (table, where) in TIMES
        with self.parts.store.transaction() as connection:
            query = text(f"SELECT {where} FROM {table} WHERE id = :id")
            was = connection.execute(query, {"id": which}).scalar_one()
            self._moved.setdefault((table, where, which), was)
            query = text(f"UPDATE {table} SET {where} = {value} WHERE id = :id")
            connection.execute(query, {"id": which})

    def withdraw(self, crash: Any, item: Item) -> None:
        self.send(crash, "cancel", item.sent.id, Cancel(reason="not needed").model_dump_json())
        if item.waits:
            item.ends("cancelled")

    def run_out(self, item: Item) -> None:
        if item.status == "pending":
            self.put("expires_at", item.approval_id, 1)
            item.ran_out = True

    @verb(1, rules=any_of(FREE, FREE, STRICT))
    def reload(self, rules: Rules) -> None:
        """Another policy is in force: what waits is decided by today's people."""
        self.follow(rules)

    @verb(1)
    def empty_redis(self) -> None:
        self.redis.flushall()
        self.hears = False
        self.hear()

    @verb(3, crash=crashes("card.posted", "card.redrawn", "batch.leased", "batch.posted", "batch.redrawn",
                        "batch.noted", "reply.claimed", "reply.posted"))  # fmt: skip
    def deliver(self, crash: Any) -> None:
        """Every card shows its last revision, and each stands once where nothing was lost on the way."""
        self.attempt(crash, self.show)
        self.show()
        assert not self.behind()
        self.shown()

    def show(self) -> None:
        """A wake-up goes on for two seconds at most, which may be too few here."""
        for _ in range(20):
            with self.parts.store.transaction() as connection:
                for statement in READY:
                    connection.execute(text(statement))
            self.turns.step()
            if not self.behind():
                return

    def behind(self) -> int:
        """How many cards of this agent's tell of less than there is."""
        with self.parts.store.reading() as connection:
            return sum(connection.execute(one, {"agent": self.agent}).scalar_one() for one in BEHIND)

    def shown(self) -> None:
        """All cards were brought up to date."""

    @verb(2, crash=crashes("sweep.expire", "sweep.grace", "sweep.publish", "silence.written", "told.written"))
    def sweep(self, crash: Any) -> None:
        self.attempt(crash, self.parts.sweep)
        self.parts.sweep()
        for item in self.items:
            if item.status == "pending" and item.ran_out:
                item.ends("expired")
        self.swept()
        for item in self.items:
            answer = self.told(item.sent.id)
            assert answer is not None and answer.status in (item.status, "duplicate"), (
                f"{item} is published, and not {answer and answer.status}"
            )
        self.ledger.check_stream()

    def swept(self) -> None:
        """What else a sweep has brought about."""

    def compare(self) -> None:
        """Of what has ended, once more at the end: by then whatever could change it was tried."""
        for item in self.items:
            if item.status == "pending" or item.receipt is None:
                self.ledger.check(item)

    def end(self) -> None:
        self.sweep(None)
        for item in self.items:
            self.ledger.check(item)
        with self.parts.store.transaction() as connection:  # the log tells of other times than a test's
            for (table, where, which), was in self._moved.items():
                query = f"UPDATE {table} SET {where} = :was WHERE id = :id"
                connection.execute(text(query), {"id": which, "was": was})
        self.ledger.check_log()
        self.ledger.check_books(not any(where == "receipt_expires_at" for _, where, _ in self._moved))
