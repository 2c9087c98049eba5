"""Which button and form of several requests is whose."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

from slack_bolt import App

from signoff.approvals.lists import Lists
from signoff.approvals.service import Approvals
from signoff.bot.listeners.actions import Actions
from signoff.bot.listeners.batch_codes import Codes
from signoff.bot.listeners.batch_each import Each
from signoff.bot.listeners.batch_looks import Looks
from signoff.bot.listeners.batches import BatchReviews
from signoff.bot.listeners.opener import Body, Opener
from signoff.bot.slack.client import Slack
from signoff.bot.slack.views import Views


class BatchDoors:
    """All listeners of several requests. A card's menu leads to them too (`ways`), and the forms of one
    lead back to them (`after`).
    """

    def __init__(
        self, approvals: Approvals, lists: Lists, slack: Slack, opener: Opener, actions: Actions
    ) -> None:
        batches = approvals.batches
        looks = Looks(approvals, batches, lists)
        self._together = BatchReviews(approvals, batches, looks, slack, opener, actions)
        self._each = Each(approvals, batches, looks, opener, actions, self._together.refusal)
        self._codes = Codes(
            approvals.factors, batches, looks, opener, Views(slack), self._together.decided,
            self._together.refusal,
        )  # fmt: skip
        self._together.ask_code = self._codes.ask
        self.after = self._each.after
        self.ways: dict[str, Callable[[Body, str], None]] = {
            "alike": self._together.alike,
            "batch_review": self._together.begin,
            "batch_look": self._together.begin_look,
        }
        actions.after = self.after

    def register(self, app: App, later: Callable[[Callable[..., None]], dict[str, Any]]) -> None:
        """Each by its name; `later` acknowledges a click before its listener runs."""
        together, each = self._together, self._each
        clicks: dict[str, Callable[..., None]] = {
            "batch_approve": together.approve,
            "batch_review": together.review,
            "batch_look": together.look,
            "batch_page_back": together.turn,
            "batch_page_next": together.turn,
            "batch_approve_seen": together.approve_seen,
            "batch_reject": together.ask_reason,
            "batch_each": each.open,
            "each_approve": each.approve,
            "each_reject": each.reject,
            "each_edit": each.edit,
            "each_review": each.review,
            "each_note": each.note,
            "each_ask": each.ask,
            "each_details": each.details,
            "each_rest": each.rest,
            "each_previous": each.go,
            "each_next": each.go,
        }
        for action_id, listener in clicks.items():
            app.action(action_id)(**later(listener))
        app.action(re.compile("^batch_together_[0-9]$"))(**later(together.together))
        app.view("batch_code")(ack=self._codes.ack, lazy=[self._codes.approve])
        app.view("batch_reject")(ack=together.ack_reason, lazy=[together.reject])
