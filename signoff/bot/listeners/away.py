"""`/approvals away` and `/approvals back`: who decides in somebody's place: parse, one call, reply."""

from __future__ import annotations

import re

from signoff.approvals.errors import NotAway
from signoff.approvals.service import Approvals
from signoff.bot.slack.directory import SlackDirectory
from signoff.bot.text.text import Trusted
from signoff.bot.text.words import away as words
from signoff.models.until import until_when

_ASKED = re.compile(
    r"(?P<until>.+?)[ ,]+deputy[ :]+<@(?P<deputy>[UW][A-Z0-9]{2,20})(?:\|[^<>]{0,80})?>", re.IGNORECASE
)
"""Slack writes a person so in a command's text."""


class Absent:
    """Answers one person."""

    def __init__(self, approvals: Approvals, directory: SlackDirectory) -> None:
        self._approvals = approvals
        self._directory = directory

    def away(self, user: str, said: str) -> Trusted:
        """They are away, as they say; with nothing said, whether they are. Raises NotAllowed."""
        times = self._approvals.times
        if not said:
            found = times.away.away().get(user)
            return words.is_away(found.until, found.deputy) if found else words.NOT_AWAY
        asked = _ASKED.fullmatch(said.strip())
        until = asked and until_when(
            asked["until"], self._directory.person(user).tz, self._approvals.store.clock()
        )
        if not asked or not until:
            return words.HOW
        try:
            found, groups = times.away.leave(user, until, asked["deputy"], by=user)
        except NotAway as error:
            return words.refused(error.detail, error.may)
        return words.away(found.until, found.deputy, groups)

    def back(self, user: str) -> Trusted:
        """They decide for themselves again."""
        return words.BACK if self._approvals.times.away.back(user, by=user) else words.NOT_AWAY
