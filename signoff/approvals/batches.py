"""Requests that are asked together: frozen, looked through, and decided, each in its own transaction."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Literal

from signoff.models.batches import Batch, Decided, Review
from signoff.models.messages import Freeze


class Batches:
    """What people see as one card. Each request of it stays an Approval of its own."""

    def freeze(self, agent: str, name: str, frozen: Freeze) -> Batch:
        """Its agent says that these requests are all. Said twice it changes nothing; raises Invalid where it
        names others than before, or another agent's.
        """
        raise NotImplementedError

    def get(self, batch_id: int) -> Batch:
        """A batch as it is now, with its requests by today's policy; raises UnknownApproval."""
        raise NotImplementedError

    def review(self, user_id: str, ids: Sequence[str], batch_id: int | None = None) -> Review:
        """What this person begins to look through: those of `ids` (approvals) that wait, and that they may
        decide today, in this order, at the versions that they have now; `seen` is 0.

        Raises NotAllowed where they may decide none of them, and AlreadyDecided (status None) where none of
        them waits any more.
        """
        raise NotImplementedError

    def looked(self, review_id: str, user_id: str) -> Review:
        """A review as it is noted; raises UnknownApproval where there is none (any more), or another's."""
        raise NotImplementedError

    def saw(self, review_id: str, user_id: str, seen: int) -> Review:
        """The first `seen` of its requests were shown whole; never fewer than before. Raises as `looked`."""
        raise NotImplementedError

    def decide(
        self,
        review_id: str,
        user_id: str,
        vote: Literal["approve", "reject"],
        *,
        reason: str = "",
        resubmit: bool = False,
        of: Sequence[str] | None = None,
    ) -> Decided:
        """This person's vote on each request that the review has shown whole, at the version shown; on those
        of them in `of` (approvals' ids) alone, where it is given. What was not seen is never decided: it is
        in `left`, as is what somebody was faster with, each with a sentence that says why.

        Raises as `looked`, and NotAllowed where they are no member. The database's errors pass: what was
        decided until then is.
        """
        raise NotImplementedError

    def reject(self, batch_id: int, user_id: str, reason: str = "", resubmit: bool = False) -> Decided:
        """Their no to all on a batch's card that wait and that they may decide; raises as `decide`."""
        raise NotImplementedError

    def alike(self, user_id: str, approval_id: str) -> list[str]:
        """Ids of what waits on cards of its own, of the same agent and action, asked within ten minutes of
        this one, that this person may decide: oldest first, this one among them. Fewer than two: none.
        """
        raise NotImplementedError
