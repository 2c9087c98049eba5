"""Requests decided together: a batch's card, the pages of a Review, and those that are only alike.

Every click is acknowledged first: what it does takes as long as it takes, and the modal says so meanwhile.
What a person is shown is noted as a review; it is decided on those ids and versions, and on nothing else.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Literal

from signoff.approvals.batches import Batches
from signoff.approvals.errors import AlreadyDecided, NotAllowed, NotRecorded, ShownOther, UnknownApproval
from signoff.approvals.factor_errors import ProofAsked
from signoff.approvals.service import Approvals
from signoff.approvals.stopped import with_stops
from signoff.bot.cards.batch_card import parse_shown
from signoff.bot.cards.card import parse_token
from signoff.bot.forms.loading import again_with
from signoff.bot.forms.modals import message_view, read_reject
from signoff.bot.listeners.actions import Ack, Actions
from signoff.bot.listeners.batch_codes import SHOWN, any_code
from signoff.bot.listeners.batch_looks import Looks
from signoff.bot.listeners.opener import Body, Opener
from signoff.bot.listeners.presses import batch_of, came_from, external_id, number_of, value_of
from signoff.bot.listeners.replies import NotOpened, foreseen
from signoff.bot.slack.client import Slack
from signoff.bot.slack.errors import SlackError
from signoff.bot.slack.views import Place, Views
from signoff.bot.text.text import Block, Trusted
from signoff.bot.text.words import batches as words
from signoff.bot.text.words import replies as replies_words
from signoff.bot.together import views as forms
from signoff.bot.together.review import LOOK, Looked, read_kept, review_view
from signoff.bot.together.views import became
from signoff.models.approval import Approval
from signoff.models.batches import Decided, Left

log = logging.getLogger("signoff.bot")

Vote = Literal["approve", "reject"]
MOST = 20  # requests that a private message names one by one


class BatchReviews:
    """What a person can do about several requests at once, but for one by one (`Each`)."""

    def __init__(
        self,
        approvals: Approvals,
        batches: Batches,
        looks: Looks,
        slack: Slack,
        opener: Opener,
        actions: Actions,
    ) -> None:
        self._approvals = approvals
        self._batches = batches
        self._looks = looks
        self._opener = opener
        self._actions = actions
        self._views = Views(slack)
        self.ask_code: Callable[[Body, dict[str, Any]], None] = lambda body, about: None

    # From a card, a list, Home.
    def approve(self, body: Body) -> None:
        """*Approve all* on a card: those that it showed, at the versions that it showed."""
        user = body["user"]["id"]
        try:
            shown = parse_shown(value_of(body))
            try:
                self._batches.approve(user, shown)
            except AlreadyDecided as error:
                if error.status is not None:
                    raise
            on_card = self._batches.on_card(shown)
            self._tell_left(body, user, {one: number for number, (one, _) in on_card.items()})
        except ProofAsked:
            self.ask_code(body, {"review": SHOWN, "shown": value_of(body)})
        except Exception as error:
            self._tell(body, error)

    def review(self, body: Body) -> None:
        """*Review…* of a batch."""
        self.begin(body, value_of(body))

    def begin(self, body: Body, batch: str) -> None:
        """The same in its card's menu."""
        self._opener.open(
            body,
            lambda user: review_view(self._looks.begin(user, batch_id=batch_of(batch))),
            self.refusal,
            slow=True,
        )

    def look(self, body: Body) -> None:
        """*Look through…* of a batch that waits no more: its pages, without what decides."""
        self.begin_look(body, value_of(body))

    def begin_look(self, body: Body, batch: str) -> None:
        """The same in its card's menu."""

        def view(user: str) -> Block:
            return review_view(self._looks.over(user, batch_of(batch)), decides=False)

        self._opener.open(body, view, self.refusal, slow=True)

    def together(self, body: Body) -> None:
        """*Review these 12 together…* over a list: of a batch, or what is like one of them."""
        self._together(body, value_of(body))

    def alike(self, body: Body, token: str) -> None:
        """*Review these 12 together…* in a card's menu."""
        self._together(body, token)

    def _together(self, body: Body, value: str) -> None:
        def view(user: str) -> Block:
            if value.startswith("batch:"):
                return review_view(self._looks.begin(user, batch_id=batch_of(value[6:])))
            ids = self._batches.alike(user, parse_token(value)[0])
            if len(ids) < 2:
                return message_view(words.TITLE, words.NOTHING_LIKE_IT)
            return review_view(self._looks.begin(user, ids))

        self._opener.open(body, view, self.refusal, slow=True)

    # In the pages.
    def turn(self, body: Body) -> None:
        """Next or Back: what the page has shown counts from then on."""
        view, user, page = body["view"], body["user"]["id"], number_of(value_of(body))

        def other() -> Block:
            kept = read_kept(view)
            if kept["review"].startswith(LOOK):
                batch_id = batch_of(kept["review"].removeprefix(LOOK))
                return review_view(self._looks.over(user, batch_id), page, decides=False)
            looked = self._looks.at(user, kept["review"], came_from(view), _digest(kept))
            self._batches.saw(kept["review"], user, number_of(kept.get("seen", 0)))
            return review_view(looked, page, laid=str(kept.get("laid", "")))

        self._opener.replace(body, other, self.refusal)

    def approve_seen(self, body: Body) -> None:
        """*Approve the 31 you saw*, *Approve all 31* on the last page.

        Pressed twice, or with the modal closed meanwhile, it is decided all the same: each request once.
        """
        view, user = body["view"], body["user"]["id"]
        try:
            kept, seen = read_kept(view), number_of(value_of(body))
            review_id, digest = kept["review"], _digest(kept)
            looked = self._looks.at(user, review_id, came_from(view), digest)
            of = [one.id for at, one in enumerate(looked.asked[:seen]) if looked.waits(at)]
            if any_code(self._approvals.factors, looked, user, seen):
                return self.ask_code(body, {"review": review_id, "digest": digest, "seen": seen})
            place = Place(view["id"], view.get("hash"))
            stands = self._views.replace(place, forms.deciding_view(len(of)))
            self._batches.saw(review_id, user, seen)
        except Exception as error:
            self._replace(body, self._lost(error, view))
            return
        shown = self.decided(
            user,
            "approve",
            of,
            lambda: self._batches.decide(review_id, user, "approve", of=of, digest=digest),
            lambda: self._looks.at(user, review_id, looked.came_from),
            seen,
        )
        if stands:
            self._replace(body, shown)

    # One reason for all.
    def ask_reason(self, body: Body) -> None:
        """*Reject all…*: its form, over a Review where it was pressed in one."""

        def view(user: str) -> Block:
            value = value_of(body)
            if value.startswith("review:"):
                looked = self._looks.at(user, value[7:], digest=_digest(read_kept(body["view"])))
            elif ":" in value:
                looked = self._looks.shown(user, parse_shown(value))
            else:  # a card of so many that its button could not name them: those that wait as the form opens
                looked = self._looks.begin(user, batch_id=batch_of(value))
            waits = [one for at, one in enumerate(looked.asked) if looked.waits(at)]
            if not waits:
                return forms.over_view(looked)
            return forms.reject_all_view(waits[0], len(waits), looked.value, looked.digest)

        self._opener.open(body, view, self.refusal, slow=True)

    def ack_reason(self, ack: Ack, body: Body, view: Block) -> None:
        """The form: what is wrong with it, or that it is being done."""
        _, _, errors = read_reject(view["state"]["values"])
        if errors:
            ack(response_action="errors", errors=errors)
        else:
            ack(response_action="update", view=forms.deciding_view(_many(view), external_id(view)))

    def reject(self, body: Body, view: Block) -> None:
        """The same, after its acknowledgement: everything that waits is rejected, and what was is told."""
        user = body["user"]["id"]
        reason, resubmit, errors = read_reject(view["state"]["values"])
        if errors:
            return
        said = {"reason": reason, "resubmit": resubmit}
        try:
            kept = read_kept(view)
            review_id = kept["review"].removeprefix("review:")
            shown = self._rejected(user, review_id, _digest(kept), said)
        except Exception as error:
            shown = self.refusal(error) if foreseen(error) else again_with(NotOpened(error).sentence, view)
        try:
            self._views.fill(external_id(view), str(view.get("id") or ""), shown)
        except SlackError as error:
            log.warning("a result is not shown: %s", error)

    def _rejected(self, user: str, review_id: str, digest: str, said: dict[str, Any]) -> Block:
        """Reject all of a review that waits; the view of what became of them."""
        looked = self._looks.at(user, review_id, digest=digest)
        of = [one.id for at, one in enumerate(looked.asked) if looked.waits(at)]
        self._batches.saw(review_id, user, len(looked.asked))
        return self.decided(
            user,
            "reject",
            of,
            lambda: self._batches.decide(review_id, user, "reject", of=of, digest=digest, **said),
            lambda: self._looks.at(user, review_id),
            resubmit=said["resubmit"],
        )

    def decided(
        self,
        user: str,
        vote: Vote,
        of: Sequence[str],
        act: Callable[[], Decided],
        look: Callable[[], Looked],
        seen: int | None = None,
        resubmit: bool = False,
    ) -> Block:
        """Act, and the view that says what became of these; broken off in the middle, what stands by then.

        What this person has decided by another click meanwhile is theirs too; what others were faster with,
        of the first `seen`, is named.
        """
        broken, left = False, tuple[Left, ...]()
        try:
            left = act().left
        except Exception as error:
            if foreseen(error) and not (isinstance(error, AlreadyDecided) and error.status is None):
                return self.refusal(error)
            broken = not foreseen(error)
            if broken:
                log.error("a decision on several broke off: %s", type(error).__name__)
        try:
            now = look()
        except Exception as error:
            return self.refusal(NotOpened.of(error))
        mine = {one.id for one in now.asked if one.id in of and _voted(one, user, vote)}
        left = forms.missed(now, seen, [one for one in left if one.approval_id not in mine])
        return forms.result_view(now, vote, len(mine), left, resubmit=resubmit, broken=broken)

    def _tell_left(self, body: Body, user: str, numbers: Mapping[str, int]) -> None:
        """Tell who approved on a card of those that it did not reach; nothing where it reached them all.

        `numbers` are what the card calls those that it showed, by their ids.
        """
        asked = with_stops(self._approvals.store, map(self._approvals.get, numbers))
        missed = [(numbers[one.id], one) for one in asked if not _voted(one, user, "approve")]
        if missed:
            lines = [words.numbered(number, became(one)) for number, one in missed]
            told = words.done("approve", len(asked) - len(missed))
            if not any(one.pending or _voted(one, user, "approve") for one in asked):
                told = words.NOTHING_WAITS
            self._opener.tell(
                body, Trusted("\n".join([told, *lines[:MOST], *words.and_others(lines[MOST:])]))
            )

    def _replace(self, body: Body, view: Block) -> None:
        try:
            self._views.replace(Place(body["view"]["id"]), view)
        except SlackError as error:
            log.warning("a result is not shown: %s", error)

    def _lost(self, error: Exception, view: Block) -> Block:
        if foreseen(error):
            return self.refusal(error)
        return again_with(NotOpened(error).sentence, view)

    def refusal(self, error: Exception) -> Block:
        """The view that says why something came to nothing."""
        return message_view(replies_words.NOT_POSSIBLE, self._explain(error))

    def _explain(self, error: Exception) -> Trusted:
        if isinstance(error, AlreadyDecided) and error.status is None:
            return words.NOTHING_WAITS
        if type(error) is UnknownApproval:
            return words.REVIEW_OVER
        if isinstance(error, ShownOther):
            return words.CHANGED_MEANWHILE
        if type(error) is NotAllowed and error.approvers:
            return replies_words.not_an_approver(error.approvers)
        return self._actions.explain(error, "")[0]

    def _tell(self, body: Body, error: Exception) -> None:
        said = self._explain(error) if isinstance(error, NotRecorded | NotOpened) else None
        self._opener.tell(body, said or self._actions.explain(error, "")[0])


def _digest(kept: Mapping[str, Any]) -> str:
    """Of what a view has shown; one that holds none fits nothing."""
    return str(kept.get("digest", ""))


def _many(view: Block) -> int:
    """How many a form says that it rejects."""
    return number_of(read_kept(view).get("count", 0))


def _voted(one: Approval, user: str, vote: Vote) -> bool:
    """Whether it has ended by this person's vote."""
    became = {"approve": "approved", "reject": "rejected"}[vote]
    return one.status == became and one.decision is not None and one.decision.approver == user
