"""An MCP server of FastMCP whose refunds people decide about, for any MCP client.

signoff demo                           # or any other server
python examples/fastmcp_server.py      # on standard input and output
python examples/fastmcp_server.py try  # with a client of its own, in this process
"""

from __future__ import annotations

import asyncio
import sys

from fastmcp import Client, FastMCP

from signoff import Signoff
from signoff.adapters.fastmcp import SignoffMiddleware

ORDERS = {"A-1": 120, "B-2": 40}
shop: FastMCP = FastMCP("shop")
shop.add_middleware(SignoffMiddleware(Signoff(), ["refund"], reversible=False, tags=["money"]))


@shop.tool
def look_up(order: str) -> int:
    """What an order costs."""
    return ORDERS[order]


@shop.tool
def refund(order: str, amount: int) -> str:
    """Pay money back."""
    return f"refunded {amount} for {order}"


async def call_both() -> None:
    """What a model would do: look an order up, and refund it."""
    async with Client(shop) as client:
        cost = (await client.call_tool("look_up", {"order": "A-1"})).data
        asked = {"order": "A-1", "amount": cost}
        result = await client.call_tool("refund", asked, raise_on_error=False)
        print("\n".join(getattr(block, "text", "") for block in result.content))


if __name__ == "__main__":
    if sys.argv[1:] == ["try"]:
        asyncio.run(call_both())
    else:
        shop.run(show_banner=False)
