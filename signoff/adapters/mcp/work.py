"""What tools of `signoff mcp` are at, each in a task: whoever goes has taken back first what was asked."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any, TypeVar

import anyio
from mcp.server.mcpserver import Context
from mcp.server.mcpserver.exceptions import ToolError

from signoff.adapters.mcp.inquiries import WITHDRAW_SECONDS, unavailable
from signoff.errors import SignoffError

log = logging.getLogger("signoff")
T = TypeVar("T")


def ctx_meta(ctx: Context[Any, Any]) -> dict[str, Any]:
    """The `_meta` of the request that is served."""
    return dict(ctx.request_context.meta or {})


_running: set[asyncio.Future[Any]] = set()


async def take_back() -> None:
    """Withdraw all that calls wait for: this process is about to end."""
    running = set(_running)
    for task in running:
        task.cancel()
    if running:
        await asyncio.wait(running, timeout=2 * WITHDRAW_SECONDS)


async def whole(work: Coroutine[Any, Any, T], action: str) -> T:
    """`work`, in a task of its own: a client that cancels it waits until it has taken back what it asked.

    The library's cancellation comes again at every await; this lets `work` see one. Whatever else goes wrong
    is told as that: not approved.
    """
    task = asyncio.ensure_future(work)
    _running.add(task)
    task.add_done_callback(_running.discard)
    try:
        return await asyncio.shield(task)
    except asyncio.CancelledError:
        task.cancel()
        with anyio.CancelScope(shield=True), suppress(asyncio.CancelledError, Exception):
            await asyncio.wait({task}, timeout=2 * WITHDRAW_SECONDS)
        raise
    except ToolError:
        raise
    except Exception as error:
        log.exception("%s: a tool of signoff mcp failed", action)
        raise unavailable(action, SignoffError(type(error).__name__)) from None
