"""Suspended graphs are resumed when their decisions come: one that is known, or all of an agent's."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Iterator, Mapping
from functools import partial
from typing import Any, TypeAlias, Unpack

from langchain_core.runnables import RunnableConfig
from langgraph.types import Command, Interrupt

from signoff.adapters.langchain.answers import (
    decisions,
    decisions_async,
    first_decided,
    is_answered_here,
    own_request,
)
from signoff.adapters.tools import Claims, Tools
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff

Graph: TypeAlias = Any
"""A compiled graph, as `create_agent` and `StateGraph.compile` make it, with a checkpointer."""
ConfigOf = Callable[[str], RunnableConfig | None]
"""The id of a request, as an interrupt's value has it → the config of its thread, or None."""


def resume_when_decided(
    agent: Graph,
    config: RunnableConfig,
    client: Signoff,
    tools: Tools = None,
    *,
    wait: float | None = None,
    **claims: Unpack[Claims],
) -> Any:
    """Resume a thread whenever something that it waits for is decided, until it waits for nobody any more.

    Gives what `agent.invoke` gave last; the state's values where nothing was to be resumed. In any process
    that has the checkpointer. `tools` and `claims` are of the requests that it makes itself, for LangChain's
    HumanInTheLoopMiddleware. Raises WaitTimeout where nothing is decided for `wait` seconds.
    """
    state = agent.get_state(config)
    result = state.values
    while waiting := [one for one in state.interrupts if is_answered_here(one)]:
        if requests := _own(waiting):
            decided = client._call(partial(first_decided, requests, wait))
            answers: dict[str, Any] = {name: {"id": requests[name]} for name in decided}
        else:
            answers = decisions(client, waiting, _thread(config), tools, wait=wait, **claims)
        if not answers:
            break
        result = agent.invoke(Command(resume=answers), config)
        state = agent.get_state(config)
    return result


async def resume_when_decided_async(
    agent: Graph,
    config: RunnableConfig,
    client: Signoff | AsyncSignoff,
    tools: Tools = None,
    *,
    wait: float | None = None,
    **claims: Unpack[Claims],
) -> Any:
    """`resume_when_decided`, in an event loop, over either client."""
    state = await agent.aget_state(config)
    result = state.values
    while waiting := [one for one in state.interrupts if is_answered_here(one)]:
        if requests := _own(waiting):
            decided = await _first(client, requests, wait)
            answers: dict[str, Any] = {name: {"id": requests[name]} for name in decided}
        else:
            answers = await decisions_async(client, waiting, _thread(config), tools, wait=wait, **claims)
        if not answers:
            break
        result = await agent.ainvoke(Command(resume=answers), config)
        state = await agent.aget_state(config)
    return result


def resumed(
    agent: Graph, client: Signoff, config_of: ConfigOf, group: str = "langchain"
) -> Iterator[tuple[RunnableConfig, Any]]:
    """Resume every thread that SignoffMiddleware has suspended, as its decisions come, for ever.

    `config_of` knows the threads: keep what an interrupt's value has as `id`, with its thread, where this
    process finds it. Gives the thread's config and what `agent.invoke` gave, after each. Whichever process of
    the same `group` reads a decision resumes the thread; one that dies meanwhile leaves it to the next, after
    a minute. Decisions that no thread waits for are passed over.
    """
    for delivery in client.decisions(group):
        config = config_of(delivery.receipt.id)
        if config is not None and (answer := _answer(agent.get_state(config), delivery.receipt.id)):
            yield config, agent.invoke(Command(resume=answer), config)
        delivery.ack()


async def resumed_async(
    agent: Graph, client: AsyncSignoff, config_of: ConfigOf, group: str = "langchain"
) -> AsyncIterator[tuple[RunnableConfig, Any]]:
    """`resumed`, in an event loop."""
    async for delivery in client.decisions(group):
        config = config_of(delivery.receipt.id)
        if config is not None:
            answer = _answer(await agent.aget_state(config), delivery.receipt.id)
            if answer:
                yield config, await agent.ainvoke(Command(resume=answer), config)
        await delivery.ack()


def _answer(state: Any, request: str) -> dict[str, Any]:
    return {one.id: {"id": request} for one in state.interrupts if own_request(one) == request}


def _own(interrupts: list[Interrupt]) -> dict[str, str]:
    """Interrupt → request, of those that are SignoffMiddleware's."""
    found = {one.id: own_request(one) for one in interrupts}
    return {name: request for name, request in found.items() if request}


async def _first(client: Signoff | AsyncSignoff, requests: Mapping[str, str], wait: float | None) -> set[str]:
    if isinstance(client, Signoff):
        return await client._call_async(partial(first_decided, requests, wait))
    return await first_decided(requests, wait, client)


def _thread(config: RunnableConfig) -> str:
    return str(config.get("configurable", {}).get("thread_id", ""))
