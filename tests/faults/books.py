"""The books: what every party knows of every request, and whether it all fits together; pure."""

from __future__ import annotations

import hashlib
import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

from faults import promises
from faults.promises import Kept

from signoff.models.receipt import Receipt
from signoff.payload.canonical import canonical, digest

Verify = Callable[[str, str], Receipt]
"""(token, agent) → receipt; raises where it does not hold."""
KINDS = (
    *("lost", "double", "twice", "differing", "unsigned", "edited", "told", "chain", "card", "stuck"),
    *promises.KINDS,
)
"""Kinds of breach. Any one is one too many."""


@dataclass(frozen=True)
class Made:
    """A request that an agent made, what it asked for, and the digest of that."""

    agent: str
    id: str
    digest: str
    payload: dict[str, Any] = field(default_factory=dict, compare=False)


@dataclass(frozen=True)
class Answer:
    """What an agent was told about a request."""

    agent: str
    id: str
    status: str
    token: str
    payload: dict[str, Any] | None = None


@dataclass(frozen=True)
class Row:
    """An approval as the database has it; `signed` are the digests of the receipts in its audit log."""

    id: str
    agent: str
    request_id: str
    status: str
    revision: int
    receipt: str | None
    allowed: bool = False
    """Its verdict needs nobody."""
    silent: bool = False
    """Its verdict wants no card."""
    deciders: tuple[tuple[str, str], ...] = ()
    """(person, answer) of every decision."""
    submits: int = 1
    signed: tuple[str, ...] = ()
    card: str | None = None
    """Where its card stands (ts)."""
    version: int = 1
    digest: str = ""
    """Of the payload that it has now."""

    @property
    def decider(self) -> str:
        """Who decided it; empty where nobody did."""
        return self.deciders[0][0] if self.deciders else ""


@dataclass(frozen=True)
class Shown:
    """A card in Slack: of which approval, where, at which revision, and whether it can be pressed."""

    approval_id: str
    ts: str
    revision: int
    open: bool


@dataclass(frozen=True)
class Said:
    """A person was given to understand that their answer is recorded; `saved` is their changes, as JSON."""

    approval_id: str
    user: str
    status: str
    saved: str = ""


@dataclass
class Facts:
    """All that is known once everything has come to rest."""

    made: list[Made] = field(default_factory=list)
    answers: list[Answer] = field(default_factory=list)
    rows: list[Row] = field(default_factory=list)
    shown: list[Shown] = field(default_factory=list)
    told: list[Said] = field(default_factory=list)
    saved: list[Said] = field(default_factory=list)
    """Every form of changes that a person sent off: only what was told is sure to be recorded."""
    refused: set[tuple[str, str]] = field(default_factory=set)
    """(agent, request id) answered without ever becoming an approval."""
    chain: str = ""
    """What is wrong with the audit log; empty: nothing."""
    left: dict[str, int] = field(default_factory=dict)
    """What is left undone, by name: entries not acknowledged, answers not published, …"""
    ran: list[tuple[str, str]] = field(default_factory=list)
    """(agent, request id) of every action that an agent ran."""
    unverified: list[str] = field(default_factory=list)
    """Answers that an agent refused."""
    kept: Kept = field(default_factory=Kept)
    """What is known of questions, batches, undoing, grace and talks."""


@dataclass(frozen=True)
class Breach:
    """A promise that was not kept."""

    kind: str
    text: str


def check(facts: Facts, verify: Verify) -> list[Breach]:
    """Every breach; `verify` says whether a receipt holds."""
    return [
        *_lost(facts),
        *_double(facts),
        *_twice(facts),
        *_differing(facts),
        *_unsigned(facts, verify),
        *_edited(facts, verify),
        *_told(facts),
        *([Breach("chain", facts.chain)] if facts.chain else []),
        *_cards(facts),
        *_stuck(facts),
        *(Breach(kind, text) for kind, text in promises.check(facts.kept, verify)),
    ]


