"""A tool that asks before it runs, and runs with what was approved."""

from __future__ import annotations

import copy
import hashlib
import inspect
import json
import uuid
from collections.abc import Mapping
from typing import Any

from agents import FunctionTool, ModelBehaviorError
from agents.run_context import RunContextWrapper
from agents.tool import (
    ToolOutputFileContent,
    ToolOutputImage,
    ToolOutputText,
    default_tool_timeout_error_message,
    invoke_function_tool,
    maybe_invoke_function_tool_failure_error_function,
    resolve_function_tool_failure_error_function,
)
from agents.tool_context import ToolContext

from signoff.adapters.calls import Call, Calls, Go, Pending, Stop
from signoff.adapters.openai_agents import mark

_STRUCTURED = (ToolOutputText, ToolOutputImage, ToolOutputFileContent)


class GatedTool:
    """What the SDK invokes instead of a tool."""

    def __init__(self, tool: FunctionTool, calls: Calls, suspend_after: float | None) -> None:
        self._tool, self._calls, self._suspend_after = tool, calls, suspend_after

    async def asks(self, context: RunContextWrapper[Any], args: dict[str, Any], call_id: str) -> bool:
        """The SDK's `needs_approval`: whether the run has to be interrupted, as nobody has decided yet."""
        call = self.call(context, call_id, json.dumps(args))
        return call is not None and await self.is_pending(call)

    async def is_pending(self, call: Call) -> bool:
        """Whether nobody has decided in the time before a run is suspended."""
        found = await self._calls.decide(call, suspend_after=self._suspend_after or 0, spends=False)
        return isinstance(found, Pending)

    async def __call__(self, context: ToolContext[Any], input: str) -> Any:
        call = self.call(context, context.tool_call_id, input)
        if call is None:
            return f"{self._tool.name} was not run: its arguments are not a JSON object."
        found = await self._calls.decide(call)
        mark.forget(context, self._name(context.tool_call_id, call.args))
        if isinstance(found, Stop):
            return found.text
        assert isinstance(found, Go)  # nothing suspends here
        return await self._run(context, found)

    def call(self, context: RunContextWrapper[Any], call_id: str, input: str) -> Call | None:
        """One call of the tool; None where its arguments are no JSON object."""
        args = _object(input)
        if args is None:
            return None
        name, suspends = self._name(call_id, args), self._suspend_after is not None
        return Call(
            self._tool.qualified_name,
            args,
            key=f"{mark.mark_of(context, name) if suspends else uuid.uuid4().hex}:{name}",
            run=mark.run_of(context),
            schema=self._tool.params_json_schema,
        )

    def _name(self, call_id: str, args: Mapping[str, Any]) -> str:
        """A call within its run: models repeat ids, for other arguments and other tools."""
        said = json.dumps([self._tool.qualified_name, args], sort_keys=True)
        return f"{call_id}:{hashlib.sha256(said.encode()).hexdigest()[:32]}"

    async def _run(self, context: ToolContext[Any], go: Go) -> Any:
        """Run the tool, with what was approved and nothing else."""
        input = json.dumps(go.args)
        context.tool_arguments = input
        if context.tool_call is not None and not self._tool._is_agent_tool:
            context.tool_call = context.tool_call.model_copy(update={"arguments": input})
        failed: list[BaseException] = []
        tool, result = _watched(self._tool, failed), None
        try:
            result = await invoke_function_tool(function_tool=tool, context=context, arguments=input)
        except BaseException as error:
            failed.append(error)
            if not _is_unfit(go, failed):
                raise
        finally:
            note = f"It raised {type(failed[0]).__name__}." if failed else ""
            await self._calls.report(go, succeeded=not failed, note=note)
        if _is_unfit(go, failed):
            result = f"{self._tool.name} was not run: it does not take what was approved. {failed[0]}"[:2000]
        return _with_note(result, go.told)


def _is_unfit(go: Go, failed: list[BaseException]) -> bool:
    """Whether a person's correction is what the tool's own parsing has refused."""
    edited = go.receipt is not None and go.receipt.edited
    return edited and bool(failed) and isinstance(failed[0], ModelBehaviorError)


def _watched(tool: FunctionTool, failed: list[BaseException]) -> FunctionTool:
    """A tool that notes in `failed` what it raises, where the SDK makes a text for the model of that."""
    watched = copy.copy(tool)

    async def told(context: RunContextWrapper[Any], error: Exception) -> str:
        failed.append(error)
        said = await maybe_invoke_function_tool_failure_error_function(
            function_tool=tool, context=context, error=error
        )
        return said or ""

    async def told_late(context: RunContextWrapper[Any], error: Exception) -> str:
        failed.append(error)
        if tool.timeout_error_function is None:
            seconds = tool.timeout_seconds or 0
            return default_tool_timeout_error_message(tool_name=tool.name, timeout_seconds=seconds)
        said = tool.timeout_error_function(context, error)
        return await said if inspect.isawaitable(said) else said

    if resolve_function_tool_failure_error_function(tool) is not None:
        watched._use_default_failure_error_function = False
        watched._failure_error_function = told
    watched.timeout_error_function = told_late
    return watched


def _with_note(result: Any, note: str) -> Any:
    """A tool's result, and what the model is told beside it."""
    if not note:
        return result
    parts = result if isinstance(result, list) else [result]
    if parts and all(isinstance(part, _STRUCTURED) for part in parts):
        return [*parts, ToolOutputText(text=note)]
    return f"{result}\n\n{note}"


def _object(input: str) -> dict[str, Any] | None:
    """Arguments as the model wrote them → the object that they are."""
    try:
        args = json.loads(input or "{}", parse_constant=_refuse)
    except ValueError:
        return None
    return args if isinstance(args, dict) else None


def _refuse(constant: str) -> Any:
    raise ValueError(f"{constant} is not JSON.")
