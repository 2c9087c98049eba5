"""A lease while it is held: renewed for as long as a call to Slack takes, so that it can be short.

Whoever dies with a lease keeps a card from being shown for as long as it lasts.
"""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable
from typing import ClassVar, Self

from signoff.models.engine import OUTAGE

log = logging.getLogger("signoff.deliver")

RENEW_SECONDS = 1.0
"""A fifth of what a lease lasts: a few renewals may fail before it is lost."""
Renew = Callable[[int], bool]
"""A lease → for longer; False where somebody else has had it since."""


class Held:
    """Inside its `with`, one thread renews all leases that this process has, every second.

    `lease` is the one to note something by, or to give back: no row has it any more where it was lost. `sure`
    is False while something may stand in Slack that nobody has noted.
    """

    _all: ClassVar[set[Held]] = set()
    _lock: ClassVar[threading.Lock] = threading.Lock()
    _thread: ClassVar[threading.Thread | None] = None

    def __init__(self, lease: int, renew: Renew) -> None:
        self.lease = lease
        self.sure = True
        self._renew = renew
        self._over = False
        self._own = threading.Lock()

    def __enter__(self) -> Self:
        with Held._lock:
            Held._all.add(self)
            if Held._thread is None:
                Held._thread = threading.Thread(target=_renew_all, name="leases", daemon=True)
                Held._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        with Held._lock:
            Held._all.discard(self)
        with self._own:
            self._over = True

    def renew(self) -> bool:
        """Now; False where it was lost. The database's errors pass."""
        with self._own:
            return not self._over and self._renew(self.lease)

    @classmethod
    def all(cls) -> list[Held]:
        """What this process has now."""
        with cls._lock:
            return list(cls._all)


def _renew_all() -> None:
    while True:
        time.sleep(RENEW_SECONDS)
        for held in Held.all():
            try:
                held.renew()
            except OUTAGE as error:
                log.warning("a lease is not renewed: %s", type(error).__name__)
            except Exception as error:
                log.error("a lease is not renewed: %s", type(error).__name__)
