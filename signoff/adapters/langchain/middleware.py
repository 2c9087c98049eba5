"""`SignoffMiddleware`: asks before an agent's tools run, waits or suspends the graph, tells the model."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable
from typing import Any, Unpack, cast

from langchain.agents.middleware import AgentMiddleware
from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.errors import GraphBubbleUp, GraphInterrupt
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import interrupt
from pydantic import ValidationError

from signoff.adapters import texts
from signoff.adapters.calls import Calls, Go, Pending, Stop
from signoff.adapters.langchain import tool_calls
from signoff.adapters.langchain.results import Result, failed, refusal, with_told
from signoff.adapters.langchain.tool_calls import Asked
from signoff.adapters.tools import Claims, Tools
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff
from signoff.errors import Invalid, SignoffError
from signoff.models.explanation import has_begun

log = logging.getLogger("signoff")

BEGUN = (
    "was not run now: it was approved before, and begun then. Whether it was done is not known here. Do not "
    "ask for it again: tell whoever you work for."
)
"""Of a call whose approval is spent: it is run again, after a kill or from an older checkpoint."""
SUSPENDED = "signoff"
"""The type of the interrupt by which a graph is suspended."""


class SignoffMiddleware(AgentMiddleware):
    """Asks a person before tools run; for `create_agent`, and for a `ToolNode` or a node of your own.

    `tools` says which are gated, and how: see `signoff.adapters.tools.Tools`; None gates all. `claims` are
    said of all of them (`reversible`, `risk`, …). It waits `wait` seconds (then the request is withdrawn), or
    until the request ends. With `suspend_after` it waits so many seconds, then calls `interrupt()`: resume
    the graph when the decision has come, here or in another process (`resume_when_decided`, `resumed`), with
    `Command(resume=…)`. Whatever that holds, the answer is the receipt's.

    Place it last among the middleware, so that nothing changes a call between the approval and the tool.
    Raises TypeError for options that there are not.
    """

    def __init__(
        self,
        client: Signoff | AsyncSignoff,
        tools: Tools = None,
        *,
        wait: float | None = None,
        suspend_after: float | None = None,
        **claims: Unpack[Claims],
    ) -> None:
        super().__init__()
        self._calls = Calls(client, tools, framework="langchain", wait=wait, **claims)
        self._suspend_after = suspend_after

    def wrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Result]
    ) -> Result:
        """Ask, then have the tool run with what was approved, or give the model the reason why not."""
        if not self._gates(request):
            return handler(request)
        asked = self._asked(request)
        if isinstance(asked, ToolMessage):
            return asked
        go = self._settled(self._calls.decide_blocking(asked.call, suspend_after=self._limit(asked)), request)
        if isinstance(go, ToolMessage):
            return go
        self._drain(asked, go)
        try:
            result = handler(_approved(request, asked, go))
        except GraphBubbleUp:  # the tool itself interrupts the graph: nothing has come of it yet
            raise
        except BaseException as error:
            self._calls.report_blocking(go, **_raised(error))
            raise
        self._calls.report_blocking(go, **_outcome(result, request))
        return cast(Result, with_told(result, request.tool_call, go.told))

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Result]]
    ) -> Result:
        """The same, in an event loop: any number of calls wait at once, and none holds up another."""
        if not self._gates(request):
            return await handler(request)
        asked = self._asked(request)
        if isinstance(asked, ToolMessage):
            return asked
        go = self._settled(await self._calls.decide(asked.call, suspend_after=self._limit(asked)), request)
        if isinstance(go, ToolMessage):
            return go
        self._drain(asked, go)
        try:
            result = await handler(_approved(request, asked, go))
        except GraphBubbleUp:
            raise
        except BaseException as error:
            await self._calls.report(go, **_raised(error))
            raise
        await self._calls.report(go, **_outcome(result, request))
        return cast(Result, with_told(result, request.tool_call, go.told))

    def invoke(self, tool: BaseTool, tool_call: ToolCall) -> ToolMessage:
        """Ask, and run a tool in a node of your own: one gated call a node, as a resumed node runs again.

        `tool_call` has `name`, `args` and an `id` that is the same whenever the node runs.
        """
        request = _request(tool, tool_call)
        return cast(ToolMessage, self.wrap_tool_call(request, lambda made: _ran(tool, made)))

    async def ainvoke(self, tool: BaseTool, tool_call: ToolCall) -> ToolMessage:
        """`invoke`, in an event loop."""

        async def run(made: ToolCallRequest) -> ToolMessage:
            try:
                return cast(ToolMessage, await tool.ainvoke(_call(made)))
            except ValidationError as error:
                return _not_taken(made, error)

        return cast(ToolMessage, await self.awrap_tool_call(_request(tool, tool_call), run))

    def _gates(self, request: ToolCallRequest) -> bool:
        try:
            return self._calls.gates(request.tool_call["name"])
        except Exception:
            return True  # asking fails of the same, and tells the model

    def _asked(self, request: ToolCallRequest) -> Asked | ToolMessage:
        name = request.tool_call["name"]
        try:
            return tool_calls.asked(request)
        except Invalid as error:
            return refusal(request.tool_call, texts.stopped(name, error))
        except Exception as error:
            log.error("%s was not run, as Signoff's adapter failed", name, exc_info=error)
            return refusal(request.tool_call, texts.stopped(name, SignoffError(type(error).__name__)))

    def _limit(self, asked: Asked) -> float | None:
        return self._suspend_after if asked.suspends else None

    def _settled(self, decided: Go | Stop | Pending, request: ToolCallRequest) -> Go | ToolMessage:
        """What may run, or what the model is told; suspends the graph where nobody has decided yet."""
        while isinstance(decided, Pending):
            # Gives what the graph was resumed with before, if anything: that decides nothing.
            interrupt(_waiting(decided, request))
        if isinstance(decided, Go):
            return decided
        begun = has_begun(decided.error)
        text = f"{request.tool_call['name']} {BEGUN}" if begun else decided.text
        return refusal(request.tool_call, text)

    def _drain(self, asked: Asked, go: Go) -> None:
        """Take what the graph was resumed with: it was meant for our interrupt, not for one of the tool's."""
        if self._limit(asked) is None or go.receipt is None:
            return
        try:
            while True:
                interrupt({"type": SUSPENDED, "id": go.receipt.id})
        except GraphInterrupt:
            return


