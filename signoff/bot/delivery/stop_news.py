"""Admins are told of each stop and of what becomes of it, whoever stopped it and by which door."""

from __future__ import annotations

import logging

from signoff.bot.delivery.admins import Admins
from signoff.bot.text.words import stops as words
from signoff.models import stop_told
from signoff.models.store import Store

log = logging.getLogger("signoff.admins")


class StopNews:
    """Any number of workers may look at once: each change is told by one of them."""

    def __init__(self, store: Store, admins: Admins) -> None:
        self._store = store
        self._admins = admins

    def step(self) -> None:
        """Tell of what nobody has told of yet; where no admin can be told, it is tried again."""
        for stop in stop_told.untold(self._store):
            if not stop_told.claim(self._store, stop):
                continue
            if not self._admins.tell(words.told_admins(stop)):
                stop_told.give_back(self._store, stop)
                return
            log.info("admins told of a stop: number=%d", stop.number)
