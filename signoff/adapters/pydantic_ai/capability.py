"""The capability: where the framework's hooks meet `signoff.adapters.calls`."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Collection
from contextlib import AsyncExitStack
from contextvars import ContextVar
from dataclasses import dataclass, field, replace
from typing import Any, Unpack

from pydantic_ai.capabilities import AbstractCapability, CapabilityOrdering
from pydantic_ai.capabilities.abstract import WrapRunHandler
from pydantic_ai.exceptions import (
    ApprovalRequired,
    CallDeferred,
    ToolFailed,
    ToolFailedError,
    ToolRetryError,
    UserError,
)
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.models import ModelRequestContext
from pydantic_ai.run import AgentRunResult
from pydantic_ai.tools import (
    DeferredToolRequests,
    DeferredToolResults,
    RunContext,
    ToolApproved,
    ToolDefinition,
)
from pydantic_ai.toolsets import AbstractToolset, WrapperToolset
from pydantic_ai.toolsets.abstract import ToolsetTool

from signoff.adapters.calls import ABANDON_SECONDS, Calls, Go, Pending, Stop
from signoff.adapters.pydantic_ai.arguments import as_approved, as_text
from signoff.adapters.pydantic_ai.messages import (
    METADATA,
    asked,
    failure,
    hand_over,
    is_models,
    kept,
    metadata,
    tell,
    told,
)
from signoff.adapters.tools import Claims, Tools
from signoff.client import mistakes
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff

SEARCH = "tool_search"
"""The one tool at a model's provider that does nothing: it finds others."""
FINDERS = ("tool-search", "capability-load")
"""Kinds of the framework's own tools that do nothing but show the model others."""
NOT_LET_THROUGH = (
    "{} was not run: what was about to run is not what passed the gate. Do not try another way: tell whoever "
    "you work for."
)


class SignoffCapability(AbstractCapability[Any]):
    """Asks Signoff before an agent's tools run: all of them, or those that `tools` names.

    `tools` and `claims` are those of `signoff.adapters.tools.Tools` and `signoff.client.claims.Claims`. After
    `wait` seconds a request that nobody has decided is withdrawn, and the model told so. With `suspend_after`
    the run ends after so many seconds with DeferredToolRequests, which has to be among its output types;
    `results` goes on with it. Raises TypeError for options that there are not, Invalid for no seconds.
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
        for seconds in (wait, suspend_after):
            mistakes.check_timeout(seconds)
        self._calls = Calls(client, tools, framework="pydantic-ai", wait=wait, **claims)
        self._suspend_after = suspend_after
        self._suspended: dict[str | None, list[Pending]] = {}

    @classmethod
    def get_serialization_name(cls) -> str | None:
        """None: a client cannot be written into an agent's file."""
        return None

    def get_ordering(self) -> CapabilityOrdering:
        """The last to see the arguments: whatever other capabilities make of them, people are shown that."""
        return CapabilityOrdering(position="innermost")

    def get_wrapper_toolset(self, toolset: AbstractToolset[Any]) -> AbstractToolset[Any]:
        """The agent's tools, with those that run elsewhere behind the same gate as all others."""
        return _Gated(toolset, gates=self._gates, known=self._calls.known)

    async def before_model_request(
        self, ctx: RunContext[Any], request_context: ModelRequestContext
    ) -> ModelRequestContext:
        """Raises UserError for a gated tool that the model's provider would run by itself."""
        for tool in request_context.model_request_parameters.native_tools:
            if tool.kind != SEARCH and self._gates(tool.kind):
                raise UserError(
                    f"{tool.kind} runs at the model's provider, where nobody can be asked first: name the "
                    "tools that SignoffCapability gates (tools=[…]), or take it from the agent."
                )
        return request_context

    async def handle_deferred_tool_calls(
        self, ctx: RunContext[Any], *, requests: DeferredToolRequests
    ) -> DeferredToolResults | None:
        """Have what the framework itself would stop (`requires_approval=True`) go on to the gate."""
        said = requests.metadata
        ours = [
            call.tool_call_id
            for call in requests.approvals
            if METADATA not in said.get(call.tool_call_id, {}) and self._gates(call.tool_name)
        ]
        return requests.build_results(approvals={name: ToolApproved() for name in ours}) if ours else None

    async def wrap_run(self, ctx: RunContext[Any], *, handler: WrapRunHandler) -> AgentRunResult[Any]:
        """A run that fails or is cancelled takes back what was suspended in it: nobody can go on with it."""
        try:
            return await handler()
        except BaseException:
            left = [self._calls.withdraw(pending) for pending in self._suspended.get(ctx.run_id, ())]
            if left:  # what takes longer goes on alone
                await asyncio.wait([asyncio.ensure_future(one) for one in left], timeout=ABANDON_SECONDS)
            raise
        finally:
            self._suspended.pop(ctx.run_id, None)

    def _gates(self, name: str) -> bool:
        try:
            return self._calls.gates(name)
        except Exception:  # of the user's function: asking about the call says so to the model
            return True

    async def before_tool_execute(
        self, ctx: RunContext[Any], *, call: ToolCallPart, tool_def: ToolDefinition, args: dict[str, Any]
    ) -> dict[str, Any]:
        """The arguments that may run; raises ToolFailed, or ApprovalRequired to suspend."""
        if not self._gates(call.tool_name):
            return args
        try:
            return await self._let(ctx, call, tool_def, args)
        except (ToolFailed, ApprovalRequired):
            raise
        except Exception as error:
            raise failure(call.tool_name, error) from None

    async def _let(
        self, ctx: RunContext[Any], call: ToolCallPart, tool_def: ToolDefinition, args: dict[str, Any]
    ) -> dict[str, Any]:
        running = _running.get()
        if tool_def.tool_kind in FINDERS:
            return running.let(args)
        question = asked(ctx, call, tool_def, args)
        # A call that a tool makes is not in the history, so nothing could go on with it.
        suspend_after = self._suspend_after if is_models(ctx, call) else None
        decided = await self._calls.decide(question, suspend_after=suspend_after)
        if isinstance(decided, Stop):
            raise ToolFailed(decided.text)
        if isinstance(decided, Pending):
            self._suspended.setdefault(ctx.run_id, []).append(decided)
            known = {"id": decided.id, "code": decided.code, "key": question.key}
            raise ApprovalRequired(metadata={**metadata(ctx), METADATA: known})
        if decided.receipt is None:
            return running.let(args)
        await running.enter_async_context(self._calls.reported(decided))
        running.go = decided
        return running.let(await as_approved(ctx, call, decided))

    async def wrap_tool_execute(
        self,
        ctx: RunContext[Any],
        *,
        call: ToolCallPart,
        tool_def: ToolDefinition,
        args: dict[str, Any],
        handler: Any,
    ) -> Any:
        """Reports what became of an approved call, and tells the model what a person changed."""
        async with _Running() as running:
            token = _running.set(running)
            try:
                result = await handler(args)
                with kept(call):
                    result = told(result, call, running.go)
                return result
            except CallDeferred as error:
                running.pop_all()  # it runs elsewhere, later: there is no outcome yet
                if running.go is not None:
                    try:
                        hand_over(ctx, call, running.go, error)
                    except Exception as fault:  # whoever runs it would run what the model wrote
                        raise failure(call.tool_name, fault) from None
                raise
            except (ToolFailedError, ToolRetryError) as error:
                with kept(call):
                    tell(error, running.go)
                raise
            finally:
                _running.reset(token)


