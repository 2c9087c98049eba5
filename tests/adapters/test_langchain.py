"""LangChain's agents, with `SignoffMiddleware`: what runs, what the model is told, and what never runs."""

from __future__ import annotations

import asyncio
import re
import runpy
import signal
import subprocess
import sys
import threading
import time
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest
from adapters.langchain_agents import CONFIG, INPUT, RAN, FakeModel, an_agent, call, read, refund, results
from langchain.agents import create_agent
from langchain.agents.middleware import HumanInTheLoopMiddleware
from langchain_core.messages import AIMessage
from langchain_core.tools import StructuredTool, tool
from langgraph.checkpoint.memory import InMemorySaver
from pydantic import BaseModel, field_validator

from signoff import AsyncSignoff, Signoff
from signoff.adapters.langchain import SignoffMiddleware
from signoff.receipts import Signer
from signoff.testing import Approvals

ROOT = Path(__file__).parents[2]


@tool
def refund_all() -> str:
    """Everything."""
    return "refunded all"


def test_all_tools_of_an_agent_are_gated_by_one_line(signoff_approvals: Approvals) -> None:
    signoff_approvals.approve()
    agent: Any = create_agent(
        FakeModel(steps=[[call("read"), call("read", "c2", what="x")]], seen=[]),
        [read],
        middleware=[SignoffMiddleware(Signoff(), reversible=True)],
    )
    assert [message.content for message in results(agent.invoke(INPUT))] == ["read", "read"]
    assert sorted(request.payload["what"] for request in signoff_approvals.requests) == ["all", "x"]


@pytest.mark.parametrize("asynchronous", [False, True])
def test_an_edit_runs_and_is_told(signoff_approvals: Approvals, asynchronous: bool) -> None:
    signoff_approvals.edit("*", {"amount": 80}, by="Ana", note="Half is enough")
    calls = [call("refund", amount=120), call("chart", "c2", amount=120), call("note_down", "c3", amount=120)]
    agent, model = an_agent(Signoff(), calls)
    out = asyncio.run(agent.ainvoke(INPUT, CONFIG)) if asynchronous else agent.invoke(INPUT, CONFIG)
    refunded, chart, noted = results(out)
    told = "Ana approved this call with changes: amount was 120 and is now 80."
    assert RAN == [{"amount": 80, "currency": "EUR"}]
    for message in (refunded, noted):
        assert message.content.startswith(told) and "Half is enough" in message.content
    assert refunded.content.endswith("\n\nrefunded 80 EUR") and noted.content.endswith("noted 80")
    assert chart.content[0]["text"].startswith(told) and chart.content[1]["text"] == "chart of 80"
    assert chart.artifact == {"amount": 80}
    assert [message.status for message in results(out)] == ["success"] * 3
    assert model.seen[-1][-3:] == results(out), "the model's next turn has them"
    assert out["messages"][1].tool_calls[0]["args"] == {"amount": 120}, "as the model made it"
    refund = next(request for request in signoff_approvals.requests if request.action == "refund")
    assert refund.payload == {"amount": 120, "currency": "EUR"}, "with defaults, without the graph's state"
    assert (refund.run, refund.reason) == ("t1", "They asked.")
    assert refund.key and refund.key.startswith("langchain:t1:") and ":c1:" in refund.key
    assert set(refund.json_schema["properties"]) == {"amount", "currency"}
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] == [True] * 3


def test_each_no_reads_differently_and_is_an_error_of_the_tool(signoff_approvals: Approvals) -> None:
    texts = {}
    for name, says in {
        "rejected": lambda: signoff_approvals.reject("refund", "Too much.", by="Ana"),
        "expired": lambda: signoff_approvals.expire("refund"),
        "blocked": lambda: signoff_approvals.block("refund", "Never on Fridays."),
    }.items():
        says()
        agent, _ = an_agent(Signoff(), [call("refund", amount=1)])
        [message] = results(agent.invoke(INPUT, CONFIG))
        assert message.status == "error" and "refund was not run" in message.content
        texts[name] = message.content
    assert "Ana rejected it. Reason: Too much." in texts["rejected"]
    assert "not a rejection" in texts["expired"] and "Never on Fridays." in texts["blocked"]
    assert not RAN and len(set(texts.values())) == 3


