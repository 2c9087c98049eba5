"""Microsoft Agent Framework: the recipe's middleware, with a model that is played."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping, Sequence
from typing import Annotated, Any

import pytest
from adapters.recipes.recipe import recipe
from agent_framework import (
    Agent,
    BaseChatClient,
    ChatResponse,
    Content,
    FunctionInvocationLayer,
    Message,
    tool,
)
from pydantic import AfterValidator

from signoff.testing import Approvals


class Played(FunctionInvocationLayer[Any], BaseChatClient[Any]):
    """Refunds what `amounts` says, all at once; then says what it was told."""

    def __init__(self, amounts: Sequence[int]) -> None:
        super().__init__()
        self.amounts = amounts

    async def _inner_get_response(
        self, *, messages: Sequence[Message], stream: bool, options: Mapping[str, Any], **more: Any
    ) -> ChatResponse:
        told = [part for part in messages[-1].contents if part.type == "function_result"]
        parts = [str([part.result for part in told])] if told else [
            Content.from_function_call(f"c{amount}", "refund", arguments={"amount": amount})
            for amount in self.amounts
        ]  # fmt: skip
        return ChatResponse(messages=[Message(role="assistant", contents=parts)])


def _odd_only(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("Not odd.")
    return value


def an_agent(ran: list[int], *amounts: int) -> Agent[Any]:
    @tool(approval_mode="never_require")
    def refund(amount: Annotated[int, AfterValidator(_odd_only)], currency: str = "EUR") -> str:
        """Pay money back."""
        ran.append(amount)
        return f"refunded {amount}"

    names = recipe("Microsoft Agent Framework")
    return Agent(Played(amounts), middleware=[names["SignoffMiddleware"](names["calls"])], tools=[refund])


def test_what_is_approved_runs_and_the_model_is_told(signoff_approvals: Approvals) -> None:
    ran: list[int] = []

    async def run() -> str:
        agent = an_agent(ran, 51, 61, 71, 81)
        working = asyncio.create_task(agent.run("Refund it.", session=agent.create_session()))
        await signoff_approvals.wait_for_async(requests=4)  # they wait together
        by_amount = {request.payload["amount"]: request for request in signoff_approvals.requests}
        signoff_approvals.edit(by_amount[51], {"amount": 21}, by="Ana")
        signoff_approvals.edit(by_amount[71], {"amount": 70}, by="Ana")  # what the tool does not take
        signoff_approvals.reject(by_amount[61], "Not that one.")
        signoff_approvals.approve()
        return (await working).text

    signoff_approvals.hold()
    text = asyncio.run(run())
    assert sorted(ran) == [21, 81]
    assert "is now 21" in text and "Not that one." in text and "Error" in text
    assert sorted(outcome.succeeded for outcome in signoff_approvals.outcomes.values()) == [False, True, True]
    assert signoff_approvals.requests[0].payload == {"amount": 51, "currency": "EUR"}
    assert len({request.key for request in signoff_approvals.requests}) == 4


def test_a_cancelled_run_withdraws_and_never_runs(signoff_approvals: Approvals) -> None:
    ran: list[int] = []

    async def run() -> None:
        working = asyncio.create_task(an_agent(ran, 51).run("Refund it."))
        await signoff_approvals.wait_for_async(requests=1)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        await signoff_approvals.wait_for_async(withdrawn=1)
        signoff_approvals.approve()

    signoff_approvals.hold()
    asyncio.run(run())
    assert ran == []
