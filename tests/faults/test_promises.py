"""The books of questions, batches, undoing, grace and talks can fail: each breach, planted, is found."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from faults.promises import Entry, Kept, check
from faults.test_books import KEYS, NONCE, SENT, a_token

from signoff import receipts
from signoff.models import identity
from signoff.models.receipt import Receipt

ONE = {"choice": ["a"]}
ASKED_ID = str(identity.request_id("question", "billing-bot", "question", SENT, NONCE))
ASKED = {"kind": "question", "action": "question", "id": ASKED_ID}
ANSWERED = a_token("answered", **ASKED, answer=ONE)
APPROVED = a_token()
QUESTION = Entry("q", "billing-bot", "answered", "question", ANSWERED, ONE, ("U0ANA",))
FIRST = Entry("f", "billing-bot", "approved", receipt=APPROVED, succeeded=True, undo_until=100)
BOUND = a_token(undoes="f")
UNDO = Entry("u", "billing-bot", "approved", receipt=BOUND, undoes="f", voters=("U0ANA",), created_at=50,
             over_at=70)  # fmt: skip
BATCHED = Entry("b", "billing-bot", "approved", receipt=APPROVED, voters=("U0ANA",), frozen=True)
GRACED = Entry("g", "billing-bot", "approved", receipt=APPROVED, graced=True, runs_at=60, ended_at=61)
TALKED = Entry("t", "billing-bot", "pending", talks=((1, None), (2, "Because."), (2, "")))
SAID = replace(FIRST, id="s", says=1, feedback="wrong")


def verify(token: str, agent: str) -> Receipt:
    return receipts.verify(token, KEYS, agent)


def kinds(*entries: Entry, unverified: tuple[str, ...] = ()) -> set[str]:
    return {kind for kind, _ in check(Kept([*entries], [*unverified]), verify)}


def test_books_that_are_right_have_no_breach() -> None:
    again = replace(UNDO, id="v", created_at=80)
    failed = replace(UNDO, id="w", created_at=90, spent=True, succeeded=True)
    entries = (QUESTION, FIRST, UNDO, replace(again, spent=True, succeeded=False), failed)
    assert kinds(*entries, BATCHED, GRACED, TALKED, SAID) == set()
    dropped = replace(BATCHED, status="cancelled", receipt=None, voters=(), frozen=False, freezes=0)
    expired = replace(QUESTION, status="expired", answer=None, voters=(), receipt=a_token("expired", **ASKED))
    assert kinds(dropped, expired, replace(GRACED, held=True, voters=("U0ANA",))) == set()


@pytest.mark.parametrize(
    "change",
    [
        {"status": "approved"},
        {"spent": True},
        {"answer": None},
        {"answer": {"choice": ["b"]}},
        {"status": "expired"},
        {"receipt": a_token(**ASKED)},
        {"receipt": a_token("answered", **ASKED)},
        {"receipt": a_token("answered", answer=ONE)},
        {"receipt": ANSWERED[:-6] + "AAAAAA"},
    ],
)
def test_a_question_that_is_more_than_its_answer_is_found(change: dict[str, Any]) -> None:
    assert kinds(replace(QUESTION, **change)) == {"question"}


@pytest.mark.parametrize(
    "change", [{"freezes": 2}, {"freezes": 0}, {"frozen": False, "freezes": 0}, {"frozen": False}]
)
def test_a_batch_that_was_frozen_twice_or_decided_before_is_found(change: dict[str, Any]) -> None:
    assert kinds(replace(BATCHED, **change)) == {"batch"}


@pytest.mark.parametrize(
    "change",
    [
        {"receipt": a_token()},
        {"receipt": a_token(undoes="x")},
        {"undoes": "x", "receipt": a_token(undoes="x")},
        {"created_at": 101},
        {"voters": ()},
    ],
)
def test_an_undo_that_is_not_bound_too_late_or_nobodys_is_found(change: dict[str, Any]) -> None:
    assert kinds(FIRST, replace(UNDO, **change)) == {"undo"}


@pytest.mark.parametrize("change", [{"succeeded": False}, {"succeeded": None}, {"undo_until": None}])
def test_an_undo_of_what_has_not_run_is_found(change: dict[str, Any]) -> None:
    assert kinds(replace(FIRST, **change), UNDO) == {"undo"}


@pytest.mark.parametrize(
    "change",
    [{"created_at": 60}, {"created_at": 71, "before": {"spent": True}}, {"before": {"succeeded": True}}],
)
def test_a_second_undo_while_the_first_one_counts_is_found(change: dict[str, Any]) -> None:
    before = replace(UNDO, **{"spent": False, **change.get("before", {})})
    if before.succeeded:
        before = replace(before, spent=True)
    assert kinds(FIRST, before, replace(UNDO, id="v", created_at=change.get("created_at", 80))) == {"undo"}


@pytest.mark.parametrize("change", [{"ended_at": 59}, {"runs_at": None}, {"held": True}])
def test_what_ran_before_its_grace_was_over_unshown_or_held_is_found(change: dict[str, Any]) -> None:
    assert kinds(replace(GRACED, **change)) == {"grace"}


@pytest.mark.parametrize("talks", [((2, None),), ((1, "Because."),), ((3, "Because."),)])
def test_a_question_to_the_agent_that_was_answered_twice_or_in_secret_is_found(talks: Any) -> None:
    assert kinds(replace(TALKED, talks=talks)) == {"talk"}
    assert kinds(TALKED, unverified=("changed",)) == {"talk"}


@pytest.mark.parametrize("change", [{"says": 2}, {"says": 0}, {"feedback": None}])
def test_what_was_said_of_an_outcome_twice_is_found(change: dict[str, Any]) -> None:
    assert kinds(replace(SAID, **change)) == {"feedback"}
