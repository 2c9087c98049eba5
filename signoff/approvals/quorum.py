"""Votes and seats → whether an approval ends, and how, or whom it still waits for; pure.

Each vote to approve fills one place of a seat, and nobody fills two. Who fits several is put where it helps
most, and moves when somebody else comes: what a vote's row says of its seat is for people to read, and
decides nothing. So many votes to reject as the verdict says end it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from signoff.models import matching
from signoff.models.approval import Approval
from signoff.models.messages import Decision
from signoff.models.seating import Seat as Seat
from signoff.models.verdict import Verdict


@dataclass(frozen=True)
class Count:
    """What the votes come to: `end` is None while it waits, for as many people as each of `open` needs.

    `seated` are the votes to approve, each with the name of the seat that it fills by now.
    """

    end: Literal["approve", "reject"] | None
    open: tuple[Seat, ...] = ()
    seated: tuple[Decision, ...] = ()


def seats_of(verdict: Verdict) -> tuple[Seat, ...]:
    """The seats that a verdict asks for: one, of its approvers, where it says no others."""
    return verdict.seats or (Seat(people=verdict.approvers, named=verdict.named),)


def count(votes: Sequence[Decision], seats: Sequence[Seat], reject: int = 1) -> Count:
    """`votes` are those on the current version, each by another person, in their order."""
    yes = [vote for vote in votes if vote.vote == "approve"]
    fits = fits_of(yes, seats)
    needs = [seat.need for seat in seats]
    taken = matching.fill(fits, needs)
    seated = tuple(
        vote.model_copy(update={"seat": seats[kind].name})
        for vote, kind in zip(yes, taken, strict=True)
        if kind is not None
    )
    open = tuple(
        seat.model_copy(update={"need": seat.need - taken.count(kind)})
        for kind, seat in enumerate(seats)
        if seat.need > taken.count(kind)
    )
    if sum(vote.vote == "reject" for vote in votes) >= reject:
        return Count("reject", open, seated)
    return Count(None, open, seated) if open else Count("approve", (), seated)


def fits_of(votes: Sequence[Decision], seats: Sequence[Seat]) -> list[list[int]]:
    """Of each vote the seats that it may fill, by number; where there is only one, all fill that."""
    if len(seats) == 1:
        return [[0] for _ in votes]
    return [[kind for kind, seat in enumerate(seats) if seat.name in vote.fits] for vote in votes]


def counted(approval: Approval) -> Count:
    """What an Approval's votes come to by its own verdict; who has voted is not looked at again."""
    return count(approval.decisions, seats_of(approval.verdict), approval.verdict.reject)


def wanted(approval: Approval) -> tuple[Seat, ...]:
    """The seats for which one more person would help, also where somebody has to move for them."""
    seats = seats_of(approval.verdict)
    votes = [vote for vote in approval.decisions if vote.vote == "approve"]
    helps = matching.wanted(fits_of(votes, seats), [seat.need for seat in seats])
    return tuple(seat for seat, one in zip(seats, helps, strict=True) if one)
