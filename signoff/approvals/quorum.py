"""Votes and seats → whether an approval ends, and how, or whom it still waits for; pure.

A seat is filled by one person's vote to approve. Any vote to reject ends it.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from signoff.models.messages import Decision
from signoff.models.verdict import Verdict


@dataclass(frozen=True)
class Seat:
    """One place that a vote fills; `approvers` are the ids of people and groups that may fill it."""

    approvers: tuple[str, ...]


@dataclass(frozen=True)
class Count:
    """What the votes come to: `end` is None while it waits, for somebody in each of `open`."""

    end: Literal["approve", "reject"] | None
    open: tuple[Seat, ...] = ()


def seats_of(verdict: Verdict) -> tuple[Seat, ...]:
    """The seats that a verdict asks for: one, of its approvers."""
    return (Seat(verdict.approvers),)


def count(votes: Sequence[Decision], seats: Sequence[Seat]) -> Count:
    """`votes` are those on the current version, each by somebody who may fill the seat that comes next."""
    if any(vote.vote == "reject" for vote in votes):
        return Count("reject")
    open = tuple(seats[len(votes) :])
    return Count(None, open) if open else Count("approve")
