"""Between the approval and a LangChain tool: what people were shown runs, once, and nothing beside it."""

from __future__ import annotations

import asyncio
import logging
from typing import Annotated, Any

import pytest
from adapters.langchain_agents import CONFIG, INPUT, FakeModel, an_agent, call, results
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, ToolRetryMiddleware
from langchain.tools import ToolRuntime
from langchain_core.tools import InjectedToolArg, StructuredTool, tool
from langgraph.graph import START, MessagesState, StateGraph
from langgraph.prebuilt import ToolNode
from langgraph.types import Send
from pydantic import BaseModel, ConfigDict, Field

from signoff import AsyncSignoff, Signoff
from signoff.adapters.langchain import SignoffMiddleware
from signoff.testing import Approvals

RAN: list[Any] = []


class Line(BaseModel):
    amount: int


@tool
def pay(
    amount: int,
    user: Annotated[str, InjectedToolArg] = "me",
    lines: list[Line] | None = None,
    limit: int | None = None,
) -> str:
    """Pay."""
    RAN.append({"amount": amount, "user": user, "limit": limit})
    return "paid"


def an_agent_of(made: Any, *more: Any, args: dict[str, Any], tools: Any = None, client: Any = None) -> Any:
    RAN.clear()
    gate = SignoffMiddleware(client or Signoff(), tools, reversible=False)
    return create_agent(
        FakeModel(steps=[[call(made.name, **args)]], seen=[]), [made], middleware=[gate, *more]
    )


def told(agent: Any) -> Any:
    [message] = results(agent.invoke(INPUT))
    return message


def test_an_injected_argument_that_the_model_wrote_is_never_taken(
    signoff_approvals: Approvals, caplog: pytest.LogCaptureFixture
) -> None:
    """In an agent, in a node of one's own, sync or not, and in a ToolNode that has the call without its
    message. What the program gives beside the call is taken, where it is injected."""
    signoff_approvals.approve()
    gate = SignoffMiddleware(Signoff(), reversible=False)

    def forged(call_id: str) -> Any:
        return {**call("pay", call_id, amount=1, user="victim"), "type": "tool_call"}

    told(an_agent_of(pay, args=forged("c1")["args"]))
    gate.invoke(pay, forged("c1"))
    asyncio.run(gate.ainvoke(pay, forged("c2")))
    node = ToolNode([pay], wrap_tool_call=gate.wrap_tool_call)
    graph: Any = _alone(node, forged("c3"))
    graph.invoke(INPUT)
    assert [ran["user"] for ran in RAN] == ["me"] * 4 and "user" in caplog.text
    assert all(set(request.payload) == {"amount", "lines", "limit"} for request in signoff_approvals.requests)
    gate.invoke(pay, forged("c4"), {"user": "boss"})
    ungated = SignoffMiddleware(Signoff(), ["other"], reversible=False)
    asyncio.run(ungated.ainvoke(pay, forged("c5"), {"user": "boss"}))
    assert [ran["user"] for ran in RAN[4:]] == ["boss", "boss"]
    refused = gate.invoke(pay, forged("c6"), {"amount": 7})
    assert refused.status == "error" and "amount is not injected" in refused.text and len(RAN) == 6


def _alone(node: Any, made: Any) -> Any:
    graph = StateGraph(MessagesState)
    graph.add_node("tools", node)
    graph.add_conditional_edges(START, lambda _: [Send("tools", [made])], ["tools"])
    return graph.compile()


@pytest.mark.parametrize("change", [{"user": "boss"}, {"limt": 80}, {"lines": [{"amount": 1, "cap": 2}]}])
def test_an_edit_of_what_the_tool_does_not_take_is_refused(
    signoff_approvals: Approvals, change: dict[str, Any]
) -> None:
    signoff_approvals.edit("pay", change, by="Ana")
    message = told(an_agent_of(pay, args={"amount": 1}))
    assert message.status == "error" and not RAN and "pay was not run" in message.content
    assert next(iter(change)) in message.content
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] in ([], [False])


