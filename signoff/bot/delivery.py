"""Approval → card: take its lease, post or update, record what was shown. Nothing else touches cards."""

from __future__ import annotations

import json
import logging
import time

from signoff.approvals import Approvals
from signoff.bot import cards, words
from signoff.bot.log import log_blocks, log_text
from signoff.bot.post import Slack
from signoff.errors import SlackRefused, SlackUnavailable
from signoff.models import leases
from signoff.models.approval import Approval
from signoff.models.approval import Card as CardPlace
from signoff.models.store import Store

log = logging.getLogger("signoff.deliver")

ROUNDS = 10
"""How often one delivery goes round for a revision that moves meanwhile; sweep has the rest."""
REFUSED_SECONDS = 60.0
"""Pause before a card that Slack refuses is tried again: somebody may invite the app by then."""
GONE = frozenset({"message_not_found", "cant_update_message", "edit_window_closed", "is_inactive"})
"""Refusals of an update after which a new card is posted."""
OF_ONE_CARD = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
"""Refusals of what a card holds. Any other meets every card of the channel, and is told once for all."""


class Held:
    """A card's lease while it is held."""

    def __init__(self, store: Store, card_id: int, lease: int) -> None:
        self._store, self._card_id = store, card_id
        self._lease: int | None = lease

    def renew(self) -> bool:
        """Before another call to Slack; False where it was lost."""
        self._lease = leases.renew(self._store, self._card_id, self._lease) if self._lease else None
        return self._lease is not None

    def release(self) -> None:
        """Give it back, unless it was lost."""
        if self._lease:
            leases.release(self._store, self._card_id, self._lease)


class Delivery:
    """Brings cards up to date."""

    def __init__(self, approvals: Approvals, slack: Slack, admins: tuple[str, ...]) -> None:
        self._approvals = approvals
        self._store = approvals.store
        self._slack = slack
        self._admins = admins
        self._quiet_until = 0.0

    def deliver(self, approval_id: str) -> None:
        """Show an approval's last revision. Does nothing while another delivery of it is under way.

        Slack's trouble postpones it, by Slack's own Retry-After; the database's errors pass.
        """
        card_id = self._store.card_of(approval_id)
        if card_id is None:
            return
        wait = self._quiet_until - time.monotonic()
        if wait > 0:  # Slack asked to be left alone: one card's Retry-After holds for all
            self._store.postpone(approval_id, wait)
            return
        lease = leases.take(self._store, card_id)
        if lease is None:
            return
        held = Held(self._store, card_id, lease)
        try:
            self._until_shown(approval_id, held)
        except SlackUnavailable as error:
            log.info("postponed: id=%s for %.1f s: %s", approval_id, error.seconds, error.detail)
            if error.limited:
                self._quiet_until = time.monotonic() + error.seconds
            self._store.postpone(approval_id, error.seconds)
        except SlackRefused as error:
            self._refused(approval_id, error)
        finally:
            held.release()

    def redraw(self, approval_id: str, channel: str, ts: str) -> None:
        """Bring the message up to date that somebody clicked: the card, or the double of a lost reply."""
        approval = self._store.get(approval_id)
        if approval is None or approval.card is None:
            return
        if (approval.card.channel, approval.card.ts) == (channel, ts):
            return self.deliver(approval_id)
        message = cards.card(approval, now=self._store.clock())
        self._slack.update(channel, ts, message.text, message.blocks, metadata=message.metadata)

    def _until_shown(self, approval_id: str, held: Held) -> None:
        for number in range(ROUNDS):
            if number and not held.renew():
                return
            found = self._store.look(approval_id)
            assert found is not None
            approval, now = found
            assert approval.card is not None
            if approval.card.shown_revision < approval.revision:
                self._show(approval, approval.card, now)
            elif approval.card.log_revision < approval.revision:
                self._log(approval, approval.card)
            else:
                self._approvals.delivered(approval)
                if not self._moved(approval):
                    return

    def _moved(self, approval: Approval) -> bool:
        current = self._store.get(approval.id)
        return current is not None and current.revision > approval.revision

    def _show(self, approval: Approval, place: CardPlace, now: int) -> None:
        message = cards.card(approval, now=now)
        channel, ts, permalink = place.channel, place.ts, place.permalink
        if channel and ts:
            try:
                self._slack.update(channel, ts, message.text, message.blocks, metadata=message.metadata)
            except SlackRefused as error:
                if error.code not in GONE:
                    raise
                log.warning("the card is gone, posting another: id=%s %s", approval.id, error.code)
                ts = None
        if not ts:
            self._slack.address()  # known before: a click may follow the post at once
            posted = self._slack.post(
                approval.verdict.channel, message.text, message.blocks, metadata=message.metadata
            )
            channel, ts = posted.channel, posted.ts
            permalink = self._slack.permalink(channel, ts)
        assert channel is not None
        rendered = json.dumps([message.text, message.blocks], ensure_ascii=False)
        self._approvals.shown(approval, channel, ts, permalink, rendered)

    def _log(self, approval: Approval, place: CardPlace) -> None:
        """The card's thread has one log reply, edited in place."""
        assert place.channel and place.ts
        text, blocks = log_text(approval), log_blocks(approval)
        log_ts = place.log_ts
        if log_ts:
            try:
                self._slack.update(place.channel, log_ts, text, blocks)
            except SlackRefused as error:
                if error.code not in GONE:
                    raise
                log_ts = None
        if not log_ts:
            log_ts = self._slack.post(place.channel, text, blocks, thread_ts=place.ts).ts
        self._approvals.logged(approval, log_ts)

    def _refused(self, approval_id: str, error: SlackRefused) -> None:
        """Slack will not show it until somebody changes something: tell the admins, once a fault."""
        log.error("card refused: id=%s %s", approval_id, error)
        self._store.postpone(approval_id, REFUSED_SECONDS)
        approval = self._approvals.get(approval_id)
        whose = approval_id if error.code in OF_ONE_CARD else approval.verdict.channel
        if not self._approvals.cannot_show(approval_id, f"{error.code} {whose}"):
            return
        told = words.admin_cannot_show(approval, error.code, error.detail)
        for admin in self._admins:
            try:
                self._slack.post(admin, told)
            except (SlackUnavailable, SlackRefused) as failed:
                log.warning("admin not told: %s", failed)
