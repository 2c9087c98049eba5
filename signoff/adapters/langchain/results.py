"""What a model is given as a tool's result: why it did not run, or, before what it gave, who changed what."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

from langchain_core.messages import ToolCall, ToolMessage
from langgraph.types import Command

Result = ToolMessage | Command[Any]


def refusal(call: ToolCall, text: str) -> ToolMessage:
    """An error of the tool, with this text."""
    return ToolMessage(content=text, name=call["name"], tool_call_id=call.get("id") or "", status="error")


def failed(result: Any, call: ToolCall) -> bool:
    """Whether the tool says that it failed."""
    return any(message.status == "error" for message in _messages(result, call))


def with_told(result: Any, call: ToolCall, told: str) -> Any:
    """The same result, with what the model is told at the head of its message; its artifact is untouched."""
    if not told:
        return result
    if isinstance(result, ToolMessage):
        return _headed(result, told) if result.tool_call_id == call["id"] else result
    if isinstance(result, list):
        return [with_told(part, call, told) for part in result]
    if isinstance(result, Command) and isinstance(result.update, dict):
        update = {
            name: with_told(value, call, told) if isinstance(value, list | ToolMessage) else value
            for name, value in result.update.items()
        }
        return replace(result, update=update)
    if isinstance(result, Command) and isinstance(result.update, list):
        return replace(result, update=with_told(result.update, call, told))
    return result


def _messages(result: Any, call: ToolCall) -> Iterator[ToolMessage]:
    if isinstance(result, ToolMessage):
        if result.tool_call_id == call["id"]:
            yield result
    elif isinstance(result, list):
        for part in result:
            yield from _messages(part, call)
    elif isinstance(result, Command):
        update = result.update
        for part in update.values() if isinstance(update, dict) else [update]:
            yield from _messages(part, call)


def _headed(message: ToolMessage, told: str) -> ToolMessage:
    content: Any = message.content
    if isinstance(content, str):
        content = f"{told}\n\n{content}" if content else told
    elif content and all(isinstance(block, str) for block in content):
        content = [told, *content]
    else:
        content = [{"type": "text", "text": told}, *content]
    return message.model_copy(update={"content": content})
