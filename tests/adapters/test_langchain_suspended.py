"""LangGraph's graphs that are suspended: resumed here or in another process, and under one card."""

from __future__ import annotations

import asyncio
import json
import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace
from typing import Annotated, Any, TypedDict

import pytest
from adapters.langchain_agents import (
    CONFIG,
    INPUT,
    RAN,
    FakeModel,
    an_agent,
    call,
    mail,
    read,
    refund,
    results,
)
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.graph import END, START, StateGraph
from langgraph.graph.message import add_messages
from langgraph.prebuilt import ToolNode
from langgraph.types import Command, Interrupt, Send
from support import Core, eventually, intake_of

from signoff import AsyncSignoff, Signoff
from signoff.adapters.langchain import (
    SignoffMiddleware,
    decisions,
    decisions_async,
    resume_when_decided,
    resume_when_decided_async,
)
from signoff.testing import Approvals

PROGRAM = Path(__file__).with_name("langchain_program.py")


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    return f"sqlite:///{tmp_path / 'signoff.db'}"


@pytest.fixture
def serving(core: Core, redis_url: str) -> Iterator[Core]:
    """The core, with an intake that runs."""
    with intake_of(core, redis_url, "billing-bot"):
        yield core


def test_whatever_a_graph_is_resumed_with_the_receipt_decides(signoff_approvals: Approvals) -> None:
    signoff_approvals.hold()
    agent, _ = an_agent(Signoff(), [call("refund", amount=1), call("read", "c2")], suspend_after=0.02)
    out = agent.invoke(INPUT, CONFIG)
    for value in ("approve", {"type": "approve"}, True):
        [waits] = out["__interrupt__"]
        assert waits.value["action"] == "refund" and waits.value["tool_call_id"] == "c1"
        out = agent.invoke(Command(resume=value), CONFIG)
        assert not RAN, "nobody has decided"
    signoff_approvals.edit("refund", {"amount": 2}, by="Ana")
    first, second = results(agent.invoke(Command(resume="reject"), CONFIG))
    assert RAN == [{"amount": 2, "currency": "EUR"}] and second.content == "read"
    assert "Ana approved this call with changes" in first.content
    assert len(signoff_approvals.requests) == 1 and not signoff_approvals.withdrawn

    before = next(state for state in agent.get_state_history(CONFIG) if "tools" in state.next)
    asked = before.values["messages"][-1]
    changed = asked.model_copy(update={"tool_calls": [{**asked.tool_calls[0], "args": {"amount": 3}}]})
    fork = agent.update_state(before.config, {"messages": [changed]}, as_node="model")
    agent.invoke(None, fork)
    assert signoff_approvals.requests[-1].payload["amount"] == 3, "what a fork changes is asked anew"


@pytest.mark.parametrize("make", [Signoff, AsyncSignoff])
def test_each_call_goes_on_when_it_is_decided(signoff_approvals: Approvals, make: Any) -> None:
    """Two are suspended: one card each, and neither waits for the other's decision."""
    signoff_approvals.hold()
    client = make()
    calls = [call("refund", amount=1), call("mail", "c2", to="ana")]
    agent, _ = an_agent(client, calls, suspend_after=0.02)

    async def run() -> Any:
        out = await agent.ainvoke(INPUT, CONFIG)
        assert len(out["__interrupt__"]) == 2 and len(signoff_approvals.requests) == 2
        resuming = asyncio.create_task(resume_when_decided_async(agent, CONFIG, client))
        by_action = {request.action: request for request in signoff_approvals.requests}
        signoff_approvals.approve(by_action["mail"])
        await signoff_approvals.wait_for_async(outcomes=1)
        assert RAN == [{"to": "ana"}] and not resuming.done()
        signoff_approvals.reject(by_action["refund"], "Too much.", by="Ana")
        return await resuming

    first, second = results(asyncio.run(run()))
    assert first.status == "error" and "Ana rejected it" in first.content
    assert second.content == "sent to ana" and RAN == [{"to": "ana"}]
    assert len(signoff_approvals.requests) == 2


