"""The server's middle, built anew after each crash, and the places at which it may crash."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import pytest
import redis
from support import Core

from signoff.approvals import audit
from signoff.approvals import sweep as sweeps
from signoff.approvals.receipts import Receipts
from signoff.approvals.service import Approvals
from signoff.approvals.sweep import Sweep
from signoff.models import crash
from signoff.models.store import Store
from signoff.policy.policy import Policy
from signoff.queue import intake as intakes
from signoff.queue import reader
from signoff.queue.intake import Intake
from signoff.queue.publisher import Publisher
from signoff.queue.requests import Stream

IN_TRANSACTION = "all is written, nothing committed"
POINTS = (
    IN_TRANSACTION,
    "before it is published",
    "after it is published",
    "after it is noted as published",
    "before it is marked received",
    "before the worker is woken",
    "before the entry is acknowledged",
    "after the entry is acknowledged",
    "flood.committed",
    "publication.sent",
    "intake.buried",
    "publication.refused",
)
"""Some are those of `signoff.models.crash`."""


class Crash(BaseException):
    """The process ends here: no `except Exception` sees it."""


class Parts:
    """All that a process has in its memory.

    `armed` is the point at which it crashes, once, when it is passed for the `left`th time; `meanwhile` is
    what another process does, once, between what this one has read and what it then writes; `policy` is the
    one in force.
    """

    def __init__(self, core: Core, client: Any) -> None:
        self._core, self._client = core, client
        self.armed: str | None = None
        self.left = 1
        self.meanwhile: Callable[[], Any] | None = None
        self.policy = Policy(approvers=("S0FIN",), conversation="C0APPROVE")
        self._built = 0
        self.build()

    def build(self) -> None:
        """As freshly started."""
        core = self._core
        self._built += 1
        self.armed = self.meanwhile = None
        receipts = Receipts(core.signer, hours=24)
        publisher = Publisher(self._client, receipts.lifetime)
        store = Store(core.store.engine)
        stream = Stream(self._client, f"consumer-{self._built}")
        transaction = store.transaction

        def overtaken(step: str = "") -> Any:
            meanwhile, self.meanwhile = self.meanwhile, None
            if meanwhile:
                meanwhile()
            return transaction(step)

        store.transaction = overtaken  # type: ignore[method-assign]
        self._wrap(publisher, "publish", "before it is published", "after it is published")
        self._wrap(publisher, "mark_received", "before it is marked received")
        self._wrap(store, "mark_published", after="after it is noted as published")
        self._wrap(stream, "ack", "before the entry is acknowledged", "after the entry is acknowledged")
        self.store = store
        self.approvals = Approvals(store, receipts, publisher, lambda: self.policy, core.people, self._wake)
        self.intake, self._sweep = Intake(self.approvals, stream), Sweep(self.approvals)

    def drain(self) -> None:
        """Read until nothing is left, also what another consumer had read and not acknowledged."""
        while True:
            self.intake._reader._due.clear()
            if not self.intake.step():
                return

    def sweep(self) -> None:
        self._sweep.step()

    def at(self, point: str) -> None:
        """Crash, where that is asked for."""
        if self.armed != point:
            return
        self.left -= 1
        if self.left <= 0:
            self.armed = None
            raise Crash(point)

    def arm(self, point: str, times: int) -> None:
        """Crash there when it is passed so often."""
        self.armed, self.left = point, times

    def _wake(self, _: str) -> None:
        self.at("before the worker is woken")

    def _wrap(self, part: Any, name: str, before: str = "", after: str = "") -> None:
        inner: Callable[..., Any] = getattr(part, name)

        def wrapped(*arguments: Any) -> Any:
            self.at(before)
            found = inner(*arguments)
            self.at(after)
            return found

        setattr(part, name, wrapped)


@contextmanager
def parts(core: Core, redis_url: str) -> Iterator[Parts]:
    """Parts that wait for nothing: what is idle or unpublished counts as such at once."""
    client = redis.Redis.from_url(redis_url, socket_timeout=10)
    found = Parts(core, client)
    append = audit.append

    def crashing(*arguments: Any, **named: Any) -> list[Any]:
        given = append(*arguments, **named)
        found.at(IN_TRANSACTION)
        return given

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(audit, "append", crashing)
        patch.setattr(crash, "here", found.at)
        patch.setattr(intakes, "BLOCK_SECONDS", 0.001)
        patch.setattr(reader, "CLAIM_IDLE_MS", 0)
        patch.setattr(sweeps, "UNPUBLISHED_SECONDS", -1.0)
        yield found
    client.close()
