"""Callers that wait, each in a thread of its own, and what tests ask about them."""

from __future__ import annotations

from collections.abc import Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

import httpx
from support import eventually
from web.conftest import Door

ASKED = {"action": "refund.create", "payload": {"customer": "cus_42", "amount": 120}, "reversible": False}


class Callers:
    """Calls that go on beside each other."""

    def __init__(self, pool: ThreadPoolExecutor) -> None:
        self._pool = pool

    def call(self, client: httpx.Client, method: str, path: str, **more: Any) -> Future[httpx.Response]:
        """One call, begun."""
        return self._pool.submit(client.request, method, path, **more)

    def get(self, client: httpx.Client, path: str, **more: Any) -> Future[httpx.Response]:
        """A GET, begun."""
        return self.call(client, "GET", path, **more)


@contextmanager
def callers(most: int = 16) -> Iterator[Callers]:
    """Up to so many. Where the test fails nobody waits for them: a stream of events may go on for ever."""
    pool, done = ThreadPoolExecutor(most), False
    try:
        yield Callers(pool)
        done = True
    finally:
        pool.shutdown(wait=done)


def wait_for_waits(door: Door, number: int) -> None:
    """Until so many wait."""
    eventually(lambda: door.doors.hub.waits == number)


def is_waited_for(door: Door, request_id: str, agent: str = "billing-bot") -> bool:
    """Whether cards would say that somebody waits."""
    return bool(door.core.approvals.publisher.waited_for([(agent, request_id)]))


def ask(client: httpx.Client, **more: Any) -> str:
    """A request that is pending → its id."""
    found = client.post("/v1/requests", json=ASKED | more).json()
    assert found["status"] == "pending", found
    return str(found["id"])