def test_without_a_checkpointer_it_waits(signoff_approvals: Approvals) -> None:
    signoff_approvals.hold()
    model = FakeModel(steps=[[call("refund", amount=1)]], seen=[])
    gate = SignoffMiddleware(AsyncSignoff(), reversible=False, suspend_after=0.01)
    agent: Any = create_agent(model, [refund], middleware=[gate])
    RAN.clear()

    async def run() -> Any:
        running = asyncio.create_task(agent.ainvoke(INPUT))
        await signoff_approvals.wait_for_async(requests=1)
        await asyncio.sleep(0.05)  # longer than it would take to suspend
        signoff_approvals.approve()
        return await running

    assert [message.content for message in results(asyncio.run(run()))] == ["refunded 1 EUR"]


class State(TypedDict):
    messages: Annotated[list[Any], add_messages]


def a_graph(gate: SignoffMiddleware, *calls: Any, sends: bool) -> Any:
    """Plain LangGraph: a model's node, and a ToolNode."""
    RAN.clear()
    graph: Any = StateGraph(State)
    graph.add_node("model", lambda _: {"messages": [AIMessage("", tool_calls=list(calls))]})
    tools = [refund, mail, read]
    node = ToolNode(tools, wrap_tool_call=gate.wrap_tool_call, awrap_tool_call=gate.awrap_tool_call)
    graph.add_node("tools", node)
    graph.add_edge(START, "model")
    if sends:
        graph.add_conditional_edges(
            "model",
            lambda state: [Send("tools", [made]) for made in state["messages"][-1].tool_calls],
            ["tools"],
        )
    else:
        graph.add_edge("model", "tools")
    graph.add_edge("tools", END)
    return graph.compile(checkpointer=InMemorySaver())


def test_a_plain_tool_node_asks_and_suspends_where_each_call_is_sent(signoff_approvals: Approvals) -> None:
    """A task is run again as a whole: where it holds other calls, it waits, or those would run twice."""
    calls = [{**call("refund", amount=1), "type": "tool_call"}, {**call("read", "c2"), "type": "tool_call"}]
    signoff_approvals.hold()
    gate = SignoffMiddleware(Signoff(), ["refund"], reversible=False, suspend_after=0.02)
    graph = a_graph(gate, *calls, sends=True)
    assert graph.invoke(INPUT, CONFIG)["__interrupt__"]
    signoff_approvals.approve()
    out = resume_when_decided(graph, CONFIG, Signoff())
    assert {message.content for message in results(out)} == {"refunded 1 EUR", "read"}

    signoff_approvals.hold()
    graph = a_graph(gate, *calls, sends=False)

    async def run() -> Any:
        running = asyncio.create_task(graph.ainvoke(INPUT, CONFIG))
        await signoff_approvals.wait_for_async(requests=2)
        signoff_approvals.approve(signoff_approvals.requests[1])
        return await running

    assert [message.content for message in results(asyncio.run(run()))] == ["refunded 1 EUR", "read"]
    assert len({request.key for request in signoff_approvals.requests}) == 2


def test_a_tool_in_a_node_of_ones_own(signoff_approvals: Approvals) -> None:
    signoff_approvals.hold()
    gate = SignoffMiddleware(Signoff(), reversible=True, suspend_after=0.02)

    def node(_: State) -> Any:
        return {"messages": [gate.invoke(read, {"name": "read", "args": {}, "id": "1", "type": "tool_call"})]}

    graph: Any = StateGraph(State).add_node("work", node).add_edge(START, "work")
    graph = graph.compile(checkpointer=InMemorySaver())
    for thread in ("t1", "t2"):
        config: Any = {"configurable": {"thread_id": thread}}
        graph.invoke(INPUT, config)
        signoff_approvals.edit(signoff_approvals.requests[-1], {"what": "half"}, by="Ana")
        [message] = results(graph.invoke(Command(resume=1), config))
        assert message.content.endswith("\n\nread") and 'what was "all" and is now "half"' in message.content
    assert len({request.key for request in signoff_approvals.requests}) == 2


