"""Pydantic AI: only what was approved runs, and the model is told the truth, whatever comes between."""

from __future__ import annotations

import asyncio
import re
import time
from typing import Any

import pytest
from adapters.pydantic_agents import Ran, an_agent, model, refunds, returned, seen, stored, told_by
from pydantic_ai import Agent, DeferredToolRequests, DeferredToolResults, ToolApproved
from pydantic_ai.capabilities import HandleDeferredToolCalls
from pydantic_ai.exceptions import UserError
from pydantic_ai.messages import ModelMessage, ModelResponse
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import ExternalToolset

from signoff import AsyncSignoff, Signoff
from signoff.adapters.pydantic_ai import METADATA, SignoffCapability, results
from signoff.errors import Invalid
from signoff.receipts import Signer
from signoff.testing import Approvals


@pytest.fixture(params=[Signoff, AsyncSignoff])
def client(request: pytest.FixtureRequest) -> Any:
    return request.param()


def test_what_was_approved_runs_and_the_model_is_told_who_changed_what(
    client: Any, signoff_approvals: Approvals
) -> None:
    ran: Ran = []
    signoff_approvals.edit("refund", {"amount": 80}, by="Ana", note="Half is enough")
    signoff_approvals.approve("mail", by="Ben", note="Be kind")
    calls = [*refunds(120), ("mail", {"to": "a@b"}, "m1"), ("read", {"amount": 1}, "r1")]
    agent = an_agent(ran, calls, client=client)
    messages = agent.run_sync("Refund it.").all_messages()

    assert sorted(ran, key=str) == [{"amount": 80, "currency": "EUR"}, {"read": 1}, {"to": "a@b"}]
    told = returned(messages)
    assert all(part.outcome == "success" for part in told.values())
    assert re.search(
        r"^refunded 80\n\nAna .* amount was 120 and is now 80.* Half is enough", str(told["c1"].content)
    )
    assert told["m1"].content == {"sent": "a@b"} and told["r1"].content == "it stands at 300"
    assert "About mail: " in seen(messages) and "Be kind" in seen(messages)
    refund, mail = signoff_approvals.requests
    assert (refund.payload, refund.reason) == ({"amount": 120, "currency": "EUR"}, "They asked.")
    assert (refund.reversibility, refund.run) == ("irreversible", mail.run) and refund.run
    assert mail.payload == {"to": "a@b", "about": None}
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] == [True, True]


def test_each_no_is_a_failed_call_that_says_which_it_is(signoff_approvals: Approvals) -> None:
    ran: Ran = []
    said = {}
    for kind, status in (
        ("reject", "rejected"),
        ("expire", "not a rejection"),
        ("block", "policy"),
        ("wait", "in time"),
    ):
        signoff_approvals.hold() if kind == "wait" else getattr(signoff_approvals, kind)("refund")
        part = told_by(an_agent(ran, refunds(120), wait=0.05))["c1"]
        assert part.outcome == "failed" and status in str(part.content), kind
        said[kind] = part.content
    assert len(set(said.values())) == 4 and ran == []
    assert list(signoff_approvals.withdrawn) == [str(signoff_approvals.requests[-1].id)]


def test_without_a_server_or_with_a_wrong_key_nothing_runs_and_no_host_is_told() -> None:
    ran: Ran = []
    for settings in (
        {"redis_url": "redis://:secret@127.0.0.1:9", "verify_key": Signer.generate().verify_key},
        {"redis_url": "redis://127.0.0.1:9", "verify_key": "ed25519:x"},
    ):
        with Signoff(agent="a", **settings) as client:
            part = told_by(an_agent(ran, refunds(120), client=client))["c1"]
        assert part.outcome == "failed" and str(part.content).startswith("refund was not run: ")
        assert not re.search("127|redis|secret|ed25519|Error", str(part.content))
    for wrong in ({"wait": "1 h"}, {"suspend_after": float("nan")}):
        with pytest.raises(Invalid):
            SignoffCapability(Signoff(), **wrong)  # type: ignore[arg-type]
    fails = an_agent(ran, refunds(120), tools=lambda name: {}[name])
    assert told_by(fails)["c1"].outcome == "failed"
    assert ran == []


