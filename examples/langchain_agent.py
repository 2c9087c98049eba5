"""A billing agent of LangChain whose refunds people decide about; its model is played, offline.

signoff demo                        # or any other server
python examples/langchain_agent.py  # suspends after 2 s, and goes on when you have decided
"""

from __future__ import annotations

from typing import Any

from langchain.agents import create_agent
from langchain_core.language_models.chat_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import tool
from langgraph.checkpoint.memory import InMemorySaver

from signoff import Signoff
from signoff.adapters.langchain import SignoffMiddleware, resume_when_decided


class Played(BaseChatModel):
    """What a model would do: refund two orders at once, and say what it was told."""

    @property
    def _llm_type(self) -> str:
        return "played"

    def bind_tools(self, tools: Any, **_: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], *_: Any, **__: Any) -> ChatResult:
        told = [str(message.content) for message in messages if isinstance(message, ToolMessage)]
        orders = [{"order": "A-1", "amount": 120}, {"order": "B-2", "amount": 40}]
        calls = [{"name": "refund", "args": args, "id": f"call_{n}"} for n, args in enumerate(orders)]
        said = AIMessage("\n".join(told)) if told else AIMessage("They came broken.", tool_calls=calls)
        return ChatResult(generations=[ChatGeneration(message=said)])


@tool
def refund(order: str, amount: int, currency: str = "EUR") -> str:
    """Give money back."""
    return f"refunded {amount} {currency} of {order}"


def main() -> str:
    """What the agent says at last."""
    with Signoff() as client:
        gate = SignoffMiddleware(client, suspend_after=2, reversible=False, tags=["money"])
        agent: Any = create_agent(Played(), [refund], middleware=[gate], checkpointer=InMemorySaver())
        config: Any = {"configurable": {"thread_id": "orders"}}
        out = agent.invoke({"messages": [("user", "Refund my orders.")]}, config)
        if waiting := out.get("__interrupt__"):
            print("Suspended, for", " and ".join(one.value["code"] for one in waiting))
        return str(resume_when_decided(agent, config, client)["messages"][-1].content)


if __name__ == "__main__":
    print(main())
