"""An MCP server that tells a model in plain words which argument of a tool is at fault."""

from __future__ import annotations

from typing import Any

from mcp.server.mcpserver import MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import ValidationError

from signoff.models.texts import sentence


class PlainServer(MCPServer[Any]):
    """The library's, and no library's words reach a model: neither what it was given, nor an address."""

    async def call_tool(self, name: str, arguments: dict[str, Any], context: Any = None) -> Any:
        """As MCPServer has it; raises ToolError with a sentence for each fault of the arguments."""
        try:
            return await super().call_tool(name, arguments, context)
        except ToolError as error:
            if not isinstance(fault := error.__cause__, ValidationError):
                raise
            faults = fault.errors(include_url=False, include_context=False)[:5]
            raise ToolError(f"{name} was not called. " + " ".join(map(sentence, faults))) from None
