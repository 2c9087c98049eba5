"""A call's arguments: as people are shown them, and as the tool takes what was approved."""

from __future__ import annotations

import inspect
from collections.abc import Mapping
from contextlib import suppress
from typing import Any

from pydantic import ValidationError
from pydantic_ai.exceptions import ModelRetry, ToolFailed
from pydantic_ai.messages import ToolCallPart
from pydantic_ai.tools import RunContext, ToolDefinition
from pydantic_ai.toolsets.abstract import ToolsetTool
from pydantic_core import from_json, to_json

from signoff.adapters import texts
from signoff.adapters.arguments import filled
from signoff.adapters.calls import Go
from signoff.errors import Invalid, SignoffError

NO_JSON = "Its arguments do not survive the way through JSON, so nobody can be shown what would run."


def payload(
    ctx: RunContext[Any], call: ToolCallPart, tool_def: ToolDefinition, args: dict[str, Any]
) -> dict[str, Any]:
    """What people are shown: JSON of which the tool's own validator makes just these arguments.

    That is the arguments as JSON, or, where their classes hide something from it, what the model wrote.
    Raises ToolFailed where it is neither.
    """
    written: dict[str, Any] = {}
    with suppress(ValueError):
        written = call.args_as_dict()
    # What is None and was not written may be a default that its own annotation refuses: `note: str = None`.
    said = {name: value for name, value in args.items() if value is not None or name in written}
    # Where a tool takes one model alone, the model's fields are its arguments. Of what the model wrote there
    # may be names that the tool drops: nobody is to be shown those.
    for given, closed in (
        (lambda: from_json(to_json(said)), False),
        (lambda: from_json(to_json(*said.values())), False),
        (lambda: written, True),
    ):
        with suppress(Exception):  # a value of the tool's, or the model's: whatever its own methods raise
            shown: dict[str, Any] = filled(given(), tool_def.parameters_json_schema, closed=closed)
            made = _validated(ctx, call, shown)
            if all(name in made and made[name] == value for name, value in args.items()):
                return shown
    raise ToolFailed(texts.stopped(call.tool_name, Invalid(NO_JSON)))


async def as_approved(ctx: RunContext[Any], call: ToolCallPart, go: Go) -> dict[str, Any]:
    """What was approved, as the tool takes it; raises ToolFailed where an edit does not fit the tool."""
    try:
        made = _validated(ctx, call, go.args)
        check = _tool(ctx, call).args_validator_func
        if check and go.receipt and go.receipt.edited:
            checked = check(ctx, **made)
            if inspect.isawaitable(checked):
                await checked
        return made
    except Exception as error:
        raise ToolFailed(_misfit(call, go, error)) from None


def as_text(args: Mapping[str, Any]) -> bytes:
    """Arguments as JSON, to compare; what JSON cannot hold stands as nothing."""
    return to_json(args, inf_nan_mode="constants", serialize_unknown=True)


def _validated(ctx: RunContext[Any], call: ToolCallPart, value: Mapping[str, Any]) -> dict[str, Any]:
    """The arguments that the tool's own validator makes of a payload; raises ValidationError."""
    text = to_json(value, inf_nan_mode="constants")
    made = _tool(ctx, call).args_validator.validate_json(text, context=ctx.validation_context)
    return dict(made)


def _tool(ctx: RunContext[Any], call: ToolCallPart) -> ToolsetTool[Any]:
    tools = ctx.tool_manager.tools if ctx.tool_manager else None
    if not tools or call.tool_name not in tools:
        raise ToolFailed(texts.stopped(call.tool_name, SignoffError("The tool is not known.")))
    return tools[call.tool_name]


def _misfit(call: ToolCallPart, go: Go, error: Exception) -> str:
    who = go.receipt.decided_by.name if go.receipt and go.receipt.decided_by else "a person"
    if isinstance(error, ValidationError):
        found = error.errors(include_url=False, include_context=False, include_input=False)
        why = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg']}" for one in found)
    else:
        why = error.message if isinstance(error, ModelRetry | ToolFailed) else type(error).__name__
    return (
        f"{call.tool_name} was not run: {who} approved it with changes that the tool does not take ({why}). "
        "If it is still needed, you may ask again."
    )
