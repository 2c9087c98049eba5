"""Pydantic AI: tools of every kind, and arguments of every class, behind the one gate."""

from __future__ import annotations

import asyncio
from datetime import date
from decimal import Decimal
from typing import Annotated, Any

import pytest
from adapters.pydantic_agents import Ran, an_agent, model, refunds, returned, seen, told_by
from fastmcp import FastMCP
from pydantic import BaseModel, BeforeValidator, Field, SecretStr
from pydantic_ai import (
    Agent,
    DeferredToolRequests,
    ModelRetry,
    RunContext,
    ToolReturn,
)
from pydantic_ai.capabilities import AbstractCapability, CapabilityOrdering, NativeTool
from pydantic_ai.exceptions import UnexpectedModelBehavior, UserError
from pydantic_ai.mcp import MCPToolset
from pydantic_ai.messages import (
    ToolCallPart,
)
from pydantic_ai.native_tools import WebSearchTool
from pydantic_ai.tools import ToolDefinition
from pydantic_ai.toolsets import ExternalToolset, FunctionToolset, WrapperToolset

from signoff import Signoff
from signoff.adapters.pydantic_ai import METADATA, SignoffCapability
from signoff.testing import Approvals


def test_an_edit_that_the_tool_does_not_take_runs_nothing_and_is_told(signoff_approvals: Approvals) -> None:
    ran: Ran = []
    agent = an_agent(ran, [("mail", {"to": "a@b"}, "c1"), ("checked", {"amount": 5}, "c2")], tools=None)

    def no_teens(ctx: RunContext[None], amount: int) -> None:
        if amount > 12:
            raise ModelRetry("No teens.")

    @agent.tool_plain(args_validator=no_teens)
    def checked(amount: Annotated[int, BeforeValidator(lambda value: value)]) -> str:
        ran.append({"amount": amount})
        return ""

    signoff_approvals.edit("mail", {"to": "nobody@"}, by="Ana")
    signoff_approvals.edit("checked", {"amount": 13}, by="Ana")

    # what the schema that travels cannot say, the tool's own validator does
    toolset = FunctionToolset[None]()

    @toolset.tool_plain
    def pay(amount: Annotated[int, BeforeValidator(_odd_only)]) -> None:
        ran.append({"pay": amount})

    signoff_approvals.edit("pay", {"amount": 2}, by="Ana")
    paying = Agent(
        model(refunds(3, tool="pay")), toolsets=[toolset], capabilities=[SignoffCapability(Signoff())]
    )
    parts = [
        told_by(paying)["c1"],
        told_by(agent)["c2"],
    ]
    for part, why in zip(parts, ("amount: Value error, Not odd.", "No teens."), strict=True):
        assert part.outcome == "failed" and "was not run: Ana approved it with changes" in str(part.content)
        assert why in str(part.content)
    assert ran == [{"to": "nobody@"}]
    assert sorted(outcome.succeeded for outcome in signoff_approvals.outcomes.values()) == [
        False,
        False,
        True,
    ]


def _odd_only(value: int) -> int:
    if value % 2 == 0:
        raise ValueError("Not odd.")
    return value


class Order(BaseModel):
    sku: str = Field(alias="SKU")
    price: Decimal
    due: date = date(2026, 12, 24)


BILL = '{"amount": 5}'


class Opaque:
    """Two of it are never equal."""


def test_arguments_of_any_class_are_shown_as_they_run(signoff_approvals: Approvals) -> None:
    ran: list[Any] = []
    args: dict[str, Any] = {"SKU": "a", "price": "1.10"}
    agent = Agent(
        model([("order", args, "c1"), ("change", {"number": "7", "order": args}, "c2")]),
        capabilities=[SignoffCapability(Signoff())],
    )

    @agent.tool_plain
    def order(order: Order) -> None:
        ran.append(order)

    @agent.tool_plain
    def change(number: int, order: Order) -> None:
        ran.append((number, order))

    signoff_approvals.approve()
    agent.run_sync("Order.")
    meant, shown = Order.model_validate(args), {**args, "due": "2026-12-24"}
    assert sorted(ran, key=str) == [(7, meant), meant]
    assert [request.payload for request in signoff_approvals.requests] == [
        shown,
        {"number": 7, "order": shown},
    ]


