"""Finds what is overdue or unpublished, and has it done. Runs on a timer, Redis or not.

Cards have a timer of their own (`bot.delivery.turns`): a channel that hangs must not keep anything from
expiring.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Iterator, Sequence
from threading import Event

from signoff.approvals import epochs, guarded
from signoff.approvals.attendance import Attendance
from signoff.approvals.service import Approvals
from signoff.models import crash, flood, progress, reviews
from signoff.models.drafts import Drafts
from signoff.queue.outage import is_outage
from signoff.queue.tally import Tally

log = logging.getLogger("signoff.sweep")

SWEEP_SECONDS = 2.0
FORGET_SECONDS = 3600.0
UNPUBLISHED_SECONDS = 1.0
"""A response younger than this is still being published by who decided."""


class Sweep:
    """What keeps every promise when a wake-up was lost."""

    def __init__(
        self,
        approvals: Approvals,
        warn: Callable[[str], None] = lambda agent: None,
        tell: Callable[[Sequence[str]], bool] = lambda sentences: True,
    ) -> None:
        """`warn` and `tell` are a channel's: one tells a conversation of an agent (by name) that asks for too
        much, the other tells admins sentences.
        """
        self._approvals = approvals
        self._warn = warn
        self._tell = tell
        self._attendance = Attendance(approvals.store, approvals.publisher)
        self._forgets_at = 0.0
        self.tally = Tally(log)
        """What was passed over: neither an outage nor the fault of one row."""

    def run(self, stop: Event) -> None:
        """Every 2 s until `stop` is set."""
        while not stop.wait(SWEEP_SECONDS):
            self.step()

    def step(self) -> None:
        """Once. An outage ends the part that met it; one bad row does not stop the others."""
        store = self._approvals.store
        self._each("expire", store.overdue, self._approvals.expire)
        self._each("drop", self._approvals.batches.undone, self._approvals.batches.drop)
        self._each("grace", self._approvals.grace.due, self._approvals.grace.step)
        self._each("judge", self._stale, self._approvals.judge_again)
        self._each("close", lambda: epochs.closed(store), self._approvals.close_restored)
        self._each("tell", lambda: epochs.untold(store), self._tell_of_restore)
        self._each("recover", self._lost, self._recover)
        self._each("publish", self._unpublished, self._publish)
        self._each("warn", lambda: flood.untold(store), self._warn)
        self._each("clear", lambda: ["drafts"], lambda _: self._clear())
        self._each("forget", lambda: ["spent"], self._forget)
        self._each("age", lambda: progress.due(store), lambda one: progress.note(store, one))
        calls = self._approvals.times.calls
        self._each("call", calls.due, calls.look)
        self._each("remind", calls.to_say, calls.say)
        away = self._approvals.times.away
        self._each("absence", away.untold, lambda one: away.note(one, self._tell))
        self._each("undo", self._approvals.undo.due, self._approvals.undo.age)
        self._each("attend", self._attendance.look, lambda _: None)
        talks = self._approvals.talks
        self._each("question", talks.untold, talks.tell)
        self._each("silence", talks.overdue, talks.silence)

    def _clear(self) -> None:
        """What nobody writes or looks through any more."""
        Drafts(self._approvals.store).clear()
        reviews.clear(self._approvals.store)

    def _forget(self, _: str) -> None:
        """What guards have spent, once no receipt holds for it: a part at a time, and all once an hour."""
        if time.monotonic() < self._forgets_at:
            return
        if guarded.forget(self._approvals.store) < guarded.CHUNK:
            self._forgets_at = time.monotonic() + FORGET_SECONDS

    def _stale(self) -> Iterator[str]:
        """What a change of policy has to be held against, for as long as one sweep may take."""
        end, seen = time.monotonic() + SWEEP_SECONDS, set[str]()
        while time.monotonic() < end and (found := set(self._approvals.stale()) - seen):
            seen |= found
            yield from found

    def _lost(self) -> list[str]:
        instance = self._approvals.publisher.lost_instance()
        return [instance] if instance else []

    def _recover(self, instance: str) -> None:
        """Redis came back without what it had: its last second, or everything. All is published anew."""
        store, publisher = self._approvals.store, self._approvals.publisher
        self._approvals.talks.untell()
        had_answers = store.unpublish() > 0
        waiting = [self._approvals.get(approval_id) for approval_id, _ in store.waiting(every=True)]
        if had_answers or any(publisher.standing(one.agent, one.request_id) is None for one in waiting):
            log.warning("Redis is not the one that had all answers: publishing them anew")  # no first start
        for one in waiting:
            self._approvals.tell(one)
        self._approvals.publisher.remember_instance(instance)

    def _tell_of_restore(self, epoch: str) -> None:
        """Agents that wait for a request of the lost time would wait for ever."""
        store, count = self._approvals.store, 0

        def known(agent: str, request_id: str) -> bool:
            return store.find(agent, request_id) is not None

        if epochs.closed(store):
            return
        for agent, request_id in self._approvals.publisher.unknown(known):
            self._approvals.refuse(agent, request_id, "expired", epochs.LOST, lost=True)
            count += 1
        epochs.note_told(store, int(epoch))
        log.info("epoch %s: told agents of %d lost requests", epoch, count)

    def _unpublished(self) -> Iterator[str]:
        """The newest first, for as long as one sweep may take."""
        end = time.monotonic() + SWEEP_SECONDS
        while time.monotonic() < end and (found := self._approvals.store.unpublished(UNPUBLISHED_SECONDS)):
            yield from found

    def _publish(self, approval_id: str) -> None:
        approval = self._approvals.store.get(approval_id)
        if approval is not None and not approval.pending:
            self._approvals.tell(approval)
            self._approvals.store.mark_published(approval_id)

    def _each(self, what: str, find: Callable[[], Iterable[str]], do: Callable[[str], object]) -> None:
        try:
            for approval_id in find():
                try:
                    do(approval_id)
                except Exception as error:
                    if is_outage(error):
                        raise
                    # Its text may repeat a payload: only the type is logged.
                    log.error("%s failed: id=%s %s", what, approval_id, type(error).__name__)
        except Exception as error:
            if is_outage(error):
                log.warning("%s paused: %s", what, type(error).__name__)
            else:
                self.tally.add(f"{what} passed over", detail=type(error).__name__)
        crash.here(f"sweep.{what}")
