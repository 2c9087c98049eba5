"""The same agent in each framework, with its own fake model: what it is told to call, its model calls.

Each maker takes a gate's client and its `tools` (see `signoff.adapters.tools.Tools`), or None for the
framework alone, and gives what plays one turn: `await turn([("read", 1), …])` returns once all calls have.
The tools note in RAN what they were run with.
"""

from __future__ import annotations

import asyncio
import json
import sys
import uuid
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AbstractAsyncContextManager, asynccontextmanager
from functools import partial
from typing import Any

from bench.crowd import People
from signoff.server import processes

Wanted = Sequence[tuple[str, int]]
Turn = Callable[[Wanted], Awaitable[Any]]
Maker = Callable[[People | None, Any], AbstractAsyncContextManager[Turn]]
RAN: list[tuple[str, int]] = []
READ, REFUND = "read", "refund"
"""The tool that needs nobody, and the one that people are asked about."""
SERVER = """\
import json, sys
for line in sys.stdin:
    asked = json.loads(line)
    if "id" not in asked:
        continue
    method, params = asked["method"], asked.get("params", {})
    schema = {"type": "object", "properties": {"amount": {"type": "integer"}}}
    result = {}
    if method == "initialize":
        result = {"protocolVersion": params["protocolVersion"], "capabilities": {"tools": {}},
                  "serverInfo": {"name": "shop", "version": "1"}}
    elif method == "tools/list":
        result = {"tools": [{"name": name, "inputSchema": schema} for name in ("read", "refund")]}
    elif method == "tools/call":
        result = {"content": [{"type": "text", "text": str(params["arguments"]["amount"])}]}
    print(json.dumps({"jsonrpc": "2.0", "id": asked["id"], "result": result}), flush=True)
"""


async def read(amount: int) -> str:
    """Needs nobody."""
    RAN.append((READ, amount))
    return f"read {amount}"


async def refund(amount: int) -> str:
    """Give money back."""
    RAN.append((REFUND, amount))
    return f"refunded {amount}"


def _call_id(name: str, amount: int) -> str:
    return f"{name}-{amount}-{uuid.uuid4().hex[:8]}"


@asynccontextmanager
async def langchain(people: People | None, tools: Any) -> AsyncIterator[Turn]:
    """`create_agent`, and our middleware."""
    from langchain.agents import create_agent
    from langchain_core.language_models.chat_models import BaseChatModel
    from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
    from langchain_core.outputs import ChatGeneration, ChatResult
    from langchain_core.tools import tool

    from signoff.adapters.langchain import SignoffMiddleware

    class Played(BaseChatModel):
        @property
        def _llm_type(self) -> str:
            return "played"

        def bind_tools(self, tools: Any, **_: Any) -> Any:
            return self

        def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
            done = isinstance(messages[-1], ToolMessage)
            wanted = [] if done else json.loads(str(messages[-1].content))
            calls = [{"name": name, "args": {"amount": n}, "id": _call_id(name, n)} for name, n in wanted]
            return ChatResult(generations=[ChatGeneration(message=AIMessage("", tool_calls=calls))])

        async def _agenerate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
            return self._generate(messages)

    middleware = [SignoffMiddleware(people.client, tools)] if people else []
    agent: Any = create_agent(Played(), [tool(read), tool(refund)], middleware=middleware)
    yield lambda wanted: agent.ainvoke({"messages": [("user", json.dumps(wanted))]})


