"""Approval → card: take its lease, post or update, record what was shown. Nothing else touches cards."""

from __future__ import annotations

import json
import logging
from collections.abc import Sequence
from dataclasses import replace
from functools import partial

from signoff.approvals.service import Approvals
from signoff.approvals.stopped import with_stop
from signoff.bot.cards import card
from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.batches import BatchCards
from signoff.bot.delivery.card_replies import CardReplies
from signoff.bot.delivery.doubles import Doubles
from signoff.bot.delivery.files import Files
from signoff.bot.delivery.lease import Held
from signoff.bot.delivery.retry import retry
from signoff.bot.delivery.search import Search
from signoff.bot.delivery.standing import Standing, renew
from signoff.bot.delivery.stop_news import StopNews
from signoff.bot.delivery.threads import NotYet, Threads
from signoff.bot.slack.client import Slack
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.bot.text.words import admin as admin_words
from signoff.models import crash, flood, spans, threads, turns
from signoff.models.approval import Approval
from signoff.models.approval import Card as CardPlace
from signoff.models.doubles import Place
from signoff.models.leases import CARDS
from signoff.models.turns import Turn

log = logging.getLogger("signoff.deliver")

ROUNDS = 10
"""How often one delivery goes round for a revision that moves meanwhile; the timer has the rest."""
AGAIN_SECONDS = 0.5
"""Pause where another delivery is about to do what this one needs."""
REFUSED_SECONDS = 60.0
"""Pause before a card that Slack refuses is tried again: somebody may invite the app by then."""
OF_ONE_CARD = frozenset({"invalid_blocks", "invalid_blocks_format", "msg_blocks_too_long", "msg_too_long"})
"""Refusals of what a card holds. Any other meets every card of the channel, and is told once for all."""


