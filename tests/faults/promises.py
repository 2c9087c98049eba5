"""What the books have to say of questions, batches, undoing, grace and talks; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from signoff.models.receipt import Receipt

Verify = Callable[[str, str], Receipt]
KINDS = ("question", "batch", "undo", "grace", "talk", "feedback")
"""Kinds of breach."""


@dataclass(frozen=True)
class Entry:
    """A request, as its row, its log and its receipt (a token) tell of it. Times are microseconds since 1970.

    `answer` is what a person has recorded, `voters` who has voted. `frozen` is None of what belongs to no
    batch. `graced` is whether it waited for a grace to be over, `held` whether somebody held it then; it was
    to run at `runs_at`, None where its card was never shown. `undo_until` is when it could no longer be
    undone. `talks` are its questions to the agent: of each how many lines the log has of it, and its answer.
    `says` is how many lines say whether it was right.
    """

    id: str
    agent: str
    status: str
    kind: str = "approval"
    receipt: str | None = None
    answer: dict[str, Any] | None = None
    voters: tuple[str, ...] = ()
    created_at: int = 0
    ended_at: int | None = None
    frozen: bool | None = None
    freezes: int = 1
    undoes: str | None = None
    undo_until: int | None = None
    spent: bool = False
    succeeded: bool | None = None
    over_at: int = 0
    """When its receipt is no longer valid."""
    graced: bool = False
    held: bool = False
    runs_at: int | None = None
    talks: tuple[tuple[int, str | None], ...] = ()
    says: int = 0
    feedback: str | None = None


@dataclass
class Kept:
    """All of them, and what does not verify of people's questions on agents' streams."""

    entries: list[Entry] = field(default_factory=list)
    unverified: list[str] = field(default_factory=list)


def check(kept: Kept, verify: Verify) -> Iterator[tuple[str, str]]:
    """(kind, text) of each promise that was not kept."""
    for entry in kept.entries:
        yield from _signed(entry, verify)
        yield from _alone(entry)
    yield from _undone(kept.entries)
    for text in kept.unverified:
        yield "talk", f"an agent found a question that does not hold: {text}"


def _signed(entry: Entry, verify: Verify) -> Iterator[tuple[str, str]]:
    """A question is never approved, only an answer is an answer, and an undo is bound to what it undoes."""
    if entry.kind != "approval" and (entry.status == "approved" or entry.spent):
        yield "question", f"{entry.id}: it is a {entry.kind}, and was approved or ran"
    if (entry.status == "answered") != (entry.answer is not None):
        yield "question", f"{entry.id}: it is {entry.status}, and has the answer {entry.answer}"
    if entry.receipt is None:
        return
    try:
        receipt = verify(entry.receipt, entry.agent)
    except Exception as error:
        yield "question", f"{entry.id}: its receipt does not hold ({type(error).__name__})"
        return
    if receipt.kind != entry.kind or receipt.approved != (entry.status == "approved"):
        yield "question", f"{entry.id}: its receipt says {receipt.kind}, {receipt.status}"
    if receipt.answer != entry.answer:
        yield "question", f"{entry.id}: {entry.answer} was answered, and {receipt.answer} signed"
    if receipt.undoes != entry.undoes:
        yield "undo", f"{entry.id}: it undoes {entry.undoes}, and {receipt.undoes} is signed"


def _alone(entry: Entry) -> Iterator[tuple[str, str]]:
    """What can be said of one by itself."""
    if entry.frozen is not None and entry.freezes != entry.frozen:
        yield "batch", f"{entry.id}: its batch was frozen {entry.freezes} times"
    if entry.frozen is False and entry.voters:
        yield "batch", f"{entry.id}: {entry.voters} decided it before its batch was frozen"
    let = entry.graced and entry.status == "approved" and not entry.voters
    if let and (entry.held or entry.runs_at is None or (entry.ended_at or 0) < entry.runs_at):
        yield "grace", f"{entry.id}: it ran while somebody could still hold it, or had"
    for lines, answer in entry.talks:
        if lines != (1 if answer is None else 2):
            yield "talk", f"{entry.id}: the log has {lines} lines of a question, whose answer is {answer!r}"
    if entry.says != (entry.feedback is not None):
        yield "feedback", f"{entry.id}: somebody said {entry.says} times whether it was right"


def _undone(entries: list[Entry]) -> Iterator[tuple[str, str]]:
    """Each is undone in its time, by one that counts: another only where it failed, or nobody took it."""
    known = {entry.id: entry for entry in entries}
    undos = sorted((entry for entry in entries if entry.undoes), key=lambda one: one.created_at)
    for undo in undos:
        first = known.get(undo.undoes or "")
        if first is None or first.status != "approved" or not first.succeeded:
            yield "undo", f"{undo.id}: what it undoes has not run"
        elif undo.created_at > (first.undo_until or 0):
            yield "undo", f"{undo.id}: the time to undo it was over"
        if undo.status == "approved" and not undo.voters:
            yield "undo", f"{undo.id}: nobody has pressed that"
    for earlier, later in ((one, two) for one in undos for two in undos if one.undoes == two.undoes):
        again = earlier.succeeded is False or (not earlier.spent and later.created_at >= earlier.over_at)
        if earlier.created_at < later.created_at and not again:
            yield "undo", f"{later.id}: {earlier.id} has undone it, or may still"
    for first_id, count in Counter(one.undoes for one in undos if one.succeeded).items():
        if count > 1:
            yield "undo", f"{first_id}: it was undone {count} times"
