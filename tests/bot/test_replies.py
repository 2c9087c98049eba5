"""What a person is told when a click came to nothing."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from signoff.approvals.errors import NotAllowed
from signoff.bot.listeners.replies import sentence
from signoff.models.approval import Approval

Make = Callable[..., Approval]


@pytest.mark.parametrize(
    ("today", "told"),
    [
        (("U0ANA", "U0BEN"), "Only <@U0ANA>, <@U0BEN> can decide this."),
        (("U0BEN", "U0ANA"), "Only <@U0BEN>, <@U0ANA> can decide this."),
        (("U0MIA",), "Who may decide has changed since this was asked: now only <@U0MIA> can."),
        ((), "Nobody can decide this any more: the policy no longer has the group that was asked."),
    ],
)
def test_who_may_not_decide_is_told_who_may_today_and_whether_that_has_changed(
    make: Make, today: tuple[str, ...], told: str
) -> None:
    approval = make({"amount": 120}, verdict={"approvers": ("U0ANA", "U0BEN")})
    assert sentence(NotAllowed("", today), approval, 0).startswith(told)
