"""A billing agent of the OpenAI Agents SDK whose refunds people decide about; its model is played, offline.

signoff demo                                # or any other server
python examples/openai_agents.py            # waits for you
python examples/openai_agents.py run.json   # ends after 20 s and keeps the run there; again goes on
"""

from __future__ import annotations

import asyncio
import json
import sys
from pathlib import Path
from typing import Any

from agents import Agent, ModelResponse, RunState, Usage, function_tool, set_tracing_disabled
from agents.models.interface import Model
from openai.types.responses import ResponseFunctionToolCall, ResponseOutputMessage, ResponseOutputText

from signoff import Signoff
from signoff.adapters.openai_agents import gated, run

set_tracing_disabled(True)


class Played(Model):
    """What a model would do: refund two orders at once, and say what it was told."""

    async def get_response(
        self, system_instructions: Any, input: Any, *args: Any, **more: Any
    ) -> ModelResponse:
        items = input if isinstance(input, list) else []
        told = [item["output"] for item in items if item.get("type") == "function_call_output"]
        refunds = [{"order": "A-1", "amount": 120}, {"order": "B-2", "amount": 40}]
        text = ResponseOutputText(type="output_text", text="\n".join(map(str, told)), annotations=[])
        said = ResponseOutputMessage(
            id="m1", type="message", role="assistant", status="completed", content=[text]
        )
        asked = [
            ResponseFunctionToolCall(
                type="function_call", name="refund", call_id=f"call_{n}", arguments=json.dumps(refund)
            )
            for n, refund in enumerate(refunds)
        ]
        return ModelResponse(output=[said] if told else [*asked], usage=Usage(), response_id=None)

    def stream_response(self, *args: Any, **more: Any) -> Any:
        raise NotImplementedError("This example does not stream.")


@function_tool
async def refund(order: str, amount: int, currency: str = "EUR") -> str:
    """Give money back."""
    return f"refunded {amount} {currency} of {order}"


async def main(kept: Path | None = None) -> str:
    """What the agent says at last, or where its run is kept."""
    plain = Agent(name="Billing", tools=[refund], model=Played())
    agent = gated(plain, Signoff(), suspend_after=20 if kept else None, reversible=False, tags=["money"])
    is_there = kept is not None and kept.exists()
    task = await RunState.from_string(agent, kept.read_text()) if kept and is_there else "Refund my orders."
    result = await run(agent, task)
    if result.interruptions and kept:
        kept.write_text(result.to_state().to_string())
        return f"Nobody has decided yet. The run is in {kept}."
    if kept and is_there:
        kept.unlink()
    return str(result.final_output)


if __name__ == "__main__":
    print(asyncio.run(main(Path(sys.argv[1]) if len(sys.argv) > 1 else None)))
