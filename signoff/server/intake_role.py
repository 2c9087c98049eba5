"""The intake role: what agents send is taken, and what waits of each is measured beside it."""

from __future__ import annotations

import threading
from collections.abc import Callable

from signoff.queue.bounds import Bounds, SwitchOff
from signoff.queue.intake import BLOCK_SECONDS, Intake
from signoff.server.build import Server
from signoff.server.perpetual import perpetual


def run_intake(
    server: Server,
    stop: threading.Event,
    ready: Callable[[], None],
    switch_off: SwitchOff | None = None,
) -> None:
    """Until `stop` is set. `switch_off` takes an agent's rights away who floods Redis, where somebody may."""
    bounds = Bounds(server.stream(BLOCK_SECONDS), switch_off)
    measuring = perpetual("bounds", bounds.run, stop)
    measuring.start()
    ready()
    try:
        Intake(server.approvals, server.stream(BLOCK_SECONDS), bounds.enforce).run(stop)
    finally:
        stop.set()
        measuring.join(timeout=5)