def test_calls_of_one_response_are_posted_at_once_and_hold_nothing_else_up(
    signoff_approvals: Approvals,
) -> None:
    ran: Ran = []
    waits = 40
    took: list[float] = []

    async def run() -> list[ModelMessage]:
        agent = an_agent(
            ran, [*refunds(*range(1, waits + 1)), ("read", {"amount": 0}, "r1")], client=AsyncSignoff()
        )
        working = asyncio.create_task(agent.run("Refund all."))
        await signoff_approvals.wait_for_async(requests=waits)
        beside = an_agent(ran, [("read", {"amount": 7}, "r1")], client=AsyncSignoff())
        for _ in range(5):
            started = time.perf_counter()
            await beside.run("Read it.")
            took.append(time.perf_counter() - started)
        assert {"read": 0} in ran and not any("amount" in call for call in ran)
        first, second = signoff_approvals.requests[:2]
        signoff_approvals.reject(second, "Not that one.")
        signoff_approvals.approve(first)
        await signoff_approvals.wait_for_async(outcomes=1)  # it waits for no other
        signoff_approvals.approve()
        return (await working).all_messages()

    signoff_approvals.hold()
    told = returned(asyncio.run(run()))
    assert told["c2"].outcome == "failed" and "Not that one." in str(told["c2"].content)
    assert sorted(call["amount"] for call in ran if "amount" in call) == [1, *range(3, waits + 1)]
    assert min(took) < 0.1


@pytest.mark.parametrize("how", ["timeout", "cancel"])
@pytest.mark.parametrize("tool", ["refund", "mail"])
def test_a_cancelled_run_withdraws_and_never_runs(
    tool: str, how: str, client: Any, signoff_approvals: Approvals
) -> None:
    ran: Ran = []
    call = refunds(120) if tool == "refund" else [("mail", {"to": "a@b"}, "c1")]

    async def run() -> None:
        working = asyncio.create_task(an_agent(ran, call, client=client).run("Do it."))
        await signoff_approvals.wait_for_async(requests=1)
        if how == "cancel":
            working.cancel()
        with pytest.raises(asyncio.CancelledError if how == "cancel" else TimeoutError):
            async with asyncio.timeout(None if how == "cancel" else 0.01):
                await working
        await signoff_approvals.wait_for_async(withdrawn=1)
        signoff_approvals.approve()
        await asyncio.to_thread(lambda: None)  # whatever still stood in the loop has had its turn

    signoff_approvals.hold()
    asyncio.run(run())
    assert ran == [] and len(signoff_approvals.requests) == 1


@pytest.mark.parametrize("anonymous", [False, True], ids=["whole", "history without ids"])
def test_a_suspended_run_goes_on_in_another_process_with_the_same_cards(
    anonymous: bool, signoff_approvals: Approvals
) -> None:
    ran: Ran = []
    signoff_approvals.leave_pending()
    signoff_approvals.approve("mail")
    steps = [*refunds(120, 50), ("mail", {"to": "a@b"}, "m1")]
    paused = an_agent(ran, steps, suspend_after=0.01).run_sync("Refund both.")
    assert ran == [{"to": "a@b"}] and [call.tool_call_id for call in paused.output.approvals] == ["c1", "c2"]
    known = paused.output.metadata["c1"][METADATA]
    assert known["id"] == str(signoff_approvals.requests[0].id) and known["code"]

    history, requests = stored(paused.all_messages(), paused.output)
    if anonymous:  # as a page keeps it that builds the messages anew
        for message in history:
            message.run_id = message.conversation_id = None
            message.timestamp = paused.all_messages()[0].timestamp
    again = an_agent(ran, steps, suspend_after=0.01).run_sync(
        message_history=history, deferred_tool_results=results(requests)
    )
    assert len(again.output.approvals) == 2 and ran == [{"to": "a@b"}]

    signoff_approvals.reject(signoff_approvals.requests[1], "Not that one.")
    signoff_approvals.edit("refund", {"amount": 80}, by="Ana")
    history, requests = stored(again.all_messages(), again.output)
    ended = an_agent(ran, steps, suspend_after=0.01).run_sync(
        message_history=history, deferred_tool_results=results(requests)
    )
    assert ended.output == "Done." and ran[1:] == [{"amount": 80, "currency": "EUR"}]
    told = returned(ended.all_messages())
    assert "is now 80" in str(told["c1"].content) and told["c2"].outcome == "failed"
    assert len(signoff_approvals.requests) == 3

    twice = an_agent(ran, steps).run_sync(message_history=history, deferred_tool_results=results(requests))
    assert len(ran) == 2 and returned(twice.all_messages())["c1"].outcome == "failed"


