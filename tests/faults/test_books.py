"""The books can fail: each kind of breach, planted, is found."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from faults.books import Answer, Facts, Made, Row, Said, Shown, check, doubles

from signoff import receipts
from signoff.models import identity
from signoff.models.receipt import Decider, Receipt
from signoff.payload.canonical import canonical, digest
from signoff.receipts import Signer, new_jti, sign

SIGNER = Signer.generate()
KEYS = receipts.verify_keys(SIGNER.verify_key)
PAYLOAD, EDITED = {"amount": 120, "customer": "cus_42"}, {"amount": 80, "customer": "cus_42"}
NONCE = identity.new_nonce()
SENT = digest(canonical(PAYLOAD))
ID, OTHER = (
    str(identity.request_id("approval", "billing-bot", action, SENT, NONCE))
    for action in ("refund.create", "refund.other")
)


def a_token(status: str = "approved", **fields: Any) -> str:
    """A receipt, signed; one of two is never the same."""
    at = datetime.now(UTC)
    given: dict[str, Any] = {
        "id": ID, "agent": "billing-bot", "action": "refund.create", "status": status, "version": 1,
        "digest_sent": digest(canonical(PAYLOAD)), "digest": digest(canonical(PAYLOAD)), "nonce": NONCE,
        "jti": new_jti(),
        "decided_by": Decider(id="U0ANA", name="ana", at=at),
        "issued_at": at, "not_after": at + timedelta(hours=1),
    }  # fmt: skip
    return sign(SIGNER, Receipt(**(given | fields)))


TOKEN = a_token()


def sha(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()


def good() -> Facts:
    """One request, approved, told, shown."""
    row = Row(
        ID, "billing-bot", ID, "approved", 3, TOKEN,
        deciders=(("U0ANA", "approve"),), signed=(sha(TOKEN),), card="1.1",
        digest=digest(canonical(PAYLOAD)),
    )  # fmt: skip
    return Facts(
        made=[Made("billing-bot", ID, digest(canonical(PAYLOAD)), PAYLOAD)],
        answers=[Answer("billing-bot", ID, "approved", TOKEN, PAYLOAD)],
        rows=[row],
        shown=[Shown(ID, "1.1", 3, False)],
        told=[Said(ID, "U0ANA", "approved")],
    )


def kinds(facts: Facts) -> set[str]:
    found = check(facts, lambda token, agent: receipts.verify(token, KEYS, agent))
    return {breach.kind for breach in found}


def test_books_that_are_right_have_no_breach() -> None:
    assert kinds(good()) == set()


def test_what_ran_twice_or_unapproved_is_found() -> None:
    facts = good()
    facts.ran = [("billing-bot", ID)]
    assert kinds(facts) == set()
    facts.ran *= 2
    assert kinds(facts) == {"twice"}
    facts.ran = [("billing-bot", OTHER)]
    assert kinds(facts) == {"twice"}


def test_a_request_that_is_in_no_database_is_lost() -> None:
    facts = good()
    facts.made.append(Made("billing-bot", OTHER, "digest"))
    assert kinds(facts) == {"lost"}


def test_a_request_whose_agent_has_no_answer_is_lost() -> None:
    facts = good()
    facts.answers.clear()
    assert kinds(facts) == {"lost"}


def test_a_request_that_stays_pending_is_lost() -> None:
    facts = good()
    facts.rows = [replace(facts.rows[0], status="pending")]
    assert "lost" in kinds(facts)


def test_an_agent_that_was_told_something_else_is_found() -> None:
    facts, token = good(), a_token("rejected")
    facts.answers = [Answer("billing-bot", ID, "rejected", token)]
    assert {"lost", "differing"} <= kinds(facts)


@pytest.mark.parametrize(
    "change",
    [
        {"submits": 2},
        {"deciders": (("U0ANA", "approve"), ("U0BEN", "reject"))},
        {"signed": (sha(TOKEN), sha("another"))},
    ],
)
def test_what_happened_twice_is_found(change: dict[str, Any]) -> None:
    facts = good()
    facts.rows = [replace(facts.rows[0], **change)]
    assert "double" in kinds(facts)


def test_two_rows_for_one_request_are_found() -> None:
    facts = good()
    facts.rows.append(replace(facts.rows[0], id=OTHER))
    assert "double" in kinds(facts)


def test_two_receipts_for_one_request_are_found() -> None:
    facts = good()
    facts.answers.append(replace(facts.answers[0], token=a_token()))
    assert kinds(facts) == {"differing"}


def test_a_receipt_that_is_not_the_one_of_the_log_is_found() -> None:
    facts = good()
    facts.rows = [replace(facts.rows[0], signed=(sha("another"),))]
    assert kinds(facts) == {"differing"}


def test_an_end_without_a_receipt_is_found() -> None:
    facts = good()
    facts.rows = [replace(facts.rows[0], receipt=None, signed=())]
    assert kinds(facts) == {"differing"}


@pytest.mark.parametrize(
    "answer",
    [
        {"token": TOKEN[:-6] + "AAAAAA"},
        {"payload": {**PAYLOAD, "amount": 121}},
        {"token": a_token(id=OTHER)},
        {"token": a_token(digest_sent=digest("{}"))},
    ],
)
def test_a_release_that_no_receipt_covers_is_found(answer: dict[str, Any]) -> None:
    facts = good()
    facts.answers = [replace(facts.answers[0], **answer)]
    assert "unsigned" in kinds(facts)


def edited() -> Facts:
    """One request, approved with another amount, by the person who was told so."""
    final = digest(canonical(EDITED))
    token = a_token(version=2, digest=final)
    facts = good()
    facts.answers = [Answer("billing-bot", ID, "approved", token, EDITED)]
    facts.rows = [replace(facts.rows[0], receipt=token, signed=(sha(token),), version=2, digest=final)]
    facts.told = [Said(ID, "U0ANA", "approved", '{"amount": 80}')]
    facts.saved = list(facts.told)
    return facts


def test_an_edit_that_is_right_has_no_breach_also_where_nobody_was_told_of_it() -> None:
    assert kinds(edited()) == set()
    facts = edited()
    facts.told.clear()
    facts.saved.insert(0, Said(ID, "U0ANA", "approved", '{"amount": 70}'))
    assert kinds(facts) == set()


def test_an_agent_that_got_what_it_asked_for_though_a_person_had_changed_it_is_found() -> None:
    facts = good()
    facts.told = facts.saved = [Said(ID, "U0ANA", "approved", '{"amount": 80}')]
    assert kinds(facts) == {"edited"}


@pytest.mark.parametrize(
    "saved",
    [
        [],
        [Said(ID, "U0BEN", "approved", '{"amount": 80}')],
        [Said(ID, "U0ANA", "approved", '{"amount": 81}')],
    ],
    ids=["nobody", "somebody else", "something else"],
)
def test_an_agent_that_got_what_the_decider_has_not_saved_is_found(saved: list[Said]) -> None:
    facts = edited()
    facts.saved, facts.told = saved, []
    assert kinds(facts) == {"edited"}


def test_a_receipt_for_other_bytes_than_were_saved_is_found() -> None:
    facts, token = edited(), a_token(version=2, digest=digest(canonical({**EDITED, "amount": 81})))
    facts.answers = [replace(facts.answers[0], token=token)]
    facts.rows = [replace(facts.rows[0], receipt=token, signed=(sha(token),))]
    assert kinds(facts) == {"edited", "unsigned"}
    facts = edited()
    facts.rows = [replace(facts.rows[0], digest=digest(canonical(PAYLOAD)))]
    assert kinds(facts) == {"edited"}


def test_a_release_that_nobody_decided_is_found_and_an_allowing_verdict_suffices() -> None:
    facts = good()
    facts.told.clear()
    facts.rows = [replace(facts.rows[0], deciders=())]
    assert kinds(facts) == {"unsigned"}
    facts.rows = [replace(facts.rows[0], allowed=True)]
    assert kinds(facts) == set()


def test_an_answer_that_an_agent_refused_is_found() -> None:
    facts = good()
    facts.unverified.append(f"{ID}: changed")
    assert kinds(facts) == {"unsigned"}


@pytest.mark.parametrize("said", [Said(ID, "U0BEN", "approved"), Said(ID, "U0ANA", "rejected")])
def test_a_person_who_was_told_what_is_not_so_is_found(said: Said) -> None:
    facts = good()
    facts.told.append(said)
    assert kinds(facts) == {"told"}


def test_a_broken_chain_is_found() -> None:
    facts = good()
    facts.chain = "line 7: it was changed"
    assert kinds(facts) == {"chain"}


@pytest.mark.parametrize(
    "shown",
    [[], [Shown(ID, "1.1", 2, False)], [Shown(ID, "1.1", 3, True)], [Shown(ID, "9.9", 3, False)]],
)
def test_a_card_that_is_missing_behind_or_can_still_be_pressed_is_found(shown: list[Shown]) -> None:
    facts = good()
    facts.shown = shown
    assert kinds(facts) == {"card"}


def test_what_needs_no_card_may_have_none() -> None:
    facts = good()
    facts.told, facts.shown = [], []
    facts.rows = [replace(facts.rows[0], deciders=(), allowed=True, silent=True, card=None)]
    assert kinds(facts) == set()
    facts.rows = [replace(facts.rows[0], silent=False)]
    assert kinds(facts) == {"card"}


def test_the_double_of_a_card_is_counted_and_may_not_be_open() -> None:
    facts = good()
    facts.shown.append(Shown(ID, "1.2", 1, False))
    assert (doubles(facts), kinds(facts)) == (1, set())
    facts.shown.append(Shown(ID, "1.3", 1, True))
    assert (doubles(facts), kinds(facts)) == (2, {"card"})


def test_what_is_left_undone_is_found() -> None:
    facts = good()
    facts.left = {"entries that nobody has acknowledged": 1, "dead letters": 0}
    assert kinds(facts) == {"stuck"}
