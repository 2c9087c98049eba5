"""Every kind that is served can be shown and decided on."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from signoff.approvals import kinds as served
from signoff.bot.blocks import check_message, check_view
from signoff.bot.kinds import KINDS, kind_of
from signoff.models.approval import STATUSES, Approval

Make = Callable[..., Approval]


def test_what_is_served_is_shown_and_nothing_else() -> None:
    assert KINDS.keys() == served.KINDS.keys()


@pytest.mark.parametrize("name", KINDS)
def test_a_kind_has_a_card_in_every_status_and_forms_that_slack_takes(make: Make, name: str) -> None:
    asked = make({"amount": 120})
    asked = replace(asked, request=asked.request.model_copy(update={"kind": name}))
    assert kind_of(asked) is KINDS[name]
    for status in STATUSES:
        assert check_message(kind_of(asked).card(replace(asked, status=status)).blocks) == []
    for action_id, form in kind_of(asked).forms.items():
        view = form(asked)
        assert check_view(view) == [] and view["callback_id"] == action_id
