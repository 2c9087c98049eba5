"""Requests that are asked together: frozen, looked through, and decided, each in its own transaction."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import Literal

from sqlalchemy import Connection, select

from signoff.approvals.announcer import Announcer
from signoff.approvals.decide import Votes
from signoff.approvals.errors import AlreadyDecided, NotAllowed, NotRecorded, ShownOther, UnknownApproval
from signoff.approvals.factor_errors import Unproven
from signoff.approvals.freeze import Freezing
from signoff.approvals.left import BY_ITSELF, NEVER_SHOWN, UNSEEN, why_left
from signoff.approvals.sharing import SHARES
from signoff.approvals.stopped import with_stops
from signoff.approvals.verdicts import Judge
from signoff.errors import Invalid
from signoff.models import alike, batch_cards, batch_rows, changes, crash, reviews
from signoff.models import store as rows
from signoff.models.approval import Approval
from signoff.models.batches import Batch, Decided, Left, Review
from signoff.models.messages import Freeze
from signoff.models.shown import Shown, digest_in
from signoff.models.store import Store, now
from signoff.models.verdict import Verdict
from signoff.payload.blank import is_blank

_BATCH = (
    "id", "agent", "name", "title", "run", "size", "state", "created_at", "frozen_at", "wanted",
    "conversation", "message", "permalink", "revision", "shown_revision", "shown_at", "thread", "unsure",
)  # fmt: skip


class Batches:
    """What people see as one card. Each request of it stays an Approval of its own."""

    def __init__(
        self, store: Store, judge: Judge, votes: Votes, announcer: Announcer, freezing: Freezing
    ) -> None:
        self._store = store
        self._judge = judge
        self._votes = votes
        self._announcer = announcer
        self._freezing = freezing

    def freeze(self, agent: str, name: str, frozen: Freeze) -> Batch:
        """Its agent says that these requests are all. Said twice it changes nothing; raises Invalid where it
        names others than before, or what is not its own.
        """
        return self.get(self._freezing.freeze(agent, name, frozen))

    def find(self, agent: str, name: str) -> Batch | None:
        """An agent's batch by the name that the agent has given it; None where there is none."""
        found = batch_rows.find(self._store, agent, name)
        return None if found is None else self.get(found)

    def get(self, batch_id: int) -> Batch:
        """A batch as it is now, with its requests by today's policy; raises UnknownApproval."""
        with self._store.reading() as connection:
            row = batch_rows.row(connection, batch_id)
            if row is None:
                raise UnknownApproval
            named: list[str] = json.loads(row.ids) if row.ids else []
            mine = dict.fromkeys(batch_rows.items(connection, batch_id))
            order = [*named, *(one for one in mine if one not in set(named))]
            found = {one.id: one for one in _loaded(connection, order) if one.agent == row.agent}
            at = changes.clock(connection)
        shown = [found[one] for one in order if one in mine and one in found]
        apart = [found[one] for one in order if one not in mine and one in found]
        places = {one: number for number, one in enumerate(order, 1)}
        return Batch(
            **{name: getattr(row, name) for name in _BATCH},
            items=tuple(with_stops(self._store, [self._judge.today(one, at) for one in shown])),
            apart=tuple(map(self._judge.today, apart)),
            places=tuple(places[one.id] for one in (*shown, *apart)),
        )

    def review(self, user_id: str, ids: Sequence[str], batch_id: int | None = None) -> Review:
        """What this person begins to look through: those of `ids` (approvals) that wait, and that they may
        decide today, in this order, at the versions that they have now; `seen` is 0.

        Raises NotAllowed where they may decide none of them, and AlreadyDecided (status None) where none of
        them waits any more.
        """
        mine = self._mine(user_id, ids, batch_id)
        return reviews.begin(self._store, user_id, [(one.id, one.version) for one in mine], batch_id)

    def on_card(self, shown: Shown) -> dict[int, tuple[str, int]]:
        """What a batch's card has shown by number: ids, and the versions that it showed.

        Raises ShownOther where the database holds other requests, versions or payloads under those numbers:
        its card is drawn anew.
        """
        known = self.get(shown.batch_id).known
        found = {
            number: (known[number].id, version)
            for number, version in sorted(shown.versions.items())
            if number in known
        }
        if len(found) == len(shown.versions) and digest_in(self._store, [*found.values()]) == shown.digest:
            return found
        with self._store.transaction() as connection:
            batch_rows.stir(connection, shown.batch_id)
        raise ShownOther

    def approve(self, user_id: str, shown: Shown) -> Decided:
        """Their yes to all that a batch's card has shown, at the versions that it showed, and to nothing
        else. Raises as `on_card` and `review` do.

        A card can be pressed before it is noted that it stands: that it was pressed says that it was shown.
        """
        noted = not batch_cards.is_unnoted(self._store, shown.batch_id)
        items = dict(self.on_card(shown).values())
        mine = [(one.id, items[one.id]) for one in self._mine(user_id, [*items], shown.batch_id)]
        return self._decide(mine, user_id, "approve", "", False, len(items) > 1, noted=noted)

    def looked(self, review_id: str, user_id: str, digest: str | None = None) -> Review:
        """A review as it is noted; raises UnknownApproval where there is none (any more), or another's, and
        ShownOther where it, or a payload of it, is not what was shown with this digest.
        """
        found = reviews.get(self._store, review_id, user_id)
        if found is None:
            raise UnknownApproval
        if digest is not None and digest_in(self._store, found.items) != digest:
            raise ShownOther
        return found

    def saw(self, review_id: str, user_id: str, seen: int) -> Review:
        """The first `seen` of its requests were shown whole; never fewer than before. Raises as `looked`."""
        reviews.note_seen(self._store, self.looked(review_id, user_id), seen)
        return self.looked(review_id, user_id)

    def decide(
        self,
        review_id: str,
        user_id: str,
        vote: Literal["approve", "reject"],
        *,
        reason: str = "",
        resubmit: bool = False,
        of: Sequence[str] | None = None,
        digest: str | None = None,
    ) -> Decided:
        """This person's vote on each request that the review has shown whole, at the version shown; on those
        of them in `of` (approvals' ids) alone, where it is given. What was not seen is never decided: it is
        in `left`, as is what somebody was faster with, each with a sentence that says why. `digest` is of
        what they were shown, as the view holds it.

        Raises as `looked`, Invalid for a rejection without a reason,
        ShownOther where the review or its payloads are not those of the digest, and
        NotAllowed where they are no member. The database's errors pass: what was decided until then is.
        """
        review = self.looked(review_id, user_id, digest)
        if vote == "reject":
            _has_reason(reason)
        self._judge.member(user_id)
        wanted = None if of is None else {*of}
        chosen = [
            (number, *item) for number, item in enumerate(review.items) if wanted is None or item[0] in wanted
        ]
        several = vote == "approve" and len(chosen) > 1
        seen = [(one, version) for number, one, version in chosen if number < review.seen]
        unseen = tuple(Left(one, UNSEEN) for number, one, _ in chosen if number >= review.seen)
        decided = self._decide(seen, user_id, vote, reason, resubmit, several)
        return replace(decided, left=(*decided.left, *unseen))

    def reject(self, batch_id: int, user_id: str, reason: str, resubmit: bool = False) -> Decided:
        """Their no to all on a batch's card that wait and that they may decide; raises as `review` does,
        UnknownApproval, and Invalid without a reason.
        """
        _has_reason(reason)
        with self._store.reading() as connection:
            if batch_rows.row(connection, batch_id) is None:
                raise UnknownApproval
            ids = [one.id for one in batch_rows.waiting(connection, batch_id)]
        items = [(one.id, one.version) for one in self._mine(user_id, ids)]
        return self._decide(items, user_id, "reject", reason, resubmit, False)

    def alike(self, user_id: str, approval_id: str) -> list[str]:
        """Ids of what waits on cards of its own, of the same agent and action, asked within ten minutes of
        this one, that this person may decide, and that may share a card: oldest first, this one among them.
        Fewer than two: none.
        """
        first, policy = self._store.get(approval_id), self._judge.policy
        if first is None or not first.pending or first.batch_id is not None:
            return []
        with self._store.reading() as connection:
            ids = [row.id for row in alike.rows(connection, first, policy.batch.most)]
        found = [
            one.id
            for one in self._of(user_id, self._waiting(ids))
            if one.verdict.effect == "ask"  # what the policy lets run after a while is asked about by itself
            and not policy.batch.why_alone(one.action, self._judge.standing(one))
        ]
        return found if len(found) > 1 and approval_id in found else []

    def count_alike(self, approval: Approval) -> int:
        """How many `alike` finds for whoever decides on this one, as far as its rows tell at once: for a
        card, which is everybody's. 0 where it is alone. `approval` has the verdict of today's policy.
        """
        verdict, policy = approval.verdict, self._judge.policy
        if not approval.pending or approval.batch_id is not None or approval.request.kind != SHARES:
            return 0
        if verdict.effect != "ask" or policy.batch.why_alone(approval.action, verdict):
            return 0
        with self._store.reading() as connection:
            rows = alike.rows(connection, approval, policy.batch.most)
        count = alike.count(rows, approval)
        return count if count > 1 else 0

    def undone(self) -> list[str]:
        """What `drop` is to be called with: batches that were not frozen in time; raises RedisError."""
        return list(map(str, self._freezing.undone()))

    def drop(self, batch_id: str) -> None:
        """End what was sent for a batch that nobody froze: it was shown to nobody, and its agent is told."""
        self._freezing.drop(int(batch_id))

    def _mine(self, user_id: str, ids: Sequence[str], batch_id: int | None = None) -> list[Approval]:
        """Those of these that wait, and that this person may decide; raises as `review` does."""
        waiting = [one for one in self._waiting(ids) if batch_id is None or one.batch_id == batch_id]
        if not waiting:
            self._judge.member(user_id)
            raise AlreadyDecided(None)
        mine = self._of(user_id, waiting)
        if not mine:
            self._judge.decider(waiting[0], user_id)  # raises what says why
            raise NotAllowed
        return mine

    def _waiting(self, ids: Sequence[str]) -> list[Approval]:
        """Those of these that somebody may decide, in this order."""
        with self._store.reading() as connection:
            found = _loaded(connection, dict.fromkeys(ids))
            at = int(connection.execute(select(now())).scalar_one())
        return [one for one in found if one.pending and not one.restored and one.expires_at > at]

    def _of(self, user_id: str, waiting: Iterable[Approval]) -> list[Approval]:
        """Those that this person may decide today."""
        may: dict[tuple[str, ...], bool] = {}
        found = []
        for one in waiting:
            approvers = self._judge.standing(one).approvers
            if approvers not in may:
                may[approvers] = self._judge.is_one_of(user_id, approvers)
            if may[approvers]:
                found.append(one)
        return found

    def _decide(
        self,
        items: Sequence[tuple[str, int]],
        user_id: str,
        vote: Literal["approve", "reject"],
        reason: str,
        resubmit: bool,
        several: bool,
        noted: bool = False,
    ) -> Decided:
        """Each by itself. Of `several` that are approved at once each has to be one that may share a card by
        today's policy; where it is `noted` what the card shows, each has to be among that. Raises Unproven
        where that is what stands against the first.
        """
        decided, left = list[str](), list[Left]()

        def check(approval: Approval, verdict: Verdict) -> None:
            if noted and approval.shown_at is None:
                raise NotAllowed(NEVER_SHOWN)
            alone = several and self._judge.policy.batch.why_alone(approval.action, verdict)
            if alone:
                raise NotAllowed(BY_ITSELF % alone)

        with self._announcer.together():
            for approval_id, version in self._proven_first(items) if vote == "approve" else items:
                try:
                    self._votes.decide(
                        approval_id, version, user_id, vote,
                        reason=reason, resubmit=resubmit, payload=None, permalink=None, check=check,
                    )  # fmt: skip
                    decided.append(approval_id)
                    crash.here("review.decided")
                except NotRecorded as error:
                    if isinstance(error, Unproven) and not decided:
                        raise
                    left.append(Left(approval_id, why_left(error), error))
        return Decided(tuple(decided), tuple(left))

    def _proven_first(self, items: Sequence[tuple[str, int]]) -> list[tuple[str, int]]:
        """Those that want more than a Slack account, and then the others: nothing is decided before a code
        was asked for.
        """
        waiting = self._waiting([approval_id for approval_id, _ in items])
        wants = {one.id for one in waiting if self._judge.standing(one).asks_proof}
        return sorted(items, key=lambda item: item[0] not in wants)


def _has_reason(reason: str) -> None:
    """Raise Invalid where somebody rejects several at once and does not say why."""
    if is_blank(reason):
        raise Invalid("Say why they are rejected: the agent is told, and learns by it.")


def _loaded(connection: Connection, ids: Iterable[str]) -> list[Approval]:
    """The Approvals of these ids that there are."""
    return [found for one in ids if (found := rows.load(connection, one)) is not None]
