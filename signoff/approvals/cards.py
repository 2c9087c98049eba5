"""What of an Approval stands somewhere, as it is recorded; with its audit lines."""

from __future__ import annotations

from signoff.approvals import audit
from signoff.approvals.audit import Event, salted
from signoff.approvals.audit.lines import optional
from signoff.approvals.standing import shown_of
from signoff.models import changes, judgements
from signoff.models.approval import Approval
from signoff.models.store import MICROSECONDS, Store


class Cards:
    """Notes what stands where, and what of it is due."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def note_shown(
        self,
        approval: Approval,
        conversation: str,
        message: str,
        permalink: str | None,
        rendered: str,
        thread: str | None = None,
    ) -> None:
        """A card stands, maybe in a thread, at this revision: it is no longer due.

        `rendered` is what was sent; `approval` is as it was drawn (see `Judge.today`).
        """
        assert approval.card is not None
        with self._store.transaction() as connection:
            values = {
                "card_id": approval.card.id,
                "to_conversation": conversation,
                "to_message": message,
                "to_thread": thread,
                "link": permalink,
                "revision": approval.revision,
            }
            changes.note_shown(connection, approval.id, values)
            changes.note_delivered(connection, approval.id, approval.revision)
            judgements.note_drawn(connection, approval.id, approval.judged, shown_of(approval.verdict))
            if thread:
                changes.stir(connection, conversation, thread)
            salt = changes.salt(connection, approval.id)
            digest = salted(salt, rendered)
            data = {
                "card": approval.card.id,
                "conversation": conversation,
                "message": message,
                "revision": approval.revision,
                "rendered": digest,
                "channel": approval.card.channel,
                "thread": thread,
                "permalink": optional(salt, permalink),
            }
            at = changes.clock(connection)
            audit.append(connection, Event("shown", approval.id, at, "signoff", data))

    def note_delivered(self, approval: Approval) -> None:
        """Its card showed this revision all along."""
        with self._store.transaction() as connection:
            changes.note_delivered(connection, approval.id, approval.revision)

    def postpone(self, approval_id: str, seconds: float) -> None:
        """Its card is not due for a while."""
        with self._store.transaction() as connection:
            changes.postpone(connection, approval_id, int(seconds * MICROSECONDS))

    def cannot_show(self, approval_id: str, fault: str) -> bool:
        """Its channel refuses its card; True where no other card waits for the same fault to be mended."""
        with self._store.transaction() as connection:
            return changes.note_fault(connection, approval_id, fault)
