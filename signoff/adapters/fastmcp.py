"""FastMCP: a server whose tools run once a person has approved the call.

    mcp = FastMCP("shop")
    mcp.add_middleware(SignoffMiddleware(Signoff(), ["refund*"], reversible=False))

It stands where the tools are, so no client passes it over. Add it last: what another middleware changes
afterwards, nobody has seen. docs/adapters/fastmcp.md says what it can and cannot stop.
"""

from __future__ import annotations

import asyncio
import re
import uuid
from collections.abc import Mapping
from typing import Any, Unpack

import fastmcp.exceptions
import mcp_types
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.tools.base import ToolResult

from signoff.adapters.calls import Call, Calls, Go, Stop
from signoff.adapters.mcp.answers import NOTE_KEY, STRUCTURED_KEY, takes_note
from signoff.adapters.mcp.flights import Approved, Unfinished
from signoff.adapters.tools import Claims, Tools
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff

TOOL_USE = "claudecode/toolUseId"
"""In a call's `_meta`, by Claude Code: names the model's call, also after a resume."""
FAILED = "The tool answered with an error."
AS_TASK = "It was handed over as a background task: what became of that is not known here."
_HASHED = re.compile(r"__[0-9a-f]+_(.+)", re.DOTALL)
"""Another way in which FastMCP takes a tool's name."""
Params = mcp_types.CallToolRequestParams


class SignoffMiddleware(Middleware):
    """Asks before the tools of this server run.

    `tools` says which, and how; without it, all (`signoff.adapters.tools.Tools`). `wait` seconds without a
    decision withdraw the request; None waits until it ends. `claims` are said of all.
    """

    def __init__(
        self,
        client: Signoff | AsyncSignoff,
        tools: Tools = None,
        *,
        wait: float | None = None,
        **claims: Unpack[Claims],
    ) -> None:
        self._calls = Calls(client, tools, framework="fastmcp", wait=wait, **claims)
        self._unfinished = Unfinished()
        self._reports: set[asyncio.Future[None]] = set()

    async def on_call_tool(
        self, context: MiddlewareContext[Params], call_next: CallNext[Params, ToolResult]
    ) -> ToolResult:
        """Run what was approved, and nothing else."""
        message = context.message
        hashed = _HASHED.fullmatch(message.name)
        name = hashed[1] if hashed else message.name
        if not self._calls.gates(name) and not self._calls.gates(message.name):
            return await call_next(context)
        gated = name if self._calls.gates(name) else message.name
        continued = self._unfinished.resumed({"params": _sent(message)})
        if continued is not None:
            return await self._run(continued, context, call_next)
        tool = await self._tool(context, hashed is not None)
        args = message.arguments or {}
        call = Call(gated, args, _key(context), schema=_schema(tool, "parameters"))
        decided = await self._calls.decide(call)
        if isinstance(decided, Stop):
            raise fastmcp.exceptions.ToolError(decided.text)
        assert isinstance(decided, Go)  # it never suspends
        output = {"outputSchema": _schema(tool, "output_schema")}
        return await self._run(Approved(decided, self._calls, output), context, call_next)

    async def _tool(self, context: MiddlewareContext[Params], hashed: bool) -> Any:
        """The tool as this server has it: nobody is asked about one that there is not."""
        server = context.fastmcp_context.fastmcp if context.fastmcp_context else None
        name = context.message.name
        tool = await server.get_tool(name) if server is not None and not hashed else None
        if server is not None and tool is None and not hashed:
            raise fastmcp.exceptions.NotFoundError(f"Unknown tool: {name!r}")
        return tool

    async def _run(
        self,
        approved: Approved,
        context: MiddlewareContext[Params],
        call_next: CallNext[Params, ToolResult],
    ) -> ToolResult:
        message = context.message.model_copy(update={"arguments": approved.go.args})
        try:
            result = await call_next(context.copy(message=message))
        except BaseException as error:
            await self._report(approved, False, f"It raised {type(error).__name__}.")
            raise
        if not isinstance(result, ToolResult):  # of an extension: a task, say
            await self._report(approved, True, AS_TASK)
            return result
        asks = getattr(result, "input_required", None)
        if asks is not None:
            said = {"resultType": "input_required", "requestState": asks.request_state}
            self._unfinished.keep({"params": _sent(context.message)}, said, approved)
            return result
        failed = bool(getattr(result, "is_error", False))
        await self._report(approved, not failed, FAILED if failed else "")
        return with_note(result, approved.go.told, approved.tool["outputSchema"])

    async def _report(self, approved: Approved, succeeded: bool, note: str) -> None:
        """Say what became of it, even where the call is being cancelled."""
        reporting = asyncio.ensure_future(approved.report(succeeded, note))
        self._reports.add(reporting)
        reporting.add_done_callback(self._reports.discard)
        await asyncio.shield(reporting)


def with_note(result: ToolResult, told: str, schema: object) -> ToolResult:
    """A result, and in it what the model is told: clients show it the content, or what is structured."""
    if not told:
        return result
    structured = result.structured_content
    changed: dict[str, Any] = {
        "content": [*result.content, mcp_types.TextContent(type="text", text=told)],
        "meta": {**(result.meta or {}), NOTE_KEY: told},
    }
    if isinstance(structured, dict) and takes_note(structured, schema, told):
        changed["structured_content"] = {**structured, STRUCTURED_KEY: told}
    return result.model_copy(update=changed)


def _sent(message: Params) -> dict[str, Any]:
    """A call's params as they came, and whether it goes on with an earlier one."""
    sent: dict[str, Any] = {"name": message.name, "arguments": message.arguments or {}}
    if (state := getattr(message, "request_state", None)) is not None:
        sent["requestState"] = state
    if getattr(message, "input_responses", None) is not None:
        sent["inputResponses"] = {}
    return sent


def _schema(tool: Any, name: str) -> Mapping[str, Any] | None:
    found = getattr(tool, name, None)
    return found if isinstance(found, Mapping) else None


def _key(context: MiddlewareContext[Params]) -> str:
    """What names this call and no other: by Claude Code's name of it, else by session and request."""
    request = context.fastmcp_context.request_context if context.fastmcp_context else None
    if context.fastmcp_context is None or request is None:
        return str(uuid.uuid4())  # called by the server's own code
    server, meta = context.fastmcp_context.fastmcp.name, request.meta or {}
    use = meta.get(TOOL_USE)
    if isinstance(use, str) and use:
        return f"{server}:{use}"
    return f"{server}:{context.fastmcp_context.session_id}:{context.fastmcp_context.request_id}"
