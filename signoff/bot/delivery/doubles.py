"""Messages beside cards: redrawn so that nobody decides on them, and that they say where the card stands."""

from __future__ import annotations

import logging

from signoff.approvals.service import Approvals
from signoff.bot.cards import card
from signoff.bot.slack.client import Slack
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.models import crash, doubles, turns
from signoff.models.approval import Approval

log = logging.getLogger("signoff.deliver")

AT_ONCE = 10
"""Redrawn one after the other before others have their turn."""
NOT_YET_SECONDS = 2.0
"""Pause where no card stands yet: the next delivery may take this message for it."""
REFUSED_SECONDS = 60.0
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed"})


class Doubles:
    """Redraws them. What is drawn depends on nothing that changes, so two at once do no harm."""

    def __init__(self, approvals: Approvals, slack: Slack) -> None:
        self._approvals = approvals
        self._store = approvals.store
        self._slack = slack

    def step(self) -> None:
        """Those that are due, for a while. The database's errors pass."""
        for _ in range(AT_ONCE):
            double = doubles.claim(self._store)
            if double is None:
                return
            crash.here("double.claimed")
            if not self._one(double):
                return

    def _one(self, double: doubles.Double) -> bool:
        """False where Slack is to be left alone."""
        place, approval = double.place, self._store.get(double.approval_id)
        if approval is not None and approval.card is not None:
            if approval.card.message is None:
                doubles.postpone(self._store, double.id, NOT_YET_SECONDS)
                return True
            if (approval.card.conversation, approval.card.message) != (place.conversation, place.message):
                try:
                    self.redraw(approval, place.conversation, place.message, moved=double.moved)
                except SlackUnavailable as error:
                    log.info("double postponed: id=%s for %.1f s", double.approval_id, error.seconds)
                    if error.limited:
                        turns.pause(self._store, error.limited, "", error.seconds)
                    doubles.postpone(self._store, double.id, error.seconds)
                    return False
                except SlackRefused as error:
                    log.warning("double refused: id=%s %s", double.approval_id, error)
                    if error.code not in GONE:
                        doubles.postpone(self._store, double.id, REFUSED_SECONDS)
                        return True
                crash.here("double.redrawn")
        doubles.done(self._store, double.id)
        return True

    def note(self, approval_id: str, place: doubles.Place) -> None:
        """Have a message redrawn that may stand beside the card; nothing happens where it is the card."""
        with self._store.transaction() as connection:
            doubles.add(connection, approval_id, place)

    def redraw(self, approval: Approval, channel: str, ts: str, *, moved: bool = False) -> None:
        """Bring a message beside the card up to date; raises what Slack says. `moved`: it was the card."""
        today = self._approvals.judge.today(approval)
        message = card.double(today, now=self._store.clock(), moved=moved)
        self._slack.update(channel, ts, message.text, message.blocks, metadata=message.metadata)