def a_reviewed_agent(mode: str, calls: Any, allowed: Any) -> Any:
    RAN.clear()
    on = {name: {"allowed_decisions": list(kinds)} for name, kinds in allowed.items()}
    options: Any = {"interrupt_mode": mode} if mode == "per_call" else {}
    try:
        review = HumanInTheLoopMiddleware(on, **options)  # type: ignore[arg-type]
    except TypeError:
        review = HumanInTheLoopMiddleware(on)  # type: ignore[arg-type]  # before langchain 1.4, one mode
    model = FakeModel(steps=[calls], seen=[])
    return create_agent(model, [refund, mail, read], middleware=[review], checkpointer=InMemorySaver())


@pytest.mark.parametrize("mode", ["per_call", "batched"])
def test_langchains_own_review_is_answered_from_signoff(signoff_approvals: Approvals, mode: str) -> None:
    signoff_approvals.edit("refund", {"amount": 80}, by="Ana")
    signoff_approvals.reject("mail", "Not now.", by="Ana")
    calls = [call("refund", amount=120), call("mail", "c2", to="ana"), call("read", "c3")]
    allowed = {
        "refund": ("approve", "edit", "reject"),
        "mail": ("approve", "reject"),
        "read": ("approve", "reject"),
    }
    signoff_approvals.approve("read")
    agent = a_reviewed_agent(mode, calls, allowed)
    agent.invoke(INPUT, CONFIG)
    answers = decisions(Signoff(), agent.get_state(CONFIG).interrupts, "t1", reversible=False)
    out = agent.invoke(Command(resume=answers), CONFIG)
    by_id = {message.tool_call_id: message for message in results(out)}
    assert [ran["amount"] for ran in RAN] == [80] and by_id["c3"].content == "read"
    assert "Not now." in by_id["c2"].content and by_id["c2"].status == "error"
    edited = {request.action: request.editable for request in signoff_approvals.requests}
    assert edited == {"refund": True, "mail": False, "read": False}
    assert {request.run for request in signoff_approvals.requests} == {"t1"}


def test_an_answer_in_place_of_a_tool_and_what_nobody_answers(signoff_approvals: Approvals) -> None:
    """Where only `respond` is allowed, people write the answer; a tool that nobody may refuse is wrong."""
    schema = {"properties": {"type": {"const": "respond"}}}
    value = {"type": "tool_approval", "tool_call_id": "c1", "name": "ask", "args": {"question": "How much?"}}
    question: Any = SimpleNamespace(value=value, id="i1", response_schema=schema)
    signoff_approvals.edit("ask", {"answer": "80"}, by="Ana")
    asked = asyncio.run(decisions_async(AsyncSignoff(), [question], "t1", reversible=True))
    assert asked == {"i1": {"type": "respond", "message": "80"}}
    [request] = signoff_approvals.requests
    assert request.payload == {"question": "How much?", "answer": ""} and request.editable == ("answer",)
    question.value = {**value, "args": {"question": "Changed meanwhile?"}}
    asyncio.run(decisions_async(AsyncSignoff(), [question], "t1", reversible=True))
    assert len({request.key for request in signoff_approvals.requests}) == 2
    signoff_approvals.reject("ask", "Ask them yourself.", by="Ana")
    again: Any = SimpleNamespace(value=value, id="i2", response_schema=schema)
    foreign = Interrupt({"mine": 1}, id="i3")
    asked = decisions(Signoff(), [again, foreign], "t1", reversible=True)
    assert set(asked) == {"i2"} and "Ask them yourself." in asked["i2"]["message"]
    assert decisions(Signoff(), [again], "t1", ["other"]) == {}
    only_yes = {"properties": {"type": {"const": "approve"}}}
    unsafe: Any = SimpleNamespace(value=value, id="i4", response_schema=only_yes)
    with pytest.raises(ValueError, match="has to allow 'reject'"):
        decisions(Signoff(), [unsafe], "t1")