class Delivery:
    """Brings cards up to date."""

    def __init__(self, approvals: Approvals, slack: Slack, admins: Admins) -> None:
        self._approvals = approvals
        self._store = approvals.store
        self._slack = slack
        self._admins = admins
        search = Search(approvals.store, slack)
        self._threads = Threads(approvals.store, slack, search)
        self.batches = BatchCards(approvals, slack, self._threads, search, admins)
        self._standing = Standing(approvals, slack, self._threads, search)
        self._doubles = Doubles(approvals, slack)
        self._files = Files(approvals, slack)
        self._replies = CardReplies(approvals, slack, search)
        self._stop_news = StopNews(approvals.store, admins)

    def deliver(self, approval_id: str) -> None:
        """Show an approval's last revision now, whoever's turn it is; see `take`."""
        card_id = self._store.card_of(approval_id)
        if card_id is not None:
            self.take(Turn(approval_id, card_id))

    def take(self, turn: Turn) -> None:
        """Show an approval's last revision. Does nothing while another delivery of it is under way.

        Where Slack limits us, that is noted for everybody; its other trouble postpones this card. The
        database's errors pass.
        """
        lease = CARDS.take(self._store, turn.card_id, agent=turn.agent)
        if lease is None:
            return
        crash.here("delivery.leased")
        approval_id, held = turn.approval_id, Held(lease, partial(CARDS.renew, self._store, turn.card_id))
        place = None
        try:
            with held:
                place = self._until_shown(approval_id, held)
        except SlackUnavailable as error:
            log.info("postponed: id=%s for %.1f s: %s", approval_id, error.seconds, error.detail)
            if error.limited:
                self._note_limit(error.limited, error.seconds, turn, lease)
            else:
                self._postpone(approval_id, error.seconds, lease)
        except SlackRefused as error:
            self._note_refusal(approval_id, error, lease)
        except NotYet as reason:
            log.info("postponed: id=%s: %s", approval_id, reason)
            self._postpone(approval_id, AGAIN_SECONDS, lease)
        finally:
            CARDS.release(self._store, turn.card_id, held.lease, sure=held.sure)
        crash.here("delivery.released")
        if place and place.conversation and place.thread:
            self._tell_of(place.conversation, place.thread)

    def _postpone(self, approval_id: str, seconds: float, lease: int) -> None:
        self._approvals.cards.postpone(approval_id, seconds, lease=lease)

    def postpone(self, approval_id: str, seconds: float) -> None:
        """Let a card rest for a while."""
        self._approvals.cards.postpone(approval_id, seconds)

    def tell(self, thread_id: int) -> None:
        """Bring the first message of a run's thread up to date; Slack's trouble postpones it."""
        try:
            self._threads.tell(thread_id)
        except SlackUnavailable as error:
            log.info("thread postponed: id=%d for %.1f s: %s", thread_id, error.seconds, error.detail)
            if error.limited:
                turns.pause(self._store, error.limited, "", error.seconds)
        except SlackRefused as error:
            log.warning("thread refused: id=%d %s", thread_id, error)

    def warn(self, agent: str) -> None:
        """Tell a channel, once, that an agent asks for too much; Slack's trouble postpones it."""
        warning = flood.claim(self._store, agent)
        if warning is None:
            return
        text = admin_words.too_much(agent, warning["kind"], warning["most"], warning["until"])
        try:
            self._slack.post(warning["conversation"], text)
        except SlackUnavailable as error:
            log.info("told later that %s asks for too much: %s", agent, error.detail)
            flood.give_back(self._store, agent, warning)
        except SlackRefused as error:
            log.warning("not told that %s asks for too much: %s", agent, error)

    def _tell_of(self, channel: str, thread_ts: str) -> None:
        """The thread in which a card stands, if it is a run's."""
        thread_id = threads.at(self._store, channel, thread_ts)
        if thread_id is not None and not turns.paused(self._store, turns.UPDATE):
            self.tell(thread_id)

    def _note_limit(self, method: str, seconds: float, turn: Turn, lease: int) -> None:
        approval = self._approvals.get(turn.approval_id)
        unused = turn if approval.shown_at is None else None
        turns.pause(self._store, method, approval.verdict.conversation, seconds, unused, lease)

    def tell_of_groups(self, groups: Sequence[str], why: str) -> None:
        """Tell the admins, once, that nobody can decide as a member of these user groups."""
        self._admins.tell_once(" ".join(groups), admin_words.admin_groups_unread(groups, why))

    def redraw(self, approval_id: str, channel: str, ts: str, thread_ts: str | None = None) -> None:
        """Bring the message up to date that somebody clicked: the card, or the double of a lost reply.

        One whose row is gone, since the database was put back, says that nothing runs from it. A double that
        cannot be redrawn now, or of which nobody knows yet whether it is the card, is noted: it is later.
        """
        approval = self._store.get(approval_id)
        if approval is None:
            lost = card.lost()
            return self._slack.update(channel, ts, lost.text, lost.blocks)
        if approval.card is None or approval.card.message is None:
            if approval.card is not None:  # whoever has just posted it notes it, and has the last word
                self._doubles.note(approval_id, Place(channel, ts, thread_ts))
            return
        if (approval.card.conversation, approval.card.message) == (channel, ts):
            return self.deliver(approval_id)
        try:
            self._doubles.redraw(approval, channel, ts)
        except (SlackUnavailable, SlackRefused):
            self._doubles.note(approval_id, Place(channel, ts, thread_ts))
            raise

    def redraw_doubles(self) -> None:
        """Have nobody decide on messages that were found beside cards; Slack's trouble postpones them."""
        self._doubles.step()

    def beside(self) -> bool:
        """Doubles, replies, news, the files of payloads; True where there may be more to do at once."""
        self.redraw_doubles()
        self._stop_news.step()
        self._replies.step()
        return self._files.step()

    def _until_shown(self, approval_id: str, held: Held) -> CardPlace | None:
        """The card, once nothing is left to be shown of it; None where that did not come to an end."""
        for number in range(ROUNDS):
            found = self._store.look(approval_id)
            assert found is not None
            approval, now = self._approvals.judge.today(*found), found[1]
            place = approval.card
            assert place is not None
            if place.shown_revision >= approval.revision:
                if approval.delivered_revision < approval.revision:
                    self._approvals.cards.note_delivered(approval)
                return place
            if number and not renew(held):
                return None
            with spans.step("deliver", *approval.traced):
                shown = self._show(approval, place, now, held)
            if not shown:
                log.warning("shown too late: id=%s", approval_id)
                return None
        return None

    def _show(self, approval: Approval, place: CardPlace, now: int, held: Held) -> bool:
        """One revision; False where the lease was lost over it: then another has it shown once more."""
        approval = with_stop(self._store, approval)
        approval = replace(approval, alike=self._approvals.batches.count_alike(approval))
        stands = self._standing.show(approval, place, now, held)
        rendered = json.dumps([stands.message.text, stands.message.blocks], ensure_ascii=False)
        where = (stands.channel, stands.ts, stands.permalink, rendered, stands.thread_ts)
        digests = self._files.wanted(approval, (stands.channel, stands.thread_ts or stands.ts))
        noted = retry(
            lambda: self._approvals.cards.note_shown(
                approval,
                *where,
                lease=held.lease,
                beside=stands.beside,
                unsure=bool(place.unsure) and approval.pending,  # it is looked at once more when it has ended
                digests=digests,
            )
        )
        held.sure = True
        crash.here("delivery.noted")
        return noted

    def _note_refusal(self, approval_id: str, error: SlackRefused, lease: int) -> None:
        """Slack will not show it until somebody changes something: tell the admins, once a fault."""
        log.error("card refused: id=%s %s", approval_id, error)
        self._postpone(approval_id, REFUSED_SECONDS, lease)
        approval = self._approvals.get(approval_id)
        whose = approval_id if error.code in OF_ONE_CARD else approval.verdict.conversation
        if self._approvals.cards.cannot_show(approval_id, f"{error.code} {whose}", lease=lease):
            self._admins.tell(admin_words.admin_cannot_show(approval, error.code, error.detail))
