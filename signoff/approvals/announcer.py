"""After a commit: the agent is told, and whoever shows it is woken. What fails here sweep repeats."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

from redis.exceptions import RedisError

from signoff.approvals.aftermath import Aftermath
from signoff.approvals.receipts import Receipts
from signoff.approvals.rush import Rush
from signoff.models import batch_rows, crash
from signoff.models.approval import Approval
from signoff.models.engine import OUTAGE as DATABASE_OUTAGE
from signoff.models.store import Store
from signoff.queue.publisher import Publisher

log = logging.getLogger("signoff.approvals")


class Announcer:
    """`on_change` is called with an approval's id after each visible change, and must not raise."""

    def __init__(
        self, store: Store, receipts: Receipts, publisher: Publisher, on_change: Callable[[str], None]
    ) -> None:
        self._store = store
        self._receipts = receipts
        self._publisher = publisher
        self._on_change = on_change
        self.told = Aftermath(self._note_told)
        """What follows for those whose agents were told of their end."""
        self._mine = threading.local()

    def wake(self, step: str, approval_id: str) -> None:
        """What is shown of it has changed by this step."""
        self._on_change(approval_id)
        crash.here(f"{step}.announced")

    def publish(self, approval: Approval, now: int) -> bool:
        """The response of an Approval that has just ended; `told` notes that its agent can have it."""
        try:
            self._publisher.publish(approval, self._receipts.response(approval, at=now), now)
        except (RedisError, OSError) as error:
            log.warning("answer not published yet: id=%s %s", approval.id, type(error).__name__)
            return False
        return True

    def ended(self, approval: Approval, now: int) -> None:
        """An Approval has just ended: its agent is told, and what has to follow does."""
        rush: Rush | None = getattr(self._mine, "rush", None)
        if rush is not None:
            rush.add(approval, now)
        elif self.publish(approval, now):
            self.told.add(approval.id)
        else:
            self.wake("end", approval.id)

    @contextmanager
    def together(self) -> Iterator[None]:
        """Inside the `with` agents are told some at a time of what this thread ends, each once it is
        committed; what follows is done at its end, once for all of it.
        """
        self._mine.rush = rush = Rush(self._publish_all)
        try:
            yield
        finally:
            self._mine.rush = None
            rush.tell()
            if rush.told:
                self.told.add(*rush.told)
            for approval_id in rush.untold[:1]:  # Redis is away, and nobody waits for it again: sweep will do
                self.wake("end", approval_id)

    def _publish_all(self, ended: Sequence[Approval], now: int) -> bool:
        """As `publish`, of several that have just ended."""
        try:
            told = [(one, self._receipts.response(one, at=now)) for one in ended]
            self._publisher.publish_all(told, now)
        except (RedisError, OSError) as error:
            log.warning("answers not published yet: %d, %s", len(ended), type(error).__name__)
            return False
        return True

    def _note_told(self, approval_ids: Sequence[str]) -> None:
        try:
            self._store.mark_published(*approval_ids)
        except DATABASE_OUTAGE as error:
            log.warning("not noted yet as published: %d, %s", len(approval_ids), type(error).__name__)
        except Exception as error:
            log.error("not noted as published: %d, %s", len(approval_ids), type(error).__name__)
        for approval_id in self._one_a_card(approval_ids):
            self.wake("end", approval_id)

    def _one_a_card(self, approval_ids: Sequence[str]) -> Sequence[str]:
        """Of several that ended together those to wake for: one is enough for a batch's card."""
        if len(approval_ids) < 2:
            return approval_ids
        try:
            shown_in = batch_rows.of(self._store, approval_ids)
        except DATABASE_OUTAGE:
            return approval_ids
        return list({shown_in.get(one, one): one for one in approval_ids}.values())

    def publish_noted(self, approval: Approval, now: int) -> None:
        """The same of one whose row says already that it is; where it fails the row says so no longer."""
        try:
            self._publisher.publish(approval, self._receipts.response(approval, at=now), now)
        except (RedisError, OSError) as error:
            self._store.unpublish(approval.id)
            log.warning("answer not published yet: id=%s %s", approval.id, type(error).__name__)