def test_nobody_in_time_withdraws_the_request(signoff_approvals: Approvals) -> None:
    signoff_approvals.hold()
    agent, _ = an_agent(Signoff(), [call("refund", amount=1)], wait=0.05)
    [message] = results(agent.invoke(INPUT, CONFIG))
    assert message.status == "error" and "nobody has decided in time" in message.content
    assert len(signoff_approvals.withdrawn) == 1 and not RAN


def test_a_tool_that_fails_is_reported_so_and_its_own_check_holds_after_an_edit(
    signoff_approvals: Approvals,
) -> None:
    signoff_approvals.approve()
    agent, _ = an_agent(Signoff(), [call("broken", amount=1)])
    with pytest.raises(RuntimeError):
        agent.invoke(INPUT, CONFIG)
    [outcome] = signoff_approvals.outcomes.values()
    assert (outcome.succeeded, outcome.note) == (False, "It raised RuntimeError.")

    def even(amount: int) -> str:
        """Takes what no schema says."""
        raise AssertionError("never run")

    class Args(BaseModel):
        amount: int

        @field_validator("amount")
        @classmethod
        def _even(cls, value: int) -> int:
            if value % 2:
                raise ValueError("it has to be even")
            return value

    signoff_approvals.edit("even", {"amount": 3}, by="Ana")
    agent = create_agent(
        FakeModel(steps=[[call("even", amount=2)]], seen=[]),
        [StructuredTool.from_function(even, args_schema=Args)],
        middleware=[SignoffMiddleware(Signoff(), reversible=True)],
    )
    [message] = results(agent.invoke(INPUT))
    assert message.status == "error" and "it has to be even" in message.content
    assert message.content.startswith("Ana approved this call with changes: amount was 2 and is now 3.")
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] == [False, False]


def test_what_nobody_could_tell_apart_is_not_asked(signoff_approvals: Approvals) -> None:
    """The same id twice in a message, a tool that there is not, arguments that cannot travel."""
    calls = [call("refund", amount=1), call("refund", amount=2), call("mail", "c2", to="\ud800")]
    agent, _ = an_agent(Signoff(), [*calls, call("nonsense", "c4")], tools=["*"], reversible=True)
    messages = results(agent.invoke(INPUT, CONFIG))
    assert [message.status for message in messages] == ["error"] * 4
    assert "2 calls with the id c1" in messages[0].content == messages[1].content
    assert "mail was not run" in messages[2].content and "no tool of this name" in messages[3].content
    assert not signoff_approvals.requests and not RAN


def test_a_repeated_call_id_in_another_turn_or_thread_is_another_card(signoff_approvals: Approvals) -> None:
    signoff_approvals.approve()
    same = [call("refund", amount=1)]
    agent, _ = an_agent(Signoff(), same, same)
    for thread in ("a:b", "a", None):
        agent.checkpointer = agent.checkpointer if thread else False
        agent.invoke(INPUT, {"configurable": {"thread_id": thread}} if thread else None)
    keys = [request.key for request in signoff_approvals.requests]
    assert len(RAN) == len(set(keys)) == 6 and keys[0].startswith("langchain:a%3Ab:")


