"""What one person looks through: begun, found again, and with its requests as they are now."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from signoff.approvals.batches import Batches
from signoff.approvals.errors import AlreadyDecided, UnknownApproval
from signoff.approvals.lists import Lists
from signoff.approvals.service import Approvals
from signoff.bot.cards.batch_items import gathered
from signoff.bot.together.review import LOOK, Looked
from signoff.models.approval import Approval
from signoff.models.batches import Review
from signoff.models.shown import Shown, digest_of


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
        looked = self._looked(self._batches.review(user, ordered, batch_id), came_from)
        return replace(looked, digest=digest_of(looked.shown))

    def shown(self, user: str, then: Shown) -> Looked:
        """A new review of what a batch's card has shown, as far as it waits as it did then.

        Raises what `Batches.on_card` and `review` do.
        """
        versions = dict(self._batches.on_card(then).values())
        ids = [one for one, version in versions.items() if self._approvals.get(one).version == version]
        if not ids:
            raise AlreadyDecided(None)
        return self.begin(user, ids, then.batch_id)

    def at(self, user: str, review_id: str, came_from: str = "", digest: str | None = None) -> Looked:
        """One that this person has begun; raises as `Batches.looked` does."""
        looked = self._looked(self._batches.looked(review_id, user, digest), came_from)
        return replace(looked, digest=digest or "")

    def over(self, user: str, batch_id: int) -> Looked:
        """All of a batch, for who may see it; nobody decides on it. Raises as `Lists.see` does."""
        batch = self._batches.get(batch_id)
        if not batch.items:
            raise UnknownApproval
        mine = (one for one in batch.items if one.decision and one.decision.approver == user)
        self._lists.see(user, next(mine, batch.items[0]).id)
        items = tuple((one.id, one.version) for one in batch.items)
        review = Review(f"{LOOK}{batch.id}", None, user, items, len(items))
        return Looked(review, batch.items, tuple(number for number, _ in batch.numbered), batch.title)

    def _looked(self, review: Review, came_from: str) -> Looked:
        if review.batch_id is None:
            asked = tuple(self._now(one) for one, _ in review.items)
            return Looked(review, asked, tuple(range(1, len(asked) + 1)), "", came_from)
        batch = self._batches.get(review.batch_id)
        places = {one.id: (number, one) for number, one in batch.known.items()}
        if any(one not in places for one, _ in review.items):
            raise UnknownApproval
        found = [places[one] for one, _ in review.items]
        return Looked(
            review, tuple(one for _, one in found), tuple(at for at, _ in found), batch.title, came_from
        )

    def _now(self, approval_id: str) -> Approval:
        return self._approvals.judge.today(self._approvals.get(approval_id))
