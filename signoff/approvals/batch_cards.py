"""What of a batch stands in a channel, as it is recorded; with its audit lines."""

from __future__ import annotations

import hashlib

from signoff.approvals import audit
from signoff.approvals.audit import Event, salted
from signoff.approvals.audit.lines import optional
from signoff.approvals.calls import restart
from signoff.models import batch_cards, calls, changes
from signoff.models.batches import Batch
from signoff.models.store import Store


class BatchCards:
    """Notes that a batch's card was posted, or redrawn."""

    def __init__(self, store: Store, channel: str) -> None:
        self._store = store
        self._channel = channel

    def note_shown(
        self,
        batch: Batch,
        lease: int,
        conversation: str,
        message: str,
        permalink: str | None,
        rendered: str,
        thread: str | None,
        rest_seconds: float,
    ) -> bool:
        """A batch's card stands at this revision, and shows its items. `batch` is as it was drawn, `rendered`
        what was sent; it rests for so long.

        The log has a line for each item that is shown for the first time, and one for the card. False where
        the lease was lost: then it is redrawn.
        """
        where = {"where": conversation, "ts": message, "first": thread, "link": permalink}
        drawn = hashlib.sha256(rendered.encode()).hexdigest()
        with self._store.transaction() as connection:
            noted = batch_cards.note_shown(connection, batch.id, lease, batch.revision, where, rest_seconds)
            if not noted:
                return False
            batch_cards.note_items(connection, [one.id for one in batch.items])
            if thread:
                changes.stir(connection, conversation, thread)
            at = changes.clock(connection)
            events = []
            for one in batch.items:
                if one.shown_at is not None:
                    continue
                salt = changes.salt(connection, one.id)
                data = {
                    "card": None,
                    "batch": batch.name,
                    "conversation": conversation,
                    "message": message,
                    "revision": one.revision,
                    "rendered": salted(salt, drawn),
                    "channel": self._channel,
                    "thread": thread,
                    "permalink": optional(salt, permalink),
                }
                if one.verdict.timing:
                    data |= calls.begin(connection, one.id, restart(one.verdict))
                events.append(Event("shown", one.id, at, "signoff", data))
            salt = changes.salt(connection, batch.items[0].id) if batch.items else ""
            told = {
                "batch": batch.name, "revision": batch.revision, "rendered": salted(salt, drawn),
                "conversation": conversation, "message": message,
            }  # fmt: skip
            audit.append(connection, *events, Event("batch", None, at, "signoff", told))
        return True
