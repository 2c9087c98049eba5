"""FastMCP: a server whose tools run once a person has approved the call.

    mcp = FastMCP("shop")
    mcp.add_middleware(SignoffMiddleware(Signoff(), ["refund*"], reversible=False))

It stands where the tools are, so no client passes it over. Add it last: what another middleware changes
afterwards, nobody has seen. docs/adapters/fastmcp.md says what it can and cannot stop.
"""

from __future__ import annotations

import asyncio
import dataclasses
import logging
import uuid
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import Any, Unpack
from weakref import WeakKeyDictionary

import fastmcp.exceptions
import mcp_types
from fastmcp.server.dependencies import bind_request_context
from fastmcp.server.middleware import CallNext, Middleware, MiddlewareContext
from fastmcp.server.providers.addressing import parse_hashed_backend_name
from fastmcp.server.sessions import current_principal
from fastmcp.tools.base import Tool, ToolResult
from fastmcp.utilities.versions import VersionSpec

from signoff.adapters import texts
from signoff.adapters.calls import Call, Calls, Go, Stop
from signoff.adapters.mcp.answers import NOTE_KEY, STRUCTURED_KEY, takes_note
from signoff.adapters.mcp.flights import Approved
from signoff.adapters.mcp.listing import CHANGED
from signoff.adapters.mcp.rounds import Rounds
from signoff.adapters.tools import Claims, Tools
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff
from signoff.errors import Invalid, SignoffError
from signoff.payload.canonical import canonical, digest

log = logging.getLogger("signoff")

TOOL_USE = "claudecode/toolUseId"
"""In a call's `_meta`, by Claude Code: names the model's call, also after a resume."""
FAILED = "The tool answered with an error."
AS_TASK = "It was handed over as a background task: what became of that is not known here."
CHANGED_MEANWHILE = "The server changed its tool meanwhile: it was not run."
CANCELLED_BEFORE = "It was cancelled before it ran."
OF_FASTMCP = (fastmcp.exceptions.FastMCPError, fastmcp.exceptions.NotFoundError)
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
        self._rounds = Rounds()
        self._keys = Keys()
        self._reports: set[asyncio.Future[None]] = set()
        self._listed = False

    async def on_list_tools(
        self,
        context: MiddlewareContext[mcp_types.ListToolsRequest],
        call_next: CallNext[mcp_types.ListToolsRequest, Sequence[Tool]],
    ) -> Sequence[Tool]:
        """Nothing is changed; what `tools` names and is not there is logged once."""
        tools = await call_next(context)
        if not self._listed and context.fastmcp_context is not None:
            self._listed = True
            try:
                names = {tool.name for tool in tools}
                for provider in context.fastmcp_context.fastmcp.providers:  # a transform may hide them
                    names |= {tool.name for tool in await provider.list_tools()}
                self._calls.known(names)
            except Exception:
                log.exception("whether there are tools of the names that are gated could not be looked up")
        return tools

    async def on_call_tool(
        self, context: MiddlewareContext[Params], call_next: CallNext[Params, ToolResult]
    ) -> ToolResult:
        """Run what was approved, and nothing else."""
        try:
            approved, context = await self._approved(context)
        except OF_FASTMCP:
            raise
        except Exception as error:
            log.exception("%r was not run, as Signoff's middleware failed", context.message.name)
            told = texts.stopped(context.message.name[:100], SignoffError(f"{type(error).__name__}."))
            raise fastmcp.exceptions.ToolError(told) from None
        if approved is None:
            return await call_next(context)
        return await self._run(approved, context, call_next)

    async def _approved(
        self, context: MiddlewareContext[Params]
    ) -> tuple[Approved | None, MiddlewareContext[Params]]:
        """What may run of a gated call, and the call as its tool is to see it; None where it is not gated.

        Raises ToolError with what the model is told, and NotFoundError: nobody is asked about a tool that
        there is not.
        """
        tool = await find(context)
        name = self._gated(tool, context.message.name)
        if name is None:
            return None, context
        message, earlier = self._rounds.resumed(context.message)
        key = self._keys.key(context)
        context = context.copy(message=message)
        if earlier is not None:
            return earlier, context
        call = Call(name, message.arguments or {}, key, schema=_schema(tool, "parameters"))
        decided = await self._calls.decide(call)
        if isinstance(decided, Stop):
            raise fastmcp.exceptions.ToolError(decided.text)
        assert isinstance(decided, Go)  # it never suspends
        approved = Approved(decided, self._calls, {"outputSchema": _schema(tool, "output_schema")})
        if decided.receipt is not None:
            await self._look_again(approved, name, tool, context)
        return approved, context

    def _gated(self, tool: Tool | None, called: str) -> str | None:
        """By which of its names a tool is gated, if it is: as it is listed, as it was called, as it is called
        in its own app."""
        hashed = parse_hashed_backend_name(called)
        names = [called] if tool is None else [tool.name, called]
        return next((name for name in [*names, *(hashed or ())[1:]] if self._calls.gates(name)), None)

    async def _look_again(
        self, approved: Approved, name: str, tool: Tool | None, context: MiddlewareContext[Params]
    ) -> None:
        """Raise ToolError where the server has changed its tool while people looked at the call."""
        note = CHANGED_MEANWHILE
        try:
            if _shape(await find(context)) != _shape(tool):
                raise fastmcp.exceptions.ToolError(f"{name} {CHANGED}")
            note = ""
        except asyncio.CancelledError:
            note = CANCELLED_BEFORE
            raise
        finally:
            if note:
                await self._report(approved, False, note)

    async def _run(
        self,
        approved: Approved,
        context: MiddlewareContext[Params],
        call_next: CallNext[Params, ToolResult],
    ) -> ToolResult:
        message = context.message.model_copy(update={"arguments": approved.go.args})
        try:
            with told_state(context):
                result = await call_next(context.copy(message=message))
        except BaseException as error:
            await self._report(approved, False, f"It raised {type(error).__name__}.")
            raise
        try:
            return await self._ended(result, approved, context.message)
        except Exception:  # it has run: its result is not lost by a fault of ours
            log.exception(
                "the result of %r is passed on as it is, as Signoff's middleware failed", message.name
            )
            return result

    async def _ended(self, result: ToolResult, approved: Approved, message: Params) -> ToolResult:
        """What the client gets, once it is reported."""
        if not isinstance(result, ToolResult):  # of an extension: a task, say
            await self._report(approved, True, AS_TASK)
            return result
        asks = getattr(result, "input_required", None)
        if asks is not None:
            state = self._rounds.keep(message, asks.request_state, approved)
            changed = asks.model_copy(update={"request_state": state})
            return result.model_copy(update={"input_required": changed})
        failed = bool(getattr(result, "is_error", False))
        await self._report(approved, not failed, FAILED if failed else "")
        return with_note(result, approved.go.told, approved.tool["outputSchema"])

    async def _report(self, approved: Approved, succeeded: bool, note: str) -> None:
        """Say what became of it, even where the call is being cancelled; raises nothing but that."""
        reporting = asyncio.ensure_future(approved.report(succeeded, note))
        self._reports.add(reporting)
        reporting.add_done_callback(self._reports.discard)
        try:
            await asyncio.shield(reporting)
        except Exception:
            log.exception("what became of a call could not be reported")


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


