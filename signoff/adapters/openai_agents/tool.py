"""A tool that asks before it runs, and runs with what was approved."""

from __future__ import annotations

import copy
import hashlib
import inspect
import json
import logging
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
from signoff.adapters.texts import stopped
from signoff.errors import SignoffError

log = logging.getLogger("signoff")
_STRUCTURED = (ToolOutputText, ToolOutputImage, ToolOutputFileContent)


class GatedTool:
    """What the SDK invokes instead of a tool."""

    def __init__(self, tool: FunctionTool, calls: Calls, suspend_after: float | None) -> None:
        self._tool, self._calls, self._suspend_after = tool, calls, suspend_after

    async def asks(self, context: RunContextWrapper[Any], args: dict[str, Any], call_id: str) -> bool:
        """The SDK's `needs_approval`: whether the run has to be interrupted.

        For us, as nobody has decided yet; where we ask nobody, if the tool itself says so.
        """
        try:
            call = self._call(context, call_id, json.dumps(args))
            if await self._asks(call):
                return self._suspend_after is not None and await self._is_pending(call)
        except Exception as error:
            self._stopped(error)  # nothing runs: it fails for who invokes the tool, too
            return False
        return await self._needs_other(context, args, call_id)

    async def is_decided(
        self, context: RunContextWrapper[Any], call_id: str, input: str, only_unasked: bool
    ) -> bool:
        """Whether the SDK may go on with an interrupted call, as far as that is for us to say."""
        try:
            call = self._call(context, call_id, input)
            if call is None:
                return True
            if await self._asks(call):
                return not only_unasked and not await self._is_pending(call)
        except Exception as error:
            self._stopped(error)
            return True
        return not await self._needs_other(context, dict(call.args), call_id)

    async def __call__(self, context: ToolContext[Any], input: str) -> Any:
        try:
            call = self._call(context, context.tool_call_id, input)
            if call is None:
                return f"{self._tool.name} was not run: its arguments are not a JSON object."
            found = await self._calls.decide(call)
            mark.forget(context, self._name(context.tool_call_id, call.args))
        except Exception as error:
            return self._stopped(error)
        if isinstance(found, Stop):
            return found.text
        assert isinstance(found, Go)  # nothing suspends here
        return await self._run(context, found)

    async def _asks(self, call: Call | None) -> bool:
        """Whether we ask; raises what a condition does."""
        if call is None:
            return True
        tool, payload = self._calls._read(call)
        return tool is not None and await tool.asks_async(payload)

    async def _is_pending(self, call: Call | None) -> bool:
        """Whether nobody has decided in the time before a run is suspended."""
        if call is None:
            return False
        found = await self._calls.decide(call, suspend_after=self._suspend_after or 0, spends=False)
        return isinstance(found, Pending)

    async def _needs_other(self, context: RunContextWrapper[Any], args: dict[str, Any], call_id: str) -> bool:
        """What the tool itself says of approval; raises whatever a function of the user's does."""
        needs = self._tool.needs_approval
        said = needs(context, args, call_id) if callable(needs) else needs
        return bool(await said if inspect.isawaitable(said) else said)

    def _stopped(self, error: Exception) -> str:
        """What the model is told of a fault of ours before anything has run."""
        name = self._tool.qualified_name
        log.error("%s was not run, as Signoff's adapter failed", name, exc_info=error)
        return stopped(name[:100], SignoffError(f"{type(error).__name__}."))

    def _call(self, context: RunContextWrapper[Any], call_id: str, input: str) -> Call | None:
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
            closed=True,  # the SDK's own parsing passes over them
        )

    def _name(self, call_id: str, args: Mapping[str, Any]) -> str:
        """A call within its run: models repeat ids, for other arguments and other tools."""
        said = json.dumps([self._tool.qualified_name, args], sort_keys=True)
        return f"{call_id}:{hashlib.sha256(said.encode()).hexdigest()[:32]}"

    async def _run(self, context: ToolContext[Any], go: Go) -> Any:
        """Run the tool, with what was approved and nothing else."""
        failed: list[BaseException] = []
        try:
            input = json.dumps(go.args)
            context.tool_arguments = input
            if context.tool_call is not None and not self._tool._is_agent_tool:
                context.tool_call = context.tool_call.model_copy(update={"arguments": input})
            tool = _watched(self._tool, failed)
        except Exception as error:
            await self._report(go, error)
            return self._stopped(error)
        result = None
        try:
            result = await invoke_function_tool(function_tool=tool, context=context, arguments=input)
        except BaseException as error:
            failed.append(error)
            if not _is_unfit(go, failed):
                raise
        finally:
            await self._report(go, *failed[:1])
        try:
            if _is_unfit(go, failed):
                result = f"{self._tool.name} was not run: it does not take what was approved. {failed[0]}"[
                    :2000
                ]
            return _with_note(result, go.told)
        except Exception as error:  # it has run: what it gave is not lost
            log.error("%s has run, and its note could not be told", self._tool.name, exc_info=error)
            return result

    async def _report(self, go: Go, failed: BaseException | None = None) -> None:
        """How it ended, for its card; never raises."""
        note = f"It raised {type(failed).__name__}." if failed else ""
        try:
            await self._calls.report(go, succeeded=failed is None, note=note)
        except Exception as error:
            log.warning("the outcome of %s could not be reported: %s", self._tool.name, type(error).__name__)


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
