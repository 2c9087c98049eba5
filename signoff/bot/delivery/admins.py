"""Telling the admins."""

from __future__ import annotations

import logging
from collections.abc import Sequence

from signoff.bot.slack.client import Slack
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.bot.text.words import admin as admin_words

log = logging.getLogger("signoff.admins")


class Telling:
    """Tells the admins of a policy file that cannot be used."""

    def __init__(self, slack: Slack, admins: tuple[str, ...]) -> None:
        self._slack = slack
        self._admins = admins

    def __call__(self, faults: Sequence[str]) -> bool:
        """False where there are admins and none of them could be told. Never raises."""
        told = not self._admins
        for admin in self._admins:
            try:
                self._slack.post(admin, admin_words.admin_bad_policy(faults))
                told = True
            except (SlackUnavailable, SlackRefused) as error:
                log.warning("admin not told: %s", error)
        return told
