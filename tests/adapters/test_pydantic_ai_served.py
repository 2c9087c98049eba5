"""Pydantic AI, with a real server behind it: rows, receipts and cards are what they should be."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from adapters.pydantic_agents import Ran, an_agent, refunds, returned
from support import Core, eventually, intake_of

from signoff import AsyncSignoff, Signoff


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """This is about the agent's side: one database will do."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


def test_two_calls_of_a_run_are_decided_and_a_cancelled_one_is_withdrawn(core: Core, redis_url: str) -> None:
    ran: Ran = []
    settings = {"redis_url": redis_url, "agent": "billing-bot", "verify_key": core.signer.verify_key}

    def row(amount: int) -> Any:
        found = [core.approvals.get(one) for one in list(core.changed)]
        left = [one for one in found if one.status == "pending" and one.payload["amount"] == amount]
        return left[0] if left else None

    async def run(client: Any) -> None:
        working = asyncio.create_task(an_agent(ran, refunds(120, 50), client=client).run("Refund both."))
        first, second = [await asyncio.to_thread(eventually, lambda a=a: row(a)) for a in (120, 50)]
        core.approvals.decide(first.id, 1, "U0ANA", "approve", payload={"amount": 80, "currency": "EUR"})
        core.approvals.decide(second.id, 1, "U0ANA", "reject", reason="Not that one.")
        told = returned((await working).all_messages())
        assert "is now 80" in str(told["c1"].content) and "Not that one." in str(told["c2"].content)
        assert first.request.run == second.request.run
        done = await asyncio.to_thread(eventually, lambda: core.approvals.get(first.id).outcome)
        assert done.succeeded

        working = asyncio.create_task(an_agent(ran, refunds(7), client=client).run("Refund it."))
        left = await asyncio.to_thread(eventually, lambda: row(7))
        working.cancel()
        await asyncio.wait([working])
        await asyncio.to_thread(eventually, lambda: core.approvals.get(left.id).status == "cancelled")

    with intake_of(core, redis_url, "billing-bot"), Signoff(**settings) as client:
        asyncio.run(run(client))
        ran.clear()

        async def by_itself() -> None:
            async with AsyncSignoff(**settings) as own:
                await run(own)

        asyncio.run(by_itself())
    assert ran == [{"amount": 80, "currency": "EUR"}]
