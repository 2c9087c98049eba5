"""What one person looks through: begun, found again, and with its requests as they are now."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.approvals.batches import Batches
from signoff.approvals.errors import UnknownApproval
from signoff.approvals.lists import Lists
from signoff.approvals.service import Approvals
from signoff.bot.cards.batch_items import gathered
from signoff.bot.together.review import Looked
from signoff.models.approval import Approval
from signoff.models.batches import Batch, Review


class Looks:
    """Reviews of several requests, as `approvals.batches` keeps them."""

    def __init__(self, approvals: Approvals, batches: Batches, lists: Lists) -> None:
        self._approvals = approvals
        self._batches = batches
        self._lists = lists

    def begin(
        self, user: str, ids: Sequence[str] = (), batch_id: int | None = None, came_from: str = ""
    ) -> Looked:
        """A new review of what waits of these, or of a batch: those that stand out come first.

        Raises what `Batches.review` does.
        """
        if ids or batch_id is None:
            asked = [self._now(one) for one in ids]
        else:
            asked = list(self._batches.get(batch_id).pending)
        first = gathered(asked, range(len(asked))).items if len(asked) > 1 else ()
        ordered = [one.approval.id for one in first] or [one.id for one in asked]
        return self._looked(self._batches.review(user, ordered, batch_id), came_from)

    def at(self, user: str, review_id: str, came_from: str = "") -> Looked:
        """One that this person has begun; raises UnknownApproval for any other."""
        return self._looked(self._batches.looked(review_id, user), came_from)

    def over(self, user: str, batch_id: int) -> Looked:
        """All of a batch, for who may see it; nobody decides on it. Raises as `Lists.see` does."""
        batch = self._batches.get(batch_id)
        if not batch.items:
            raise UnknownApproval
        self._lists.see(user, batch.items[0].id)
        return self._every(user, batch, "look")

    def all_of(self, user: str, batch_id: int) -> Looked:
        """All of a batch as it is now, for who has just decided on it."""
        return self._every(user, self._batches.get(batch_id), "batch")

    def _looked(self, review: Review, came_from: str) -> Looked:
        if review.batch_id is None:
            asked = tuple(self._now(one) for one, _ in review.items)
            return Looked(review, asked, tuple(range(1, len(asked) + 1)), "", came_from)
        batch = self._batches.get(review.batch_id)
        places = {one.id: (number, one) for number, one in enumerate(batch.items, 1)}
        if any(one not in places for one, _ in review.items):
            raise UnknownApproval
        found = [places[one] for one, _ in review.items]
        return Looked(
            review, tuple(one for _, one in found), tuple(at for at, _ in found), batch.title, came_from
        )

    def _now(self, approval_id: str) -> Approval:
        return self._approvals.judge.today(self._approvals.get(approval_id))

    def _every(self, user: str, batch: Batch, kind: str) -> Looked:
        items = tuple((one.id, one.version) for one in batch.items)
        review = Review(f"{kind}:{batch.id}", None, user, items, len(items))
        return Looked(review, batch.items, tuple(range(1, len(items) + 1)), batch.title)
