"""The Agent Approval Protocol's adapter for Pydantic AI, unchanged: only what is approved runs."""

from __future__ import annotations

import asyncio
from typing import Any

from agentapprovalprotocol.pydantic_ai import ApprovalCapability, pending_request_ids, resumer
from pydantic_ai import Agent, DeferredToolRequests
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from web.conftest import Door
from web.test_aap import waiting
from web.test_authzen import ONE


def _model(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
    """Two refunds; then what became of them."""
    ended = [part for part in messages[-1].parts if part.part_kind in ("tool-return", "retry-prompt")]
    if ended:
        return ModelResponse(parts=[TextPart("; ".join(str(part.content) for part in ended))])
    calls = [ToolCallPart("refund", {"amount": amount}, tool_call_id=f"c-{amount}") for amount in (50, 500)]
    return ModelResponse(parts=[TextPart("I refund."), *calls])


@ONE
def test_an_agent_of_pydantic_ai_pauses_and_runs_what_was_approved(door: Door) -> None:
    ran, kept = list[int](), dict[str, Any]()
    approvals = ApprovalCapability(f"{door.url}/aap", door.token, mode="async")
    agent = Agent(FunctionModel(_model), output_type=[str, DeferredToolRequests], capabilities=[approvals])

    @agent.tool_plain
    def refund(amount: int) -> str:
        ran.append(amount)
        return f"refunded {amount}"

    async def scenario() -> Any:
        paused = await agent.run("Refund both.")
        assert isinstance(paused.output, DeferredToolRequests) and ran == []
        ids = pending_request_ids(paused.output)
        for approval_id in waiting(door):
            approval = door.core.approvals.get(approval_id)
            vote: Any = "approve" if approval.payload["amount"] == 50 else "reject"
            door.core.approvals.decide(approval_id, 1, "U0ANA", vote)
        resume = resumer(agent, load=lambda _: paused.conversation, save=lambda found: kept.update(it=found))
        handle = {"framework": "pydantic-ai", "conversation_id": paused.conversation.conversation_id}
        await resume(handle, await approvals.gate.client.get(ids["c-50"]))
        await approvals.gate.client._http.aclose()
        return ids

    ids = asyncio.run(scenario())
    assert ran == [50]
    said = str(kept["it"])
    assert "refunded 50" in said and "denied this call" in said and "refunded 500" not in said
    assert door.core.store.find("billing-bot", ids["c-50"]).outcome.succeeded
