"""Agents of LangChain, with a model that makes the calls that a test wants."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Any

from langchain.agents import create_agent
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import InjectedToolCallId, tool
from langgraph.checkpoint.memory import InMemorySaver
from langgraph.prebuilt import InjectedState
from langgraph.types import Command
from pydantic import Field

from signoff.adapters.langchain import SignoffMiddleware

RAN: list[dict[str, Any]] = []
"""What the tools were run with."""
CONFIG: Any = {"configurable": {"thread_id": "t1"}}
INPUT = {"messages": [("user", "Refund it.")]}


class FakeModel(BaseChatModel):
    """Makes the calls of one step after the other, by what the messages hold; keeps what it was given."""

    steps: list[list[dict[str, Any]]]
    seen: list[list[BaseMessage]]

    @property
    def _llm_type(self) -> str:
        return "fake"

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        self.seen.append(messages)
        step = sum(isinstance(message, AIMessage) for message in messages)
        calls = self.steps[step] if step < len(self.steps) else []
        message = AIMessage("They asked." if calls else "Done.", tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=message)])


@tool
def refund(
    amount: Annotated[int, Field(le=1000)],
    state: Annotated[dict[str, Any], InjectedState],
    currency: str = "EUR",
) -> str:
    """Give money back."""
    RAN.append({"amount": amount, "currency": currency})
    assert state["messages"], "kept, though nobody was shown it"
    return f"refunded {amount} {currency}"


@tool
async def mail(to: str) -> str:
    """Write to somebody."""
    RAN.append({"to": to})
    return f"sent to {to}"


@tool(response_format="content_and_artifact")
def chart(amount: int) -> tuple[list[dict[str, str]], dict[str, int]]:
    """Blocks, and an artifact."""
    return [{"type": "text", "text": f"chart of {amount}"}], {"amount": amount}


@tool
def note_down(amount: int, call_id: Annotated[str, InjectedToolCallId]) -> Command[Any]:
    """Changes the state."""
    return Command(update={"messages": [ToolMessage(f"noted {amount}", tool_call_id=call_id)]})


@tool
def read(what: str = "all") -> str:
    """Needs nobody."""
    return "read"


@tool
def broken(amount: int) -> str:
    """Fails."""
    raise RuntimeError("redis://secret@host:6379")


def call(name: str, call_id: str = "c1", **args: Any) -> dict[str, Any]:
    return {"name": name, "args": args, "id": call_id}


def an_agent(
    client: Any, *steps: Sequence[dict[str, Any]], tools: Any = None, saver: Any = None, **options: Any
) -> tuple[Any, FakeModel]:
    """One of all these tools, whose reads are not gated."""
    RAN.clear()
    model = FakeModel(steps=[list(step) for step in steps], seen=[])
    gated = tools or {name: {"reversible": False} for name in ("refund", "mail", "chart", "n*", "broken")}
    agent: Any = create_agent(
        model,
        [refund, mail, chart, note_down, read, broken],
        middleware=[SignoffMiddleware(client, gated, **options)],
        checkpointer=saver or InMemorySaver(),
    )
    return agent, model


def results(out: Any) -> list[ToolMessage]:
    """What the model was given of its calls."""
    return [message for message in out["messages"] if isinstance(message, ToolMessage)]