def test_what_cannot_travel_or_be_shown_is_told_and_does_not_run(signoff_approvals: Approvals) -> None:
    ran: Ran = []
    agent = Agent(
        model(
            [
                ("weigh", {"weight": float("nan")}, "c1"),
                ("big", {"number": 2**60}, "c2"),
                ("odd", {"it": "x"}, "c3"),
            ]
        ),
        capabilities=[SignoffCapability(Signoff())],
    )

    @agent.tool_plain
    def weigh(weight: float) -> None:
        ran.append({"weight": weight})

    @agent.tool_plain
    def big(number: int) -> None:
        ran.append({"number": number})

    @agent.tool_plain
    def odd(it: Annotated[Any, BeforeValidator(lambda _: Opaque())]) -> None:
        ran.append({"it": it})

    told = told_by(agent)
    assert [told[name].outcome for name in ("c1", "c2", "c3")] == ["failed"] * 3 and ran == []
    assert all("was not run" in str(part.content) for part in told.values())
    assert not signoff_approvals.requests


def test_a_secret_that_json_hides_runs_as_it_was_written(signoff_approvals: Approvals) -> None:
    ran: list[str] = []
    agent = Agent(model([("unlock", {"pin": "1234"}, "c1")]), capabilities=[SignoffCapability(Signoff())])

    @agent.tool_plain
    def unlock(pin: SecretStr) -> None:
        ran.append(pin.get_secret_value())

    signoff_approvals.approve()
    agent.run_sync("Unlock.")
    assert ran == ["1234"] and signoff_approvals.requests[0].payload == {"pin": "1234"}


class Doubles(AbstractCapability[Any]):
    """Another capability, which changes arguments right before the tool runs."""

    async def before_tool_execute(
        self, ctx: RunContext[Any], *, call: ToolCallPart, tool_def: ToolDefinition, args: dict[str, Any]
    ) -> dict[str, Any]:
        args["amount"] *= 2
        return args


class Last(Doubles):
    """One that has put itself behind the gate."""

    def get_ordering(self) -> CapabilityOrdering:
        return CapabilityOrdering(position="innermost")


def test_what_other_capabilities_make_of_a_call_is_what_people_see(signoff_approvals: Approvals) -> None:
    ran: Ran = []
    signoff_approvals.approve()
    an_agent(ran, refunds(120), more=[Doubles()]).run_sync("Refund it.")
    assert ran == [{"amount": 240, "currency": "EUR"}] == [signoff_approvals.requests[0].payload]


def test_what_is_changed_behind_the_gate_or_goes_around_it_does_not_run(signoff_approvals: Approvals) -> None:
    ran: Ran = []
    signoff_approvals.approve()
    part = told_by(an_agent(ran, refunds(120), more=[Last()]))["c1"]
    assert part.outcome == "failed" and "not what passed the gate" in part.content

    class Around(WrapperToolset[Any]):
        """Calls another tool than the one that passed, as a sandbox of a capability might."""

        async def call_tool(self, name: str, tool_args: Any, ctx: RunContext[Any], tool: Any) -> Any:
            tools = await self.wrapped.get_tools(ctx)
            return await self.wrapped.call_tool("refund", {"amount": 9_000}, ctx, tools["refund"])

    class Sandbox(AbstractCapability[Any]):
        def get_wrapper_toolset(self, toolset: Any) -> Any:
            return Around(toolset)

    around = an_agent(ran, [("read", {"amount": 1}, "r1")], more=[Sandbox()])
    part = told_by(around)["r1"]
    assert part.outcome == "failed" and "not what passed the gate" in part.content
    assert ran == []
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] == [False]


def test_a_tool_that_fails_is_reported_and_tells_what_was_changed(signoff_approvals: Approvals) -> None:
    agent = Agent(model(refunds(1), []), capabilities=[SignoffCapability(Signoff())], retries=3)

    @agent.tool_plain
    def refund(amount: int) -> ToolReturn[str]:
        if amount > 1:
            raise ModelRetry("The bank is closed.")
        return ToolReturn("refunded", content="A receipt follows.")

    signoff_approvals.edit("refund", {"amount": 5}, by="Ana")
    part = told_by(agent)["c1"]
    assert part.part_kind == "retry-prompt" or part.outcome == "retried"
    assert "The bank is closed." in str(part.content) and "is now 5" in str(part.content)
    signoff_approvals.approve("refund", by="Ana", note="Once.")
    messages = agent.run_sync("Refund it.").all_messages()
    assert "Once." in str(returned(messages)["c1"].content) and "A receipt follows." in seen(messages)
    assert [outcome.succeeded for outcome in signoff_approvals.outcomes.values()] == [False, True]


