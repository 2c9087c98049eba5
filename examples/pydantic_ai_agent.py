"""A support agent of Pydantic AI whose refunds people decide about; its model is played, without a network.

signoff demo                                   # or any other server
python examples/pydantic_ai_agent.py           # waits for you
python examples/pydantic_ai_agent.py run.json  # ends after 20 s and keeps the run there; again goes on
"""

from __future__ import annotations

import sys
from pathlib import Path

from pydantic import TypeAdapter
from pydantic_ai import Agent, DeferredToolRequests
from pydantic_ai.messages import (
    ModelMessage,
    ModelResponse,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel

from signoff import Signoff
from signoff.adapters.pydantic_ai import SignoffCapability, results

KEPT = TypeAdapter(tuple[list[ModelMessage], DeferredToolRequests])
ORDERS = {"A-1": 120, "B-2": 40}


def play(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    """What a model would do: look both orders up, refund them, and say what it was told."""
    told = [part for message in messages for part in message.parts if isinstance(part, ToolReturnPart)]
    if not told:
        looks = [ToolCallPart("look_up", {"order": order}, tool_call_id=f"look-{order}") for order in ORDERS]
        return ModelResponse(parts=[TextPart("I look at the orders."), *looks])
    if len(told) == len(ORDERS):
        refunds = [
            ToolCallPart("refund", {"order": order, "amount": amount}, tool_call_id=f"refund-{order}")
            for order, amount in ORDERS.items()
        ]
        return ModelResponse(parts=[TextPart("Both parcels were lost on the way."), *refunds])
    return ModelResponse(parts=[TextPart("\n".join(str(part.content) for part in told[len(ORDERS) :]))])


def an_agent(suspend_after: float | None) -> Agent[None, str | DeferredToolRequests]:
    """Whose refunds are gated; to look an order up needs nobody."""
    gate = SignoffCapability(
        Signoff(), ["refund"], suspend_after=suspend_after, reversible=False, tags=["money"]
    )
    agent = Agent(FunctionModel(play), output_type=[str, DeferredToolRequests], capabilities=[gate])

    @agent.tool_plain
    async def look_up(order: str) -> int:
        """What an order costs."""
        return ORDERS[order]

    @agent.tool_plain
    def refund(order: str, amount: int) -> str:
        """Pay money back."""
        print(f"The bank refunds {amount} for {order}.")
        return f"{order}: refunded {amount}"

    return agent


def main(kept: Path | None, suspend_after: float = 20.0) -> None:
    """One run, or what is left of the one that is kept."""
    agent = an_agent(suspend_after if kept else None)
    if kept and kept.exists():
        messages, requests = KEPT.validate_json(kept.read_bytes())
        result = agent.run_sync(message_history=messages, deferred_tool_results=results(requests))
    else:
        result = agent.run_sync("The parcels of A-1 and B-2 are lost.")
    if isinstance(result.output, DeferredToolRequests) and kept:
        kept.write_bytes(KEPT.dump_json((result.all_messages(), result.output)))
        print(f"Nobody has decided yet about {len(result.output.approvals)}: start me again later.")
        return
    if kept:
        kept.unlink(missing_ok=True)
    print(result.output)


if __name__ == "__main__":
    main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)
