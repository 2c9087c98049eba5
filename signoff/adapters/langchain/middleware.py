"""`SignoffMiddleware`: asks before an agent's tools run, waits or suspends the graph, tells the model."""

from __future__ import annotations

import logging
from collections.abc import Awaitable, Callable, Mapping
from functools import partial
from typing import Any, Unpack, cast

from langchain.agents.middleware import AgentMiddleware, ModelRequest, ModelResponse
from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.errors import GraphBubbleUp, GraphInterrupt
from langgraph.prebuilt.tool_node import ToolCallRequest
from langgraph.types import interrupt

from signoff.adapters import texts
from signoff.adapters.calls import Calls, Go, Pending, Stop
from signoff.adapters.langchain import node, tool_calls
from signoff.adapters.langchain.door import Door
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
        return self._wrap(request, handler, {})

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Result]]
    ) -> Result:
        """The same, in an event loop: any number of calls wait at once, and none holds up another."""
        return await self._awrap(request, handler, {})

    def wrap_model_call(
        self, request: ModelRequest[Any], handler: Callable[[ModelRequest[Any]], ModelResponse[Any]]
    ) -> ModelResponse[Any]:
        """See to it that what is gated is there, and can be asked about, before the model makes calls."""
        self._check_blocking()
        self._know(request)
        return handler(request)

    async def awrap_model_call(
        self,
        request: ModelRequest[Any],
        handler: Callable[[ModelRequest[Any]], Awaitable[ModelResponse[Any]]],
    ) -> ModelResponse[Any]:
        """The same, in an event loop, where any client will do."""
        self._know(request)
        return await handler(request)

    def invoke(
        self, tool: BaseTool, tool_call: ToolCall, injected: Mapping[str, Any] | None = None
    ) -> ToolMessage:
        """Ask, and run a tool in a node of your own: one gated call a node, as a resumed node runs again.

        `tool_call` has `name`, `args` and an `id` that is the same whenever the node runs. `injected` is what
        you give the tool beside it (`InjectedState`, `InjectedToolArg`, …), and nobody is shown: of these
        nothing that stands in the call is taken, as the model may have written it.
        """
        run = partial(node.ran, tool)
        return cast(ToolMessage, self._wrap(node.request_of(tool, tool_call), run, injected or {}))

    async def ainvoke(
        self, tool: BaseTool, tool_call: ToolCall, injected: Mapping[str, Any] | None = None
    ) -> ToolMessage:
        """`invoke`, in an event loop."""
        run = partial(node.ran_async, tool)
        return cast(ToolMessage, await self._awrap(node.request_of(tool, tool_call), run, injected or {}))

    def _wrap(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Result],
        given: Mapping[str, Any],
    ) -> Result:
        if not self._gates(request):
            return handler(_with(request, given))
        self._check_blocking()
        asked = self._asked(request, given)
        if isinstance(asked, ToolMessage):
            return asked
        decided = self._calls.decide_blocking(asked.call, suspend_after=self._limit(asked))
        ready = self._ready(decided, request, asked)
        if isinstance(ready, ToolMessage):
            if isinstance(decided, Go):
                self._calls.report_blocking(decided, **_outcome(ready, request))
            return ready
        go, ready_request = ready
        try:
            result = handler(ready_request)
        except GraphBubbleUp:  # the tool itself interrupts the graph: nothing has come of it yet
            raise
        except BaseException as error:
            self._calls.report_blocking(go, **_raised(error))
            raise
        self._calls.report_blocking(go, **_outcome(result, request))
        return _told(result, request, go)

    async def _awrap(
        self,
        request: ToolCallRequest,
        handler: Callable[[ToolCallRequest], Awaitable[Result]],
        given: Mapping[str, Any],
    ) -> Result:
        if not self._gates(request):
            return await handler(_with(request, given))
        asked = self._asked(request, given)
        if isinstance(asked, ToolMessage):
            return asked
        decided = await self._calls.decide(asked.call, suspend_after=self._limit(asked))
        ready = self._ready(decided, request, asked)
        if isinstance(ready, ToolMessage):
            if isinstance(decided, Go):
                await self._calls.report(decided, **_outcome(ready, request))
            return ready
        go, ready_request = ready
        try:
            result = await handler(ready_request)
        except GraphBubbleUp:
            raise
        except BaseException as error:
            await self._calls.report(go, **_raised(error))
            raise
        await self._calls.report(go, **_outcome(result, request))
        return _told(result, request, go)

    def _gates(self, request: ToolCallRequest) -> bool:
        try:
            return self._calls.gates(request.tool_call["name"])
        except Exception:
            return True  # asking fails of the same, and tells the model

    def _know(self, request: ModelRequest[Any]) -> None:
        names = [tool.get("name") if isinstance(tool, dict) else tool.name for tool in request.tools]
        self._calls.known([name for name in names if isinstance(name, str)])

    def _check_blocking(self) -> None:
        if not self._calls.blocking:
            raise TypeError(
                "SignoffMiddleware(AsyncSignoff()) is for `ainvoke` and `astream`: give it a Signoff(), "
                "which does for `invoke` and `stream` as well."
            )

    def _asked(self, request: ToolCallRequest, given: Mapping[str, Any]) -> Asked | ToolMessage:
        try:
            return tool_calls.asked(request, given)
        except Invalid as error:
            return refusal(request.tool_call, texts.stopped(request.tool_call["name"], error))
        except Exception as error:
            return _failure(request, error)

    def _limit(self, asked: Asked) -> float | None:
        return self._suspend_after if asked.suspends else None

    def _ready(
        self, decided: Go | Stop | Pending, request: ToolCallRequest, asked: Asked
    ) -> tuple[Go, ToolCallRequest] | ToolMessage:
        """What may run, or what the model is told; suspends the graph where nobody has decided yet."""
        try:
            while isinstance(decided, Pending):
                # Gives what the graph was resumed with before, if anything: that decides nothing.
                interrupt(_waiting(decided, request))
            if isinstance(decided, Stop):
                begun = has_begun(decided.error)
                text = f"{request.tool_call['name']} {BEGUN}" if begun else decided.text
                return refusal(request.tool_call, text)
            self._drain(asked, decided)
            if misfit := _misfit(request, asked, decided):
                return misfit
            return decided, _approved(request, asked, decided)
        except GraphBubbleUp:
            raise
        except Exception as error:
            return _failure(request, error)

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
    assert request.tool is not None  # of this `asked` has made sure
    door = Door(request.tool, asked.takes.injected, go.args, once=go.receipt is not None)
    call: ToolCall = {**request.tool_call, "args": {**go.args, **asked.hidden}}
    return request.override(tool_call=call, tool=door.tool())