def test_one_card_stands_after_a_kill_and_a_resume(serving: Core, redis_url: str, tmp_path: Path) -> None:
    """SIGKILL while it waits, then another process; and suspended, then resumed as decisions come."""
    environment = {
        **os.environ,
        "SIGNOFF_REDIS_URL": redis_url,
        "SIGNOFF_AGENT": "billing-bot",
        "SIGNOFF_VERIFY_KEY": serving.signer.verify_key,
    }

    def start(what: str) -> subprocess.Popen[str]:
        return subprocess.Popen(
            [sys.executable, PROGRAM, tmp_path, what],
            stdout=subprocess.PIPE, text=True, env=environment,
        )  # fmt: skip

    def decide(decision: str) -> None:
        [(approval_id, _)] = eventually(lambda: serving.store.waiting())
        reason = "Too much." if decision == "reject" else ""
        serving.approvals.decide(approval_id, 1, "U0ANA", decision, reason=reason)

    def ended(process: subprocess.Popen[str]) -> Any:
        out, _ = process.communicate(timeout=120)
        return json.loads(out)

    killed = start("wait")
    eventually(lambda: serving.store.waiting())
    killed.kill()
    killed.communicate()
    again = start("again")
    decide("approve")
    assert ended(again) == [[{"amount": 120, "currency": "EUR"}], ["refunded 120 EUR", "read"]]
    key = "SIGNOFF_VERIFY_KEY"
    with (
        SqliteSaver.from_conn_string(str(tmp_path / "graph.db")) as saver,
        Signoff(redis_url=redis_url, agent="billing-bot", verify_key=environment[key]) as client,
    ):
        agent, _ = an_agent(client, [], saver=saver)
        before = next(state for state in agent.get_state_history(CONFIG) if "tools" in state.next)
        refused, _ = results(agent.invoke(None, before.config))
        assert refused.status == "error" and "approved before, and begun then" in refused.content and not RAN
        agent, _ = an_agent(client, [call("refund", amount=7)], saver=saver, suspend_after=0.3)
        config: Any = {"configurable": {"thread_id": "t2"}}
        [waits] = agent.invoke(INPUT, config)["__interrupt__"]
    (tmp_path / "threads.json").write_text(json.dumps({waits.value["id"]: config}))
    decide("reject")
    ran, texts = ended(start("forever"))
    assert not ran and "rejected it" in texts[0] and not serving.store.waiting()


def test_a_double_is_told_that_the_same_is_asked_and_not_that_it_was_begun(
    serving: Core, redis_url: str
) -> None:
    serving.follow("rules: [{name: all, match: {action: refund}, verdict: ask}]")
    with Signoff(redis_url=redis_url, agent="billing-bot", verify_key=serving.signer.verify_key) as client:
        agent, _ = an_agent(client, [call("refund", amount=7), call("refund", "c2", amount=7)])
        out: list[Any] = []
        running = threading.Thread(target=lambda: out.append(agent.invoke(INPUT, CONFIG)))
        running.start()
        [(approval_id, _)] = eventually(lambda: serving.store.waiting())
        eventually(lambda: serving.redis.xlen("signoff:dead"))  # the other one is refused
        serving.approvals.decide(approval_id, 1, "U0ANA", "approve")
        running.join(60)
    texts = sorted(message.content for message in results(out[0]))
    assert RAN == [{"amount": 7, "currency": "EUR"}]
    assert texts[0].startswith("refund was not run: the same request") and texts[1] == "refunded 7 EUR"
    assert "begun" not in texts[0] and approval_id not in texts[0]