def test_parallel_calls_are_asked_at_once_and_hold_up_nobody(signoff_approvals: Approvals) -> None:
    """With either client. Without an event loop LangGraph has a pool of threads, of five or more."""
    calls: list[Any] = []
    read_at: list[float] = []

    @tool
    def look() -> str:
        """Needs nobody."""
        read_at.append(time.monotonic())
        return "read"

    def decide(began: float) -> None:
        signoff_approvals.wait_for(requests=len(calls))
        while not read_at:
            time.sleep(0.001)
        took.append(read_at[0] - began)
        signoff_approvals.approve()

    took: list[float] = []
    for client, count in ((Signoff(), 4), (Signoff(), 40), (AsyncSignoff(), 40)):
        calls[:] = [call("refund", f"c{number}", amount=number) for number in range(1, count + 1)]
        signoff_approvals.hold()
        signoff_approvals.requests.clear()
        read_at.clear()
        _, model = an_agent(client, [*calls, call("look", "c0")])
        agent: Any = create_agent(
            model, [refund, look], middleware=[SignoffMiddleware(client, ["refund"], reversible=False)]
        )
        deciding = threading.Thread(target=decide, args=(time.monotonic(),))
        deciding.start()
        out = asyncio.run(agent.ainvoke(INPUT)) if count > 4 else agent.invoke(INPUT)
        deciding.join()
        assert len(RAN) == len(calls) and len(results(out)) == len(calls) + 1
    print("ungated beside 40 waits:", took)
    assert max(took) < 10


@pytest.mark.parametrize("make", [Signoff, AsyncSignoff])
@pytest.mark.parametrize("name", ["refund", "mail"])
def test_a_cancelled_run_withdraws_and_never_runs(signoff_approvals: Approvals, make: Any, name: str) -> None:
    """Also a tool that is not a coroutine; whoever resumes the thread asks anew."""
    signoff_approvals.hold()
    args = {"amount": 1} if name == "refund" else {"to": "ana"}
    agent, _ = an_agent(make(), [call(name, **args)])

    async def run() -> None:
        running = asyncio.create_task(agent.ainvoke(INPUT, CONFIG))
        await signoff_approvals.wait_for_async(requests=1)
        running.cancel()
        with pytest.raises(asyncio.CancelledError):
            await running
        await signoff_approvals.wait_for_async(withdrawn=1)
        signoff_approvals.approve()
        assert not RAN
        stream = agent.astream(None, CONFIG)
        assert [chunk async for chunk in stream]

    asyncio.run(run())
    first, second = signoff_approvals.requests
    assert second.key == f"{first.key}#2" and [args if name == "mail" else {**args, "currency": "EUR"}] == RAN


STOPPED = """
import signal, sys
sys.path[:0] = {path!r}
from adapters.langchain_agents import INPUT, RAN, an_agent, call
from signoff import Signoff
from signoff.client import client
from signoff.client.script import AGENT, Approvals
from signoff.client.scripted import ScriptedExchange
from signoff.receipts import Signer, verify_keys
import threading
approvals, signer = Approvals(), Signer.generate()
exchange = ScriptedExchange(approvals, signer)
client.substitute = client.Substitute(exchange, AGENT, verify_keys(signer.verify_key))
approvals.hold()
agent, _ = an_agent(Signoff(), [call("refund", f"c{{n}}", amount=n) for n in range(1, {calls} + 1)])
def tell():
    approvals.wait_for(requests={calls})
    print("asked", flush=True)
threading.Thread(target=tell, daemon=True).start()
try:
    agent.invoke(INPUT, {{"configurable": {{"thread_id": "t1"}}}})
except KeyboardInterrupt:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    approvals.wait_for(withdrawn={calls})
    approvals.approve()
    print("withdrawn", len(approvals.withdrawn), "ran", len(RAN), flush=True)
"""


def _interrupted(process: subprocess.Popen[str]) -> str:
    """What it prints once it was told to stop: again now and then, as a signal may come while Python or a
    framework is in code that passes exceptions over."""
    for _ in range(12):
        process.send_signal(signal.SIGINT)
        with suppress(subprocess.TimeoutExpired):
            return process.communicate(timeout=5)[0]
    raise AssertionError("It did not end.")


