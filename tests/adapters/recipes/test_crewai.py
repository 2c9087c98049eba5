"""CrewAI: the recipe's tool, with a model that is played."""

from __future__ import annotations

import json
import threading
import warnings
from typing import Any

import pytest
from adapters.recipes.recipe import recipe

from signoff.testing import Approvals

with warnings.catch_warnings():  # its own, while it is imported
    warnings.simplefilter("ignore")
    from crewai import Agent, Crew, Task
    from crewai.llms.base_llm import BaseLLM
    from crewai.tools import tool

pytestmark = pytest.mark.filterwarnings("ignore::DeprecationWarning")  # CrewAI reads its own old fields
ran: list[tuple[int, str]] = []


class Played(BaseLLM):
    """Refunds what `amounts` says, all at once; then says what it was told."""

    amounts: list[int] = []  # noqa: RUF012

    def supports_function_calling(self) -> bool:
        return True

    def call(self, messages: Any, tools: Any = None, *_: Any, **__: Any) -> Any:
        told = [message["content"] for message in messages if message["role"] == "tool"]
        if told:
            return "\n".join(told)
        return [
            {
                "id": f"c{amount}",
                "type": "function",
                "function": {"name": "refund", "arguments": json.dumps({"amount": amount})},
            }
            for amount in self.amounts
        ]


@tool("refund")  # type: ignore[untyped-decorator]
def refund(amount: int, currency: str = "EUR") -> str:
    """Pay money back."""
    ran.append((amount, currency))
    return f"refunded {amount}"


def told(*amounts: int) -> str:
    """What the model is told."""
    names = recipe("CrewAI")
    agent = Agent(
        role="Clerk",
        goal="Refund.",
        backstory="-",
        llm=Played(model="played", amounts=list(amounts)),
        tools=[names["gated"](refund, names["calls"])],
    )
    task = Task(description="Refund it.", expected_output="What happened.", agent=agent)
    return str(Crew(agents=[agent], tasks=[task]).kickoff().raw)


@pytest.fixture(autouse=True)
def quiet(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CREWAI_DISABLE_TELEMETRY", "true")
    monkeypatch.setenv("OTEL_SDK_DISABLED", "true")
    monkeypatch.setenv("CREWAI_TRACING_ENABLED", "false")
    ran.clear()


def test_what_is_approved_runs_and_the_model_is_told(signoff_approvals: Approvals) -> None:
    said: list[str] = []
    signoff_approvals.hold()
    working = threading.Thread(target=lambda: said.append(told(51, 61, 71)))
    working.start()
    signoff_approvals.wait_for(requests=3)  # they wait together
    by_amount = {request.payload["amount"]: request for request in signoff_approvals.requests}
    signoff_approvals.edit(by_amount[51], {"amount": 21}, by="Ana")
    signoff_approvals.reject(by_amount[61], "Not that one.")
    signoff_approvals.approve(by_amount[71])
    working.join(60)
    assert sorted(ran) == [(21, "EUR"), (71, "EUR")]
    assert "is now 21" in said[0] and "Not that one." in said[0]
    assert by_amount[51].payload == {"amount": 51, "currency": "EUR"}
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] == [True, True]


def test_the_same_call_again_is_asked_again(signoff_approvals: Approvals) -> None:
    signoff_approvals.approve()
    told(51), told(51)
    assert len(ran) == len(signoff_approvals.requests) == 2
