"""`signoff mcp`: tools by which a model asks people, for any MCP client.

They are advisory: a model can leave them uncalled. What cannot be passed over is `signoff mcp gate` in front
of the server that acts, and the guard where the credential is (docs/adapters/mcp.md).
"""

from __future__ import annotations

import asyncio
import json
import time
from importlib.metadata import version
from typing import Annotated, Any, Literal

from mcp.server.mcpserver import Context, MCPServer
from mcp.server.mcpserver.exceptions import ToolError
from pydantic import Field

from signoff.adapters.calls import Call, Calls, Go
from signoff.adapters.mcp import batches, learning, questions, talks
from signoff.adapters.mcp.inquiries import MAX_WAIT, Inquiries, Tell, said, unavailable
from signoff.adapters.mcp.outcomes import Outcome
from signoff.adapters.mcp.plain import PlainServer
from signoff.adapters.mcp.tasks import EarlierTasks, TaskExtension
from signoff.adapters.mcp.work import ctx_meta, whole
from signoff.adapters.mcp.work import take_back as take_back
from signoff.client.client import AsyncSignoff, AsyncTicket
from signoff.errors import SignoffError
from signoff.models.receipt import Receipt
from signoff.models.tool_calls import action_of

NAME = "signoff"
INSTRUCTIONS = (
    "Ask a person before you do something that matters: call request_approval with what you are about to "
    "do, and run it only once the status is approved, with exactly the payload that comes back: a person may "
    "have changed it. While it is pending, call check_approval. A rejection is final. Afterwards call "
    "report_outcome. For several actions of one piece of work call request_batch. Where you do not know what "
    "is meant, call ask_person: an answer lets nothing run, and a question that expires has none."
)
Wait = Annotated[
    float | None,
    Field(ge=0, le=86400, description="How long to wait for a decision before pending comes back."),
]


def serve(client: AsyncSignoff, *, max_wait: float = MAX_WAIT, wait: float | None = None) -> MCPServer[Any]:
    """The server. `wait` is how long approve_tool_use waits, in seconds; None until the request ends."""
    inquiries = Inquiries(client, max_wait)
    server = PlainServer(
        NAME, title="Signoff", version=version("signoff"), instructions=INSTRUCTIONS,
        extensions=[TaskExtension(inquiries)], middleware=[EarlierTasks(inquiries)],
    )  # fmt: skip

    @server.tool(title="Ask a person for approval")
    async def request_approval(
        action: Annotated[str, Field(description="What is to run, such as refund.create.")],
        payload: Annotated[dict[str, Any], Field(description="What it runs with: all of it. People see it.")],
        reason: Annotated[str, Field(description="Why this should run, in a sentence or two.")],
        ctx: Context[Any, Any],
        reversible: Literal["reversible", "costly", "irreversible"] = "irreversible",
        risk: Literal["low", "medium", "high", "critical"] | None = None,
        undo: Annotated[str, Field(description="How it would be undone.")] = "",
        impact: Annotated[str, Field(description="What it touches.")] = "",
        alternatives: list[str] | None = None,
        context: Annotated[dict[str, Any] | None, Field(description="More facts.")] = None,
        tags: list[str] | None = None,
        cost: float | None = None,
        title: str = "",
        interpretation: Annotated[
            str, Field(description="How you read your task, where it could be read in several ways.")
        ] = "",
        key: Annotated[str | None, Field(description="Asking again with it attaches to the first.")] = None,
        expires_in: Annotated[float | None, Field(description="Seconds until it ends, unanswered.")] = None,
        max_wait_seconds: Wait = None,
    ) -> Outcome:
        """Ask a person before you run an action. Run it only if the status is approved, with exactly the
        payload that comes back: a person may have changed it."""
        claims = said(
            ctx_meta(ctx), key=key, reason=reason, reversible=reversible, risk=risk, undo=undo, impact=impact,
            alternatives=alternatives, context=context, tags=tags, cost=cost, title=title,
            interpretation=interpretation, expires_in=expires_in,
        )  # fmt: skip
        asking = _ask_and_wait(inquiries, action, payload, claims, max_wait_seconds, ctx.report_progress)
        return await whole(asking, action)

    @server.tool(title="Look whether it was approved")
    async def check_approval(
        id: Annotated[str, Field(description="Of request_approval.")],
        ctx: Context[Any, Any],
        max_wait_seconds: Wait = None,
    ) -> Outcome:
        """Wait for the decision on a request, or look at its state with max_wait_seconds=0."""
        return await whole(_look(inquiries, id, max_wait_seconds, ctx.report_progress), "The request")

    @server.tool(title="Say what became of it")
    async def report_outcome(
        id: Annotated[str, Field(description="Of request_approval.")],
        succeeded: bool,
        note: Annotated[str, Field(max_length=4000, description="More, for people.")] = "",
        result: Annotated[Any, Field(description="What came out: any JSON, at most 2 KB.")] = None,
    ) -> str:
        """After an approved action has run, or failed: people see it where they approved it."""
        return await whole(_report(client, id, succeeded, note, result), "The report")

    @server.tool(structured_output=False, title="Decide on a tool call, for Claude Code")
    async def approve_tool_use(tool_name: str, input: dict[str, Any], tool_use_id: str | None = None) -> str:
        """For Claude Code's --permission-prompt-tool alone: decides whether a call of a tool may run."""
        deciding = _permission(client, tool_name, input, tool_use_id, wait)
        return json.dumps(await whole(deciding, tool_name))

    batches.add(server, inquiries, max_wait)
    questions.add(server, inquiries, max_wait)
    learning.add(server, client)
    inquiries.talks = asked = talks.Talks(client)
    talks.add(server, asked)
    return server


async def _look(inquiries: Inquiries, id: str, seconds: float | None, tell: Tell) -> Outcome:
    found = await inquiries.state(id)
    if found is None:
        raise ToolError("No request of this id is known here. Do not run anything.")
    if isinstance(found, Receipt):
        return inquiries.ended(found)
    return await inquiries.wait(found.id, found.action, seconds, tell)


async def _report(client: AsyncSignoff, id: str, succeeded: bool, note: str, result: Any) -> str:
    try:
        await client.report(id, succeeded=succeeded, note=note, result=result)
    except SignoffError as error:
        raise unavailable("The report", error) from None
    return "Reported."


async def _ask_and_wait(
    inquiries: Inquiries,
    action: str,
    payload: dict[str, Any],
    claims: dict[str, Any],
    seconds: float | None,
    tell: Tell,
) -> Outcome:
    asked = await inquiries.ask(action, payload, claims)
    if not isinstance(asked, AsyncTicket):
        return asked
    try:
        return await inquiries.wait(asked.id, action, seconds, tell)
    except asyncio.CancelledError:
        await inquiries.withdraw(asked.id)
        raise


async def _permission(
    client: AsyncSignoff, tool: str, input: dict[str, Any], use: str | None, wait: float | None
) -> dict[str, Any]:
    """The answer that Claude Code takes; whatever goes wrong is a denial."""
    action = action_of(tool)
    context = {"context": {"tool": tool[:500]}} if action != tool else {}
    calls = Calls(client, None, framework="claude-code", wait=wait, **context)  # type: ignore[arg-type]
    key = f"prompt:{use}" if use else f"prompt:{time.time_ns()}:{id(input)}"
    decided = await calls.decide(Call(action, input, key))
    if isinstance(decided, Go):
        return {"behavior": "allow", "updatedInput": decided.args}
    text = getattr(decided, "text", None)
    return {"behavior": "deny", "message": text or f"{action} was not run."}
