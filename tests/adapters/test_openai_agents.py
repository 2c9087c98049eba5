"""OpenAI Agents SDK: what runs was approved, the model reads why not, and a run survives its process."""

from __future__ import annotations

import asyncio
import json
import re
import runpy
import threading
import time
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import agents
import pytest
from agents import (
    Agent,
    FunctionTool,
    ModelResponse,
    RunContextWrapper,
    Runner,
    RunState,
    Usage,
    WebSearchTool,
    function_tool,
    tool_namespace,
)
from agents.mcp import MCPServer
from agents.models.interface import Model
from agents.tool import ToolOutputText
from mcp.types import CallToolResult
from mcp.types import Tool as MCPTool
from openai.types.responses import (
    Response,
    ResponseCompletedEvent,
    ResponseFunctionToolCall,
    ResponseOutputMessage,
    ResponseOutputText,
)
from sqlalchemy import text as sql
from support import Core, intake_of

from signoff import AsyncSignoff, Signoff
from signoff.adapters.openai_agents import decided, gated, run
from signoff.receipts import Signer
from signoff.testing import Approvals

ROOT = Path(__file__).parents[2]
agents.set_tracing_disabled(True)


def calls(*wanted: tuple[str, Any], first: int = 0) -> list[Any]:
    """A model's turn of tool calls. Their ids are the same in each run: providers do that."""
    return [
        ResponseFunctionToolCall(
            type="function_call",
            id="__fake_id__",
            call_id=f"call_{n}",
            name=name,
            arguments=args if isinstance(args, str) else json.dumps(args),
        )
        for n, (name, args) in enumerate(wanted, first)
    ]


def says(text: str) -> list[Any]:
    content = [ResponseOutputText(type="output_text", text=text, annotations=[], logprobs=[])]
    return [
        ResponseOutputMessage(
            id="m", type="message", role="assistant", status="completed", content=list(content)
        )
    ]


class Scripted(Model):
    """Plays turns; `read` is what it was given each time."""

    def __init__(self, *turns: list[Any]) -> None:
        self.turns, self.read = list(turns), list[Any]()

    async def get_response(self, *args: Any, **more: Any) -> ModelResponse:
        self.read.append(more.get("input", args[1] if len(args) > 1 else None))
        output = self.turns.pop(0) if self.turns else says("Done.")
        return ModelResponse(output=output, usage=Usage(requests=1), response_id=None)

    async def stream_response(self, *args: Any, **more: Any) -> AsyncIterator[Any]:
        answer = await self.get_response(*args, **more)
        response = Response(
            id="r", created_at=0, model="scripted", object="response", output=answer.output,
            tool_choice="auto", tools=[], parallel_tool_calls=True,
        )  # fmt: skip
        yield ResponseCompletedEvent(response=response, type="response.completed", sequence_number=0)

    def results(self) -> list[str]:
        """What the tools gave, as the model reads it."""
        return [item["output"] for item in self.read[-1] if item.get("type") == "function_call_output"]


@dataclass
class Shop:
    """Tools, and what they did."""

    ran: list[tuple[Any, ...]]
    tools: list[FunctionTool]

    def agent(self, model: Model, client: Any = None, **gate: Any) -> Agent[Any]:
        return gated(Agent(name="Billing", tools=list(self.tools), model=model), client or Signoff(), **gate)


@pytest.fixture
def shop() -> Shop:
    ran: list[tuple[Any, ...]] = []

    @function_tool
    async def refund(order: str, amount: int, currency: str = "EUR") -> str:
        """Give money back."""
        ran.append((order, amount, currency))
        return f"refunded {amount} {currency}"

    @function_tool
    def read(order: str) -> str:
        ran.append(("read", order))
        return "an order"

    return Shop(ran, [refund, read])


REFUND = ("refund", {"order": "7", "amount": 120, "currency": "EUR"})


@pytest.fixture(params=[Signoff, AsyncSignoff])
def client(request: pytest.FixtureRequest) -> Any:
    return request.param()


