"""Whom a pending approval still waits for; pure."""

from __future__ import annotations

from signoff.approvals import quorum
from signoff.models.approval import Approval
from signoff.models.seating import Seat


def waiting_for(approval: Approval) -> tuple[Seat, ...]:
    """The seats that are not full, each with how many people it still needs, and without those who voted.

    Where somebody would have to move for the next one, the seat that they would leave is among them.
    """
    voted = {vote.approver for vote in approval.decisions}
    open = {seat.name: seat.need for seat in quorum.counted(approval).open}
    return tuple(
        seat.model_copy(
            update={
                "need": open.get(seat.name, 1),
                "people": tuple(one for one in seat.people if one not in voted),
            }
        )
        for seat in quorum.wanted(approval)
    )
