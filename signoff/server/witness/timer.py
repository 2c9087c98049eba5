"""Every minute: the log's head, signed, to each witness. One that is away stops nothing."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from threading import Event, Thread

from signoff.approvals import audit
from signoff.approvals.audit import heads
from signoff.models.engine import OUTAGE as DATABASE_OUTAGE
from signoff.models.store import Store
from signoff.server.witness.kinds import Witness
from signoff.signatures import Signer

log = logging.getLogger("signoff.witness")

SECONDS = 60.0
"""Between two heads."""
PATIENCE = 15 * 60.0
"""Seconds that a witness may be away before the admins are told."""


@dataclass
class Attendance:
    """How one witness does: heads that it took, and since when (by the monotonic clock) it takes none."""

    witness: Witness
    taken: int = 0
    failed: int = 0
    since: float | None = None
    told: bool = False


class Heads:
    """The timer. `tell` tells the admins, and is False where none could be told. Never raises."""

    def __init__(
        self,
        store: Store,
        signer: Signer,
        issuer: str,
        witnesses: Sequence[Witness],
        tell: Callable[[Sequence[str]], bool],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._store = store
        self._signer = signer
        self._issuer = issuer
        self._tell = tell
        self._clock = clock
        self.attendance = [Attendance(witness) for witness in witnesses]

    def run(self, stop: Event) -> None:
        """Every 60 s until `stop` is set; each witness by itself, so that none waits for another."""
        threads = [
            Thread(target=self._attend, args=(one, stop), name="witness", daemon=True)
            for one in self.attendance
        ]
        for thread in threads:
            thread.start()
        stop.wait()
        for thread in threads:
            thread.join(timeout=10)

    def step(self) -> None:
        """Each witness once."""
        for one in self.attendance:
            self._once(one)

    def _attend(self, one: Attendance, stop: Event) -> None:
        while True:
            self._once(one)
            if stop.wait(SECONDS):
                return

    def _once(self, one: Attendance) -> None:
        name = one.witness.name
        try:
            with self._store.reading() as connection:
                head = audit.last_line(connection)
            token = heads.sealed(self._signer, head, self._issuer)
        except DATABASE_OUTAGE as error:
            log.warning("no head for the witness: %s", type(error).__name__)
            return
        try:
            one.witness.send(token, head)
        except Exception as error:  # whatever it answers is not ours: it must never stop a worker
            one.failed += 1
            self._missed(one, f"{type(error).__name__}: {error}"[:200])
            return
        one.taken += 1
        if one.since is not None:
            log.info("witness is back: %s", name)
            one.since, one.told = None, False

    def _missed(self, one: Attendance, why: str) -> None:
        now = self._clock()
        if one.since is None:
            one.since = now
        log.warning("witness away: %s, %d heads not taken: %s", one.witness.name, one.failed, why)
        if not one.told and now - one.since >= PATIENCE:
            minutes = (now - one.since) / 60
            fault = (
                f"The audit log's witness ({one.witness.name}) has taken no head for {minutes:.0f} minutes: "
                f"{why}. Until it does, nobody outside could tell whether the log was cut."
            )
            try:
                one.told = self._tell([fault])
            except Exception as error:
                log.warning("admins not told of a witness: %s", type(error).__name__)
