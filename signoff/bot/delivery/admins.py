"""The people who are told what has to be mended."""

from __future__ import annotations

import logging
import threading
from collections.abc import Sequence

from signoff.bot.slack.client import Slack
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.bot.text.text import Trusted
from signoff.bot.text.words import admin as admin_words

log = logging.getLogger("signoff.admins")


class Admins:
    """Tells each of them, in a message of their own. Never raises."""

    def __init__(self, slack: Slack, user_ids: Sequence[str]) -> None:
        self._slack = slack
        self._user_ids = user_ids
        self._told: set[str] = set()
        self._lock = threading.Lock()

    def tell(self, text: Trusted) -> bool:
        """False where there are admins and none of them could be told."""
        told = not self._user_ids
        for user_id in self._user_ids:
            try:
                self._slack.post(user_id, text)
                told = True
            except (SlackUnavailable, SlackRefused) as error:
                log.warning("admin not told: %s", error)
        return told

    def tell_once(self, fault: str, text: Trusted) -> None:
        """The same, once for each fault in this process, or until one of them could be told."""
        with self._lock:
            if fault not in self._told and self.tell(text):
                self._told.add(fault)

    def tell_of(self, faults: Sequence[str]) -> bool:
        """The same of whatever else needs somebody."""
        return self.tell(admin_words.admin_faults(faults))

    def tell_of_policy(self, faults: Sequence[str]) -> bool:
        """The same of a policy's file that cannot be used: `faults` are why."""
        return self.tell(admin_words.admin_bad_policy(faults))
