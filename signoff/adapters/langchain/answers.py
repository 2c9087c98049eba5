"""The answers that a suspended graph is resumed with, from people: also for HumanInTheLoopMiddleware."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Unpack

from langgraph.types import Interrupt

from signoff.adapters.calls import Call, Calls, Go, Stop
from signoff.adapters.langchain.middleware import SUSPENDED
from signoff.adapters.langchain.tool_calls import mark, run_of
from signoff.adapters.tools import Claims, Tools
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff
from signoff.errors import NotApproved

PER_CALL = "tool_approval"
"""The type of HumanInTheLoopMiddleware's interrupt for one call."""
ANSWER = "answer"
"""The field in which people answer, where the tool is a question to them."""


@dataclass(frozen=True)
class _Review:
    """One call that HumanInTheLoopMiddleware wants a decision on."""

    name: str
    args: Mapping[str, Any]
    key: str
    allowed: frozenset[str]
    schema: Mapping[str, Any] | None = None


def decisions(
    client: Signoff,
    interrupts: Iterable[Interrupt],
    thread: str,
    tools: Tools = None,
    *,
    wait: float | None = None,
    **claims: Unpack[Claims],
) -> dict[str, Any]:
    """Ask about a graph's interrupts all at once, wait, and give what it is resumed with.

    while out.interrupts:
        out = agent.invoke(Command(resume=decisions(client, out.interrupts, thread)), config, version="v2")

    Of SignoffMiddleware's own interrupts it waits for the decision; those of LangChain's
    HumanInTheLoopMiddleware, of either `interrupt_mode`, it answers: approve, edit, reject, or respond for a
    tool that people answer themselves. What is neither, or of a tool that `tools` does not gate, has no
    answer in the result. `tools`, `wait` and `claims` are SignoffMiddleware's. Who is stopped meanwhile
    leaves the requests as they are: asking again attaches to them. Raises ValueError for a tool that may not
    be rejected; and of our own interrupts WaitTimeout, Unreachable or NotVerified.
    """
    asked = list(interrupts)
    return client._call(lambda signoff: _answers(signoff, asked, thread, tools, wait, claims))


async def decisions_async(
    client: Signoff | AsyncSignoff,
    interrupts: Iterable[Interrupt],
    thread: str,
    tools: Tools = None,
    *,
    wait: float | None = None,
    **claims: Unpack[Claims],
) -> dict[str, Any]:
    """`decisions`, in an event loop, over either client."""
    asked = list(interrupts)
    if isinstance(client, Signoff):
        return await client._call_async(lambda signoff: _answers(signoff, asked, thread, tools, wait, claims))
    return await _answers(client, asked, thread, tools, wait, claims)


def own_request(interrupt: Interrupt) -> str | None:
    """The request that SignoffMiddleware suspended a graph for; None for an interrupt of somebody else."""
    value = interrupt.value
    if isinstance(value, Mapping) and value.get("type") == SUSPENDED and isinstance(value.get("id"), str):
        return str(value["id"])
    return None


def is_answered_here(interrupt: Interrupt) -> bool:
    """Whether it is one that `decisions` gives an answer to."""
    return own_request(interrupt) is not None or bool(_reviews(interrupt, ""))


async def first_decided(requests: Mapping[str, str], wait: float | None, client: AsyncSignoff) -> set[str]:
    """The interrupts whose requests are decided, as soon as one is; `requests` by interrupt."""
    waiting = {asyncio.create_task(_ended(client, request, wait)): name for name, request in requests.items()}
    try:
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        for task in done:
            task.result()
        return {waiting[task] for task in done}
    finally:
        for task in waiting:
            task.cancel()
        await asyncio.gather(*waiting, return_exceptions=True)


async def _ended(client: AsyncSignoff, request: str, wait: float | None) -> None:
    with suppress(NotApproved):
        await client.resume(request).wait(wait)