def doubles(facts: Facts) -> int:
    """Cards beyond the first of an approval: a post was done, and its note was not."""
    counted = Counter(card.approval_id for card in facts.shown)
    return sum(count - 1 for count in counted.values())


def _lost(facts: Facts) -> Iterator[Breach]:
    """Every request that an agent made has a final state, and the agent knows it."""
    known = {(answer.agent, answer.id) for answer in facts.answers}
    rows = {(row.agent, row.request_id): row for row in facts.rows}
    for made in set(facts.made):
        row = rows.get((made.agent, made.id))
        if row is None and (made.agent, made.id) not in facts.refused:
            yield Breach("lost", f"{made.id}: in no database")
        elif row is not None and row.status == "pending":
            yield Breach("lost", f"{made.id}: pending for ever")
        if (made.agent, made.id) not in known:
            yield Breach("lost", f"{made.id}: its agent has no answer")
    final = {(row.agent, row.request_id): row.status for row in facts.rows}
    for answer in facts.answers:
        status = final.get((answer.agent, answer.id))
        again = (status, answer.status) == ("approved", "duplicate")  # it has run, and was asked for again
        if status is not None and status != answer.status and not again:
            yield Breach("lost", f"{answer.id}: {status}, and its agent was told {answer.status}")


def _double(facts: Facts) -> Iterator[Breach]:
    """One submit, one end, one decision for a request."""
    for row in facts.rows:
        if row.submits != 1:
            yield Breach("double", f"{row.id}: submitted {row.submits} times")
        if len(row.signed) > 1:
            yield Breach("double", f"{row.id}: ended {len(row.signed)} times")
        if len(row.deciders) > 1:
            yield Breach("double", f"{row.id}: decided by {row.deciders}")
    for key, count in Counter((row.agent, row.request_id) for row in facts.rows).items():
        if count > 1:
            yield Breach("double", f"{key[1]}: {count} rows")


def _twice(facts: Facts) -> Iterator[Breach]:
    """One approval runs once, and nothing else runs."""
    approved = {(row.agent, row.request_id) for row in facts.rows if row.status == "approved"}
    for key, count in Counter(facts.ran).items():
        if count > 1:
            yield Breach("twice", f"{key[1]}: ran {count} times")
        if key not in approved:
            yield Breach("twice", f"{key[1]}: ran, and was not approved")


def _differing(facts: Facts) -> Iterator[Breach]:
    """One receipt for a request, whoever has it: row, agent and log."""
    tokens: defaultdict[tuple[str, str], set[str]] = defaultdict(set)
    for answer in facts.answers:
        if answer.status != "duplicate":  # signed anew each time, and lets nothing run
            tokens[answer.agent, answer.id].add(answer.token)
    for row in facts.rows:
        if row.receipt:
            tokens[row.agent, row.request_id].add(row.receipt)
            digest = hashlib.sha256(row.receipt.encode()).hexdigest()
            if row.signed != (digest,):
                yield Breach("differing", f"{row.id}: its receipt is not the one of the log")
        elif row.status != "pending":
            yield Breach("differing", f"{row.id}: {row.status} without a receipt")
    for key, found in tokens.items():
        if len(found) > 1:
            yield Breach("differing", f"{key[1]}: {len(found)} receipts")


