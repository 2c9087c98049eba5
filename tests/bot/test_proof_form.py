"""What is asked for under a form that approves, as Slack is sent it; and what is read of it."""

from __future__ import annotations

from typing import Any

import pytest

from signoff.approvals.factor_errors import (
    CodeUsed,
    FactorLocked,
    NoFactor,
    ProofAsked,
    WrongCode,
    WrongTyped,
)
from signoff.approvals.factors import Needs, Proof
from signoff.bot.forms.modals import note_view, reject_view
from signoff.bot.forms.proof_form import errors_of, read_proof, with_proof
from signoff.bot.forms.review import review_view
from signoff.bot.gallery.approval import made_up

NEEDS = Needs(True, ("payload.customer",))
BLOCKS = [
    {
        "type": "input",
        "block_id": "code",
        "label": {"type": "plain_text", "text": "Code of your authenticator app", "emoji": False},
        "element": {"type": "plain_text_input", "action_id": "value", "max_length": 40},
        "optional": False,
        "hint": {
            "type": "plain_text",
            "text": "Six digits. Each code counts once, and for this alone.",
            "emoji": False,
        },
    },
    {
        "type": "input",
        "block_id": "confirm:payload.customer",
        "label": {"type": "plain_text", "text": "Type the value of customer to confirm", "emoji": False},
        "element": {"type": "plain_text_input", "action_id": "value", "max_length": 1000},
        "optional": False,
        "hint": {
            "type": "plain_text",
            "text": "As it stands above. Capitals and spaces make no difference.",
            "emoji": False,
        },
    },
]


def waiting() -> Any:
    return made_up({"customer": "cus_42", "amount": 120})


@pytest.mark.parametrize("form", [review_view, note_view])
def test_a_form_that_approves_asks_at_its_end_and_never_names_the_value(form: Any) -> None:
    view = form(waiting())
    asked = with_proof(view, NEEDS)
    assert asked["blocks"] == [*view["blocks"], *BLOCKS]
    assert with_proof(asked, NEEDS) == asked


def test_other_forms_and_earlier_pages_do_not() -> None:
    reject, review = reject_view(waiting()), review_view(waiting())
    assert with_proof(reject, NEEDS) == reject
    assert with_proof(review, NEEDS, last=False) == review
    assert with_proof(review, Needs()) == review


def test_who_cannot_is_told_why_in_its_place() -> None:
    [*_, last] = with_proof(review_view(waiting()), Needs(lacking=NoFactor()))["blocks"]
    assert "signoff factor invite" in last["text"]["text"]


def test_what_was_entered_is_read_whatever_it_is() -> None:
    values: dict[str, Any] = {
        "code": {"value": {"value": "123456"}},
        "confirm:payload.customer": {"value": {"value": None}},
        "note": {"value": {"value": "x"}},
    }
    assert read_proof({"state": {"values": values}}) == Proof("123456", {"payload.customer": ""})
    assert read_proof({"state": {"values": {"note": {}}}}) is None
    assert read_proof({}) is None
    assert read_proof({"state": {"values": {"code": "hostile"}}}) == Proof()


def test_an_error_stands_at_its_field_where_the_form_has_it() -> None:
    view = with_proof(review_view(waiting()), NEEDS)
    for error in (WrongCode(1), CodeUsed(), FactorLocked(1), ProofAsked()):
        assert list(errors_of(error, view)) == ["code"]
        assert errors_of(error, review_view(waiting())) == {}
    assert list(errors_of(WrongTyped("payload.customer"), view)) == ["confirm:payload.customer"]
    assert errors_of(NoFactor(), view) == {}