@asynccontextmanager
async def pydantic_ai(people: People | None, tools: Any) -> AsyncIterator[Turn]:
    """An `Agent` of a `FunctionModel`, and our capability."""
    from pydantic_ai import Agent
    from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
    from pydantic_ai.models.function import AgentInfo, FunctionModel

    from signoff.adapters.pydantic_ai import SignoffCapability

    def play(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        if len(messages) > 1:
            return ModelResponse(parts=[TextPart("Done.")])
        wanted = json.loads(str(messages[0].parts[-1].content))  # type: ignore[union-attr]
        parts = [ToolCallPart(name, {"amount": n}, tool_call_id=_call_id(name, n)) for name, n in wanted]
        return ModelResponse(parts=parts)

    capabilities = [SignoffCapability(people.client, tools)] if people else []
    agent = Agent(FunctionModel(play), capabilities=capabilities)
    agent.tool_plain(read)
    agent.tool_plain(refund)
    yield lambda wanted: agent.run(json.dumps(wanted))


@asynccontextmanager
async def openai_agents(people: People | None, tools: Any) -> AsyncIterator[Turn]:
    """`Runner.run`, and our `run` of a gated agent."""
    import agents
    from agents.models.interface import Model
    from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

    from signoff.adapters.openai_agents import gated, run

    agents.set_tracing_disabled(True)

    class Played(Model):
        async def get_response(self, system_instructions: Any, input: Any, *_: Any, **__: Any) -> Any:
            wanted = json.loads(input[0]["content"]) if len(input) == 1 else []
            output: list[Any] = [
                ResponseFunctionToolCall(
                    type="function_call", name=name, call_id=_call_id(name, n),
                    arguments=json.dumps({"amount": n}),
                )
                for name, n in wanted
            ]  # fmt: skip
            text = ResponseOutputText(type="output_text", text="Done.", annotations=[])
            done = ResponseOutputMessage(
                id="m", type="message", role="assistant", status="completed", content=[text]
            )
            return agents.ModelResponse(output=output or [done], usage=agents.Usage(), response_id=None)

        def stream_response(self, *_: Any, **__: Any) -> Any:
            raise NotImplementedError

    made = [agents.function_tool(read), agents.function_tool(refund)]
    plain = agents.Agent[Any](name="Billing", tools=[*made], model=Played())
    if people is None:
        yield lambda wanted: agents.Runner.run(plain, json.dumps(wanted))
    else:
        agent = gated(plain, people.client, tools)
        yield lambda wanted: run(agent, json.dumps(wanted))


@asynccontextmanager
async def fastmcp(people: People | None, tools: Any) -> AsyncIterator[Turn]:
    """A server and its client in memory, and our middleware."""
    from fastmcp import Client, FastMCP

    from signoff.adapters.fastmcp import SignoffMiddleware

    shop: FastMCP[Any] = FastMCP("shop")
    shop.tool(read)
    shop.tool(refund)
    if people:
        shop.add_middleware(SignoffMiddleware(people.client, tools))
    async with Client(shop) as client:
        call = partial(client.call_tool, raise_on_error=False)
        yield lambda wanted: asyncio.gather(*(call(name, {"amount": n}) for name, n in wanted))


@asynccontextmanager
async def claude_agent_sdk(people: People | None, tools: Any) -> AsyncIterator[Turn]:
    """The hook, as the SDK calls it before a tool, then the tool; without a gate a hook that does nothing."""
    from signoff.adapters.claude_agent_sdk import hooks

    async def nothing(*_: Any) -> dict[str, Any]:
        return {}

    own: Any = hooks(people.client, tools)["PreToolUse"][0].hooks[0] if people else nothing

    async def call(name: str, amount: int) -> None:
        event = {
            "session_id": "s1", "cwd": "/work", "permission_mode": "default",
            "hook_event_name": "PreToolUse", "tool_name": name, "tool_input": {"amount": amount},
            "tool_use_id": _call_id(name, amount),
        }  # fmt: skip
        said = await own(event, event["tool_use_id"], {"signal": None})
        if said.get("hookSpecificOutput", {}).get("permissionDecision") != "deny":
            await (read if name == READ else refund)(amount)

    yield lambda wanted: asyncio.gather(*(call(name, n) for name, n in wanted))


@asynccontextmanager
async def mcp_gate(people: People | None, tools: Any) -> AsyncIterator[Turn]:
    """A server's process on standard input and output, and `signoff mcp gate` before it."""
    program = [sys.executable, "-c", SERVER]
    environment = None
    if people:
        program = processes.python("signoff", "mcp", "gate", "--tools", *tools, "--", *program)
        environment = people.environment
    process = await asyncio.create_subprocess_exec(
        *program, env=environment, stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE
    )
    waiting: dict[int, asyncio.Future[Any]] = {}
    assert process.stdin and process.stdout

    async def hear(lines: asyncio.StreamReader) -> None:
        async for line in lines:
            told = json.loads(line)
            if told.get("id") in waiting:
                waiting.pop(told["id"]).set_result(told)

    async def request(writer: asyncio.StreamWriter, method: str, params: Any) -> Any:
        number = uuid.uuid4().int % 2**50
        found = waiting[number] = asyncio.get_running_loop().create_future()
        asked = {"jsonrpc": "2.0", "id": number, "method": method, "params": params}
        writer.write(json.dumps(asked).encode() + b"\n")
        told = await found
        if method == "tools/call" and not told["result"].get("isError"):
            RAN.append((params["name"], params["arguments"]["amount"]))

    async def turn(wanted: Wanted) -> None:
        calls = [{"name": name, "arguments": {"amount": n}} for name, n in wanted]
        await asyncio.gather(*(request(process.stdin, "tools/call", call) for call in calls))

    hearing = asyncio.create_task(hear(process.stdout))
    try:
        about = {
            "protocolVersion": "2025-11-25",
            "capabilities": {},
            "clientInfo": {"name": "b", "version": "1"},
        }
        await request(process.stdin, "initialize", about)
        process.stdin.write(b'{"jsonrpc":"2.0","method":"notifications/initialized"}\n')
        await request(process.stdin, "tools/list", {})
        yield turn
    finally:
        process.stdin.close()
        await process.wait()
        await hearing


FRAMEWORKS: dict[str, Maker] = {
    "LangChain": langchain,
    "Pydantic AI": pydantic_ai,
    "OpenAI Agents": openai_agents,
    "FastMCP": fastmcp,
    "Claude Agent SDK, its hook": claude_agent_sdk,
    "signoff mcp gate": mcp_gate,
}
