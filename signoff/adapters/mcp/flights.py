"""What a client has asked and a server has not answered; and calls that go on over several messages."""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from signoff.adapters.calls import Calls, Go
from signoff.adapters.mcp.messages import Id, Message, line, params_of
from signoff.errors import Invalid
from signoff.payload.canonical import canonical

MOST_KEPT = 1000
"""Calls that are kept for what may still come of them."""
RESULT_OF_TASK = ("tasks/result", "tasks/get")
ENDED = ("completed", "failed", "cancelled")


@dataclass(frozen=True)
class Approved:
    """A call that was approved: what to run, and by whom to report it; and its tool, as people saw it."""

    go: Go
    calls: Calls
    tool: dict[str, Any]
    asked: frozenset[str] = frozenset()
    """The questions by which its server has asked back."""

    def holds(self) -> bool:
        """Whether it may go on now: a call may do so over several messages, until the receipt ends."""
        return self.go.receipt is not None and datetime.now(UTC) < self.go.receipt.not_after

    async def report(self, succeeded: bool, note: str = "") -> None:
        """Say what became of it."""
        await self.calls.report(self.go, succeeded=succeeded, note=note)


class Batch:
    """A batch of a client's: its responses go back together, once the last is there."""

    def __init__(self, ids: set[Id]) -> None:
        self._left = ids
        self._found: list[Message] = []

    def add(self, id: Id | None, response: Message | None) -> bytes | None:
        """Note one response, or that there will be none; the line to write once all are there."""
        if response is not None:
            self._found.append(response)
        if id is not None:
            self._left.discard(id)
        if self._left or not self._found:
            return None
        found, self._found = self._found, []
        return line(found)


@dataclass
class Asked:
    """A call that is being asked about, and the task that does."""

    task: asyncio.Task[None]
    request: Message
    batch: Batch | None


@dataclass
class Flight:
    """A request that the server has; `approved` where it is a call that was asked about."""

    request: Message
    batch: Batch | None = None
    approved: Approved | None = None


class Unfinished:
    """Approved calls whose server has answered that there is more to come; those of one client's connection.

    From protocol 2026-07-28 on a server may answer a call with a question, and the client calls again with
    the answer: the same call, which is not asked about twice. Or it answers with a task, whose result the
    client fetches: it is reported then.
    """

    def __init__(self) -> None:
        self._continued: OrderedDict[tuple[str, str, str], Approved] = OrderedDict()
        self._tasks: OrderedDict[str, Approved] = OrderedDict()

    def keep(self, request: Message, result: dict[str, Any], approved: Approved) -> bool:
        """Note the response to a call; whether more is to come."""
        task = result.get("task")
        task_id = task.get("taskId") if isinstance(task, dict) else result.get("taskId")
        if isinstance(task_id, str):
            self._tasks[task_id] = approved
        elif result.get("resultType") == "input_required":
            answered: dict[str, Any] = {"requestState": result.get("requestState"), "inputResponses": {}}
            if (key := _continued({**params_of(request), **answered})) is not None:
                self._continued[key] = approved
        else:
            return False
        for kept in (self._tasks, self._continued):
            while len(kept) > MOST_KEPT:
                kept.popitem(last=False)
        return True

    def resumed(self, request: Message) -> Approved | None:
        """The call that a request goes on with: of the same arguments, once; the desk looks if it holds."""
        key = _continued(params_of(request))
        return self._continued.pop(key, None) if key is not None else None

    def fetched(self, request: Message, result: dict[str, Any]) -> Approved | None:
        """The call whose end the response to a request tells; None where it tells of none."""
        task_id = params_of(request).get("taskId")
        if request.get("method") not in RESULT_OF_TASK or not isinstance(task_id, str):
            return None
        if request["method"] == "tasks/get" and result.get("status") not in ENDED:
            return None
        if request["method"] == "tasks/get" and "resultType" not in result:
            return None  # protocol 2025-11-25: the result is fetched by tasks/result
        return self._tasks.pop(task_id, None)


def _continued(params: dict[str, Any]) -> tuple[str, str, str] | None:
    state = params.get("requestState")
    if state is None and "inputResponses" not in params:
        return None
    try:
        return params["name"], canonical(params.get("arguments") or {}), canonical(state)
    except Invalid:
        return None
