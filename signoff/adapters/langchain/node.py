"""A tool in a node of one's own: asked about and run without LangGraph's `ToolNode`."""

from __future__ import annotations

from typing import Any, cast

from langchain_core.messages import ToolCall, ToolMessage
from langchain_core.tools import BaseTool
from langgraph.prebuilt.tool_node import ToolCallRequest
from pydantic import ValidationError

from signoff.adapters.langchain.results import refusal
from signoff.models.texts import message_of


def request_of(tool: BaseTool, tool_call: ToolCall) -> ToolCallRequest:
    """As a `ToolNode` would ask for it; without a state."""
    return ToolCallRequest(tool_call=tool_call, tool=tool, state=None, runtime=cast(Any, None))


def ran(tool: BaseTool, request: ToolCallRequest) -> ToolMessage:
    """What the tool gives; an error of it where it does not take its arguments."""
    try:
        return cast(ToolMessage, tool.invoke(_call(request)))
    except ValidationError as error:
        return _not_taken(request, error)


async def ran_async(tool: BaseTool, request: ToolCallRequest) -> ToolMessage:
    """The same, in an event loop."""
    try:
        return cast(ToolMessage, await tool.ainvoke(_call(request)))
    except ValidationError as error:
        return _not_taken(request, error)


def _call(request: ToolCallRequest) -> ToolCall:
    return {**request.tool_call, "type": "tool_call"}


def _not_taken(request: ToolCallRequest, error: ValidationError) -> ToolMessage:
    """A tool does not take its arguments; what they were stands in the call."""
    name = request.tool_call["name"]
    found = "; ".join(f"{'.'.join(map(str, each['loc']))}: {message_of(each)}" for each in error.errors())
    return refusal(request.tool_call, f"{name} was not run: it does not take these arguments: {found}.")
