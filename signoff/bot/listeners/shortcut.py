"""The message shortcut *Decide…*: from a card or its thread's first message to the review."""

from __future__ import annotations

from typing import Any

from signoff.approvals.errors import NotRecorded
from signoff.approvals.service import Approvals
from signoff.bot.cards.menu import token
from signoff.bot.cards.pending import waiting_blocks
from signoff.bot.forms import modals
from signoff.bot.listeners.actions import Actions
from signoff.bot.listeners.opener import Body, Opener
from signoff.bot.listeners.replies import NotOpened
from signoff.bot.text.text import Block
from signoff.bot.text.views import modal
from signoff.bot.text.words import replies as replies_words
from signoff.models import places
from signoff.models.approval import Approval


class Decide:
    """Everything is answered in a view: it is private, and stands where the person looks."""

    def __init__(self, approvals: Approvals, opener: Opener, actions: Actions) -> None:
        self._approvals = approvals
        self._opener = opener
        self._actions = actions

    def shortcut(self, body: Body) -> None:
        """*Decide…* on any message."""
        channel, ts = body["channel"]["id"], body["message_ts"]
        message = body.get("message") or {}
        try:
            one = self._of(channel, ts, message)
            several = [] if one else places.in_thread(self._approvals.store, channel, ts)
        except Exception as error:
            self._opener.tell(body, *self._actions.explain(NotOpened.of(error), ""))
            return
        if one:
            self._actions.review(body, token(one))
        elif several:
            self._choose(body, several)
        else:
            self._opener.tell(body, replies_words.NOT_A_CARD)

    def _of(self, channel: str, ts: str, message: dict[str, Any]) -> Approval | None:
        """The approval whose card this message is.

        Any app can write any metadata: it only names a row, which has to have its card in this channel. So
        the double of a card, whose post Slack never confirmed, is known too.
        """
        store = self._approvals.store
        for approval_id in places.at(store, channel, ts):
            return store.get(approval_id)
        metadata = message.get("metadata") or {}
        if metadata.get("event_type") == "signoff_approval":
            named = store.get(str((metadata.get("event_payload") or {}).get("approval_id") or ""))
            if named and named.card and named.card.conversation == channel:
                return named
        return None

    def _choose(self, body: Body, ids: list[str]) -> None:
        """Which of a thread's requests it is about."""
        self._opener.open(
            body, lambda user: self._choice(user, ids), lambda error: self._actions.refusal(error, ids[0])
        )

    def _choice(self, user: str, ids: list[str]) -> Block:
        may = []
        for approval_id in ids:
            try:
                approval = self._approvals.get(approval_id)
                may.append(self._approvals.open_for(approval.id, approval.version, user)[0])
            except NotRecorded:
                continue
        if not may:
            return modals.message_view(replies_words.NOT_POSSIBLE, replies_words.NOTHING_WAITS_HERE)
        blocks = waiting_blocks(replies_words.WAITS_HERE, may, self._approvals.store.clock())
        return modal("choose", replies_words.DECIDE, blocks)
