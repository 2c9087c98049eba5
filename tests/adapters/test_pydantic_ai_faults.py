"""Pydantic AI: what fails of ours fails closed, what gates nothing is said, what is dropped is not shown."""

from __future__ import annotations

import logging
from typing import Any

import pytest
from adapters.pydantic_agents import Ran, an_agent, model, refunds, returned, told_by
from pydantic import BaseModel, Field
from pydantic_ai import Agent, DeferredToolRequests
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import ExternalToolset, FunctionToolset

from signoff import Signoff
from signoff.adapters.pydantic_ai import SignoffCapability
from signoff.testing import Approvals

ROOM = "signoff.adapters.pydantic_ai"


class To(BaseModel):
    name: str
    iban: str = Field("D", exclude=True)


def fails(*_: Any, **__: Any) -> Any:
    raise RuntimeError("redis://10.0.0.1:6379 /etc/passwd")


def test_a_fault_of_ours_is_a_failed_call_before_the_run_and_loses_nothing_after_it(
    signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    signoff_approvals.edit("refund", {"amount": 2}, by="Ana")
    ran: Ran = []
    for name in ("capability.asked", "capability.as_approved", "capability.as_text", "messages.payload"):
        with monkeypatch.context() as patch:
            patch.setattr(f"{ROOM}.{name}", fails)
            part = told_by(an_agent(ran, refunds(1)))["c1"]
        assert part.outcome == "failed" and "refund was not run: for a technical reason" in part.content
        assert "10.0" not in part.content and "passwd" not in part.content and not ran
    assert not any(outcome.succeeded for outcome in signoff_approvals.outcomes.values())
    with monkeypatch.context() as patch:
        patch.setattr(f"{ROOM}.capability.told", fails)
        part = told_by(an_agent(ran, refunds(1)))["c1"]
    assert part.content == "refunded 2" and ran == [{"amount": 2, "currency": "EUR"}]
    assert list(signoff_approvals.outcomes.values())[-1].succeeded
    external = ExternalToolset[Any]([ToolDefinition(name="refund")])
    gate = SignoffCapability(Signoff(), reversible=False)
    agent = Agent(
        model(refunds(1)),
        capabilities=[gate],
        toolsets=[external],
        output_type=[str, DeferredToolRequests],
    )
    signoff_approvals.approve()
    with monkeypatch.context() as patch:
        patch.setattr(f"{ROOM}.capability.hand_over", fails)
        result = agent.run_sync("Do it.")
    assert result.output == "Done." and returned(result.all_messages())["c1"].outcome == "failed"


def test_names_are_those_that_the_model_sees_and_what_fits_none_is_said_once(
    signoff_approvals: Approvals, caplog: pytest.LogCaptureFixture
) -> None:
    signoff_approvals.reject("*")
    ran: list[int] = []
    shop = FunctionToolset[None]()

    @shop.tool_plain
    def refund(amount: int) -> str:
        ran.append(amount)
        return "ok"

    for name in ("refund", "shop_*"):
        gate = SignoffCapability(Signoff(), [name], reversible=False)
        agent = Agent(
            model(refunds(1, tool="shop_refund")), capabilities=[gate], toolsets=[shop.prefixed("shop")]
        )
        with caplog.at_level(logging.WARNING, logger="signoff"):
            agent.run_sync("Do it.")
    assert ran == [1] and len(signoff_approvals.requests) == 1
    assert caplog.text.count("'refund'") == 1 and "'shop_*'" not in caplog.text


def test_what_the_tool_drops_is_not_shown(signoff_approvals: Approvals) -> None:
    """Of a class that hides something of itself people see what the model wrote, of what the class takes."""
    signoff_approvals.approve()
    ran: list[Any] = []

    agent = Agent(
        model([("pay", {"to": {"name": "a", "iban": "X", "capped_to": 1}}, "c1")]),
        capabilities=[SignoffCapability(Signoff(), reversible=False)],
    )

    @agent.tool_plain
    def pay(to: To, more: int = 0) -> str:
        ran.append(to.iban)
        return "ok"

    agent.run_sync("Do it.")
    assert ran == ["X"]
    assert signoff_approvals.requests[0].payload == {"to": {"name": "a", "iban": "X"}, "more": 0}
