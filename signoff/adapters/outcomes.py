"""What became of an approved call: how its run ended is reported, for its card to show."""

from __future__ import annotations

import asyncio
import logging
from typing import TYPE_CHECKING, Any, Self

from signoff.adapters.answers import Go
from signoff.client import asked
from signoff.client.client import AsyncSignoff

if TYPE_CHECKING:
    from signoff.adapters.calls import Calls

log = logging.getLogger("signoff")
REPORT_SECONDS = 1.0
"""How long a report holds up who makes it, at most; after that it goes on alone."""


class Reported:
    """The run of one approved call; see `Calls.reported`."""

    def __init__(self, calls: Calls, go: Go) -> None:
        self._calls, self._go = calls, go

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, *_: object) -> None:
        self._calls.report_blocking(self._go, **_outcome(kind))

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, *_: object) -> None:
        await self._calls.report(self._go, **_outcome(kind))


def _outcome(kind: type[BaseException] | None) -> dict[str, Any]:
    """What is told of a run: of what it raised, the type alone."""
    return {"succeeded": kind is None, "note": f"It raised {kind.__name__}." if kind else ""}


async def report(client: AsyncSignoff, request_id: str, succeeded: bool, note: str) -> None:
    """Report it; never raises, nor takes long."""
    await asyncio.wait({asked.apart(_report(client, request_id, succeeded, note))}, timeout=REPORT_SECONDS)


async def _report(client: AsyncSignoff, request_id: str, succeeded: bool, note: str) -> None:
    try:
        await client.report(request_id, succeeded=succeeded, note=note)
    except Exception as error:
        log.warning("the outcome of request %s could not be reported: %s", request_id, error)
