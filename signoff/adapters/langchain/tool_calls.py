"""What a graph says of a tool call: its key, arguments, the tool's schema, whether it may be suspended."""

from __future__ import annotations

import hashlib
import json
import logging
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Any
from uuid import uuid4

from langchain_core.messages import AIMessage
from langgraph.config import get_config
from langgraph.prebuilt.tool_node import ToolCallRequest

from signoff.adapters.calls import Call
from signoff.adapters.langchain.schemas import Shape, shape
from signoff.errors import Invalid

log = logging.getLogger("signoff")

MAX_RUN = 100
CHECKPOINTER = "__pregel_checkpointer"
"""Where LangGraph tells a task of its checkpointer."""
OWN_TASK = "__pregel_push"
"""How the path of a task begins that was sent by itself (`Send`), as create_agent does with every call."""


@dataclass(frozen=True)
class Asked:
    """A tool call as it is asked about. `hidden` are arguments that the program gives a tool beside the
    model's: they are kept, and not shown; `takes` says what the tool takes. It `suspends` where the graph can
    go on later with this call alone.
    """

    call: Call
    hidden: Mapping[str, Any]
    takes: Shape
    suspends: bool


def asked(request: ToolCallRequest, given: Mapping[str, Any]) -> Asked:
    """Read a request; raises Invalid for a call that nobody could tell from another, or of no tool.

    `given` is what the program gives the tool beside the call. What is injected and stands in the call counts
    as the program's only where the model's message is there to say that the model has not written it.
    """
    call, tool = request.tool_call, request.tool
    if not call.get("id"):
        raise Invalid("The call has no id, so its result could not be told from another's.")
    if tool is None:
        raise Invalid("There is no tool of this name here.")
    message = _message(request.state, call["id"])
    recorded = [made for made in message.tool_calls if made["id"] == call["id"]] if message else []
    if len(recorded) > 1:
        raise Invalid(
            f"One message holds {len(recorded)} calls with the id {call['id']}, so that nobody could say "
            "which of them was approved. Make each call with an id of its own."
        )
    config = _config(request)
    takes = shape(tool)
    if others := sorted(given.keys() - takes.injected):
        raise Invalid(f"{', '.join(others)} is not injected: it stands in the call, or nowhere.")
    model = recorded[0]["args"] if recorded else call["args"]
    injected = {name: value for name, value in call["args"].items() if name in takes.injected}
    hidden = {**{name: value for name, value in injected.items() if name not in model}, **given}
    if dropped := injected.keys() - hidden.keys():
        log.warning("%s: %s stood in the call, and only the program gives that", call["name"], dropped)
    shown = takes.written(call["args"])
    thread, place = _thread(config), _place(config)
    parts = (thread or place, (message.id if message else None) or place, call["id"], mark(shown))
    return Asked(
        Call(
            call["name"],
            shown,
            key=":".join(str(part).replace("%", "%25").replace(":", "%3A") for part in parts),
            run=run_of(thread),
            reason=_said(message),
            schema=takes.schema,
            closed=takes.closed,
        ),
        hidden,
        takes,
        _suspends(config, message),
    )


def run_of(thread: str | None) -> str | None:
    """A thread's id as a run's name."""
    if thread is None or len(thread) <= MAX_RUN:
        return thread
    return hashlib.sha256(thread.encode(errors="surrogatepass")).hexdigest()


def mark(args: Mapping[str, Any]) -> str:
    """Tells a call from the same one that a fork of its thread has changed: that is asked anew."""
    return hashlib.sha256(json.dumps(args, sort_keys=True, default=repr).encode()).hexdigest()[:8]


def _config(request: ToolCallRequest) -> Mapping[str, Any]:
    found = getattr(request.runtime, "config", None)
    if not found:
        with suppress(RuntimeError):  # outside a graph
            found = get_config()
    return found or {}


def _thread(config: Mapping[str, Any]) -> str | None:
    thread = config.get("configurable", {}).get("thread_id")
    return None if thread is None else str(thread)


def _place(config: Mapping[str, Any]) -> str:
    """The task that runs: made of the checkpoint's random id, so the same after a kill and a resume."""
    return config.get("configurable", {}).get("checkpoint_ns") or str(uuid4())


def _suspends(config: Mapping[str, Any], message: AIMessage | None) -> bool:
    """A task is run again as a whole: one that holds other calls would run those twice."""
    path = config.get("metadata", {}).get("langgraph_path") or ("",)
    alone = path[0] == OWN_TASK or message is None or len(message.tool_calls) == 1
    return alone and bool(config.get("configurable", {}).get(CHECKPOINTER))


def _message(state: Any, call_id: str | None) -> AIMessage | None:
    """The model's latest message, where it made this call; whatever the graph calls its messages."""
    for messages in _lists(state):
        last = next((found for found in reversed(messages) if isinstance(found, AIMessage)), None)
        if last is not None and any(made["id"] == call_id for made in last.tool_calls):
            return last
    return None


def _lists(state: Any) -> Iterator[Sequence[Any]]:
    if isinstance(state, list):
        yield state
        return
    fields = state if isinstance(state, Mapping) else getattr(state, "__dict__", {})
    yield from (value for value in fields.values() if isinstance(value, list))


def _said(message: AIMessage | None) -> str:
    """What the model said with its calls; no reasoning, no images."""
    content = message.content if message else ""
    blocks = content if isinstance(content, list) else [content]
    texts = [
        block if isinstance(block, str) else str(block.get("text") or "")
        for block in blocks
        if isinstance(block, str) or block.get("type") == "text"
    ]
    return "".join(texts).strip()