def _unsigned(facts: Facts, verify: Verify) -> Iterator[Breach]:
    """Nothing was released without a receipt that holds, for what was asked, by somebody who decided it."""
    rows = {(row.agent, row.request_id): row for row in facts.rows}
    asked = {(made.agent, made.id): made.digest for made in facts.made}
    for text in facts.unverified:
        yield Breach("unsigned", f"an agent refused an answer: {text}")
    for answer in facts.answers:
        key = (answer.agent, answer.id)
        try:
            receipt = verify(answer.token, answer.agent)
        except Exception as error:
            yield Breach("unsigned", f"{answer.id}: {type(error).__name__}")
            continue
        row = rows.get(key)
        if (receipt.agent, str(receipt.id), receipt.status) != (answer.agent, answer.id, answer.status):
            yield Breach("unsigned", f"{answer.id}: its receipt is for something else")
        if row is not None and receipt.digest_sent != asked.get(key, receipt.digest_sent):
            yield Breach("unsigned", f"{answer.id}: its receipt is for another payload")
        if answer.status != "approved":
            continue
        if digest(canonical(answer.payload)) != receipt.digest:
            yield Breach("unsigned", f"{answer.id}: what it released is not what was approved")
        decider = receipt.decided_by.id if receipt.decided_by else ""
        if row is None or not (row.allowed or (decider, "approve") in row.deciders):
            yield Breach("unsigned", f"{answer.id}: approved by nobody")


def _edited(facts: Facts, verify: Verify) -> Iterator[Breach]:
    """What an agent got is, to the byte, what the person who decided has saved; else what it asked for."""
    made = {(one.agent, one.id): one for one in facts.made}
    rows = {(row.agent, row.request_id): row for row in facts.rows}
    for answer in facts.answers:
        row, asked = rows.get((answer.agent, answer.id)), made.get((answer.agent, answer.id))
        if answer.status != "approved" or row is None or asked is None:
            continue
        told = [said for said in facts.told if said.approval_id == row.id and said.status == "approved"]
        sent = [said for said in facts.saved if (said.approval_id, said.user) == (row.id, row.decider)]
        wanted = [_saved(asked, said) for said in told or sent] or [canonical(asked.payload)]
        if canonical(answer.payload) not in wanted:
            yield Breach("edited", f"{answer.id}: its agent got {answer.payload}, saved was {wanted}")
        edited = canonical(answer.payload) != canonical(asked.payload)
        if row.version != (2 if edited else 1) or row.digest != digest(canonical(answer.payload)):
            yield Breach("edited", f"{answer.id}: its row has another payload than its agent")
        with suppress(Exception):  # what does not verify is told as unsigned
            receipt = verify(answer.token, answer.agent)
            if (receipt.version, receipt.digest) != (row.version, row.digest):
                yield Breach("edited", f"{answer.id}: its receipt is for other bytes than its row")


def _saved(asked: Made, said: Said) -> str:
    """What a request becomes by what a person has saved."""
    return canonical({**asked.payload, **json.loads(said.saved or "{}")})


def _told(facts: Facts) -> Iterator[Breach]:
    """What a person was told is recorded: theirs, and no other's."""
    rows = {row.id: row for row in facts.rows}
    for said in set(facts.told):
        row = rows.get(said.approval_id)
        wanted = (said.user, {"approved": "approve", "answered": "answer"}.get(said.status, "reject"))
        if row is None or row.status != said.status or wanted not in row.deciders:
            yield Breach("told", f"{said.approval_id}: {said.user} was told {said.status}; it is not so")


def _cards(facts: Facts) -> Iterator[Breach]:
    """Each row's card shows its last revision, and nothing that is over can be pressed."""
    shown = {(card.approval_id, card.ts): card for card in facts.shown}
    for row in facts.rows:
        card = shown.get((row.id, row.card or ""))
        if row.silent and row.card is None:
            continue
        if card is None:
            yield Breach("card", f"{row.id}: has no card")
        elif card.revision != row.revision:
            yield Breach("card", f"{row.id}: shows {card.revision}, and is at {row.revision}")
    ended = {row.id for row in facts.rows if row.status != "pending"}
    for card in facts.shown:
        if card.open and card.approval_id in ended:
            yield Breach("card", f"{card.approval_id}: is over, and can be pressed at {card.ts}")


def _stuck(facts: Facts) -> Iterator[Breach]:
    """Nobody waits, and nothing is left to be done."""
    for what, count in facts.left.items():
        if count:
            yield Breach("stuck", f"{count} {what}")
