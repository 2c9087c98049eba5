"""Hold, before something runs, and Undo…, once it has: parse, one call into `approvals`, reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from signoff.approvals.errors import NotRecorded
from signoff.approvals.service import Approvals
from signoff.bot.cards.card import parse_token
from signoff.bot.forms.undo_form import read_seen, undo_view
from signoff.bot.listeners.actions import Actions
from signoff.bot.listeners.opener import Body, Opener
from signoff.bot.text.text import Block
from signoff.bot.text.views import target

Ack = Callable[..., Any]


class Second:
    """What a person can do about what nobody was asked about."""

    def __init__(self, approvals: Approvals, opener: Opener, actions: Actions) -> None:
        self._approvals = approvals
        self._opener = opener
        self._actions = actions

    def hold(self, ack: Ack, body: Body) -> None:
        """The card's Hold: every second counts."""
        ack()
        approval_id = ""
        try:
            approval_id, version = parse_token(_value(body))
            self._approvals.grace.hold(approval_id, version, body["user"]["id"])
        except Exception as error:
            self._actions.say(error, approval_id, body)
            if isinstance(error, NotRecorded):
                self._actions.redraw(approval_id, body)

    def open(self, body: Body) -> None:
        """The card's Undo…"""
        approval_id = ""
        try:
            approval_id, _ = parse_token(_value(body))
        except NotRecorded as error:
            self._actions.say(error, "", body)
            return
        opened = self._opener.open(
            body,
            lambda user: undo_view(self._approvals.undo.plan(approval_id, user)),
            lambda error: self._actions.refusal(error, approval_id),
            lambda error: self._actions.say(error, approval_id, body),
        )
        if not opened:
            self._actions.redraw(approval_id, body)

    def submit(self, ack: Ack, body: Body, view: Block) -> None:
        """Undo, in its form."""
        try:
            approval_id, _ = target(view)
            self._approvals.undo.ask(approval_id, body["user"]["id"], read_seen(view))
            ack(response_action="clear")
        except Exception as error:
            ack(response_action="update", view=self._actions.lost(error, view))


def _value(body: Body) -> str:
    return str(body["actions"][0].get("value") or "")
