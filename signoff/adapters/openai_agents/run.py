"""Runs of gated agents, also such as are suspended and gone on with in another process."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from agents import Agent, FunctionTool, Runner, RunResult, RunState, Tool
from agents.items import ToolApprovalItem
from agents.result import RunResultBase
from agents.run_context import RunContextWrapper

from signoff.adapters.openai_agents import mark
from signoff.adapters.openai_agents.tool import GatedTool

MANAGED = ("conversation_id", "previous_response_id", "auto_previous_response_id")
"""Options of a run that its state has itself."""


async def run(agent: Agent[Any], input: Any, *, context: Any = None, **options: Any) -> RunResult:
    """`Runner.run`, with all it takes, for an agent whose tools are gated.

    Where the gate suspends and nobody has decided, the result has `interruptions`. Keep
    `result.to_state().to_string()`; later, in any process, `RunState.from_string` makes a state of it again,
    which is the `input` here: it goes on with what was decided meanwhile, on the same cards.
    """
    is_new = not isinstance(input, RunState)
    own = mark.begin(context, options) if is_new else input._context
    with mark.going_on(own):
        if not is_new:
            await decided(input)
        result = await Runner.run(agent, input, context=own if is_new else context, **options)
        options = {name: given for name, given in options.items() if name not in MANAGED}
        while result.interruptions:
            state = result.to_state()
            if not await _approve(state, only_unasked=True):
                break
            result = await Runner.run(agent, state, **options)
        return result


async def decided(result: RunResultBase | RunState[Any, Any]) -> RunState[Any, Any] | None:
    """A run that was interrupted, as the state to go on with; None where nobody has decided on any call.

    Waits for each call as long as its gate does before it suspends. For who calls the Runner by themselves:

        result = Runner.run_streamed(agent, "…")
        …                                       # its events
        while state := await decided(result):
            result = Runner.run_streamed(agent, state)
            …
    """
    state = result if isinstance(result, RunState) else result.to_state()  # type: ignore[attr-defined]
    return state if await _approve(state) else None


async def _approve(state: RunState[Any, Any], only_unasked: bool = False) -> bool:
    """Let the SDK go on with those calls that our gates have an answer to; whether there were any."""
    items = state.get_interruptions()
    found = await asyncio.gather(
        *(_is_decided(item, _context_of(state, item), only_unasked) for item in items)
    )
    for item, is_decided in zip(items, found, strict=True):
        if is_decided:
            state.approve(item)
    return any(found)


async def _is_decided(item: ToolApprovalItem, context: RunContextWrapper[Any], only_unasked: bool) -> bool:
    gate = await _gate_of(item, context)
    if gate is None:  # another's approval: not for us to give
        return False
    return await gate.is_decided(context, item.call_id or "", item.arguments or "", only_unasked)


def _context_of(state: RunState[Any, Any], item: ToolApprovalItem) -> RunContextWrapper[Any]:
    """The context of the run that an interrupted call is of: an agent that is a tool has its own."""
    owner = state._find_nested_approval_state(item)
    return (owner[0] if owner else state)._context or RunContextWrapper(None)


async def _gate_of(item: ToolApprovalItem, context: RunContextWrapper[Any]) -> GatedTool | None:
    """The gate of the tool that an interrupted call is about."""

    def among(tools: Iterable[Tool]) -> GatedTool | None:
        named = [t for t in tools if isinstance(t, FunctionTool) and t.qualified_name == item.qualified_name]
        gates = [tool.on_invoke_tool for tool in named if isinstance(tool.on_invoke_tool, GatedTool)]
        return gates[0] if gates else None

    agent = item.agent
    if not isinstance(agent, Agent):
        return None
    return among(agent.tools) or (among(await agent.get_mcp_tools(context)) if agent.mcp_servers else None)
