"""What can be undone of what the policy let run: with what, for how long, and what its card is told."""

from __future__ import annotations

from sqlalchemy import Connection

from signoff.models import card_replies, store, undo_plan, undos
from signoff.models.approval import Approval
from signoff.models.messages import Outcome
from signoff.models.store import MICROSECONDS
from signoff.models.undo_plan import Filled


def filled(approval: Approval) -> Filled:
    """The undo's payload, as far as it is known; of what the policy names no undo for, missing."""
    plan = approval.verdict.undo
    if plan is None:
        return Filled(None, "")
    result = approval.outcome.result if approval.outcome else None
    return undo_plan.fill(plan, approval.payload, result)


def offered_until(approval: Approval) -> int | None:
    """Until when it may be undone, in microseconds since 1970; None where nothing is offered.

    Of what is not reported, or failed, nobody knows what would have to be undone.
    """
    plan, outcome = approval.verdict.undo, approval.outcome
    if plan is None or outcome is None or not outcome.succeeded or approval.outcome_at is None:
        return None
    return approval.outcome_at + plan.seconds * MICROSECONDS


def spent(connection: Connection, approval: Approval) -> None:
    """A process has taken an undo: the card of what it undoes says so."""
    if approval.undoes:
        undos.taken(connection, approval.undoes)


def reported(connection: Connection, approval: Approval, outcome: Outcome) -> None:
    """Something was reported: it may be undone from now on; or it is an undo, and its card says what became
    of that.
    """
    if approval.verdict.undo and approval.status == "approved" and outcome.succeeded:
        undos.offer(connection, approval.id, approval.verdict.undo.seconds)
    if approval.undoes:
        undos.touch(connection, approval.undoes, taken=True)
        if not outcome.succeeded:
            by = approval.decision.approver if approval.decision else ""
            card_replies.add(connection, approval.undoes, "undo_failed", {"by": by})
            first = store.load(connection, approval.undoes)
            if first and first.verdict.undo:  # until then it may be tried again, and its card says so
                undos.offer(connection, first.id, first.verdict.undo.seconds)