def test_every_kind_of_toolset_is_behind_the_one_gate(signoff_approvals: Approvals) -> None:
    """Prefixed tools, tools that the framework would stop itself, and tools that run elsewhere."""
    ran: Ran = []
    shop = FunctionToolset[None]()

    @shop.tool_plain(requires_approval=True)
    def order(amount: int) -> str:
        ran.append({"order": amount})
        return "ordered"

    schema = {"type": "object", "properties": {"amount": {"type": "integer"}}}
    definitions = [ToolDefinition(name=name, parameters_json_schema=schema) for name in ("ship", "bill")]
    agent = Agent(
        model(
            [*refunds(3, tool="shop_order"), ("ship", {"amount": 4}, "s1"), ("bill", '{"amount": 5}', "b1")]
        ),
        toolsets=[shop.prefixed("shop"), ExternalToolset[None](definitions)],
        capabilities=[SignoffCapability(Signoff(), ["shop_*", "ship", "bill"])],
        output_type=[str, DeferredToolRequests],
    )

    async def run() -> Any:
        working = asyncio.create_task(agent.run("Order it."))
        await signoff_approvals.wait_for_async(requests=2)  # both that run elsewhere wait together
        ship, bill = sorted(signoff_approvals.requests, key=lambda request: request.payload["amount"])
        signoff_approvals.edit(ship, {"amount": 40}, by="Ana")
        signoff_approvals.reject(bill, "No bill.")
        signoff_approvals.approve("shop_order")
        return await working

    signoff_approvals.hold()
    result = asyncio.run(run())
    assert ran == [{"order": 3}] and returned(result.all_messages())["b1"].outcome == "failed"
    [call] = result.output.calls
    assert (call.tool_name, call.args_as_dict()) == ("ship", {"amount": 40})
    said = result.output.metadata["s1"][METADATA]
    assert (
        said["payload"] == {"amount": 40} and said["receipt"].count(".") == 2 and "is now 40" in said["told"]
    )
    assert [request.action for request in signoff_approvals.requests].count("shop_order") == 1
    assert len(signoff_approvals.outcomes) == 1  # nobody knows yet what became of the other


def test_a_tool_of_an_mcp_server_is_gated(signoff_approvals: Approvals) -> None:
    server = FastMCP("shop")
    ran: list[int] = []

    @server.tool
    def cancel_order(number: int) -> str:
        ran.append(number)
        return "cancelled"

    signoff_approvals.edit("cancel_order", {"number": 8}, by="Ana")
    agent = Agent(
        model([("cancel_order", {"number": 7}, "c1")]),
        toolsets=[MCPToolset(server)],
        capabilities=[SignoffCapability(Signoff())],
    )
    part = returned(asyncio.run(agent.run("Cancel it.")).all_messages())["c1"]
    assert ran == [8] and "cancelled" in str(part.content)


def test_the_same_call_id_twice_runs_nothing(signoff_approvals: Approvals) -> None:
    ran: Ran = []
    signoff_approvals.approve()
    with pytest.raises(UnexpectedModelBehavior, match="unique"):
        an_agent(ran, [("refund", {"amount": 1}, "c1"), ("refund", {"amount": 2}, "c1")]).run_sync(
            "Refund both."
        )
    assert ran == []


def test_a_gated_tool_at_the_models_provider_is_refused() -> None:
    def agent(tools: Any) -> Agent[None, str]:
        return Agent(model(), capabilities=[SignoffCapability(Signoff(), tools), NativeTool(WebSearchTool())])

    with pytest.raises(UserError, match="nobody can be asked first"):
        agent(None).run_sync("Search.")
    assert agent(["refund"]).run_sync("Search.").output == "Done."
