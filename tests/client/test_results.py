"""What a gate and a client show of results, and what agents are given to learn from in their tests."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from signoff import Invalid, Lesson, Signoff
from signoff.client.outcomes import outcome
from signoff.testing import Approvals


@pytest.mark.parametrize(
    ("shows", "returned", "result"),
    [
        (None, {"id": 1}, None),
        (False, {"id": 1}, None),
        (True, {"id": 1}, {"id": 1}),
        (True, None, None),
        (True, object(), None),
        (True, "x" * 3000, None),
        (True, 2**60, None),
        (lambda found: {"id": found["id"]}, {"id": 1, "secret": "s3cr3t"}, {"id": 1}),
        (lambda found: found["missing"], {"id": 1}, None),
    ],
)
def test_a_gate_shows_a_result_only_where_asked_and_where_it_fits(
    signoff_approvals: Approvals, shows: Any, returned: Any, result: Any
) -> None:
    signoff_approvals.approve()

    @Signoff().require_approval(result=shows, reversible=True)
    def refund(amount: int) -> Any:
        """Refund."""
        return returned

    assert refund(1) is returned
    [told] = signoff_approvals.outcomes.values()
    assert (told.succeeded, told.result) == (True, result)


def test_what_raised_shows_no_result() -> None:
    assert outcome(ValueError("s3cr3t"), True, {"id": 1}) == {"succeeded": False, "note": "ValueError"}


def test_lessons_and_feedback_in_an_agents_tests(signoff_approvals: Approvals) -> None:
    signoff = Signoff()
    signoff_approvals.lessons += [
        Lesson(kind="wrong", agent="a", action="refund.create", correction="It was net."),
        Lesson(kind="right", agent="a", action="files.edit"),
    ]
    assert [one.correction for one in asyncio.run(signoff.lessons_async("refund.create"))] == ["It was net."]
    assert len(signoff.lessons(limit=1)) == 1 and len(signoff.lessons()) == 2
    assert '"It was net."' in signoff.lessons().text()
    asked = signoff.ask_feedback({"rows": 42}, title="Numbers")
    assert [one.payload for one in signoff_approvals.feedback] == [{"result": {"rows": 42}}]
    signoff_approvals.approve()  # which is no answer to that
    signoff_approvals.give_feedback("wrong", "Sunday is missing.")
    receipt = signoff.get(asked)
    assert receipt is not None and receipt.status == "answered"
    for wrong in ({"limit": 0}, {"limit": 101}, {"action": "no action"}, {"limit": True}):
        with pytest.raises(Invalid):
            signoff.lessons(**wrong)
    with pytest.raises(Invalid):
        signoff.ask_feedback("x" * 3000)
    with pytest.raises(Invalid):
        signoff.report(asked, succeeded=True, result={"x": "y" * 3000})
