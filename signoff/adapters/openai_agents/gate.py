"""Which tools of an agent get the gate: its own, its MCP servers', those of agents that it hands off to."""

from __future__ import annotations

import copy
import weakref
from collections.abc import Iterable
from typing import Any, TypeVar, Unpack, overload

from agents import Agent, FunctionTool, Handoff, Tool
from agents.run_context import RunContextWrapper

from signoff.adapters.calls import Calls
from signoff.adapters.openai_agents.tool import GatedTool
from signoff.adapters.tools import Claims, Tools
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff

T = TypeVar("T")


@overload
def gated(
    tools_of: FunctionTool, client: Signoff | AsyncSignoff, tools: Tools = None, *,
    wait: float | None = None, suspend_after: float | None = None, **claims: Unpack[Claims],
) -> FunctionTool: ...  # fmt: skip
@overload
def gated(
    tools_of: Agent[T], client: Signoff | AsyncSignoff, tools: Tools = None, *,
    wait: float | None = None, suspend_after: float | None = None, **claims: Unpack[Claims],
) -> Agent[T]: ...  # fmt: skip
@overload
def gated(
    tools_of: Iterable[Tool], client: Signoff | AsyncSignoff, tools: Tools = None, *,
    wait: float | None = None, suspend_after: float | None = None, **claims: Unpack[Claims],
) -> list[Tool]: ...  # fmt: skip
def gated(
    tools_of: Any,
    client: Signoff | AsyncSignoff,
    tools: Tools = None,
    *,
    wait: float | None = None,
    suspend_after: float | None = None,
    **claims: Unpack[Claims],
) -> Any:
    """A tool, a list of tools, or an agent, as a copy whose calls are asked about first.

    Of an agent: its tools, those of its MCP servers, and those of the agents that it hands off to. `tools`
    says which (all, if not said), and `claims` what is said of each: see `signoff.adapters.tools.Tools`.
    After `wait` seconds a request is withdrawn. With `suspend_after` the run is interrupted after so many
    seconds, and can be kept as text and gone on with in another process: see `run`.

    Raises TypeError for a tool that is to be gated and cannot be, as it does not run here (web search, hosted
    MCP, …) or has no arguments to show (shell, computer): name those that are to be gated. And for a name in
    `tools` that no tool has, of a list or of an agent without MCP servers; else that is logged.
    """
    gate = _Gate(Calls(client, tools, framework="openai-agents", wait=wait, **claims), suspend_after)
    if isinstance(tools_of, Agent):
        made: Any = gate.agent(tools_of)
        gate.check(complete=True)
    elif isinstance(tools_of, Iterable):
        made = [gate.tool(tool) for tool in tools_of]
        gate.check(complete=True)
    else:
        made = gate.tool(tools_of)
        gate.check(complete=False)
    return made


class _Gate:
    """Puts the gate into the tools of agents; each agent once, since handoffs go in circles."""

    def __init__(self, calls: Calls, suspend_after: float | None) -> None:
        self.calls = calls
        self.suspend_after = suspend_after
        self._made: dict[int, tuple[Agent[Any], Agent[Any]]] = {}
        self._names: set[str] = set()
        self._unlisted: set[int] = set()
        """Agents whose MCP servers have not said their tools, and handoffs that have not said their agent."""

    def check(self, *, complete: bool) -> None:
        """Say which names in `tools` no tool has, once all tools are known."""
        if not self._unlisted:
            self.calls.known(self._names, complete=complete)

    def listed(self, agent: Agent[Any], tools: Iterable[Tool]) -> list[Tool]:
        """The tools of an agent's MCP servers, gated."""
        made = [self.tool(tool) for tool in tools]
        self._unlisted.discard(id(agent))
        self.check(complete=False)
        return made

    def agent(self, agent: Agent[Any]) -> Agent[Any]:
        if id(agent) in self._made:
            return self._made[id(agent)][1]
        made = copy.copy(agent)
        made.__class__ = _with_gated_servers(type(agent), self)
        self._made[id(agent)] = (agent, made)
        if agent.mcp_servers:
            self._unlisted.add(id(made))
        made.tools = [self.tool(tool) for tool in agent.tools]
        made.handoffs = [
            self.agent(other) if isinstance(other, Agent) else self.handoff(other) for other in agent.handoffs
        ]
        return made

    def handoff(self, handoff: Handoff[Any, Any]) -> Handoff[Any, Any]:
        made, invoke = copy.copy(handoff), handoff.on_invoke_handoff
        reference = getattr(handoff, "_agent_ref", None)
        known = reference() if reference else None
        if isinstance(known, Agent):
            made._agent_ref = weakref.ref(self.agent(known))
        else:
            self._unlisted.add(id(made))

        async def invoke_gated(context: RunContextWrapper[Any], input: str) -> Any:
            return self.agent(await invoke(context, input))

        made.on_invoke_handoff = invoke_gated
        return made

    def tool(self, tool: Tool) -> Any:
        name = tool.qualified_name if isinstance(tool, FunctionTool) else getattr(tool, "name", "")
        self._names.add(name)
        if not self.calls.gates(name):
            return tool
        if not isinstance(tool, FunctionTool):
            raise TypeError(
                f"{name or type(tool).__name__} ({type(tool).__name__}) cannot be gated: it does not run "
                "here, or has no arguments to show. Name the tools that are to be gated: tools=[…]."
            )
        if isinstance(tool.on_invoke_tool, GatedTool):
            return tool
        if getattr(tool, "output_json_schema", None) is not None:
            raise TypeError(f"{name} cannot be gated: its output has a schema, where no reason has a place.")
        made = copy.copy(tool)
        gate = made.on_invoke_tool = GatedTool(tool, self.calls, self.suspend_after)
        is_asked = self.suspend_after is not None or tool.needs_approval is not False
        made.needs_approval = gate.asks if is_asked else False
        made.timeout_seconds = None  # the tool's own time begins once it may run
        return made


def _with_gated_servers(kind: type[Agent[Any]], gate: _Gate) -> type[Agent[Any]]:
    """An agent's class, whose MCP servers' tools are gated as they are listed."""

    class Gated(kind):  # type: ignore[misc, valid-type]
        async def get_mcp_tools(self, run_context: RunContextWrapper[Any]) -> list[Tool]:
            return gate.listed(self, await super().get_mcp_tools(run_context))

    Gated.__name__ = Gated.__qualname__ = kind.__name__
    return Gated