def test_an_edit_runs_and_is_told_to_the_model(shop: Shop, client: Any, signoff_approvals: Approvals) -> None:
    signoff_approvals.edit("refund", {"amount": 80}, by="Ana", note="Half.")
    model = Scripted(calls(("refund", {"order": "7", "amount": 120}), ("read", {"order": "7"})))
    agent = shop.agent(model, client, tools={"refund": {"reversible": False}})
    result = asyncio.run(run(agent, "Refund order 7."))
    assert result.final_output == "Done."
    assert sorted(shop.ran) == [("7", 80, "EUR"), ("read", "7")]
    [told, unasked] = model.results()
    assert told.startswith("refunded 80 EUR\n\n") and unasked == "an order"
    assert all(part in told for part in ("Ana", "80", "120", "Half."))
    [request] = signoff_approvals.requests
    assert request.payload == {"order": "7", "amount": 120, "currency": "EUR"}  # as it would run
    assert request.json_schema and request.run and request.key and request.key.startswith("openai-agents:")
    [outcome] = signoff_approvals.outcomes.values()
    assert outcome.succeeded


@pytest.mark.parametrize(
    ("said", "reads"),
    [
        (lambda approvals: approvals.reject("refund", "Too much.", by="Ana"), "Ana rejected it. Reason: Too"),
        (lambda approvals: approvals.expire("refund"), "This is not a rejection"),
        (lambda approvals: approvals.block("refund"), "the policy blocks it"),
        (lambda approvals: approvals.leave_pending("refund"), "nobody"),
    ],
)  # fmt: skip
def test_what_did_not_run_is_told_and_the_run_goes_on(
    said: Callable[[Approvals], None], reads: str, shop: Shop, signoff_approvals: Approvals
) -> None:
    said(signoff_approvals)
    model = Scripted(calls(REFUND))
    result = asyncio.run(run(shop.agent(model, wait=0.01), "Refund order 7."))
    assert result.final_output == "Done." and shop.ran == []
    [told] = model.results()
    assert told.startswith("refund was not run: ") and reads in told


@pytest.mark.parametrize("args", ["{", '"x"', "[1]", '{"order": NaN, "amount": 1}'])
def test_arguments_that_cannot_travel_run_nothing(
    args: str, shop: Shop, signoff_approvals: Approvals
) -> None:
    for suspend_after in (None, 0.01):
        model = Scripted(calls(("refund", args)))
        result = asyncio.run(run(shop.agent(model, suspend_after=suspend_after), "Refund."))
        assert result.final_output == "Done."
        assert "refund was not run" in model.results()[0]
    assert shop.ran == [] and signoff_approvals.requests == []


def test_an_edit_that_the_tool_refuses_is_told_and_reported(signoff_approvals: Approvals) -> None:
    ran = []

    @function_tool(strict_mode=False)
    async def pay(amount: int) -> str:
        ran.append(amount)
        raise ValueError("no money")

    loose = FunctionTool(
        name="pay", description="", params_json_schema={"type": "object"},
        on_invoke_tool=pay.on_invoke_tool, strict_json_schema=False,
    )  # fmt: skip
    signoff_approvals.edit("pay", {"amount": "lots"}, by="Ana")
    model = Scripted(calls(("pay", {"amount": 1})))
    agent = gated(Agent(name="A", tools=[loose], model=model), Signoff())
    asyncio.run(run(agent, "Pay."))
    assert ran == [] and model.results()[0].startswith("pay was not run: it does not take what was approved")
    signoff_approvals.approve()
    model = Scripted(calls(("pay", {"amount": 1})))
    asyncio.run(run(gated(Agent(name="A", tools=[pay], model=model), Signoff()), "Pay."))
    assert ran == [1] and "error occurred" in model.results()[0]
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()][-1] is False


def test_parallel_calls_post_at_once_and_an_ungated_one_is_not_slowed(
    shop: Shop, signoff_approvals: Approvals
) -> None:
    signoff_approvals.hold()
    wanted = [("refund", {"order": str(n), "amount": n, "currency": "EUR"}) for n in range(40)]
    model = Scripted(calls(*wanted, ("read", {"order": "7"})))

    async def main() -> None:
        going = asyncio.create_task(run(shop.agent(model, tools=["refund"]), "Refund all."))
        await signoff_approvals.wait_for_async(requests=40)
        began = time.monotonic()
        while not shop.ran:
            await asyncio.sleep(0)
        assert shop.ran == [("read", "7")] and time.monotonic() - began < 5
        for request in signoff_approvals.requests:
            signoff_approvals.approve(request)
        await going

    asyncio.run(main())
    assert sorted(shop.ran[1:]) == sorted((str(n), n, "EUR") for n in range(40))
    assert len(model.results()) == 41