def _approved(request: ToolCallRequest, asked: Asked, go: Go) -> ToolCallRequest:
    """The same call with what was approved, and with what the program itself gives the tool."""
    call: ToolCall = {**request.tool_call, "args": {**go.args, **asked.hidden}}
    return request.override(tool_call=call)


def _waiting(pending: Pending, request: ToolCallRequest) -> dict[str, Any]:
    """What whoever runs the graph is told: for which request it waits."""
    return {
        "type": SUSPENDED,
        "id": pending.id,
        "code": pending.code,
        "action": pending.action,
        "tool_call_id": request.tool_call["id"],
    }


def _raised(error: BaseException) -> dict[str, Any]:
    return {"succeeded": False, "note": f"It raised {type(error).__name__}."}


def _outcome(result: Any, request: ToolCallRequest) -> dict[str, Any]:
    if failed(result, request.tool_call):
        return {"succeeded": False, "note": "The tool gave an error."}
    return {"succeeded": True}


def _request(tool: BaseTool, tool_call: ToolCall) -> ToolCallRequest:
    return ToolCallRequest(tool_call=tool_call, tool=tool, state=None, runtime=cast(Any, None))


def _call(request: ToolCallRequest) -> ToolCall:
    return {**request.tool_call, "type": "tool_call"}


def _ran(tool: BaseTool, request: ToolCallRequest) -> ToolMessage:
    try:
        return cast(ToolMessage, tool.invoke(_call(request)))
    except ValidationError as error:
        return _not_taken(request, error)


def _not_taken(request: ToolCallRequest, error: ValidationError) -> ToolMessage:
    """A tool does not take its arguments; what they were stands in the call."""
    name = request.tool_call["name"]
    found = "; ".join(f"{'.'.join(map(str, each['loc']))}: {each['msg']}" for each in error.errors())
    return refusal(request.tool_call, f"{name} was not run: it does not take these arguments: {found}.")
