"""Runs' threads in Slack: posts the first message once, and keeps it telling what is so.

The first message mentions who may decide when it is posted. Later it is edited, and Slack notifies nobody of
an edit, nor of a reply; but of a mention in a reply it does. So each card mentions them itself.
"""

from __future__ import annotations

import hashlib
import json
import logging
from functools import partial

from signoff.bot.cards.card import Message
from signoff.bot.cards.first_message import first_message, moved_message, tally_message
from signoff.bot.delivery.lease import Held
from signoff.bot.delivery.retry import retry
from signoff.bot.delivery.search import Search
from signoff.bot.slack.client import GONE, Slack
from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.bot.text.words import times
from signoff.models import crash, lists, threads
from signoff.models.approval import Approval
from signoff.models.doubles import Place
from signoff.models.store import MICROSECONDS, Store
from signoff.models.threads import Thread

log = logging.getLogger("signoff.threads")

REST_SECONDS = 2.0
"""A first message is edited at most once in so many seconds."""
LOST = GONE - {"is_inactive"}
"""Refusals of an edit after which the run goes on elsewhere. In an archived channel a thread only sleeps."""
REFUSED_SECONDS = 60.0
"""Pause after Slack has refused an edit."""
LOOK_BACK_SECONDS = 900
"""Before the request that is shown, another one of its run may have had the first message posted."""


class NotYet(Exception):
    """Another delivery is about to do it, or has just done it: it is tried again shortly."""


class Threads:
    """The first messages of runs' threads. Methods raise SlackUnavailable, SlackRefused or NotYet."""

    def __init__(self, store: Store, slack: Slack, search: Search) -> None:
        self._store = store
        self._slack = slack
        self._search = search

    def of(self, approval: Approval) -> tuple[str, str] | None:
        """Channel and ts of the first message of its run's thread, posted where it is new; None without run.

        Two at once post one: who has the lease posts, and for the other it is NotYet.
        """
        run, wanted = approval.request.run, approval.verdict.conversation
        if not run or not run.strip():
            return None
        thread = threads.of_run(self._store, approval.agent, run, wanted)
        crash.here("thread.found")
        if thread.conversation and thread.message:
            return thread.conversation, thread.message
        lease = threads.take_to_post(self._store, thread.id)
        if lease is None:
            raise NotYet("somebody posts its thread")
        crash.here("thread.leased")
        held = self._held(thread.id, lease)
        try:
            with held:
                place = self._found(thread.id, approval) or self._first(thread, approval)
        except SlackUnavailable as error:
            threads.LEASES.release(self._store, thread.id, lease, sure=error.undone)
            raise
        except SlackRefused:
            threads.LEASES.release(self._store, thread.id, lease)
            raise
        crash.here("thread.posted")
        where = (thread.id, lease, place.conversation, place.message)
        if not retry(lambda: threads.note_posted(self._store, *where)):
            log.warning("thread posted too late: id=%d", thread.id)
            crash.here("thread.late")
            self._say_moved(thread.id, place)
            raise NotYet("somebody else has posted its thread")
        crash.here("thread.noted")
        return place.conversation, place.message

    def _found(self, thread_id: int, approval: Approval) -> Place | None:
        """Its first message, where somebody has posted it and could not note it."""
        thread = threads.get(self._store, thread_id)
        if thread is None or not thread.unsure:
            return None
        since = approval.created_at - LOOK_BACK_SECONDS * MICROSECONDS
        return self._search.first_message(thread, approval.verdict.conversation, since)

    def _first(self, thread: Thread, approval: Approval) -> Place:
        message = first_message(thread, times.people(approval), approval)
        wanted = approval.verdict.conversation
        posted = self._slack.post(wanted, message.text, message.blocks, metadata=message.metadata)
        return Place(posted.channel, posted.ts)

    def _say_moved(self, thread_id: int, late: Place) -> None:
        """On a first message beside the run's; Slack's trouble leaves it as it is: it has no buttons."""
        thread = threads.get(self._store, thread_id)
        if thread is None or (thread.conversation, thread.message) == (late.conversation, late.message):
            return
        link = None
        if thread.conversation and thread.message:
            link = self._slack.permalink(thread.conversation, thread.message)
        message = moved_message(thread, link)
        try:
            self._slack.update(
                late.conversation, late.message, message.text, message.blocks, metadata=message.metadata
            )
        except (SlackUnavailable, SlackRefused) as error:
            log.info("a first message stands beside another: id=%d %s", thread_id, error)

    def tell(self, thread_id: int) -> None:
        """Bring a first message up to date. Does nothing within 2 s of the last time: sweep comes back."""
        lease = threads.take_to_edit(self._store, thread_id)
        if lease is None:
            return
        crash.here("thread.editing")
        found = threads.look(self._store, thread_id)
        if found is None:
            threads.LEASES.release(self._store, thread_id, lease)
            return
        thread, tally = found
        message = tally_message(thread, tally, lists.lines(self._store, tally.first))
        digest = digest_of(message)
        if digest == thread.digest:
            threads.note_shown(self._store, thread, lease, digest, 0.0)
        else:
            held = self._held(thread.id, lease)
            self._edit(thread, held, message)
            crash.here("thread.told")
            if not retry(lambda: threads.note_shown(self._store, thread, lease, digest, REST_SECONDS)):
                log.warning("thread told too late: id=%d", thread.id)

    def _held(self, thread_id: int, lease: int) -> Held:
        return Held(lease, partial(threads.LEASES.renew, self._store, thread_id))

    def _edit(self, thread: Thread, held: Held, message: Message) -> None:
        assert thread.conversation and thread.message
        try:
            with held:
                self._slack.update(
                    thread.conversation,
                    thread.message,
                    message.text,
                    message.blocks,
                    metadata=message.metadata,
                )
        except SlackUnavailable as error:
            # Slack may have taken it although its answer was lost: that counts as an edit too.
            threads.postpone(self._store, thread.id, held.lease, max(error.seconds, REST_SECONDS))
            raise
        except SlackRefused as error:
            lost = error.code in LOST  # then the next card begins another thread, which is told at once
            if lost:
                threads.forget(self._store, thread.conversation, thread.message)
            threads.postpone(self._store, thread.id, held.lease, REST_SECONDS if lost else REFUSED_SECONDS)
            raise


def digest_of(message: Message) -> str:
    """Tells two messages apart, whatever their block ids."""
    said = [message.text, *({**block, "block_id": ""} for block in message.blocks)]
    return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()