def test_a_cancelled_run_withdraws_and_a_sync_tool_never_runs(signoff_approvals: Approvals) -> None:
    ran = threading.Event()

    @function_tool
    def wipe(disk: str) -> str:
        ran.set()
        return "wiped"

    async def main(suspend_after: float | None, count: int) -> None:
        model = Scripted(calls(("wipe", {"disk": "sda"})))
        agent = gated(Agent(name="A", tools=[wipe], model=model), Signoff(), suspend_after=suspend_after)
        going = asyncio.create_task(run(agent, "Wipe."))
        await signoff_approvals.wait_for_async(requests=count)
        going.cancel()
        with pytest.raises(asyncio.CancelledError):
            await going
        await signoff_approvals.wait_for_async(withdrawn=count)

    signoff_approvals.hold()
    asyncio.run(main(None, 1))
    asyncio.run(main(1000, 2))
    signoff_approvals.approve()
    assert not ran.is_set() and signoff_approvals.outcomes == {}


def test_a_tools_own_time_begins_once_it_may_run(signoff_approvals: Approvals) -> None:
    ran = []

    @function_tool(timeout=0.05)
    async def slow(seconds: float) -> str:
        ran.append(seconds)
        await asyncio.sleep(seconds)
        return "slept"

    async def main(seconds: float) -> str:
        model = Scripted(calls(("slow", {"seconds": seconds})))
        going = asyncio.create_task(run(gated(Agent(name="A", tools=[slow], model=model), Signoff()), "Go."))
        await signoff_approvals.wait_for_async(requests=len(ran) + 1)
        await asyncio.sleep(0.1)  # longer than the tool may take
        signoff_approvals.approve(signoff_approvals.requests[-1])
        await going
        return str(model.results()[0])

    signoff_approvals.hold()
    assert asyncio.run(main(0)) == "slept"
    assert "timed out" in asyncio.run(main(100))
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] == [True, False]


@pytest.mark.parametrize("context", [None, {"customer": "7"}])
def test_a_suspended_run_is_gone_on_with_in_another_process_on_one_card(
    context: Any, shop: Shop, client: Any, signoff_approvals: Approvals
) -> None:
    signoff_approvals.leave_pending("refund")
    signoff_approvals.approve("read")
    gate: dict[str, Any] = {"suspend_after": 0.01, "reversible": False}
    turn = calls(REFUND, ("read", {"order": "7"}))

    async def begin() -> str:
        result = await run(shop.agent(Scripted(turn), client, **gate), "Refund.", context=context)
        assert [item.name for item in result.interruptions] == ["refund"]
        assert await decided(result) is None
        return json.dumps(result.to_state().to_json())  # what a database keeps

    async def resume(kept: str, model: Model) -> Any:
        agent = shop.agent(model, type(client)(), **gate)
        return await run(agent, await RunState.from_json(agent, json.loads(kept)))

    kept = asyncio.run(begin())
    assert shop.ran == [("read", "7")]  # what was decided has run
    assert asyncio.run(resume(kept, Scripted())).interruptions
    signoff_approvals.edit("refund", {"amount": 80}, by="Ana")
    model = Scripted()
    assert asyncio.run(resume(kept, model)).final_output == "Done."
    assert (
        shop.ran == [("read", "7"), ("7", 80, "EUR")] and "Ana" in model.results()[-2] + model.results()[-1]
    )
    assert len([request for request in signoff_approvals.requests if request.action == "refund"]) == 1
    again = Scripted()
    asyncio.run(resume(kept, again))  # the old state once more: it has run
    assert len(shop.ran) == 2 and any("was not run" in text for text in again.results())


def test_a_run_that_is_begun_anew_asks_anew_though_the_model_repeats_its_ids(
    shop: Shop, signoff_approvals: Approvals
) -> None:
    signoff_approvals.approve()
    context: dict[str, Any] = {}
    for suspend_after in (None, 0.01):
        agent = shop.agent(Scripted(calls(REFUND), says("Done."), calls(REFUND)), suspend_after=suspend_after)
        for _ in range(2):
            asyncio.run(run(agent, "Refund.", context=context))
    assert len(signoff_approvals.requests) == len(shop.ran) == 4


