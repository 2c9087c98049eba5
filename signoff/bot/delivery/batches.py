"""Batches' cards: each posted once, when its agent has said that all of it is there, and redrawn."""

from __future__ import annotations

import json
import logging
from dataclasses import dataclass
from functools import partial

from signoff.approvals.service import Approvals
from signoff.bot.cards.batch_card import batch_card
from signoff.bot.cards.card import Message
from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.lease import Held
from signoff.bot.delivery.retry import retry
from signoff.bot.delivery.search import Search
from signoff.bot.delivery.tables import Tables
from signoff.bot.delivery.threads import NotYet, Threads
from signoff.bot.slack.client import GONE, NO_THREAD, Slack
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.bot.text.words import admin as admin_words
from signoff.models import batch_cards, crash, pace, threads, turns
from signoff.models.batches import Batch
from signoff.models.doubles import Place

log = logging.getLogger("signoff.deliver")

REST_SECONDS = 1.0
"""A batch's card is edited at most once in so many seconds: its requests end one after the other."""
AGAIN_SECONDS = 0.5
REFUSED_SECONDS = 60.0


@dataclass(frozen=True)
class _Stands:
    """A message, and where it is."""

    message: Message
    place: Place
    permalink: str | None


class BatchCards:
    """Brings them up to date. Any number share the work: a card's lease tells them apart."""

    def __init__(
        self, approvals: Approvals, slack: Slack, threads: Threads, search: Search, admins: Admins
    ) -> None:
        self._approvals = approvals
        self._store = approvals.store
        self._slack = slack
        self._threads = threads
        self._search = search
        self._admins = admins
        self._tables = Tables()

    def step(self) -> None:
        """All that is due. The database's errors pass; Slack's trouble postpones a card."""
        for batch_id in batch_cards.due(self._store):
            self.tell(batch_id)

    def tell(self, batch_id: int) -> None:
        """Bring one up to date; nothing happens where it is not due, or another is at it."""
        lease = batch_cards.take(self._store, batch_id)
        if lease is None:
            return
        crash.here("batch.leased")
        held = Held(lease, partial(batch_cards.LEASES.renew, self._store, batch_id))
        batch = self._approvals.batches.get(batch_id)
        later = partial(batch_cards.postpone, self._store, batch_id, lease)
        try:
            with held:
                stands = self._redrawn(batch) or self._posted(batch, held)
            self._note(batch, lease, stands)
        except SlackUnavailable as error:
            log.info("batch postponed: id=%d for %.1f s: %s", batch_id, error.seconds, error.detail)
            if error.limited:
                turns.pause(self._store, error.limited, batch.wanted or "", error.seconds)
            later(error.seconds, sure=held.sure)
        except NotYet as reason:
            log.info("batch postponed: id=%d: %s", batch_id, reason)
            later(AGAIN_SECONDS, sure=True)
        except SlackRefused as error:
            log.error("batch refused: id=%d %s", batch_id, error)
            later(REFUSED_SECONDS, sure=True)
            if batch.items:
                text = admin_words.admin_cannot_show(batch.items[0], error.code, error.detail)
                self._admins.tell_once(f"batch {batch_id} {error.code}", text)

    def _note(self, batch: Batch, lease: int, stands: _Stands) -> None:
        rendered = json.dumps([stands.message.text, stands.message.blocks], ensure_ascii=False)
        place = stands.place
        noted = retry(
            lambda: self._approvals.batch_cards.note_shown(
                batch, lease, place.conversation, place.message, stands.permalink, rendered, place.thread,
                REST_SECONDS,
            )
        )  # fmt: skip
        crash.here("batch.noted")
        if not noted:
            log.warning("batch shown too late: id=%d", batch.id)

    def _redrawn(self, batch: Batch) -> _Stands | None:
        """The card that is there, updated; None where there is none, or no longer."""
        if not batch.conversation or not batch.message:
            return None
        place = Place(batch.conversation, batch.message, batch.thread)
        message = self._drawn(batch, place)
        if message is None:
            log.warning("the batch's card is gone, posting another: id=%d", batch.id)
            return None
        return _Stands(message, place, batch.permalink)

    def _drawn(self, batch: Batch, place: Place) -> Message | None:
        """What a message of ours shows now; None where it is gone."""
        where = place.conversation, place.message
        try:
            message, _ = self._tables.send(
                batch_card(batch, now=self._store.clock()),
                lambda one: self._slack.update(*where, one.text, one.blocks, metadata=one.metadata),
            )
        except SlackRefused as error:
            if error.code not in GONE:
                raise
            return None
        crash.here("batch.redrawn")
        return message

    def _thread(self, batch: Batch, channel: str) -> tuple[str, str] | None:
        """Channel and ts of the first message that it replies to; None where it is no reply."""
        if not batch.items:
            return None
        granted = batch.items[0].verdict.thread
        return (channel, granted) if granted else self._threads.of(batch.items[0])

    def _posted(self, batch: Batch, held: Held) -> _Stands:
        """A new card, in the thread that the verdicts grant, or in its run's; or the one that nobody noted.

        Raises NotYet where that thread is about to be posted, or is gone.
        """
        channel = batch.wanted or (batch.items[0].verdict.conversation if batch.items else "")
        first = self._thread(batch, channel)
        if batch.unsure:
            since = batch.created_at
            for place in self._search.batch(batch.id, channel, first[1] if first else None, since):
                message = self._drawn(batch, place)
                if message is not None:
                    log.warning("found the batch's card that was not noted: id=%d", batch.id)
                    link = self._slack.permalink(place.conversation, place.message, place.thread)
                    return _Stands(message, place, link)
        if not held.renew():
            raise NotYet("its lease ran out")
        crash.here("batch.renewed")
        where, thread = first or (channel, None)
        if not pace.claim(self._store, where):
            raise NotYet("its conversation takes one message a second")
        held.sure = False
        try:
            message, posted = self._tables.send(
                batch_card(batch, now=self._store.clock()),
                lambda one: self._slack.post(
                    where, one.text, one.blocks, metadata=one.metadata, thread_ts=thread
                ),
            )
        except SlackUnavailable as error:
            held.sure = error.undone
            raise
        except SlackRefused as error:
            held.sure = True
            if first and error.code in NO_THREAD and not batch.items[0].verdict.thread:
                threads.forget(self._store, *first)
                raise NotYet("its thread is gone") from None
            raise
        crash.here("batch.posted")
        place = Place(posted.channel, posted.ts, posted.thread_ts)
        return _Stands(message, place, self._slack.permalink(*_address(place)))


def _address(place: Place) -> tuple[str, str, str | None]:
    return place.conversation, place.message, place.thread
