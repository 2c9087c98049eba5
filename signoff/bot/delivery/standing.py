"""An approval's message in Slack: redrawn where it stands, found where nobody noted it, else posted."""

from __future__ import annotations

import logging
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace

from signoff.approvals.service import Approvals
from signoff.bot.cards.card import Message
from signoff.bot.delivery.lease import Held
from signoff.bot.delivery.search import Search
from signoff.bot.delivery.tables import Tables
from signoff.bot.delivery.threads import NotYet, Threads
from signoff.bot.kinds import kind_of
from signoff.bot.slack.client import GONE, NO_THREAD, Slack
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.models import crash, doubles, pace, threads
from signoff.models.approval import Approval
from signoff.models.approval import Card as CardPlace
from signoff.models.doubles import Place

log = logging.getLogger("signoff.deliver")


@dataclass(frozen=True)
class Stands:
    """A card in Slack, and where; `beside` are other messages of ours for the same approval."""

    message: Message
    channel: str
    ts: str
    thread_ts: str | None
    permalink: str | None
    beside: tuple[Place, ...] = ()


class Standing:
    """Brings one message up to date under a card's lease. Raises SlackUnavailable, SlackRefused or NotYet."""

    def __init__(self, approvals: Approvals, slack: Slack, threads: Threads, search: Search) -> None:
        self._approvals = approvals
        self._store = approvals.store
        self._slack = slack
        self._threads = threads
        self._search = search
        self._tables = Tables()

    def show(self, approval: Approval, place: CardPlace, now: int, held: Held) -> Stands:
        """What is so now, in the card that is there or in another one."""
        return self._redrawn(approval, place, now, held) or self._posted(approval, place, now, held)

    def _redrawn(self, approval: Approval, place: CardPlace, now: int, held: Held) -> Stands | None:
        """The card that is there, updated; None where there is none, or no longer."""
        if not place.conversation or not place.message:
            return None
        here = Place(place.conversation, place.message, place.thread)
        message = self._drawn(approval, here, now, held)
        if message is None:
            log.warning("the card is gone, posting another: id=%s", approval.id)
            return None
        beside: tuple[Place, ...] = ()
        if place.unsure and not approval.pending:
            beside = self._beside(approval, here)
        return Stands(message, place.conversation, place.message, place.thread, place.permalink, beside)

    def _drawn(self, approval: Approval, place: Place, now: int, held: Held) -> Message | None:
        """What a message of ours shows now; None where it is gone."""
        message = kind_of(approval).card(approval, now=now)
        where = place.conversation, place.message
        try:
            message, _ = self._tables.send(
                message,
                lambda one: self._slack.update(*where, one.text, one.blocks, metadata=one.metadata),
            )
        except SlackUnavailable as error:
            if not error.undone:
                self._approvals.cards.may_have_changed(approval, held.lease)
            raise
        except SlackRefused as error:
            if error.code not in GONE:
                raise
            return None
        crash.here("delivery.redrawn")
        return message

    def _beside(self, approval: Approval, card_at: Place) -> tuple[Place, ...]:
        """What a delivery left that ended before it noted anything; none where Slack cannot be asked now."""
        try:
            found = self._search.cards(approval, card_at.conversation, card_at.thread)
        except SlackUnavailable as error:
            log.info("not looked for doubles: id=%s %s", approval.id, error.detail)
            return ()
        return tuple(place for place in found if place.message != card_at.message)

    def _posted(self, approval: Approval, place: CardPlace, now: int, held: Held) -> Stands:
        """A new card: in the thread that the verdict grants, else in its run's, else in none.

        Raises NotYet where the run's thread is about to be posted, or cannot be replied to. Where the first
        message is gone Slack puts the card into the channel; the run's next one begins another thread.
        """
        approval = replace(approval, files=())  # what stands in the thread of another card is not beside this
        channel, wished = approval.verdict.conversation, approval.verdict.thread
        late = () if place.message else doubles.of(self._store, approval.id)
        if stands := self._found(approval, late, now, held):
            return stands
        if wished:
            try:
                return self._post(approval, place, now, (channel, wished), held)
            except SlackRefused as error:
                if error.code not in NO_THREAD:
                    raise
                log.info("no such thread: id=%s %s", approval.id, error.code)
        first = None if approval.verdict.effect == "notify" else self._threads.of(approval)
        if (wished or first) and not renew(held):
            raise NotYet("its lease ran out")
        if first is None:
            return self._post(approval, place, now, (channel, None), held)
        try:
            stands = self._post(approval, place, now, first, held)
        except SlackRefused as error:
            if error.code not in NO_THREAD:
                raise
            threads.forget(self._store, *first)
            raise NotYet("its thread is gone") from None
        if stands.thread_ts is None:
            log.info("its thread is gone: id=%s", approval.id)
            threads.forget(self._store, *first)
        return stands

    def _post(
        self, approval: Approval, place: CardPlace, now: int, where: tuple[str, str | None], held: Held
    ) -> Stands:
        channel, thread_ts = where
        if place.unsure:
            found = self._search.cards(approval, channel, thread_ts)
            if stands := self._found(approval, found, now, held):
                return stands
            if not renew(held):
                raise NotYet("its lease ran out")
        message = kind_of(approval).card(approval, now=now)
        self._slack.address()  # known before: a click may follow the post at once
        if not pace.claim(self._store, channel):
            raise NotYet("its conversation takes one message a second")
        with _unsure(held):
            message, posted = self._tables.send(
                message,
                lambda one: self._slack.post(
                    channel, one.text, one.blocks, metadata=one.metadata, thread_ts=thread_ts
                ),
            )
        crash.here("delivery.posted")
        permalink = self._slack.permalink(posted.channel, posted.ts, posted.thread_ts)
        return Stands(message, posted.channel, posted.ts, posted.thread_ts, permalink)

    def _found(self, approval: Approval, found: Sequence[Place], now: int, held: Held) -> Stands | None:
        """The first of these messages of ours that is still there, as the card; others stand beside it."""
        for number, place in enumerate(found):
            message = self._drawn(approval, place, now, held)
            if message is not None:
                log.warning("found the card that was not noted: id=%s", approval.id)
                permalink = self._slack.permalink(place.conversation, place.message, place.thread)
                where = (place.conversation, place.message, place.thread, permalink)
                return Stands(message, *where, beside=tuple(found[number + 1 :]))
        return None


def renew(held: Held) -> bool:
    """Before another call to Slack; False where somebody else may be at it."""
    renewed = held.renew()
    crash.here("delivery.renewed")
    return renewed


@contextmanager
def _unsure(held: Held) -> Iterator[None]:
    """Around a post: nobody knows what became of it, until it is noted or Slack has surely done nothing."""
    held.sure = False
    try:
        yield
    except SlackUnavailable as error:
        held.sure = error.undone
        raise
    except SlackRefused:
        held.sure = True
        raise