def test_the_sdks_own_approval_alone_runs_nothing(shop: Shop, signoff_approvals: Approvals) -> None:
    signoff_approvals.leave_pending()

    async def main() -> None:
        model = Scripted(calls(REFUND))
        agent = shop.agent(model, suspend_after=0.01, wait=0.02)
        result = await Runner.run(agent, "Refund.")
        state = result.to_state()
        state.approve(state.get_interruptions()[0])
        await Runner.run(agent, state)
        assert "was not run: nobody" in model.results()[0]

    asyncio.run(main())
    assert shop.ran == []


def test_streamed_runs_are_gated_and_gone_on_with(shop: Shop, signoff_approvals: Approvals) -> None:
    async def main() -> None:
        model = Scripted(calls(REFUND))
        agent = shop.agent(model, suspend_after=0.01)
        result = Runner.run_streamed(agent, "Refund.")
        [_ async for _ in result.stream_events()]
        assert len(result.interruptions) == 1 and await decided(result) is None
        signoff_approvals.approve()
        state = await decided(result)
        assert state
        result = Runner.run_streamed(agent, state)
        [_ async for _ in result.stream_events()]
        assert result.final_output == "Done."

    signoff_approvals.leave_pending()
    asyncio.run(main())
    assert len(shop.ran) == len(signoff_approvals.requests) == 1


def test_a_streamed_run_that_is_cancelled_withdraws(shop: Shop, signoff_approvals: Approvals) -> None:
    async def main() -> None:
        result = Runner.run_streamed(shop.agent(Scripted(calls(REFUND))), "Refund.")

        async def read() -> None:
            async for _ in result.stream_events():
                pass

        reading = asyncio.create_task(read())
        await signoff_approvals.wait_for_async(requests=1)
        result.cancel()
        await reading
        await signoff_approvals.wait_for_async(withdrawn=1)
        signoff_approvals.approve()

    signoff_approvals.hold()
    asyncio.run(main())
    assert shop.ran == []


def test_agents_that_it_hands_off_to_are_gated(shop: Shop, signoff_approvals: Approvals) -> None:
    paid = []

    @function_tool
    async def pay(amount: int) -> str:
        paid.append(amount)
        return "paid"

    for wrap in (lambda agent: agent, agents.handoff):
        model = Scripted(calls(("transfer_to_second", {})), calls(("pay", {"amount": 1}), first=1))
        first = Agent(name="First", tools=list(shop.tools), model=model)
        second = Agent(name="Second", tools=[pay], model=model, handoffs=[first])
        first.handoffs = [wrap(second)]  # in a circle
        signoff_approvals.reject("pay", "No.")
        result = asyncio.run(run(gated(first, Signoff()), "Pay."))
        assert result.last_agent.name == "Second" and "was not run" in model.results()[-1] and paid == []
    assert [request.action for request in signoff_approvals.requests] == ["pay", "pay"]


class Files(MCPServer):
    """An MCP server of one tool."""

    name = "files"

    def __init__(self) -> None:
        super().__init__()
        self.deleted: list[Any] = []

    async def list_tools(self, *_: Any) -> Any:
        schema = {"type": "object", "properties": {"path": {"type": "string"}, "deep": {"default": False}}}
        return [MCPTool.model_validate({"name": "delete", "inputSchema": schema})]

    async def call_tool(self, tool_name: str, arguments: Any, meta: Any = None) -> Any:
        self.deleted.append(arguments)
        return CallToolResult.model_validate({"content": [{"type": "text", "text": "gone"}]})

    async def connect(self) -> None: ...
    async def cleanup(self) -> None: ...
    async def list_prompts(self) -> Any: ...
    async def get_prompt(self, name: str, arguments: Any = None) -> Any: ...


