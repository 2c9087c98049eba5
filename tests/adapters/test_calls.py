"""What all adapters stand on: nothing runs that was not approved, and the model is told why."""

from __future__ import annotations

import asyncio

import pytest

from signoff import AsyncSignoff, Signoff
from signoff.adapters.calls import Call, Calls, Go, Pending, Stop
from signoff.testing import Approvals

SCHEMA = {"type": "object", "properties": {"amount": {"type": "integer"}, "currency": {"default": "EUR"}}}


def a_call(key: str = "t1:m1:c1", name: str = "refund", **args: object) -> Call:
    return Call(name, args or {"amount": 120}, key=key, run="t1", reason="They asked.", schema=SCHEMA)


@pytest.fixture(params=[Signoff, AsyncSignoff])
def calls(request: pytest.FixtureRequest) -> Calls:
    return Calls(request.param(), {"refund*": {"reversible": False}}, framework="test")


def test_an_approved_call_runs_with_what_was_approved_and_says_so(
    calls: Calls, signoff_approvals: Approvals
) -> None:
    signoff_approvals.edit("refund", {"amount": 80}, by="Ana", note="Half is enough")
    decided = asyncio.run(calls.decide(a_call()))
    assert isinstance(decided, Go)
    assert decided.args == {"amount": 80, "currency": "EUR"}
    assert decided.told == (
        "Ana approved this call with changes: amount was 120 and is now 80. The changed call is what runs: go "
        "by it, and do not run the original. Ana says about it: Half is enough"
    )
    [request] = signoff_approvals.requests
    assert request.payload == {"amount": 120, "currency": "EUR"}
    assert (request.key, request.run, request.reason) == ("test:t1:m1:c1", "t1", "They asked.")


def test_a_rejected_call_is_a_text(calls: Calls, signoff_approvals: Approvals) -> None:
    signoff_approvals.reject("refund", "Too much.", by="Ana")
    decided = asyncio.run(calls.decide(a_call()))
    assert isinstance(decided, Stop) and "Ana rejected it. Reason: Too much." in decided.text


def test_a_call_that_nobody_decides_is_pending_where_it_may_be(
    calls: Calls, signoff_approvals: Approvals
) -> None:
    signoff_approvals.leave_pending("refund")
    assert isinstance(asyncio.run(calls.decide(a_call(), suspend_after=0.01)), Pending)
    signoff_approvals.approve("refund")
    assert isinstance(asyncio.run(calls.decide(a_call(), suspend_after=0.01)), Go)
    assert len(signoff_approvals.requests) == 1


def test_an_ungated_tool_asks_nobody(calls: Calls, signoff_approvals: Approvals) -> None:
    assert not calls.gates("read") and calls.gates("refund_all")
    assert asyncio.run(calls.decide(a_call(name="read"))) == Go({"amount": 120, "currency": "EUR"})


def test_what_cannot_travel_is_told_and_not_asked(calls: Calls, signoff_approvals: Approvals) -> None:
    for value in (float("nan"), object(), b"x", {1: 2}):
        decided = asyncio.run(calls.decide(a_call(amount=value)))
        assert isinstance(decided, Stop) and "refund was not run" in decided.text
    assert not signoff_approvals.requests
