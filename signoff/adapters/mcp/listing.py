"""What a server says of itself and its tools, and what of it cannot be trusted to mean one thing."""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

from signoff.adapters.mcp.messages import Message
from signoff.errors import Invalid
from signoff.models.tool_calls import action_of, folded
from signoff.payload.canonical import canonical, digest

SERVER_KEY = "io.modelcontextprotocol/serverInfo"
"""In the `_meta` of every result, from protocol 2026-07-28 on."""
MAX_NAME = 40
UNNAMED = "mcp"

CHANGED = (
    "was not run: the server has changed this tool since you were told of it. List the tools again, and call "
    "it anew if it is still needed."
)
GONE = "was not run: the server has no tool of this name now. List the tools again."
AMBIGUOUS = (
    "was not run: the server has several tools that people could not tell from this one. Do not try another "
    "way: tell whoever you work for."
)


def server_name(text: str) -> str:
    """A server's name as the first part of an action: without what parts names, so `a.b` is not `a`."""
    return re.sub("__+", "_", re.sub(r"[^A-Za-z0-9_-]+", "-", text)).strip("-_")[:MAX_NAME] or UNNAMED


def said_name(result: Mapping[str, Any]) -> str | None:
    """What a server calls itself in the result of `initialize`, or of anything in newer protocols."""
    meta = result.get("_meta")
    info = result.get("serverInfo") or (meta.get(SERVER_KEY) if isinstance(meta, dict) else None)
    name = info.get("name") if isinstance(info, dict) else None
    return server_name(name) if isinstance(name, str) else None


def shape(tool: Mapping[str, Any]) -> str:
    """What of a tool may not change between what a model was told, what people saw, and the call."""
    told = {name: tool.get(name) for name in ("title", "description", "inputSchema", "annotations")}
    try:
        return digest(canonical(told))
    except Invalid:  # a number that loses digits, say
        return digest(repr(told))


def tools_of(result: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    """The tools of one page of tools/list."""
    found = result.get("tools")
    tools = found if isinstance(found, list) else []
    return [tool for tool in tools if isinstance(tool, dict) and isinstance(tool.get("name"), str)]


@dataclass(frozen=True)
class Listing:
    """A server's tools at one moment."""

    server: str
    tools: tuple[Mapping[str, Any], ...]

    def find(self, name: str) -> Mapping[str, Any] | None:
        """The tool of just this name."""
        return next((tool for tool in self.tools if tool["name"] == name), None)

    def action(self, name: str) -> str:
        """What a tool's action is called: `<server>.<tool>`, as where Claude Code's hook asks about it."""
        return action_of(f"mcp__{self.server}__{name}")

    def fault(self, name: str, told: Told) -> str | None:
        """Why a call of this tool cannot be asked about or run; None where it can."""
        tool = self.find(name)
        if tool is None:
            return GONE
        actions = Counter(folded(self.action(tool["name"])) for tool in self.tools)
        if actions[folded(self.action(name))] > 1:  # rules pass over case
            return AMBIGUOUS
        return CHANGED if told.differs(tool) else None


@dataclass
class Told:
    """What the client was told of the tools, page by page: the model goes by that."""

    shapes: dict[str, str] = field(default_factory=dict)
    seen: bool = False

    def page(self, request: Message, result: Mapping[str, Any]) -> None:
        """Note the response to a client's tools/list."""
        params = request.get("params")
        if not (isinstance(params, dict) and params.get("cursor")):
            self.shapes = {}
        self.seen = True
        self.shapes.update({tool["name"]: shape(tool) for tool in tools_of(result)})

    def differs(self, tool: Mapping[str, Any]) -> bool:
        """Whether the client was told otherwise; of a tool that it never listed it was told nothing."""
        told = self.shapes.get(tool["name"])
        return told is not None and told != shape(tool)


def claims(
    tool: Mapping[str, Any], server: str, action: str, others: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """What is said with a request, by the tool's own annotations: claims, and shown as such.

    `others` are what its call gives the server beside the arguments: people see them.
    """
    hints = tool.get("annotations")
    hints = hints if isinstance(hints, dict) else {}
    reversible: object = False
    if hints.get("readOnlyHint") is True:
        reversible = True
    elif hints.get("destructiveHint") is False:
        reversible = "costly"
    said: dict[str, Any] = {"action": action, "reversible": reversible}
    if action != f"{server}.{tool['name']}":
        said["context"] = {"server": server, "tool": tool["name"]}
    if others:
        said["context"] = {**said.get("context", {}), "other_parameters": dict(others)}
    return said