def results(requests: DeferredToolRequests) -> DeferredToolResults:
    """What a suspended run goes on with: `agent.run(message_history=…, deferred_tool_results=results(…))`.

    Each call of it goes back to the gate, which attaches to the request that was posted and alone lets it
    run. Give it the output of the run, in any process. Of other deferred calls it says nothing: `update` it.
    """
    ours = {name: said for name, said in requests.metadata.items() if METADATA in said}
    waiting = [call.tool_call_id for call in requests.approvals if call.tool_call_id in ours]
    return requests.build_results(
        approvals={name: ToolApproved() for name in waiting}, metadata={name: ours[name] for name in waiting}
    )


class _Running(AsyncExitStack):
    """One call while it runs: what was approved of it, and the arguments that the gate let through."""

    go: Go | None = None
    _args: dict[str, Any] | None = None
    _text: bytes = b""

    def let(self, args: dict[str, Any]) -> dict[str, Any]:
        """These may run, and no others."""
        self._args, self._text = dict(args), as_text(args)
        return args

    def lets(self, args: dict[str, Any]) -> bool:
        """Whether they are those that may: also inside, where a hook may have changed something in place."""
        return self._args == args and self._text == as_text(args)


_running: ContextVar[_Running] = ContextVar("signoff_pydantic_ai_running")


@dataclass
class _Gated(WrapperToolset[Any]):
    """The last door: lets through what passed the gate, and just that, whoever changed it since.

    Calls of tools that run elsewhere (`external`) pass the gate first, too, and are deferred here.
    """

    gates: Callable[[str], bool] = field(kw_only=True)
    known: Callable[[Collection[str]], None] = field(kw_only=True)

    async def get_tools(self, ctx: RunContext[Any]) -> dict[str, ToolsetTool[Any]]:
        tools = await super().get_tools(ctx)
        self.known(tools)
        return {name: self._gated(tool) for name, tool in tools.items()}

    async def call_tool(
        self, name: str, tool_args: dict[str, Any], ctx: RunContext[Any], tool: ToolsetTool[Any]
    ) -> Any:
        running = _running.get(None)
        gated = self.gates(name) or (running is not None and running.go is not None)
        try:
            lets = not gated or (running is not None and running.lets(tool_args))
        except Exception as error:
            raise failure(name, error) from None
        if not lets:
            raise ToolFailed(NOT_LET_THROUGH.format(name))
        if METADATA in (tool.tool_def.metadata or {}):
            raise CallDeferred()
        return await super().call_tool(name, tool_args, ctx, tool)

    def _gated(self, tool: ToolsetTool[Any]) -> ToolsetTool[Any]:
        definition = tool.tool_def
        if definition.kind != "external" or not self.gates(definition.name):
            return tool
        marked = {**(definition.metadata or {}), METADATA: "external"}
        return replace(tool, tool_def=replace(definition, kind="function", metadata=marked))
