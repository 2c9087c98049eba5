"""What all adapters stand on: nothing runs that was not approved, and the model is told why."""

from __future__ import annotations

import asyncio
import re
import threading
from concurrent.futures import Future
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff import AsyncSignoff, Signoff
from signoff.adapters.arguments import filled
from signoff.adapters.calls import Call, Calls, Go, Pending, Stop
from signoff.adapters.tools import action_of
from signoff.client import mistakes
from signoff.client.asked import GAVE_UP
from signoff.receipts import Signer
from signoff.testing import Approvals

SCHEMA = {"type": "object", "properties": {"amount": {"type": "integer"}, "currency": {"default": "EUR"}}}


def a_call(key: str = "t1:m1:c1", name: str = "refund", **args: Any) -> Call:
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
        "Ana approved this call with changes: amount was 120 and is now 80. The changed call is what runs: "
        "go by it, and do not run the original. Ana says about it: Half is enough"
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


def test_a_cancelled_run_withdraws_and_who_resumes_it_asks_anew(
    calls: Calls, signoff_approvals: Approvals
) -> None:
    async def run() -> Go | Stop | Pending:
        waiting = asyncio.create_task(calls.decide(a_call()))
        await signoff_approvals.wait_for_async(requests=1)
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await signoff_approvals.wait_for_async(withdrawn=1)
        signoff_approvals.approve()
        return await calls.decide(a_call())

    signoff_approvals.hold()
    assert isinstance(asyncio.run(run()), Go)
    assert [request.key for request in signoff_approvals.requests] == ["test:t1:m1:c1", "test:t1:m1:c1#2"]


def test_an_approval_that_comes_as_a_run_is_cancelled_is_not_run_and_said_so(
    calls: Calls, signoff_approvals: Approvals
) -> None:
    async def run() -> None:
        waiting = asyncio.create_task(calls.decide(a_call()))
        await signoff_approvals.wait_for_async(requests=1)
        signoff_approvals.approve()
        waiting.cancel()
        with pytest.raises(asyncio.CancelledError):
            await waiting
        await signoff_approvals.wait_for_async(outcomes=1)

    signoff_approvals.hold()
    asyncio.run(run())
    [outcome] = signoff_approvals.outcomes.values()
    assert not outcome.succeeded and outcome.note == GAVE_UP


def test_calls_wait_together_and_none_holds_up_another(calls: Calls, signoff_approvals: Approvals) -> None:
    async def run() -> list[Go | Stop | Pending]:
        waiting = [asyncio.create_task(calls.decide(a_call(f"t1:m1:c{n}", amount=n))) for n in range(40)]
        await signoff_approvals.wait_for_async(requests=40)
        signoff_approvals.reject(signoff_approvals.requests[0])
        signoff_approvals.approve()
        return await asyncio.gather(*waiting)

    signoff_approvals.hold()
    decided = asyncio.run(run())
    assert sum(isinstance(one, Stop) for one in decided) == 1
    assert {one.args["amount"] for one in decided if isinstance(one, Go)} < set(range(40))


def test_what_nobody_decides_in_time_is_withdrawn_and_told(signoff_approvals: Approvals) -> None:
    signoff_approvals.hold()
    with Signoff() as client:
        decided = asyncio.run(Calls(client, framework="test", wait=0.05).decide(a_call()))
    assert isinstance(decided, Stop) and "not a rejection" in decided.text
    assert list(signoff_approvals.withdrawn.values()) == ["Nobody decided within 0.05 seconds."]


def test_each_no_reads_differently_as_what_it_is(signoff_approvals: Approvals) -> None:
    said = {}
    with Signoff() as client:
        calls = Calls(client, framework="test")
        for name in ("expire", "block", "reject"):
            getattr(signoff_approvals, name)(name)
            decided = calls.decide_blocking(a_call(name, name))
            assert isinstance(decided, Stop)
            said[name] = decided.text.replace(name, "it")
    assert len(set(said.values())) == 3


def test_a_server_that_is_away_or_not_set_up_is_a_text_without_a_host() -> None:
    key = Signer.generate().verify_key
    for settings in (
        {"redis_url": "redis://:secret@127.0.0.1:9", "verify_key": key},
        {"redis_url": "redis://127.0.0.1:9", "verify_key": "ed25519:x"},
    ):
        with Signoff(agent="a", **settings) as client:
            decided = Calls(client, framework="test").decide_blocking(a_call())
        assert isinstance(decided, Stop) and decided.text.startswith("refund was not run: ")
        assert not re.search("127|redis|secret|ed25519|Error", decided.text)