def test_calls_that_the_framework_stops_itself_suspend_and_go_on_too(signoff_approvals: Approvals) -> None:
    ran: Ran = []

    def agent() -> Agent[None, Any]:
        gate = SignoffCapability(Signoff(), suspend_after=0.01)
        made: Agent[None, Any] = Agent(
            model([*refunds(5), ("ship", {"amount": 1}, "s1")]),
            capabilities=[gate],
            output_type=[str, DeferredToolRequests],
            toolsets=[ExternalToolset([ToolDefinition(name="ship")])],
        )

        @made.tool_plain(requires_approval=True)
        def refund(amount: int) -> str:
            ran.append({"amount": amount})
            return f"refunded {amount}"

        return made

    signoff_approvals.leave_pending()
    history, requests = stored((paused := agent().run_sync("Do it.")).all_messages(), paused.output)
    assert sorted(call.tool_call_id for call in requests.approvals) == ["c1", "s1"] and not requests.calls
    signoff_approvals.approve("refund")
    signoff_approvals.edit("ship", {"amount": 2}, by="Ana")
    again = agent().run_sync(message_history=history, deferred_tool_results=results(requests))
    history, requests = stored(again.all_messages(), again.output)
    assert [call.args for call in requests.calls] == [{"amount": 2}] and ran == [{"amount": 5}]
    shipped = results(requests)
    shipped.calls["s1"] = "shipped"
    ended = agent().run_sync(message_history=history, deferred_tool_results=shipped)
    assert ended.output == "Done." and len(ran) == 1 and len(signoff_approvals.requests) == 2


def test_who_approves_past_the_gate_runs_nothing(signoff_approvals: Approvals) -> None:
    ran: Ran = []
    signoff_approvals.leave_pending()
    lenient = HandleDeferredToolCalls(handler=lambda ctx, requests: requests.build_results(approve_all=True))
    agent = an_agent(ran, refunds(120), suspend_after=0.01)
    paused = agent.run_sync("Refund it.")
    for result in (True, ToolApproved(), ToolApproved(override_args={"amount": 9_000})):
        forged = DeferredToolResults(approvals={"c1": result})
        agent.run_sync(message_history=paused.all_messages(), deferred_tool_results=forged)
    an_agent(ran, refunds(120), suspend_after=0.01, more=[lenient]).run_sync("Refund it.")
    assert ran == []


def test_a_run_that_cannot_be_suspended_or_fails_meanwhile_withdraws(signoff_approvals: Approvals) -> None:
    ran: Ran = []
    agent = an_agent(ran, refunds(120), suspend_after=0.01)
    signoff_approvals.leave_pending()
    with pytest.raises(UserError, match="DeferredToolRequests"):
        agent.run_sync("Refund it.", output_type=str)
    failing = an_agent(ran, [*refunds(50), ("fails", {}, "f1")], suspend_after=0.01)

    @failing.tool_plain
    async def fails() -> None:
        await signoff_approvals.wait_for_async(requests=2)
        raise LookupError

    with pytest.raises(LookupError):
        failing.run_sync("Refund it.")
    signoff_approvals.wait_for(withdrawn=2)
    assert ran == []


def test_a_killed_run_goes_on_from_its_history_with_the_same_card(signoff_approvals: Approvals) -> None:
    """Providers repeat call ids: the next step's is another card, also of the same content."""
    ran: Ran = []
    steps = (refunds(120), refunds(120))

    async def killed() -> list[ModelMessage]:
        async with an_agent(ran, *steps).iter("Refund it.") as run:
            async for _ in run:
                history = run.all_messages()
                if history and isinstance(history[-1], ModelResponse):
                    break
        working = asyncio.create_task(an_agent(ran, *steps).run(message_history=stored(history)[0]))
        await signoff_approvals.wait_for_async(requests=1)
        resumed = an_agent(ran, *steps).run(message_history=stored(history)[0])
        other = asyncio.create_task(resumed)  # while the first of them hangs
        await asyncio.to_thread(lambda: None)
        signoff_approvals.approve()
        return [*(await working).all_messages(), *(await other).all_messages()]

    signoff_approvals.hold()
    asyncio.run(killed())
    first = {request.key for request in signoff_approvals.requests[:1]}
    assert len(signoff_approvals.requests) == 3 and len({r.key for r in signoff_approvals.requests}) == 3
    assert first and len(ran) == 3  # the first step once, and the second of each
