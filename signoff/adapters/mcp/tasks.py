"""MCP tasks of `signoff mcp`: request_approval answers at once, and the client asks later what came of it.

A task is a request: its id is the request's. So nothing is kept here, and a client that has noted the id
finds it again from any process. Two protocols have tasks, and say them differently: 2025-11-25, where the
client asks for one with the call; and the extension `io.modelcontextprotocol/tasks` of 2026-07-28, where the
client says that it takes them and the server decides.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from typing import Any

from mcp.server.context import CallNext, HandlerResult, ServerRequestContext
from mcp.server.extension import Extension, MethodBinding
from mcp.shared.exceptions import MCPError
from mcp_types import CLIENT_CAPABILITIES_META_KEY, CallToolRequestParams, RequestParams
from mcp_types.jsonrpc import INVALID_PARAMS
from pydantic import Field

from signoff.adapters.mcp import outcomes
from signoff.adapters.mcp.inquiries import Inquiries, said
from signoff.client.client import AsyncTicket
from signoff.client.pending import Pending
from signoff.errors import NotApproved, SignoffError
from signoff.models.receipt import Receipt

EXTENSION = "io.modelcontextprotocol/tasks"
EARLIER, LATER = frozenset({"2025-11-25"}), frozenset({"2026-07-28"})
TOOL = "request_approval"
POLL_MS = 5000
RELATED = "io.modelcontextprotocol/related-task"
EARLIER_CAPABILITY: dict[str, Any] = {"cancel": {}, "requests": {"tools": {"call": {}}}}
UNKNOWN = "No task of this id is known here."
OVER = "The task has ended already."
State = Receipt | Pending


class TaskParams(RequestParams):
    """Of tasks/get, tasks/result, tasks/update and tasks/cancel."""

    task_id: str = Field(alias="taskId")


class Tasks:
    """Requests as tasks, in the words of one protocol or the other."""

    def __init__(self, inquiries: Inquiries) -> None:
        self._inquiries = inquiries

    async def start(
        self, arguments: Mapping[str, Any], meta: Mapping[str, Any], later: bool
    ) -> dict[str, Any]:
        """Ask; what stands in the place of the tool's result. Arguments were checked by the tool's schema."""
        named = {key: value for key, value in arguments.items() if key not in ("action", "payload")}
        named.pop("max_wait_seconds", None)
        claims = said(dict(meta), **{"key": None, "reversible": "irreversible", **named})
        asked = await self._inquiries.ask(arguments["action"], dict(arguments["payload"]), claims)
        if not isinstance(asked, AsyncTicket):  # it was not sent: that is a result
            return {**_result(asked), "resultType": "complete"} if later else _result(asked)
        task = _task(asked.id, "working", f"{arguments['action']} waits for a person's approval.", later)
        return {"resultType": "task", **task} if later else {"task": task}

    async def get(self, id: str, later: bool) -> dict[str, Any]:
        """The task's state; with its result, where the protocol has that there."""
        found = await self._found(id)
        task = _of(found, later)
        if later and isinstance(found, Receipt) and task["status"] == "completed":
            task["result"] = _result(outcomes.ended(found))
        return task

    async def result(self, id: str) -> dict[str, Any]:
        """The tool's result, once there is one: until then it waits."""
        found = await self._found(id)
        if isinstance(found, Pending):
            try:
                receipt: Receipt = await self._inquiries.client.resume(found.id).wait()
                ended = outcomes.ended(receipt)
            except NotApproved as error:
                ended = outcomes.refused(error, found.action)
            except SignoffError:
                raise MCPError(code=INVALID_PARAMS, message=UNKNOWN) from None
        else:
            ended = outcomes.ended(found)
        return {**_result(ended), "_meta": {RELATED: {"taskId": id}}}

    async def cancel(self, id: str, later: bool) -> dict[str, Any]:
        """Withdraw the request."""
        found = await self._found(id)
        if isinstance(found, Pending):
            await self._inquiries.withdraw(id)
            found = await self._found(id)
        elif not later:
            raise MCPError(code=INVALID_PARAMS, message=OVER)
        return {} if later else _of(found, later)

    async def _found(self, id: str) -> State:
        found = await self._inquiries.state(id)
        if found is None:
            raise MCPError(code=INVALID_PARAMS, message=UNKNOWN)
        return found