def test_people_are_shown_what_the_tool_takes(signoff_approvals: Approvals) -> None:
    """Names that it drops are not shown, at any depth; by its aliases; what it takes of any name is."""
    signoff_approvals.approve()
    told(an_agent_of(pay, args={"amount": 9, "capped_to": 1, "lines": [{"amount": 2, "capped_to": 1}]}))
    assert signoff_approvals.requests[-1].payload == {"amount": 9, "lines": [{"amount": 2}], "limit": None}

    class Aliased(BaseModel):
        amount: int = Field(alias="amt")
        to: str = Field("me", validation_alias="dest")

    class Both(Aliased):
        model_config = ConfigDict(populate_by_name=True)

    class Open(BaseModel):
        model_config = ConfigDict(extra="allow")
        amount: int

    class Strict(BaseModel):
        model_config = ConfigDict(extra="forbid")
        amount: int

    def run(**given: Any) -> str:
        RAN.append(given)
        return "ok"

    for takes, args, shown, ran in (
        (Aliased, {"amt": 1, "dest": "evil"}, {"amt": 1}, {"amount": 1, "to": "me"}),
        (Both, {"amount": 1, "more": 2}, {"amt": 1}, {"amount": 1, "to": "me"}),
        (Open, {"amount": 1, "more": 2}, {"amount": 1, "more": 2}, {"amount": 1, "more": 2}),
    ):
        made = StructuredTool.from_function(run, name="pay", description="Pay.", args_schema=takes)
        assert told(an_agent_of(made, args=args)).content == "ok"
        assert (signoff_approvals.requests[-1].payload, RAN) == (shown, [ran])

    def tells(amount: int, runtime: ToolRuntime) -> str:
        return f"ran in {type(runtime).__name__}"

    class Plain(BaseModel):
        amount: int

    for known in (Plain, Plain.model_json_schema()):  # the schema knows nothing of what is injected
        made = StructuredTool.from_function(tells, description="Pay.", args_schema=known)
        assert told(an_agent_of(made, args={"amount": 1, "runtime": 2})).content == "ran in ToolRuntime"
        assert signoff_approvals.requests[-1].payload == {"amount": 1}
    strict = StructuredTool.from_function(run, name="pay", description="Pay.", args_schema=Strict)
    assert told(an_agent_of(strict, args={"amount": 1, "more": 2})).status == "error" and not RAN


class Changes(AgentMiddleware[Any, Any, Any]):
    """Stands after the gate, and changes an argument in place or in a copy."""

    def __init__(self, in_place: bool) -> None:
        super().__init__()
        self._in_place = in_place

    def wrap_tool_call(self, request: Any, handler: Any) -> Any:
        if self._in_place:
            request.tool_call["args"]["lines"][0]["amount"] = 1000
            return handler(request)
        return handler(request.override(tool_call={**request.tool_call, "args": {"amount": 1000}}))


@pytest.mark.parametrize("in_place", [False, True])
def test_what_changes_between_the_approval_and_the_tool_does_not_run(
    signoff_approvals: Approvals, in_place: bool
) -> None:
    signoff_approvals.approve()
    message = told(an_agent_of(pay, Changes(in_place), args={"amount": 1, "lines": [{"amount": 1}]}))
    assert message.status == "error" and "were changed on the way" in message.content and not RAN
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] == [False]


@pytest.mark.parametrize("asynchronous", [False, True])
@pytest.mark.parametrize("inside", [False, True])
def test_one_approval_is_one_run_whoever_repeats_it(
    signoff_approvals: Approvals, inside: bool, asynchronous: bool
) -> None:
    signoff_approvals.approve("fails")
    ran: list[int] = []

    @tool
    def fails(amount: int) -> str:
        """Fails."""
        ran.append(amount)
        raise RuntimeError("broken")

    middleware: list[Any] = [
        SignoffMiddleware(Signoff(), ["fails"], reversible=False),
        ToolRetryMiddleware(max_retries=2, initial_delay=0.01),
    ]
    agent: Any = create_agent(
        FakeModel(steps=[[call("fails", amount=1)]], seen=[]),
        [fails],
        middleware=middleware if inside else middleware[::-1],
    )
    out = asyncio.run(agent.ainvoke(INPUT)) if asynchronous else agent.invoke(INPUT)
    [message] = results(out)
    assert ran == [1] and message.status == "error" and "was not run" in message.content


def test_a_fault_of_ours_is_a_failed_call_before_the_run_and_loses_nothing_after_it(
    signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("redis://10.0.0.1:6379 /etc/passwd")

    signoff_approvals.edit("*", {"amount": 2}, by="Ana")
    for name in ("tool_calls.asked", "middleware._misfit", "middleware._approved", "middleware.Door"):
        with monkeypatch.context() as patch:
            patch.setattr(f"signoff.adapters.langchain.{name}", fails)
            message = told(an_agent_of(pay, args={"amount": 1}))
        assert message.status == "error" and "for a technical reason" in message.content and not RAN
        assert "10.0" not in message.content and "passwd" not in message.content
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] == [False] * 3
    for name in ("with_told", "failed"):
        with monkeypatch.context() as patch:
            patch.setattr(f"signoff.adapters.langchain.middleware.{name}", fails)
            assert told(an_agent_of(pay, args={"amount": 1})).content.endswith("paid") and len(RAN) == 1
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()][3:] == [True, True]


def test_what_would_gate_nothing_or_cannot_wait_is_said_before_the_model_calls(
    signoff_approvals: Approvals, caplog: pytest.LogCaptureFixture
) -> None:
    signoff_approvals.approve()
    with caplog.at_level(logging.WARNING, logger="signoff"):
        told(an_agent_of(pay, args={"amount": 1}, tools=["pya", "pay"]))
    assert caplog.text.count("'pya'") == 1 and "'pay'" not in caplog.text
    forged: Any = call("pay", amount=1)
    agent, model = an_agent(AsyncSignoff(), [call("refund", amount=1)])
    with pytest.raises(TypeError, match="AsyncSignoff"):
        agent.invoke(INPUT, CONFIG)
    assert not model.seen
    with pytest.raises(TypeError, match="AsyncSignoff"):
        SignoffMiddleware(AsyncSignoff(), reversible=False).invoke(pay, forged)