def _misfit(request: ToolCallRequest, asked: Asked, go: Go) -> ToolMessage | None:
    """An error where people have written what only the program gives."""
    names = sorted(go.args.keys() & asked.takes.injected)
    if not names or go.receipt is None:
        return None
    error = texts.Unfit(texts.unfit(go.receipt, names))
    return refusal(request.tool_call, texts.stopped(request.tool_call["name"], error))


def _with(request: ToolCallRequest, given: Mapping[str, Any]) -> ToolCallRequest:
    """The same call, with what the program gives beside it."""
    if not given:
        return request
    call: ToolCall = {**request.tool_call, "args": {**request.tool_call["args"], **given}}
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
    try:
        if failed(result, request.tool_call):
            return {"succeeded": False, "note": "The tool gave an error."}
    except Exception as error:
        log.error("what came of %s cannot be read", request.tool_call["name"], exc_info=error)
    return {"succeeded": True}


def _told(result: Result, request: ToolCallRequest, go: Go) -> Result:
    """The result with what the model is told: it has run, so no fault of ours may lose what came of it."""
    try:
        return cast(Result, with_told(result, request.tool_call, go.told))
    except Exception as error:
        log.error("the model was not told of %s who changed what", request.tool_call["name"], exc_info=error)
        return result


def _failure(request: ToolCallRequest, error: Exception) -> ToolMessage:
    """A fault of ours, before the tool has run: so it does not."""
    name = request.tool_call["name"]
    log.error("%s was not run, as Signoff's adapter failed", name, exc_info=error)
    return refusal(request.tool_call, texts.stopped(name, SignoffError(type(error).__name__)))