class TaskExtension(Extension):
    """Tasks as protocol 2026-07-28 has them; and the methods of both."""

    identifier = EXTENSION

    def __init__(self, inquiries: Inquiries) -> None:
        self._tasks = Tasks(inquiries)

    def methods(self) -> Sequence[MethodBinding]:
        return [
            MethodBinding("tasks/get", TaskParams, self._get),
            MethodBinding("tasks/cancel", TaskParams, self._cancel),
            MethodBinding("tasks/result", TaskParams, self._result, EARLIER),
            MethodBinding("tasks/update", TaskParams, self._update, LATER),
        ]

    async def intercept_tool_call(
        self, params: CallToolRequestParams, ctx: ServerRequestContext[Any, Any], call_next: CallNext
    ) -> HandlerResult:
        meta = dict(ctx.meta or {})
        if ctx.protocol_version not in LATER or params.name != TOOL or not _declared(meta):
            return await call_next(ctx)
        checked = _checked(params.arguments)
        return await call_next(ctx) if checked is None else await self._tasks.start(checked, meta, True)

    async def _get(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> dict[str, Any]:
        return await self._tasks.get(params.task_id, ctx.protocol_version in LATER)

    async def _cancel(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> dict[str, Any]:
        return await self._tasks.cancel(params.task_id, ctx.protocol_version in LATER)

    async def _result(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> dict[str, Any]:
        return await self._tasks.result(params.task_id)

    async def _update(self, ctx: ServerRequestContext[Any, Any], params: TaskParams) -> dict[str, Any]:
        return {}  # a task of ours never asks the client for anything


class EarlierTasks:
    """Middleware: tasks as protocol 2025-11-25 has them, which the library `mcp` has only as types."""

    def __init__(self, inquiries: Inquiries) -> None:
        self._tasks = Tasks(inquiries)

    async def __call__(self, ctx: ServerRequestContext[Any, Any], call_next: CallNext) -> HandlerResult:
        params = ctx.params or {}
        if ctx.method == "tools/call" and ctx.protocol_version in EARLIER and params.get("name") == TOOL:
            checked = _checked(params.get("arguments"))
            if isinstance(params.get("task"), dict) and checked is not None:
                return await self._tasks.start(checked, params.get("_meta") or {}, False)
        result = await call_next(ctx)
        if not isinstance(result, dict):
            return result
        if ctx.method == "initialize" and result.get("protocolVersion") in EARLIER:
            result["capabilities"] = {**result.get("capabilities", {}), "tasks": EARLIER_CAPABILITY}
        if ctx.method == "tools/list" and ctx.protocol_version in EARLIER:
            for tool in result.get("tools", []):
                if tool.get("name") == TOOL:
                    tool["execution"] = {"taskSupport": "optional"}
        return result


def _declared(meta: Mapping[str, Any]) -> bool:
    """Whether the client takes a task in the place of a result, as it says with every request."""
    said = meta.get(CLIENT_CAPABILITIES_META_KEY)
    extensions = said.get("extensions") if isinstance(said, Mapping) else None
    return isinstance(extensions, Mapping) and EXTENSION in extensions


def _checked(arguments: object) -> dict[str, Any] | None:
    """Arguments that a task can be made of; None for those that the tool itself has to refuse."""
    if not isinstance(arguments, dict) or not isinstance(arguments.get("payload"), dict):
        return None
    texts = all(isinstance(arguments.get(name), str) for name in ("action", "reason"))
    return dict(arguments) if texts and arguments.keys() <= ARGUMENTS else None


ARGUMENTS = frozenset(
    {"action", "payload", "reason", "reversible", "risk", "undo", "impact", "alternatives", "context"}
    | {"tags", "cost", "title", "key", "expires_in", "max_wait_seconds"}
)
"""What request_approval takes."""


def _of(found: State, later: bool) -> dict[str, Any]:
    if isinstance(found, Pending):
        return _task(found.id, "working", f"{found.action} waits for a person's approval.", later)
    status = "cancelled" if found.status == "cancelled" else "completed"
    text = outcomes.ended(found)["message"]
    return _task(found.id, status, text, later, found.issued_at)


def _task(id: str, status: str, text: str, later: bool, at: datetime | None = None) -> dict[str, Any]:
    now = (at or datetime.now(UTC)).astimezone(UTC).isoformat().replace("+00:00", "Z")
    ms = "Ms" if later else ""
    return {
        "taskId": id, "status": status, "statusMessage": text, "createdAt": now, "lastUpdatedAt": now,
        f"ttl{ms}": None, f"pollInterval{ms}": POLL_MS,
    }  # fmt: skip


def _result(outcome: outcomes.Outcome) -> dict[str, Any]:
    """The tool's result, as it is without a task."""
    text = json.dumps(outcome, indent=2, ensure_ascii=False)
    return {"content": [{"type": "text", "text": text}], "structuredContent": dict(outcome), "isError": False}
