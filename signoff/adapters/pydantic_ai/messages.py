"""A call among the messages of its run: what names it, what its model is told."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import replace
from typing import Any
from uuid import uuid4

from pydantic_ai.exceptions import CallDeferred, ToolFailed, ToolFailedError, ToolRetryError
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturn
from pydantic_ai.tools import RunContext, ToolDefinition

from signoff.adapters import texts
from signoff.adapters.calls import Call, Go
from signoff.adapters.pydantic_ai.arguments import payload
from signoff.errors import SignoffError

log = logging.getLogger("signoff")

METADATA = "signoff"
"""Under this name stands what Signoff says of a call, in `DeferredToolRequests.metadata[tool_call_id]`."""
MAX_RUN = 100


def asked(ctx: RunContext[Any], call: ToolCallPart, tool_def: ToolDefinition, args: dict[str, Any]) -> Call:
    """One call as it is asked about; raises ToolFailed where nobody could be shown what would run."""
    response = _response(ctx.messages, call)
    said = [part.content for part in response.parts if isinstance(part, TextPart)] if response else []
    return Call(
        call.tool_name,
        payload(ctx, call, tool_def, args),
        key=_key(ctx, call, response),
        run=(ctx.conversation_id or ctx.run_id or "")[:MAX_RUN] or None,
        reason="\n".join(said).strip(),
        schema=tool_def.parameters_json_schema,
    )


def _response(messages: Sequence[ModelMessage], call: ToolCallPart) -> ModelResponse | None:
    """The model's message that a call stands in; None of a call that a tool made."""
    for message in reversed(messages):
        if isinstance(message, ModelResponse) and any(
            part.tool_call_id == call.tool_call_id for part in message.tool_calls
        ):
            return message
    return None


def is_models(ctx: RunContext[Any], call: ToolCallPart) -> bool:
    """Whether the model made it, and not a tool."""
    return _response(ctx.messages, call) is not None


def _key(ctx: RunContext[Any], call: ToolCallPart, response: ModelResponse | None) -> str:
    """Names a call, the same after a kill and a resume: providers repeat the ids of calls, so the run and the
    moment of the model's message stand in it, as the stored history has them; or as a suspended run kept it.
    """
    stored = metadata(ctx).get(METADATA)
    if isinstance(stored, dict) and isinstance(stored.get("key"), str):
        return str(stored["key"])
    if response is None:
        return f"{ctx.run_id or uuid4()}:{ctx.run_step}:{call.tool_call_id}"
    run = response.run_id or ctx.conversation_id or uuid4()
    message = f"{response.timestamp.isoformat()}:{response.provider_response_id or ''}"
    return f"{run}:{message}:{call.tool_call_id}"


def metadata(ctx: RunContext[Any]) -> dict[str, Any]:
    """What was given with the results that a run goes on with."""
    found = ctx.tool_call_metadata
    return found if isinstance(found, dict) else {}


def failure(name: str, error: Exception) -> ToolFailed:
    """A fault of ours, before the tool has run: so it does not."""
    log.error("%s was not run, as Signoff's adapter failed", name, exc_info=error)
    return ToolFailed(texts.stopped(name, SignoffError(type(error).__name__)))


def hand_over(ctx: RunContext[Any], call: ToolCallPart, go: Go, error: CallDeferred) -> None:
    """Whoever runs a call elsewhere is given what was approved, and the receipt to check it by."""
    assert go.receipt is not None
    response = _response(ctx.messages, call)
    for part in response.tool_calls if response else ():
        if part.tool_call_id == call.tool_call_id:
            part.args = go.args
    call.args = go.args
    said = {"id": go.receipt.id, "receipt": go.receipt.token, "payload": go.args, "told": go.told}
    error.metadata = {**(error.metadata or {}), METADATA: said}


@contextmanager
def kept(call: ToolCallPart) -> Iterator[None]:
    """What has run is not lost by a fault of ours in telling of it: that is logged, and no more."""
    try:
        yield
    except Exception as error:
        log.error("the model was not told of %s who changed what", call.tool_name, exc_info=error)


def told(result: Any, call: ToolCallPart, go: Go | None) -> Any:
    """The tool's result, with what the model is told beside it."""
    note = go.told if go else ""
    if not note:
        return result
    if isinstance(result, str):
        return f"{result}\n\n{note}"
    returned = result if isinstance(result, ToolReturn) else ToolReturn(return_value=result)
    if isinstance(returned.return_value, str):
        return replace(returned, return_value=f"{returned.return_value}\n\n{note}")
    content = returned.content
    before = [content] if isinstance(content, str) else list(content or ())
    return replace(returned, content=[*before, f"About {call.tool_name}: {note}"])


def tell(error: ToolFailedError | ToolRetryError, go: Go | None) -> None:
    """A tool that failed has failed with what a person changed: its model has to know."""
    part = error.tool_failed if isinstance(error, ToolFailedError) else error.tool_retry
    if go and go.told and isinstance(part.content, str):
        part.content = f"{part.content}\n\n{go.told}"