def test_the_tools_of_its_mcp_servers_are_gated_and_suspend(signoff_approvals: Approvals) -> None:
    signoff_approvals.leave_pending("delete")
    server, model = Files(), Scripted(calls(("delete", {"path": "/tmp/a"})))

    def agent() -> Agent[Any]:
        return gated(Agent(name="A", mcp_servers=[server], model=model), Signoff(), suspend_after=0.01)

    async def resume(kept: str) -> Any:
        made = agent()
        return await run(made, await RunState.from_string(made, kept))

    result = asyncio.run(run(agent(), "Tidy up."))
    assert len(result.interruptions) == 1 and server.deleted == []
    signoff_approvals.edit("delete", {"path": "/tmp/b"}, by="Ana")
    assert asyncio.run(resume(result.to_state().to_string())).final_output == "Done."
    assert server.deleted == [{"path": "/tmp/b", "deep": False}]
    [request] = signoff_approvals.requests
    assert request.payload == {"path": "/tmp/a", "deep": False}


def test_what_an_agent_that_is_a_tool_does_is_gated_and_suspends(
    shop: Shop, signoff_approvals: Approvals
) -> None:
    signoff_approvals.leave_pending("refund")

    def outer(inner: Model, model: Model) -> Agent[Any]:
        clerk = shop.agent(inner, tools=["refund"], suspend_after=0.01)
        return Agent(name="Outer", tools=[clerk.as_tool("clerk", "Refunds.")], model=model)

    async def resume(kept: str) -> Any:
        agent = outer(Scripted(says("It is back.")), Scripted())
        return await run(agent, await RunState.from_string(agent, kept))

    agent = outer(Scripted(calls(REFUND)), Scripted(calls(("clerk", {"input": "Refund."}), first=5)))
    result = asyncio.run(run(agent, "Refund."))
    assert [item.name for item in result.interruptions] == ["refund"] and shop.ran == []
    assert signoff_approvals.requests[0].run  # the outer one's
    signoff_approvals.approve("refund")
    assert asyncio.run(resume(result.to_state().to_string())).final_output == "Done."
    assert len(shop.ran) == len(signoff_approvals.requests) == 1


def test_a_suspended_run_is_decided_by_a_real_server(shop: Shop, core: Core, redis_url: str) -> None:
    def go_on(kept: str | None) -> Any:
        """As a process of its own would, from its start."""
        key = core.signer.verify_key
        with Signoff(redis_url=redis_url, agent="billing-bot", verify_key=key) as client:
            agent = shop.agent(Scripted(calls(REFUND)), client, suspend_after=0.5, reversible=False)
            if kept is None:
                return asyncio.run(run(agent, "Refund."))
            agent.model = Scripted()
            return asyncio.run(resume(agent, kept))

    async def resume(agent: Agent[Any], kept: str) -> Any:
        return await run(agent, await RunState.from_string(agent, kept))

    with intake_of(core, redis_url, "billing-bot"):
        kept = go_on(None).to_state().to_string()
        assert go_on(kept).interruptions
        with core.store.reading() as connection:
            [approval] = connection.execute(sql("SELECT id FROM approval")).scalars().all()
        core.approvals.decide(approval, 1, "U0ANA", "approve")
        for _ in range(2):  # the second finds that it has run
            assert go_on(kept).final_output == "Done."
    assert shop.ran == [("7", 120, "EUR")]


def test_without_a_server_nothing_runs_and_no_host_is_told(shop: Shop) -> None:
    client = Signoff(redis_url="redis://127.0.0.1:1", agent="a", verify_key=Signer.generate().verify_key)
    for suspend_after in (None, 0.01):
        model = Scripted(calls(REFUND))
        with client:
            asyncio.run(run(shop.agent(model, client, suspend_after=suspend_after), "Refund."))
        [told] = model.results()
        assert "was not run: those who approve cannot be reached" in told and "127" not in told
    assert shop.ran == []


def test_what_cannot_be_gated_is_said(shop: Shop) -> None:
    with pytest.raises(TypeError, match=r"web_search.* cannot be gated"):
        gated(Agent(name="A", tools=[WebSearchTool()]), Signoff())
    agent = gated(Agent(name="A", tools=[WebSearchTool(), *shop.tools]), Signoff(), tools=["refund"])
    assert [tool.name for tool in agent.tools] == ["web_search", "refund", "read"]
    assert gated(shop.tools[1], Signoff(), tools=["refund"]) is shop.tools[1]
    once = gated(shop.tools[0], Signoff())
    assert gated([once], Signoff()) == [once]