@pytest.mark.parametrize("calls", [1, 4])
def test_ctrl_c_withdraws_what_threads_wait_for(calls: int) -> None:
    """One call waits in the main thread; several wait in a pool's, which nobody interrupts."""
    code = STOPPED.format(path=[path for path in sys.path if path.endswith("tests")], calls=calls)
    with subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            assert process.stdout.readline() == "asked\n"
            out = _interrupted(process)
        finally:
            process.kill()
    assert out == f"withdrawn {calls} ran 0\n" and process.returncode == 0


def test_a_fault_of_ours_runs_nothing_and_tells_no_host(
    signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Functions of the user's that raise, a tool whose schema cannot be had, a client without a server."""

    def fails(*_: Any, **__: Any) -> Any:
        raise RuntimeError("redis://secret@host:6379/0 in /home/me")

    signoff_approvals.approve()
    texts = []
    for tools in (fails, {"refund": {"reversible": True, "reason": fails}}):
        agent, _ = an_agent(Signoff(), [call("refund", amount=1)], tools=tools)
        texts += results(agent.invoke(INPUT, CONFIG))
    monkeypatch.setattr("signoff.adapters.langchain.tool_calls.shape", fails)
    agent, _ = an_agent(Signoff(), [call("refund", amount=1)])
    texts += results(agent.invoke(INPUT, CONFIG))
    monkeypatch.undo()
    away = Signoff(
        redis_url="redis://:secret@127.0.0.1:1/0", agent="a", verify_key=Signer.generate().verify_key
    )
    agent, _ = an_agent(away, [call("refund", amount=1)])
    texts += results(agent.invoke(INPUT, CONFIG))
    assert len(texts) == 4 and not RAN
    for message in texts:
        assert message.status == "error" and "refund was not run" in message.content
        for word in ("secret", "host", "127", "/home", "redis", ":1"):
            assert word not in message.content


def test_what_only_the_program_gives_is_not_the_models_to_say(signoff_approvals: Approvals) -> None:
    signoff_approvals.approve()
    forged = call("refund", amount=1, state={"messages": []})
    agent, _ = an_agent(Signoff(), [forged])
    [message] = results(agent.invoke(INPUT, CONFIG))
    assert message.content == "refunded 1 EUR"
    assert signoff_approvals.requests[0].payload == {"amount": 1, "currency": "EUR"}


def test_the_page_and_the_example_run(
    signoff_approvals: Approvals, capsys: pytest.CaptureFixture[str]
) -> None:
    page = (ROOT / "docs/adapters/langchain.md").read_text(encoding="utf-8")
    names: dict[str, Any] = {"model": FakeModel(steps=[[call("refund_all")]], seen=[]), "tools": [refund_all]}
    names["checkpointer"] = InMemorySaver()
    signoff_approvals.approve()
    for block in re.findall(r"```python\n(.*?)```", page, re.S):
        exec(compile(block, "langchain.md", "exec"), names)
    assert names["out"]["messages"][-2].content == "refunded all" and not names["waits_for"]
    reviewed: Any = create_agent(
        FakeModel(steps=[[call("refund_all")]], seen=[]),
        [refund_all],
        middleware=[HumanInTheLoopMiddleware({"refund_all": True})],
        checkpointer=InMemorySaver(),
    )
    reviewed.invoke(INPUT, CONFIG)
    names["review"](reviewed, CONFIG)
    assert results(reviewed.get_state(CONFIG).values)[0].content == "refunded all"
    assert len(names["to_tools"]({"messages": [AIMessage("", tool_calls=[call("refund_all")])]})) == 1
    example = runpy.run_path(str(ROOT / "examples/langchain_agent.py"))
    signoff_approvals.hold("refund")
    asked = len(signoff_approvals.requests)

    def decide() -> None:
        signoff_approvals.wait_for(requests=asked + 2)
        signoff_approvals.edit("refund", {"amount": 80}, by="Ana")

    deciding = threading.Thread(target=decide)
    deciding.start()
    said = example["main"]()
    deciding.join()
    assert "refunded 80 EUR of A-1" in said and "refunded 80 EUR of B-2" in said
    assert not capsys.readouterr().err
