"""What of an Approval stands somewhere, as it is recorded; with its audit lines."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from signoff.approvals import audit
from signoff.approvals.audit import Event, salted
from signoff.approvals.audit.lines import optional
from signoff.approvals.calls import restart
from signoff.approvals.standing import shown_of
from signoff.models import calls, changes, doubles, files, graces, judgements
from signoff.models.approval import Approval
from signoff.models.doubles import Place
from signoff.models.files import Claimed
from signoff.models.leases import CARDS, pause
from signoff.models.store import Store


class Cards:
    """Notes what stands where, and what of it is due.

    A `lease` is that of `models.leases.CARDS`, by which a delivery acts. Where somebody else has had it
    since, nothing that the delivery says is noted as so. None is for a channel that has no two at once.
    """

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
        *,
        lease: int | None = None,
        beside: Sequence[Place] = (),
        unsure: bool = False,
        digests: Collection[str] | None = None,
    ) -> bool:
        """A card stands, maybe in a thread, at this revision: it is no longer due.

        `approval` is as it was drawn (`Judge.today`), `rendered` what was sent, `beside` are messages that
        stand for the same approval, `unsure` says that there may be more. `digests` are of the files that are
        to stand in the card's thread; None leaves them as they are. False where the lease is lost. Then the
        message is a double, and redrawn; or, where it is the card, it may show what is no longer so, and the
        card is due again.
        """
        assert approval.card is not None
        began: dict[str, int] = {}
        with self._store.transaction() as connection:
            values = {
                "card_id": approval.card.id,
                "to_conversation": conversation,
                "to_message": message,
                "to_thread": thread,
                "link": permalink,
                "revision": approval.revision,
                "still_unsure": int(unsure),
            }
            noted = changes.note_shown(connection, approval.id, values, lease)
            if noted:
                changes.note_delivered(connection, approval.id, approval.revision)
                waits = approval.verdict.in_grace and approval.runs_at == graces.UNSHOWN
                if waits and graces.begin(connection, approval.id, approval.verdict.after or 0):
                    began = graces.begun(connection, approval.id)
                if approval.shown_at is None and approval.verdict.timing:
                    began |= calls.begin(connection, approval.id, restart(approval.verdict))
                judgements.note_drawn(connection, approval.id, approval.judged, shown_of(approval.verdict))
                if digests is not None:
                    where = (conversation, thread or message)
                    files.settle(connection, approval.id, approval.version, where, digests)
                    if not approval.pending:
                        files.give_up(connection, approval.id)
            elif changes.place(connection, approval.card.id) == (conversation, message):
                changes.move(connection, approval.id)
            else:
                beside = [*beside, Place(conversation, message, thread)]
            for place in beside:
                doubles.add(connection, approval.id, place)
            if thread:
                changes.stir(connection, conversation, thread)
            salt = changes.salt(connection, approval.id)
            digest = salted(salt, rendered)
            data = {
                "card": approval.card.id if noted else None,  # a message beside the card is no row's
                "conversation": conversation,
                "message": message,
                "revision": approval.revision,
                "rendered": digest,
                "channel": approval.card.channel,
                "thread": thread,
                "permalink": optional(salt, permalink),
                **began,
            }
            at = changes.clock(connection)
            audit.append(connection, Event("shown", approval.id, at, "signoff", data))
        return noted

    def note_delivered(self, approval: Approval) -> None:
        """Its card showed this revision all along; nothing happens where its row says otherwise by now."""
        with self._store.transaction() as connection:
            changes.note_delivered_already(connection, approval.id, approval.revision)

    def postpone(self, approval_id: str, seconds: float, *, lease: int | None = None) -> None:
        """Its card is not due for a while."""
        with self._store.transaction() as connection:
            changes.postpone(connection, approval_id, pause(seconds), lease)

    def cannot_show(self, approval_id: str, fault: str, *, lease: int | None = None) -> bool:
        """Its channel refuses its card; True where no other card waits for the same fault to be mended."""
        with self._store.transaction() as connection:
            return changes.note_fault(connection, approval_id, fault, lease)

    def may_have_changed(self, approval: Approval, lease: int) -> None:
        """An update whose answer was lost: where the lease is lost too, the card is due again."""
        assert approval.card is not None
        with self._store.transaction() as connection:
            if not CARDS.is_held(connection, approval.card.id, lease):
                changes.move(connection, approval.id)

    def note_filed(self, claimed: Claimed) -> bool:
        """A file of its payload stands in the card's thread: the card says so, and is due.

        False where it has to go again: its payload was edited or erased meanwhile, or its lease was lost.
        """
        with self._store.transaction("file") as connection:
            if not files.note_posted(connection, claimed):
                return False
            changes.move(connection, claimed.approval_id)
            audit.append(connection, _filed(claimed, changes.clock(connection), "posted"))
            return True

    def note_unfiled(self, claimed: Claimed) -> None:
        """It stands there no more, or never did; nothing happens where the lease was lost."""
        with self._store.transaction("unfile") as connection:
            if files.note_gone(connection, claimed) and claimed.file and claimed.state == "unwanted":
                audit.append(connection, _filed(claimed, changes.clock(connection), "deleted"))


def _filed(claimed: Claimed, at: int, what: str) -> Event:
    """A line about a file: by its channel's id, which says nothing of what is in it."""
    data = {
        "file": claimed.file,
        "conversation": claimed.conversation,
        "thread": claimed.thread,
        "state": what,
    }
    return Event("file", claimed.approval_id, at, "signoff", data)
