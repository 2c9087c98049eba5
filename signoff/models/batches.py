"""Requests that an agent asks together, as they are read from the rows; frozen."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from signoff.models.approval import Approval

BatchState = Literal["open", "frozen", "dropped"]


@dataclass(frozen=True)
class Batch:
    """Requests that people see as one card. Times are microseconds since 1970, UTC, by the database's clock.

    `name` is the agent's own for it. `items` are those that its card shows, in the order in which the agent
    has sent them; of all others that it has frozen, those that have become approvals are `apart`: with cards
    of their own, or let run or blocked by the policy without asking anybody (`verdict.effect` says which).
    `places` are the numbers of the items, and then of those apart: what people know each by. They are the
    places in which the agent has frozen them, and so stay the same whoever comes late, or leaves.
    `size` is how many the agent has frozen: those that were refused are in neither. Items and apart have the
    verdict of today's policy. The rest is as in the row (`more_tables.BatchRow`).
    """

    id: int
    agent: str
    name: str
    title: str
    run: str | None
    size: int
    state: BatchState
    created_at: int
    frozen_at: int | None
    wanted: str | None
    conversation: str | None
    message: str | None
    permalink: str | None
    revision: int
    shown_revision: int
    shown_at: int | None
    thread: str | None = None
    unsure: int = 0
    items: tuple[Approval, ...] = ()
    apart: tuple[Approval, ...] = ()
    places: tuple[int, ...] = ()

    @property
    def numbered(self) -> tuple[tuple[int, Approval], ...]:
        """Its items, each with its number; counted from 1 where no places are known."""
        return tuple(zip(self.places or range(1, len(self.items) + 1), self.items, strict=False))

    @property
    def known(self) -> dict[int, Approval]:
        """All of it by number, with those apart."""
        every = (*self.items, *self.apart)
        return dict(zip(self.places or range(1, len(every) + 1), every, strict=False))

    @property
    def pending(self) -> tuple[Approval, ...]:
        """Those on its card that somebody may still decide."""
        return tuple(one for one in self.items if one.pending)


@dataclass(frozen=True)
class Review:
    """What one person is shown of several requests: ids and versions, the first `seen` of them whole."""

    id: str
    batch_id: int | None
    user_id: str
    items: tuple[tuple[str, int], ...]
    seen: int


@dataclass(frozen=True)
class Left:
    """A request that a decision on several has not reached, and why: a sentence, and what was raised.

    `error` is one of `approvals.errors`, None where it was not asked for or not shown whole.
    """

    approval_id: str
    why: str
    error: Exception | None = None


@dataclass(frozen=True)
class Decided:
    """What became of a decision on several requests: ids in their order."""

    decided: tuple[str, ...]
    left: tuple[Left, ...] = ()