def test_what_fails_in_an_option_runs_nothing(signoff_approvals: Approvals) -> None:
    def fails(amount: int) -> str:
        raise LookupError("of the customer's")

    with Signoff() as client:
        for tools in ({"refund": {"reason": fails}}, lambda name: fails(1)):
            decided = Calls(client, tools, framework="test").decide_blocking(a_call())
            assert isinstance(decided, Stop) and "customer" not in decided.text
        signoff_approvals.reject()
        asked = Calls(client, {"refund": {"condition": fails}}, framework="test")
        assert isinstance(asked.decide_blocking(a_call()), Stop)  # a condition that fails asks
        assert len(signoff_approvals.requests) == 1
        free = Calls(client, {"refund": {"condition": lambda amount: amount > 200}}, framework="test")
        assert free.decide_blocking(a_call()) == Go({"amount": 120, "currency": "EUR"})


def test_a_condition_is_asked_where_the_call_is_made(signoff_approvals: Approvals) -> None:
    """It may belong to the caller's loop; who needs nobody changes no thread, and connects to nothing."""
    seen: list[tuple[threading.Thread, object]] = []

    async def waits(amount: int) -> bool:
        seen.append((threading.current_thread(), asyncio.get_running_loop()))
        await asyncio.sleep(0)
        return amount > 200

    def now(amount: int) -> bool:
        seen.append((threading.current_thread(), None))
        return amount > 200

    async def decided(calls: Calls) -> object:
        return await calls.decide(a_call()), asyncio.get_running_loop()

    nobody = Go({"amount": 120, "currency": "EUR"})
    for client in (Signoff(), AsyncSignoff()):
        for condition in (waits, now):
            calls = Calls(client, {"refund": {"condition": condition}}, framework="test")
            go, loop = asyncio.run(decided(calls))
            assert go == nobody
            assert seen.pop() == (threading.current_thread(), loop if condition is waits else None)
            if isinstance(client, Signoff):
                assert calls.decide_blocking(a_call()) == nobody
                thread, _ = seen.pop()
                assert (thread is threading.current_thread()) is (condition is now)
    assert not signoff_approvals.requests


def test_options_are_checked_when_they_are_given() -> None:
    for wrong in (
        {"reversable": True}, {"action": "two words"}, {"tags": "a"}, {"reason": 1}, {"condition": 1},
    ):  # fmt: skip
        with pytest.raises(TypeError):
            Calls(Signoff(), {"refund": wrong}, framework="test")
    with pytest.raises(TypeError):
        Calls(Signoff(), "refund", framework="test")


def test_a_tool_has_one_action_and_shares_it_with_no_other() -> None:
    names = ["refund", "send mail", "send_mail", "send  mail", "", "ü", "a" * 200, "a" * 201, ".x", "\ud800"]
    actions = [action_of(name) for name in names]
    assert len(set(actions)) == len(names) and actions[0] == "refund"
    for action in actions:
        mistakes.check_action(action)


@given(st.text(max_size=400))
def test_a_key_of_any_length_and_script_fits(key: str) -> None:
    made = Calls(Signoff(), framework="test")._key(a_call(key), 0)
    assert made.isascii() and made.startswith("test:") and len(made) <= 255


def test_defaults_of_the_schema_are_filled_in_where_they_would_run() -> None:
    schema = {
        "properties": {"to": {"$ref": "#/$defs/To"}, "tags": {"default": ["a"]}, "n": {"type": "integer"}},
        "$defs": {"To": {"properties": {"city": {"default": "Bonn"}, "self": {"$ref": "#/$defs/To"}}}},
    }
    assert filled({"to": {"self": {}}}, schema) == {
        "to": {"self": {"city": "Bonn"}, "city": "Bonn"},
        "tags": ["a"],
    }
    for odd in (None, {}, {"properties": 1}, {"$ref": "#/$defs/a"}, {"$ref": "#", "properties": {}}):
        assert filled({"a": 1}, odd) == {"a": 1}


def test_a_thread_that_nobody_waits_for_is_told_no_and_its_request_withdrawn(
    signoff_approvals: Approvals,
) -> None:
    with Signoff() as client:
        calls, decided = Calls(client, framework="test"), Future[Any]()

        async def run() -> None:
            waiting = asyncio.create_task(
                asyncio.to_thread(lambda: decided.set_result(calls.decide_blocking(a_call())))
            )
            await signoff_approvals.wait_for_async(requests=1)
            waiting.cancel()
            await signoff_approvals.wait_for_async(withdrawn=1)

        signoff_approvals.hold()
        asyncio.run(run())
        assert isinstance(decided.result(30), Stop)
