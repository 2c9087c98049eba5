"""Every kind that is served can be shown and decided on."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from signoff.approvals import kinds as served
from signoff.bot.blocks import check_message, check_view
from signoff.bot.kinds import KINDS, kind_of
from signoff.models.approval import STATUSES, Approval

Make = Callable[..., Approval]
PAYLOADS: dict[str, dict[str, object]] = {
    "approval": {"amount": 120},
    "question": {"question": "Which?", "options": [{"id": "a", "text": "This"}], "default": "a"},
    "feedback": {"result": "42 rows"},
}


def test_what_is_served_is_shown_and_nothing_else() -> None:
    assert KINDS.keys() == served.KINDS.keys()


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_has_a_card_in_every_status_and_forms_that_slack_takes(make: Make, name: str) -> None:
    asked = make(PAYLOADS[name], kind=name)
    assert kind_of(asked) is KINDS[name]
    for status in STATUSES:
        assert check_message(kind_of(asked).card(replace(asked, status=status)).blocks) == []
    for action_id, form in kind_of(asked).forms.items():
        view = form(asked)
        assert check_view(view) == [] and view["callback_id"] == action_id


@pytest.mark.parametrize("name", KINDS)
def test_a_card_is_there_for_what_is_no_payload_of_its_kind(make: Make, name: str) -> None:
    """Its payload may be erased, or have been meddled with: nobody can answer that, and everybody is told."""
    for payload in ({}, {"amount": 120}):
        asked = make(payload, kind=name)
        for status in STATUSES:
            drawn = kind_of(asked).card(replace(asked, status=status))
            assert check_message(drawn.blocks, drawn.text) == []
