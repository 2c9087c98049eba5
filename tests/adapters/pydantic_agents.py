"""Agents of Pydantic AI, with a model that makes the calls that a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from pydantic import Field, TypeAdapter
from pydantic_ai import (
    Agent,
    DeferredToolRequests,
)
from pydantic_ai.messages import (
    ModelMessage,
    ModelMessagesTypeAdapter,
    ModelResponse,
    RetryPromptPart,
    TextPart,
    ToolCallPart,
    ToolReturnPart,
)
from pydantic_ai.models.function import AgentInfo, FunctionModel

from signoff import Signoff
from signoff.adapters.pydantic_ai import SignoffCapability

Ran = list[dict[str, Any]]
REQUESTS = TypeAdapter(DeferredToolRequests)


def model(*steps: Sequence[tuple[str, Any, str]]) -> FunctionModel:
    """Makes the calls (tool, arguments, id) of one step after the other, then says that it is done."""

    def respond(messages: list[ModelMessage], _: AgentInfo) -> ModelResponse:
        done = sum(isinstance(message, ModelResponse) for message in messages)
        if done >= len(steps):
            return ModelResponse(parts=[TextPart("Done.")])
        calls = [ToolCallPart(name, args, tool_call_id=call_id) for name, args, call_id in steps[done]]
        return ModelResponse(parts=[TextPart("They asked."), *calls])

    return FunctionModel(respond)


def refunds(*amounts: int, tool: str = "refund") -> list[tuple[str, Any, str]]:
    return [(tool, {"amount": amount}, f"c{number}") for number, amount in enumerate(amounts, 1)]


def an_agent(
    ran: Ran,
    *steps: Sequence[tuple[str, Any, str]],
    client: Any = None,
    more: Sequence[Any] = (),
    **options: Any,
) -> Agent[None, Any]:
    """One that has `refund` (sync), `mail` (async) and `read`, which is not gated."""
    tools = options.pop("tools", {"refund": {"reversible": False}, "mail": {}, "*_order": {}})
    gate = SignoffCapability(client or Signoff(), tools, **options)
    agent = Agent(
        model(*steps), capabilities=[gate, *more], output_type=[str, DeferredToolRequests], retries=2
    )

    @agent.tool_plain
    def refund(amount: int, currency: str = "EUR", note: str = None) -> str:  # type: ignore[assignment]  # noqa: RUF013
        ran.append({"amount": amount, "currency": currency})
        return f"refunded {amount}"

    @agent.tool_plain
    async def mail(to: Annotated[str, Field(pattern="@")], about: dict[str, Any] | None = None) -> Any:
        ran.append({"to": to})
        return {"sent": to}

    @agent.tool_plain
    async def read(amount: int) -> str:
        ran.append({"read": amount})
        return "it stands at 300"

    return agent


def returned(messages: Sequence[ModelMessage]) -> dict[str, Any]:
    """What the model was told of each call; a retry is a part of another class in older versions."""
    parts = [part for message in messages for part in message.parts]
    return {part.tool_call_id: part for part in parts if isinstance(part, ToolReturnPart | RetryPromptPart)}


def seen(messages: Sequence[ModelMessage]) -> str:
    """All that the model was told after its last calls."""
    return " ".join(str(getattr(part, "content", "")) for part in messages[-2].parts)


def told_by(agent: Agent[None, Any], prompt: str | None = "Do it.", **more: Any) -> dict[str, Any]:
    return returned(agent.run_sync(prompt, **more).all_messages())


def stored(messages: Sequence[ModelMessage], requests: Any = None) -> tuple[list[ModelMessage], Any]:
    """A run as another process finds it."""
    kept = ModelMessagesTypeAdapter.dump_json(list(messages))
    found = requests and REQUESTS.validate_json(REQUESTS.dump_json(requests))
    return ModelMessagesTypeAdapter.validate_json(kept), found
