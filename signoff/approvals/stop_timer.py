"""Tells Redis every few seconds what is stopped: gates and guards believe nothing that is old."""

from __future__ import annotations

from threading import Event

from signoff.approvals.stopping import Stopping

TELL_SECONDS = 5.0


class StopTimer:
    """Of a worker; several may run."""

    def __init__(self, stopping: Stopping) -> None:
        self._stopping = stopping

    def run(self, stop: Event) -> None:
        """At once, then every 5 s until `stop` is set."""
        while True:
            self._stopping.tell()
            if stop.wait(TELL_SECONDS):
                return
