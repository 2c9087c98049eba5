"""A batch is frozen by its agent, or dropped where that never comes: then it was shown to nobody."""

from __future__ import annotations

import json
import logging

from sqlalchemy import Connection

from signoff.approvals import audit, newcomers, sharing
from signoff.approvals.announcer import Announcer
from signoff.approvals.audit import Event
from signoff.approvals.audit import frozen as frozen_lines
from signoff.approvals.endings import Endings
from signoff.approvals.receipts import Receipts
from signoff.approvals.transitions import new_salt
from signoff.approvals.verdicts import Judge
from signoff.errors import Invalid, Limited
from signoff.models import batch_rows, changes
from signoff.models.approval import Approval
from signoff.models.messages import Freeze
from signoff.models.store import MICROSECONDS, Store
from signoff.queue.publisher import Publisher

log = logging.getLogger("signoff.approvals")

TWICE = "It names a request twice: each is asked once."
OTHERS = "It was frozen with other requests before: a batch's name is used once."
EMPTY = "None of its requests is known, and so it was with many others: send the requests first."
NOT_ITS_OWN = "It names requests that are not its agent's, or that were sent for another batch."


class Freezing:
    """Ends a batch's first half: from then on people see it."""

    def __init__(
        self,
        store: Store,
        receipts: Receipts,
        publisher: Publisher,
        judge: Judge,
        announcer: Announcer,
        endings: Endings,
        channel: str,
    ) -> None:
        self._store = store
        self._receipts = receipts
        self._publisher = publisher
        self._judge = judge
        self._announcer = announcer
        self._endings = endings
        self._channel = channel

    def freeze(self, agent: str, name: str, frozen: Freeze) -> int:
        """The batch's id; see `Batches.freeze`."""
        ids = tuple(map(str, frozen.ids))
        if len({*ids}) != len(ids):
            raise Invalid(TWICE)
        done = self._done(agent, name, ids)
        if done is not None:
            return done
        with self._store.transaction("freeze") as connection:
            batch, missing = self._freeze(connection, agent, name, frozen, ids)
        log.info("frozen: batch=%d agent=%s requests=%d", batch, agent, len(ids))
        if missing and all(self._is_refused(agent, one) for one in missing):
            with self._store.transaction("complete") as connection:
                batch_rows.complete(connection, batch)
        self._announcer.wake("freeze", ids[0])
        return batch

    def _done(self, agent: str, name: str, ids: tuple[str, ...]) -> int | None:
        """The batch, where just this was said before; raises Invalid where something else was."""
        found = batch_rows.find(self._store, agent, name)
        if found is None:
            return None
        with self._store.reading() as connection:
            row = batch_rows.row(connection, found)
        return found if self._is_as_said(row.state, row.ids, ids) else None

    def _is_as_said(self, state: str, noted: str | None, ids: tuple[str, ...]) -> bool:
        if state == "dropped":
            raise Invalid(sharing.DROPPED)
        if state == "open" or noted is None:
            return False
        if tuple(json.loads(noted)) != ids:
            raise Invalid(OTHERS)
        return True

    def _freeze(
        self, connection: Connection, agent: str, name: str, frozen: Freeze, ids: tuple[str, ...]
    ) -> tuple[int, list[str]]:
        """The batch's id, and those of its requests that are not here yet."""
        at = changes.clock(connection)
        # Its batch may be frozen before any of its requests was taken: another intake has those.
        events = newcomers.met(connection, self._judge, agent, at)
        batch = batch_rows.join(connection, agent, name, at)
        noted = None if batch.ids is None else json.dumps(batch.ids)
        if self._is_as_said(batch.state, noted, ids):  # another intake has the same entry, and was faster
            return batch.id, []
        known = batch_rows.known(connection, ids)
        if any(owner != agent or other not in (None, batch.id) for owner, other in known.values()):
            raise Invalid(NOT_ITS_OWN)
        missing = [one for one in ids if one not in known]
        if not known and batch_rows.empty(connection, agent) > batch_rows.MOST_EMPTY:
            raise Limited(EMPTY)
        rows = batch_rows.waiting(connection, batch.id)
        stays, verdict = sharing.staying(self._judge.policy, rows, {one: n for n, one in enumerate(ids)})
        if len(stays) == 1 and not missing:
            stays = []  # what is alone is shown as what is alone
        apart = {row.id for row in rows}.difference(stays)
        for one in (row.id for row in rows if row.id in apart):
            batch_rows.leave(connection, one, self._channel)
            events.append(Event("batch", one, at, agent, frozen_lines.left(batch.id)))
        salt = new_salt()
        batch_rows.freeze(
            connection,
            batch.id,
            title=frozen.title,
            run=frozen.run,
            ids=ids,
            conversation=verdict.conversation if verdict and stays else None,
            missing=len(missing),
            salt=salt,
        )
        texts = {"title": frozen.title, "run": frozen.run, "salt": salt}
        data = frozen_lines.line(batch.id, name, ids, len(stays), **texts)
        audit.append(connection, *events, Event("batch", None, at, agent, data))
        return batch.id, missing

    def _is_refused(self, agent: str, request_id: str) -> bool:
        """Whether its agent was told that a request never became an Approval; raises RedisError."""
        told = self._publisher.standing(agent, request_id)
        return self._receipts.read(told, agent, request_id) is not None

    def judged(self, connection: Connection, approval: Approval, alone: bool) -> list[Event]:
        """Another policy is in force: what may not share a card any more gets one of its own, once its batch
        is shown. Gives the lines of the log that tell of it.
        """
        assert approval.batch_id is not None
        batch_rows.stir(connection, approval.batch_id)
        if alone and batch_rows.row(connection, approval.batch_id).state == "frozen":
            batch_rows.leave(connection, approval.id, self._channel)
            at, told = changes.clock(connection), frozen_lines.left(approval.batch_id)
            return [Event("batch", approval.id, at, "policy", told)]
        return []

    def undone(self) -> list[int]:
        """Ids of batches that were not frozen in time; raises RedisError.

        Not while something of its agent is still to be read, for up to ten minutes: what freezes it may be
        among that.
        """
        found = batch_rows.undone(self._store)
        longest = batch_rows.LONGEST_SECONDS * MICROSECONDS
        return [
            row.id
            for row in found
            if row.state == "dropped" or abs(row.age) > longest or not self._publisher.backlog(row.agent)
        ]

    def drop(self, batch_id: int) -> None:
        """End what was sent for a batch that nobody froze, each in its transaction; its agent is told."""
        with self._store.transaction("drop") as connection:
            row = batch_rows.row(connection, batch_id)
            if frozen_lines.is_frozen(connection, row.agent, batch_id):
                log.error(
                    "not dropped: the log says that it was frozen: batch=%d state=%s", batch_id, row.state
                )
                return
            batch_rows.drop(connection, batch_id)
            row = batch_rows.row(connection, batch_id)
            ids = [one.id for one in batch_rows.waiting(connection, batch_id)]
        if row.state != "dropped":
            return  # it was frozen in this very moment
        for approval_id in ids:
            approval = self._store.get(approval_id)
            if approval is not None and approval.pending and not approval.restored:
                self._endings.end(approval, "cancelled", actor="signoff", reason=sharing.DROPPED)
        with self._store.transaction() as connection:
            batch_rows.note_dropped(connection, batch_id)
        log.info("dropped: batch=%d agent=%s requests=%d", batch_id, row.agent, len(ids))