async def _answers(
    client: AsyncSignoff,
    interrupts: list[Interrupt],
    thread: str,
    tools: Tools,
    wait: float | None,
    claims: Claims,
) -> dict[str, Any]:
    editable = Calls(client, tools, framework="langchain", wait=wait, **claims)
    fixed: Claims = {**claims, "editable": False}
    answer_only: Claims = {**claims, "editable": [ANSWER]}
    by_kind = {
        "edit": editable,
        "approve": Calls(client, tools, framework="langchain", wait=wait, **fixed),
        "respond": Calls(client, tools, framework="langchain", wait=wait, **answer_only),
    }

    async def review(found: _Review) -> dict[str, Any]:
        return await _decided(by_kind[_kind(found)], found, run_of(thread))

    async def answer(one: Interrupt, reviews: list[_Review]) -> Any:
        if request := own_request(one):
            await _ended(client, request, wait)
            return {"id": request}
        made = await asyncio.gather(*map(review, reviews))
        return made[0] if one.value.get("type") == PER_CALL else {"decisions": made}

    asked = [(one, _reviews(one, thread)) for one in interrupts]
    asked = [
        (one, reviews)
        for one, reviews in asked
        if own_request(one) or (reviews and all(editable.gates(found.name) for found in reviews))
    ]
    made = await asyncio.gather(*(answer(one, reviews) for one, reviews in asked))
    return {one.id: answered for (one, _), answered in zip(asked, made, strict=True)}


def _reviews(interrupt: Interrupt, thread: str) -> list[_Review]:
    """The calls that HumanInTheLoopMiddleware asks about; none where the interrupt is not its own."""
    value = interrupt.value
    if not isinstance(value, Mapping):
        return []
    if value.get("type") == PER_CALL:
        schema = getattr(interrupt, "response_schema", None) or {}
        key = f"{thread}:{interrupt.id}:{value.get('tool_call_id')}:{mark(value['args'])}"
        allowed, args = _allowed(schema), _args(schema)
        return [_checked(_Review(value["name"], value["args"], key, allowed, args))]
    if "action_requests" in value and "review_configs" in value:
        return [
            _checked(_Review(made["name"], made["args"], key, frozenset(config["allowed_decisions"])))
            for number, (made, config) in enumerate(
                zip(value["action_requests"], value["review_configs"], strict=True)
            )
            for key in [f"{thread}:{interrupt.id}:{number}:{mark(made['args'])}"]
        ]
    return []


def _checked(review: _Review) -> _Review:
    if not review.allowed & {"reject", "respond"}:
        raise ValueError(f"{review.name}: interrupt_on has to allow 'reject', or nobody can say no.")
    if not review.allowed & {"approve", "edit", "respond"}:
        raise ValueError(f"{review.name}: interrupt_on has to allow 'approve'.")
    return review


def _kind(review: _Review) -> str:
    """How people may answer: with changes, as it stands, or in place of the tool."""
    if "edit" in review.allowed:
        return "edit"
    return "approve" if "approve" in review.allowed else "respond"


async def _decided(calls: Calls, review: _Review, run: str | None) -> dict[str, Any]:
    args = dict(review.args)
    if _kind(review) == "respond":
        args[ANSWER] = ""
    call = Call(review.name, args, key=review.key, run=run, schema=review.schema)
    decided = await calls.decide(call, keeps=True)
    if isinstance(decided, Go):
        return _yes(review, decided)
    assert isinstance(decided, Stop)  # as nothing is suspended here
    return {"type": "reject" if "reject" in review.allowed else "respond", "message": decided.text}


def _yes(review: _Review, go: Go) -> dict[str, Any]:
    if _kind(review) == "respond":
        note = go.receipt.reason if go.receipt else ""
        answer = str(go.args.get(ANSWER) or "").strip() or note
        return {"type": "respond", "message": answer or "It was approved, and no answer was written."}
    if "approve" in review.allowed and not (go.receipt and go.receipt.edited):
        return {"type": "approve"}
    return {"type": "edit", "edited_action": {"name": review.name, "args": go.args}}


def _allowed(schema: Mapping[str, Any]) -> frozenset[str]:
    """The decisions that an interrupt's schema has room for."""
    mapping = schema.get("discriminator", {}).get("mapping")
    if mapping:
        return frozenset(mapping)
    only = schema.get("properties", {}).get("type", {}).get("const")
    return frozenset([only] if only else [])


def _args(schema: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """The schema of the tool's arguments, which stands where an edit is described."""
    definitions = schema.get("$defs", {})
    action = definitions.get("EditedAction", {}).get("properties", {}).get("args", {})
    name = str(action.get("$ref", "")).removeprefix("#/$defs/")
    found = definitions.get(name) if name else action or None
    return {**found, "$defs": definitions} if found else None