def test_a_note_stands_beside_an_output_of_several_parts(signoff_approvals: Approvals) -> None:
    signoff_approvals.approve("look", by="Ana", note="Only today.")

    @function_tool
    async def look() -> list[ToolOutputText]:
        return [ToolOutputText(text="a"), ToolOutputText(text="b")]

    model = Scripted(calls(("look", "")))
    asyncio.run(run(gated(Agent(name="A", tools=[look], model=model), Signoff()), "Look."))
    texts = [part["text"] for part in model.results()[0]]  # type: ignore[index]
    assert texts[:2] == ["a", "b"] and "Only today." in texts[2]


def test_the_page_and_the_example_run(
    signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    page = (ROOT / "docs/adapters/openai-agents.md").read_text(encoding="utf-8")
    blocks = re.findall(r"```python\n(.*?)```", page, re.S)
    said: list[str] = []
    models = [Scripted(calls(REFUND)) for _ in blocks]
    monkeypatch.chdir(tmp_path)
    signoff_approvals.approve()
    names: dict[str, Any] = {"__name__": "page", "print": lambda *what: said.append(str(what[0]))}
    for block, model in zip(blocks, models, strict=True):
        monkeypatch.setattr(
            "agents.models.openai_provider.OpenAIProvider.get_model", lambda self, name, model=model: model
        )
        exec(compile(block, "openai-agents.md", "exec"), names)
    assert len(blocks) >= 3 and said.count("Done.") == len(blocks)
    example = runpy.run_path(str(ROOT / "examples/openai_agents.py"))
    signoff_approvals.edit("refund", {"amount": 80}, by="Ana")
    assert "refunded 80 EUR" in asyncio.run(example["main"]())


@dataclass
class Owner:
    """A context of a user's own class, without any place for us."""

    name: str


@pytest.mark.parametrize("shared", [None, {"customer": "7"}, Owner("all")])
def test_no_run_is_answered_by_what_was_decided_of_another(
    shared: Any, shop: Shop, signoff_approvals: Approvals
) -> None:
    """The same call, with the same id, in another run: at once, after it, and resumed."""

    async def begin(name: str) -> Any:
        agent = shop.agent(Scripted(calls(REFUND)), suspend_after=0.05, reversible=False)
        return await run(agent, "Refund.", context=shared or Owner(name))

    async def go_on(result: Any, model: Model) -> Any:
        agent = shop.agent(model, suspend_after=0.05, reversible=False)
        kept = result.to_state().to_string(context_serializer=lambda context: {})
        return await run(agent, await RunState.from_string(agent, kept))

    async def main() -> None:
        first = await begin("ana")
        second, third = await asyncio.gather(begin("ben"), begin("eve"))
        assert first.interruptions and second.interruptions and third.interruptions and shop.ran == []
        one, two, three = signoff_approvals.requests
        assert len({one.key, two.key, three.key}) == 3 and len({one.run, two.run, three.run}) == 3
        for request in (one, two):
            signoff_approvals.reject(request, "Not yours.")
        for result in (first, second):
            model = Scripted()
            assert (await go_on(result, model)).final_output == "Done."
            assert "Not yours." in model.results()[0]
        assert (await go_on(third, Scripted())).interruptions and shop.ran == []
        signoff_approvals.approve(three)
        assert (await go_on(third, Scripted())).final_output == "Done."
        assert len(shop.ran) == 1 and len(signoff_approvals.requests) == 3

    signoff_approvals.leave_pending()
    asyncio.run(main())


@pytest.mark.parametrize("suspend_after", [None, 0.01])
def test_where_we_ask_nobody_the_tools_own_approval_holds(
    suspend_after: float | None, signoff_approvals: Approvals
) -> None:
    wiped = []

    async def big(context: Any, args: dict[str, Any], call_id: str) -> bool:
        return bool(args["disks"] > 1)

    for needs, disks, is_asked in ((True, 1, True), (big, 2, True), (big, 1, False)):

        @function_tool(needs_approval=needs)
        def wipe(disks: int) -> str:
            wiped.append(disks)
            return "wiped"

        async def main(tool: Any, disks: int, is_asked: bool) -> None:
            wiped.clear()
            tools = {"wipe": {"condition": lambda disks: disks > 10}}
            model = Scripted(calls(("wipe", {"disks": disks})))
            agent = gated(
                Agent(name="A", tools=[tool], model=model), Signoff(), tools, suspend_after=suspend_after
            )
            result = await run(agent, "Wipe.")
            if is_asked:
                assert wiped == [] and [item.name for item in result.interruptions] == ["wipe"]
                assert await decided(result) is None
                state = result.to_state()
                state.approve(state.get_interruptions()[0])
                await run(agent, state)
            assert wiped == [disks] and signoff_approvals.requests == []

        asyncio.run(main(wipe, disks, is_asked))


def test_a_fault_of_ours_stops_before_the_run_and_loses_nothing_after_it(
    shop: Shop, signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fault(*_: Any, **__: Any) -> Any:
        raise RuntimeError("redis://10.0.0.1:6379 /etc/passwd")

    signoff_approvals.edit("refund", {"amount": 80}, by="Ana")
    module = "signoff.adapters.openai_agents"
    before = [f"{module}.tool.{name}" for name in ("GatedTool._call", "_object", "_watched", "Calls.decide")]
    before += [f"{module}.mark.run_of", "signoff.adapters.calls.filled"]
    for name, suspend_after, has_run in (
        *((name, suspend_after, False) for name in before for suspend_after in (None, 0.01)),
        (f"{module}.mark.mark_of", 0.01, False),
        (f"{module}.tool._with_note", None, True),
        (f"{module}.tool.Calls.report", 0.01, True),
    ):
        shop.ran.clear()
        with monkeypatch.context() as patched:
            patched.setattr(name, fault)
            model = Scripted(calls(REFUND))
            result = asyncio.run(run(shop.agent(model, suspend_after=suspend_after), "Refund."))
        assert result.final_output == "Done.", name
        [told] = model.results()
        assert "redis" not in told and "passwd" not in told
        assert told.startswith("refunded 80 EUR" if has_run else "refund was not run: for a tech"), name
        assert len(shop.ran) == has_run, name


def test_a_name_that_no_tool_has_is_said_and_a_tool_of_a_namespace_has_its_own(
    shop: Shop, signoff_approvals: Approvals, caplog: pytest.LogCaptureFixture
) -> None:
    inside = list(tool_namespace(name="crm", description="Customers.", tools=list(shop.tools)))
    second = Agent(name="Second", tools=list(shop.tools))
    for tools_of, known, name in (
        (shop.tools, "read", "Refund"),
        (Agent(name="A", tools=list(shop.tools)), "read", "refund "),
        (Agent(name="A", handoffs=[second]), "re*", "re_fund"),
        (inside, "crm.read", "refund"),
    ):
        with pytest.raises(TypeError, match=f"tools names '{name}', and there is no such tool"):
            gated(tools_of, Signoff(), tools=[known, name])  # type: ignore[call-overload]
    gated(Agent(name="A", handoffs=[second]), Signoff(), tools=["refund"])
    assert [gated(tool, Signoff(), tools=["crm.refund"]) is tool for tool in inside] == [False, True]
    assert "'crm.refund', and there is no such tool" in caplog.text
    served = gated(Agent(name="A", mcp_servers=[Files()]), Signoff(), tools=["delete", "wipe"])
    caplog.clear()
    asyncio.run(served.get_mcp_tools(RunContextWrapper(None)))
    assert "'wipe', and there is no such tool" in caplog.text and "delete'" not in caplog.text


def test_names_that_the_tool_would_pass_over_are_neither_shown_nor_run(signoff_approvals: Approvals) -> None:
    ran = []
    signoff_approvals.approve()

    def pay(amount: int) -> str:
        ran.append(amount)
        return "paid"

    for tool in (function_tool(pay), function_tool(pay, strict_mode=False)):
        model = Scripted(calls(("pay", {"amount": 100000, "capped_to": 10})))
        asyncio.run(run(gated(Agent(name="A", tools=[tool], model=model), Signoff()), "Pay."))
    assert [request.payload for request in signoff_approvals.requests] == [{"amount": 100000}] * 2
    assert ran == [100000] * 2
