"""What runs beside a role never ends by what nobody has foreseen: it is said, and it begins again."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable

from signoff.queue.tally import Tally

log = logging.getLogger("signoff")

PAUSE = 1.0
"""Seconds before what has ended begins again."""
_tally = Tally(log)


def perpetual(name: str, run: Callable[[threading.Event], object], stop: threading.Event) -> threading.Thread:
    """A thread, not started yet, in which `run(stop)` goes on until `stop` is set, whatever it raises."""

    def running() -> None:
        while not stop.is_set():
            try:
                run(stop)
            except Exception as error:
                # Its text may repeat a payload: only the type is logged.
                _tally.add(f"{name} ended, and begins again", detail=type(error).__name__)
            stop.wait(PAUSE)

    return threading.Thread(target=running, name=name, daemon=True)
