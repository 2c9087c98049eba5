"""Random policies, requests and votes, each evaluated a second time in the plainest way there is."""

from __future__ import annotations

import random
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any

import pytest
from support import Core

from signoff import receipts
from signoff.approvals import audit
from signoff.approvals.errors import NotRecorded
from signoff.errors import Invalid
from signoff.models.people import Person
from signoff.policy.errors import PolicyError

USERS = [f"U0P{number}" for number in range(6)]
SECOND = "U0P0B"
"""Another account of the first one."""


@dataclass
class Naive:
    """What seats, exclusions and votes come to: by trying every order of everybody."""

    seats: list[tuple[list[str], int]]
    reject: int
    barred: set[str]
    yes: list[str] = field(default_factory=list)
    no: list[str] = field(default_factory=list)
    ended: str = ""

    def fits(self, user: str, seat: int) -> bool:
        return user in self.seats[seat][0]

    def seated(self, users: list[str]) -> int:
        places = [seat for seat, (_, need) in enumerate(self.seats) for _ in range(need)]
        empty = [-1] * max(len(users) - len(places), 0)
        return max(
            sum(seat >= 0 and self.fits(user, seat) for user, seat in zip(users, order, strict=False))
            for order in set(permutations([*places, *empty], len(users)) if users else [()])
        )

    def needed(self) -> int:
        return sum(need for _, need in self.seats)

    def vote(self, user: str, choice: str) -> None:
        if self.ended or not any(self.fits(user, seat) for seat in range(len(self.seats))):
            return
        me = person(user)
        has_yes, has_no = (any(person(one) == me for one in side) for side in (self.yes, self.no))
        if choice == "take back":
            self.yes = [one for one in self.yes if one != user]
            self.no = [one for one in self.no if one != user]
        elif choice == "approve":
            if has_yes or has_no or me in self.barred:
                return
            if self.seated([*self.yes, user]) > self.seated(self.yes):
                self.yes.append(user)
            if self.seated(self.yes) == self.needed():
                self.ended = "approved"
        elif not has_no:
            self.yes = [one for one in self.yes if person(one) != me]
            self.no.append(user)
            out = {person(one) for one in self.no} | self.barred
            everybody: dict[str, str] = {}
            for people, _ in self.seats:
                everybody |= {person(one): one for one in people if person(one) not in out}
            everybody |= {person(one): one for one in self.yes}
            reachable = self.seated(sorted(everybody.values())) == self.needed()
            if len(self.no) >= self.reject or not reachable:
                self.ended = "rejected"


def person(user: str) -> str:
    return USERS[0] if user == SECOND else user


def made(source: random.Random) -> tuple[str, Naive, str]:
    """A policy's text, the same for the naive, and for whom it is asked."""
    seats = []
    for _ in range(source.randint(1, 3)):
        people = source.sample([*USERS, SECOND], source.randint(1, 4))
        seats.append((people, source.randint(1, 2)))
    reject = source.choice((1, 1, 2))
    exclude = [name for name in ("owner", "requester") if source.random() < 0.4]
    owner, requester = source.choice(USERS), source.choice(USERS)
    said = ", ".join(f"{{from: [{', '.join(people)}], need: {need}}}" for people, need in seats)
    text = (
        f"people: {{first: [{USERS[0]}, {SECOND}]}}\nagents: {{billing-bot: {{owner: {owner}}}}}\n"
        f"rules: [{{name: rest, verdict: ask, approvers: [{said}], reject: {reject}, "
        f"exclude: [{', '.join(exclude)}]}}]"
    )
    barred = {one for name, one in (("owner", owner), ("requester", requester)) if name in exclude}
    return text, Naive(seats, reject, barred), requester


def play(core: Core, source: random.Random, number: int) -> str:
    text, naive, requester = made(source)
    try:
        core.follow(text)
    except PolicyError:
        return "refused"
    try:
        one = core.submit(payload={"n": number}, requested_by=requester)
    except Invalid:
        return "invalid"
    for _ in range(source.randint(2, 9)):
        user = source.choice([*USERS, SECOND])
        choice: Any = source.choice(("approve", "approve", "approve", "reject", "take back"))
        naive.vote(user, choice)
        with suppress(NotRecorded):
            if choice == "take back":
                core.approvals.take_back(one.id, 1, user)
            else:
                core.approvals.decide(one.id, 1, user, choice)
        stored = core.approvals.get(one.id)
        assert stored.status == (naive.ended or "pending"), (text, naive)
        if stored.pending:
            yes = [vote.approver for vote in stored.decisions if vote.vote == "approve"]
            assert yes == naive.yes, (text, naive)
    return naive.ended or "pending"


def prepare(core: Core) -> None:
    core.people.persons |= {one: Person(one, one.lower(), team_id="T1") for one in (*USERS, SECOND)}


def played(core: Core, seeds: range) -> None:
    prepare(core)
    found = [play(core, random.Random(seed), seed) for seed in seeds]
    assert {"approved", "rejected", "pending", "refused"} <= set(found), "each of them came"
    keys = receipts.verify_keys(core.signer.verify_key)
    assert audit.verify(core.store, keys=keys).ok


def test_votes_come_to_what_the_plainest_evaluation_says(core: Core) -> None:
    played(core, range(30))


@pytest.mark.long
def test_the_same_of_a_thousand_policies(core: Core) -> None:
    played(core, range(1_000, 2_000))
