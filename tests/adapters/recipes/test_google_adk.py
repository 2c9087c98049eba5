"""Google ADK: the recipe's plugin, with a model that is played."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator
from typing import Any

import pytest
from adapters.recipes.recipe import recipe
from google.adk.agents import LlmAgent
from google.adk.apps import App
from google.adk.models import BaseLlm, LlmRequest, LlmResponse
from google.adk.runners import InMemoryRunner
from google.genai import types

from signoff.testing import Approvals


class Played(BaseLlm):
    """Refunds what `amounts` says, all at once; then says what it was told."""

    amounts: list[Any] = []  # noqa: RUF012

    async def generate_content_async(
        self, llm_request: LlmRequest, stream: bool = False
    ) -> AsyncGenerator[LlmResponse, None]:
        last = llm_request.contents[-1].parts or []
        told = [part.function_response.response for part in last if part.function_response]
        parts = [types.Part(text=str(told))] if told else [
            types.Part(
                function_call=types.FunctionCall(id=f"c{amount}", name="refund", args={"amount": amount})
            )
            for amount in self.amounts
        ]  # fmt: skip
        yield LlmResponse(content=types.Content(role="model", parts=parts))


def runner(ran: list[int], *amounts: Any) -> InMemoryRunner:
    def refund(amount: int) -> dict[str, Any]:
        if amount > 100:
            raise LookupError("The bank is closed.")
        ran.append(amount)
        return {"refunded": amount}

    names = recipe("Google ADK")
    plugin = names["SignoffPlugin"](names["calls"])
    agent = LlmAgent(name="support", model=Played(model="played", amounts=list(amounts)), tools=[refund])
    return InMemoryRunner(app=App(name="shop", root_agent=agent, plugins=[plugin]))


async def said(made: InMemoryRunner) -> str:
    session = await made.session_service.create_session(app_name="shop", user_id="u1")
    message = types.Content(role="user", parts=[types.Part(text="Refund it.")])
    events = [e async for e in made.run_async(user_id="u1", session_id=session.id, new_message=message)]
    return str(events[-1].content)


def test_what_is_approved_runs_and_the_model_is_told(signoff_approvals: Approvals) -> None:
    ran: list[int] = []

    async def run() -> str:
        working = asyncio.create_task(said(runner(ran, 50, 60, 70)))
        await signoff_approvals.wait_for_async(requests=3)  # they wait together, and hold up no loop
        assert all(
            list(request.json_schema["properties"]) == ["amount"] for request in signoff_approvals.requests
        )
        by_amount = {request.payload["amount"]: request for request in signoff_approvals.requests}
        signoff_approvals.edit(by_amount[50], {"amount": 20}, by="Ana")
        signoff_approvals.reject(by_amount[60], "Not that one.")
        signoff_approvals.approve()
        return await working

    signoff_approvals.hold()
    text = asyncio.run(run())
    assert sorted(ran) == [20, 70]
    assert "is now 20" in text and "Not that one." in text and "'error'" in text
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] == [True, True]


def test_a_cancelled_run_withdraws_and_a_failed_tool_is_reported(signoff_approvals: Approvals) -> None:
    ran: list[int] = []

    async def run() -> None:
        working = asyncio.create_task(said(runner(ran, 50)))
        await signoff_approvals.wait_for_async(requests=1)
        working.cancel()
        with pytest.raises(asyncio.CancelledError):
            await working
        await signoff_approvals.wait_for_async(withdrawn=1)
        signoff_approvals.approve()
        with pytest.raises(LookupError):
            await said(runner(ran, 500))

    signoff_approvals.hold()
    asyncio.run(run())
    assert ran == [] and [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] == [False]