async def find(context: MiddlewareContext[Params]) -> Tool | None:
    """The tool that a call would run, by each spelling that FastMCP takes; None without a server.

    Raises NotFoundError where the server has none.
    """
    if context.fastmcp_context is None:
        return None
    server, name = context.fastmcp_context.fastmcp, context.message.name
    tool = await server.get_tool(name, _version(context.message))
    if tool is None and (hashed := parse_hashed_backend_name(name)) is not None:
        tool = await server.get_tool_by_hash(*hashed)
    if tool is None:
        raise fastmcp.exceptions.NotFoundError(f"Unknown tool: {name!r}")
    return tool


def _version(message: Params) -> VersionSpec | None:
    """Which version of its tool a call wants: what FastMCP says of it to middleware."""
    said = (message.meta or {}).get("fastmcp")
    wanted = said.get("version") if isinstance(said, Mapping) else None
    if wanted is None:
        return None
    return VersionSpec(eq=wanted) if isinstance(wanted, str) else VersionSpec(**wanted)


def _shape(tool: Tool | None) -> object:
    """What of a tool may not change while people decide."""
    return None if tool is None else (tool.name, tool.version, tool.parameters)


def _schema(tool: Tool | None, name: str) -> Mapping[str, Any] | None:
    found = getattr(tool, name, None)
    return found if isinstance(found, Mapping) else None


class Keys:
    """What names each call and no other: the request that it came with, by Claude Code's name of the model's
    call, else by session and id; and what tells apart the calls that tools make within one request."""

    def __init__(self) -> None:
        # FastMCP makes a session object for each request, and it ends with that.
        self._seen: WeakKeyDictionary[object, Counter[str]] = WeakKeyDictionary()

    def key(self, context: MiddlewareContext[Params]) -> str:
        """The key of a call; equal ones of one request are counted, which a repeated request does alike."""
        about = context.fastmcp_context
        request = about.request_context if about else None
        if about is None or request is None:
            return str(uuid.uuid4())  # called by the server's own code
        use = (request.meta or {}).get(TOOL_USE)
        of = use if isinstance(use, str) and use else f"{about.session_id}:{about.request_id}"
        message = context.message
        said = [current_principal(), message.name, message.arguments or {}, message.request_state]
        try:
            mark = digest(canonical(said))[:16]
        except Invalid:  # arguments that cannot travel
            mark = "-"
        key = f"{about.fastmcp.name}:{of}:{mark}"
        seen = self._seen.setdefault(request.session, Counter())
        seen[key] += 1
        return key if seen[key] == 1 else f"{key}:{seen[key]}"


@contextmanager
def told_state(context: MiddlewareContext[Params]) -> Iterator[None]:
    """While it runs, a tool finds the state that it gave itself, without our mark."""
    request = context.fastmcp_context.request_context if context.fastmcp_context else None
    params = request._srctx.params if request is not None else None
    state = context.message.request_state
    if request is None or not isinstance(params, Mapping) or params.get("requestState") == state:
        yield
        return
    with bind_request_context(dataclasses.replace(request._srctx, params={**params, "requestState": state})):
        yield
