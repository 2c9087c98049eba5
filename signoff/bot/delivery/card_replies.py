"""Replies in cards' threads: each posted once, as far as Slack lets us look, else at most once more."""

from __future__ import annotations

import logging

from signoff.approvals.service import Approvals
from signoff.bot.cards.reply_message import reply_message
from signoff.bot.delivery.retry import retry
from signoff.bot.delivery.search import Search
from signoff.bot.slack.client import NO_THREAD, Slack
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.bot.text.words.card_replies import KINDS
from signoff.models import card_replies, crash, turns
from signoff.models.approval import Approval
from signoff.models.card_replies import CardReply
from signoff.models.doubles import Place
from signoff.models.engine import OUTAGE

log = logging.getLogger("signoff.deliver")

AT_ONCE = 10
"""Posted one after the other before others have their turn."""
NOT_YET_SECONDS = 2.0
"""Pause where no card stands yet."""
REFUSED_SECONDS = 60.0
BROKEN_SECONDS = 60.0
"""Pause before one is tried again on which we fail: it must not hold up the others."""
TRIES = 2
"""As often one is posted of which nobody knows what became, where Slack does not let us look."""
NOWHERE = NO_THREAD | {"message_not_found", "channel_not_found", "is_archived", "not_in_channel"}
"""Refusals of a reply that no later one would meet otherwise: the thread is gone, or closed to us."""


class CardReplies:
    """Posts them. Any number share the work."""

    def __init__(self, approvals: Approvals, slack: Slack, search: Search) -> None:
        self._approvals = approvals
        self._store = approvals.store
        self._slack = slack
        self._search = search

    def step(self) -> None:
        """Those that are due, for a while. The database's errors pass."""
        for _ in range(AT_ONCE):
            reply = card_replies.claim(self._store)
            if reply is None:
                return
            crash.here("reply.claimed")
            try:
                self._one(reply)
            except SlackUnavailable as error:
                log.info("reply postponed: id=%s for %.1f s", reply.approval_id, error.seconds)
                if error.limited:
                    approval = self._approvals.get(reply.approval_id)
                    where = approval.verdict.conversation
                    turns.pause(self._store, error.limited, where, error.seconds)
                card_replies.give_back(self._store, reply, error.seconds, sure=error.undone)
                return
            except SlackRefused as error:
                log.warning("reply refused: id=%s %s", reply.approval_id, error)
                if error.code in NOWHERE:
                    card_replies.done(self._store, reply)
                else:
                    card_replies.give_back(self._store, reply, REFUSED_SECONDS)
            except OUTAGE:
                raise
            except Exception as error:
                # Its text may repeat what somebody wrote: only the type is logged.
                log.error("reply failed: id=%s %s", reply.approval_id, type(error).__name__)
                card_replies.give_back(self._store, reply, BROKEN_SECONDS, sure=False)

    def _one(self, reply: CardReply) -> None:
        approval = self._store.get(reply.approval_id)
        told = KINDS.get(reply.kind)
        said = told(approval, reply.said) if approval is not None and told is not None else None
        if approval is None or said is None:
            log.info("reply passed over: id=%s %s", reply.approval_id, reply.kind)
            card_replies.done(self._store, reply)
            return
        place = self._thread_of(approval)
        if place is None:
            card_replies.give_back(self._store, reply, NOT_YET_SECONDS)
            return
        channel, thread_ts = place
        if reply.lease > 1:
            found = self._search.reply(reply.id, channel, thread_ts, reply.created_at)
            if found is not None or reply.lease > TRIES:
                card_replies.done(self._store, reply, found.message if found else card_replies.PASSED_OVER)
                return
        message = reply_message(said, reply.id)
        posted = self._slack.post(
            channel, message.text, message.blocks, metadata=message.metadata, thread_ts=thread_ts
        )
        crash.here("reply.posted")
        if not posted.thread_ts:
            log.info("the card's thread is gone: id=%s", approval.id)
        retry(lambda: card_replies.done(self._store, reply, posted.ts))
        crash.here("reply.noted")

    def _thread_of(self, approval: Approval) -> tuple[str, str] | None:
        """The thread that its card begins, or stands in; None where no card stands yet."""
        card = approval.card
        if card is not None and card.conversation and card.message:
            return card.conversation, card.thread or card.message
        place: Place | None = None
        if card is None and approval.batch_id is not None:
            place = card_replies.batch_place(self._store, approval.batch_id)
        return (place.conversation, place.message) if place else None
