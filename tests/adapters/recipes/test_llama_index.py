"""LlamaIndex: the recipe's agent, with a model that is played."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from adapters.recipes.recipe import recipe
from llama_index.core.base.llms.types import ChatMessage, ToolCallBlock
from llama_index.core.llms.mock import MockFunctionCallingLLM
from llama_index.core.tools import FunctionTool

from signoff.testing import Approvals


def played(*amounts: int) -> MockFunctionCallingLLM:
    """Refunds the amounts, all at once; then says what it was told."""

    def answer(messages: Any, **_: Any) -> ChatMessage:
        told = [str(message.content) for message in messages if message.role == "tool"]
        if told:
            return ChatMessage(role="assistant", content="\n".join(told))
        asked = [
            ToolCallBlock(tool_call_id=f"c{amount}", tool_name="refund", tool_kwargs={"amount": amount})
            for amount in amounts
        ]
        return ChatMessage(role="assistant", blocks=asked)

    return MockFunctionCallingLLM(response_generator=answer)


def an_agent(ran: list[tuple[int, str]], *amounts: int) -> Any:
    def refund(amount: int, currency: str = "EUR") -> str:
        """Pay money back."""
        ran.append((amount, currency))
        return f"refunded {amount}"

    names = recipe("LlamaIndex")
    tools = [FunctionTool.from_defaults(refund)]
    return names["GatedAgent"](tools=tools, llm=played(*amounts), calls=names["calls"], streaming=False)


def test_what_is_approved_runs_and_the_model_is_told(signoff_approvals: Approvals) -> None:
    ran: list[tuple[int, str]] = []

    async def run() -> str:
        working = asyncio.ensure_future(_of(an_agent(ran, 51, 61, 71)))
        await signoff_approvals.wait_for_async(requests=3)  # they wait together
        by_amount = {request.payload["amount"]: request for request in signoff_approvals.requests}
        signoff_approvals.edit(by_amount[51], {"amount": 21}, by="Ana")
        signoff_approvals.reject(by_amount[61], "Not that one.")
        signoff_approvals.approve(by_amount[71])
        return await working

    signoff_approvals.hold()
    text = asyncio.run(run())
    assert sorted(ran) == [(21, "EUR"), (71, "EUR")]
    assert "is now 21" in text and "Not that one." in text
    assert signoff_approvals.requests[0].payload.get("currency") == "EUR"
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] == [True, True]


def test_a_cancelled_run_withdraws_and_never_runs(signoff_approvals: Approvals) -> None:
    ran: list[tuple[int, str]] = []

    async def run() -> None:
        handler = an_agent(ran, 51).run("Refund it.")
        await signoff_approvals.wait_for_async(requests=1)
        await handler.cancel_run()
        await signoff_approvals.wait_for_async(withdrawn=1)
        signoff_approvals.approve()
        with pytest.raises(BaseException):  # noqa: B017
            await handler

    signoff_approvals.hold()
    asyncio.run(run())
    assert ran == []


async def _of(agent: Any) -> str:
    return str(await agent.run("Refund it."))
