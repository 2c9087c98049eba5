"""Redis may lose what it took (docs/design.md): what was sent is seen to until an intake has marked it."""

from __future__ import annotations

import logging
from typing import Protocol

from signoff.errors import SignoffError
from signoff.models import crash
from signoff.models.jitter import between

log = logging.getLogger("signoff")

NOBODY_SECONDS = 10.0
"""After this long without `received`, say so."""
NOBODY = (
    "Nobody has picked request %s up for %.0f s: is `signoff serve` running? "
    "It is sent again until somebody does."
)
RESEND_SECONDS = (2.0, 3.0, 5.0, 10.0, 20.0, 40.0, 60.0)
"""Pauses between seeing to a request that no intake has marked; the last one goes on. Each takes up to a
quarter more, so that what was sent together is not sent again together."""
POINT_SECONDS = (600.0, 1800.0, 3600.0)
"""Before one more pointer is added to a request whose body stands unread: those that went before are most
likely unread, too."""


class Road(Protocol):
    """What is needed of an exchange."""

    async def is_received(self, request_id: str, timeout: float) -> bool: ...
    async def _renew(self, request_id: str) -> bool: ...
    async def _put(self, request_id: str, body: str) -> None: ...
    async def _append(self, kind: str, request_id: str, body: str = "") -> None: ...


async def until_received(road: Road, request_id: str, body: str) -> None:
    """Until it is received: its body renewed while it stands, and sent again where it is lost."""
    waited, tries, pointed, points = 0.0, 0, 0.0, 0
    while True:
        pause = _at(RESEND_SECONDS, tries) * between(1.0, 1.25)
        if await road.is_received(request_id, pause):
            crash.here("client.received")
            return
        waited, tries = waited + pause, tries + 1
        if waited - pause < NOBODY_SECONDS <= waited:
            log.warning(NOBODY, request_id, waited)
        try:
            if not await road._renew(request_id):  # lost, or just taken: then it is answered again
                await road._put(request_id, body)
                pointed = waited
            elif waited - pointed >= _at(POINT_SECONDS, points):
                await road._append("request", request_id)
                pointed, points = waited, points + 1
        except SignoffError as error:
            log.debug("%s", error)


def _at(pauses: tuple[float, ...], n: int) -> float:
    return pauses[min(n, len(pauses) - 1)]
