"""Tells people and the admins, once, who was invited, who has enrolled what, and who was locked."""

from __future__ import annotations

import logging
from threading import Event

from signoff.bot.delivery.admins import Admins
from signoff.bot.slack.client import Slack
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.bot.text.words import factors as words
from signoff.models import factors
from signoff.models.factors import News
from signoff.models.store import Store
from signoff.queue.outage import is_outage
from signoff.queue.tally import Tally

log = logging.getLogger("signoff.factors")

SECONDS = 2.0


class FactorNews:
    """A timer. What could be told to nobody is told another time."""

    def __init__(self, store: Store, slack: Slack, admins: Admins) -> None:
        self._store = store
        self._slack = slack
        self._admins = admins
        self._tally = Tally(log)

    def run(self, stop: Event) -> None:
        """Every 2 s until `stop` is set."""
        while not stop.wait(SECONDS):
            self.step()

    def step(self) -> None:
        """Once."""
        try:
            for one in factors.untold(self._store):
                if factors.claim(self._store, one) and not self._tell(one):
                    factors.give_back(self._store, one)
        except Exception as error:
            if is_outage(error):
                log.warning("news of factors paused: %s", type(error).__name__)
            else:
                self._tally.add("news of factors passed over", detail=type(error).__name__)

    def _tell(self, one: News) -> bool:
        """Whether the admins were told; who has left Slack cannot be."""
        try:
            self._slack.post(one.user_id, words.news(one.what, one.user_id, one.by, to_them=True))
        except SlackUnavailable:
            return False
        except SlackRefused as error:
            log.warning("a person is not told of their factor: %s", error)
        return self._admins.tell(words.news(one.what, one.user_id, one.by, to_them=False))
