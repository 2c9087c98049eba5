"""App Home, as the bot hears of it: who opens it is noted, and a worker draws it (`bot.delivery.homes`)."""

from __future__ import annotations

import logging
from collections.abc import Callable

from signoff.bot.listeners import replies
from signoff.bot.listeners.opener import Body
from signoff.models import homes
from signoff.models.store import Store

log = logging.getLogger("signoff.home")


class Home:
    """The bot's part: notes who opens it, and wakes a worker."""

    def __init__(self, store: Store, wake: Callable[[str], None]) -> None:
        self._store = store
        self._wake = wake

    def note_opened(self, event: Body) -> None:
        """`app_home_opened`. Without a view in it nothing of ours stands there."""
        if event.get("tab", "home") != "home":
            return
        try:
            homes.note_opened(self._store, event["user"], blank="view" not in event)
        except Exception as error:
            replies.log.warning("Home not noted: %s", type(error).__name__)
        else:
            self._wake(event["user"])
