"""Votes and seats → an end, or whom it waits for."""

from __future__ import annotations

import pytest
from support import a_request

from signoff.approvals.kinds import KINDS, kind_of
from signoff.approvals.quorum import Count, Seat, count, seats_of
from signoff.errors import Invalid
from signoff.models.messages import Decision
from signoff.policy.evaluate import evaluate
from signoff.policy.policy import Policy

FINANCE = Seat(name="finance", people=("S0FIN",))
SECURITY = Seat(name="security", people=("S0SEC", "U0CTO"))


def vote(choice: str, by: str = "U0ANA") -> Decision:
    return Decision(vote=choice, approver=by, name=by, fits=("finance", "security"))  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("votes", "seats", "counted"),
    [
        ([], [FINANCE], Count(None, (FINANCE,))),
        (["approve"], [FINANCE], Count("approve")),
        (["reject"], [FINANCE], Count("reject", (FINANCE,))),
        ([], [FINANCE, SECURITY], Count(None, (FINANCE, SECURITY))),
        (["approve"], [FINANCE, SECURITY], Count(None, (SECURITY,))),
        (["approve", "approve"], [FINANCE, SECURITY], Count("approve")),
        (["approve", "reject"], [FINANCE, SECURITY], Count("reject", (SECURITY,))),
    ],
)
def test_votes_fill_seats_and_any_rejection_ends_it(
    votes: list[str], seats: list[Seat], counted: Count
) -> None:
    found = count([vote(choice) for choice in votes], seats)
    assert (found.end, found.open) == (counted.end, counted.open)


def test_a_verdict_asks_for_one_seat_of_its_approvers() -> None:
    verdict = evaluate(a_request(), "billing-bot", Policy(approvers=("S0FIN", "U0ANA"), conversation="C1"))
    assert seats_of(verdict) == (Seat(people=("S0FIN", "U0ANA")),)


def test_each_kind_says_what_each_vote_makes_of_it_and_another_is_refused() -> None:
    assert {name: dict(kind.ends) for name, kind in KINDS.items()} == {
        "approval": {"approve": "approved", "reject": "rejected"},
        "question": {"answer": "answered"},
        "feedback": {"answer": "answered"},
    }
    with pytest.raises(Invalid, match="The kind 'riddle' is not served"):
        kind_of(a_request(kind="riddle"))
