"""*Review each…*: several requests one by one, with the forms that decide one, and the way back from them."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from signoff.approvals.batches import Batches
from signoff.approvals.errors import NotRecorded, ShownOther, UnknownApproval
from signoff.approvals.factor_errors import ProofAsked
from signoff.approvals.service import Approvals
from signoff.bot.cards.card import parse_token
from signoff.bot.forms.edit_form import EditForm
from signoff.bot.forms.modals import details_view, note_view, reject_view
from signoff.bot.forms.review import review_view as review_of_one
from signoff.bot.forms.talk_forms import ask_view
from signoff.bot.forms.way_back import back_of, read_back, with_back
from signoff.bot.listeners.actions import Actions
from signoff.bot.listeners.batch_looks import Looks
from signoff.bot.listeners.opener import STACK, Body, Opener, depth
from signoff.bot.listeners.presses import batch_of, came_from, number_of, value_of
from signoff.bot.text.text import Block
from signoff.bot.together import views as forms
from signoff.bot.together.review import Looked, read_kept, review_view
from signoff.models.approval import Approval
from signoff.models.identity import new_id
from signoff.models.shown import digest_in

log = logging.getLogger("signoff.bot")

CLEAR = {"response_action": "clear"}


class Each:
    """One request of several at a time."""

    def __init__(
        self,
        approvals: Approvals,
        batches: Batches,
        looks: Looks,
        opener: Opener,
        actions: Actions,
        refusal: Callable[[Exception], Block],
    ) -> None:
        self._approvals = approvals
        self._batches = batches
        self._looks = looks
        self._opener = opener
        self._actions = actions
        self._refusal = refusal

    def open(self, body: Body) -> None:
        """From a card, or from a Review, in whose place it comes: forms have room on top of it then."""
        value, user = value_of(body), body["user"]["id"]

        def first(user: str) -> Block:
            if value.startswith("review:"):
                looked = self._looks.at(user, value[7:])
            else:
                looked = self._looks.begin(user, batch_id=batch_of(value))
            return self._view(looked, user, self._next(looked, -1))

        if body.get("view"):
            self._opener.replace(body, lambda: first(user), self._refusal)
        else:
            self._opener.open(body, first, self._refusal, slow=True)

    def go(self, body: Body) -> None:
        """Previous or next."""
        view, user, at = body["view"], body["user"]["id"], number_of(value_of(body))
        self._opener.replace(body, lambda: self._view(self._looked(view, user), user, at), self._refusal)

    def approve(self, body: Body) -> None:
        """Approve this one, and show the next."""
        view, user = body["view"], body["user"]["id"]

        def decided() -> Block:
            approval_id, version, at = self._this(body, user)
            try:
                self._approvals.decide(approval_id, version, user, "approve")
            except ProofAsked:  # in its place the form that asks for it, which leads on from here
                return self._built(body, user, review_of_one)
            return self._following(self._looked(view, user), user, at)

        self._opener.replace(body, decided, lambda error: self._refused(error, _about(body)))

    def reject(self, body: Body) -> None:
        """Reject…: the form of a single request, which leads back here."""
        self._form(body, reject_view, 1)

    def edit(self, body: Body) -> None:
        """Edit…, in place of the request, so that only the difference lies on top when it decides."""
        self._form(body, lambda approval: EditForm(approval, draft_id=str(new_id())).view(), STACK)

    def review(self, body: Body) -> None:
        """Review… of one that is longer than a view."""
        self._form(body, review_of_one, 1)

    def note(self, body: Body) -> None:
        """Approve with note…: the form of a single request, which leads back here."""
        self._form(body, note_view, 1)

    def ask(self, body: Body) -> None:
        """Ask the agent… about this one; it stays open below the form."""
        self._form(body, ask_view, 1)

    def details(self, body: Body) -> None:
        """Details… of this one, whatever has become of it; its conversation opens on top."""

        def form(user: str) -> Block:
            approval = self._approvals.get(parse_token(value_of(body))[0])
            self._approvals.judge.decider(approval, user)
            return details_view(approval, self._approvals.store.clock())

        about = _about(body)
        self._opener.open(body, form, lambda error: self._actions.refusal(error, about), levels=1)

    def rest(self, body: Body) -> None:
        """The rest like this: all of them in full, and then what decides them together."""
        view, user = body["view"], body["user"]["id"]

        def shown() -> Block:
            looked = self._looked(view, user)
            ids = forms.rest(looked, min(number_of(value_of(body)), len(looked.asked) - 1))
            begun = self._looks.begin(user, ids, looked.review.batch_id, looked.review.id)
            return review_view(begun)

        self._opener.replace(body, shown, self._refusal)

    def after(self, view: Block, user: str) -> dict[str, Any]:
        """The acknowledgement of a form that has decided: closed; where it came from here, the next one
        stands in place of what lay below it.
        """
        review_id, at = read_back(back_of(view))
        if not review_id:
            return CLEAR
        try:
            looked = self._looks.at(user, review_id)
            following = self._following(looked, user, at)
            if depth(view) == 1:
                return {"response_action": "update", "view": following}
            return {} if self._opener.put(view["previous_view_id"], following) else CLEAR
        except Exception as error:  # what was decided is: only the way back is lost
            log.warning("no way back: %s", type(error).__name__)
            return CLEAR

    def _form(self, body: Body, build: Callable[[Approval], Block], levels: int) -> None:
        about = _about(body)
        self._opener.open(
            body,
            lambda user: self._built(body, user, build),
            lambda error: self._refused(error, about),
            levels=levels,
        )

    def _built(self, body: Body, user: str, build: Callable[[Approval], Block]) -> Block:
        """A form of the one that was pressed, which leads back here."""
        approval_id, version, at = self._this(body, user)
        approval = self._approvals.open_for(approval_id, version, user)[0]
        shown = self._actions.proving(build(approval), approval, user)
        return with_back(shown, f"{read_kept(body['view'])['review']}:{at}")

    def _refused(self, error: Exception, about: str) -> Block:
        """The view that says why; what concerns the review rather than the one is told as for all of it."""
        of_all = isinstance(error, ShownOther) or type(error) is UnknownApproval
        return self._refusal(error) if of_all else self._actions.refusal(error, about)

    def _this(self, body: Body, user: str) -> tuple[str, int, int]:
        """Which one a button is about: id, version and its place in the review, which this person has begun
        and which holds just that there, with the payload that the view shows; raises UnknownApproval or
        ShownOther.
        """
        approval_id, version = parse_token(value_of(body))
        kept, looked = read_kept(body["view"]), self._looked(body["view"], user)
        at, item = number_of(kept.get("at", 0)), (approval_id, version)
        is_there = looked.review.items[at : at + 1] == (item,)
        if not is_there or digest_in(self._approvals.store, [item]) != kept.get("digest"):
            raise ShownOther
        return approval_id, version, at

    def _looked(self, view: Block, user: str) -> Looked:
        return self._looks.at(user, read_kept(view)["review"], came_from(view))

    def _following(self, looked: Looked, user: str, at: int) -> Block:
        """The next one that waits, from the first again after the last; where none does, how many of each."""
        following = self._next(looked, at)
        if looked.waits(following):
            return self._view(looked, user, following)
        return forms.over_view(looked)

    def _next(self, looked: Looked, at: int) -> int:
        count = len(looked.asked)
        places = [place % count for place in range(at + 1, at + 1 + count)]
        return next((place for place in places if looked.waits(place)), places[0])

    def _view(self, looked: Looked, user: str, at: int) -> Block:
        at = min(max(at, 0), len(looked.asked) - 1)
        approval_id, version = looked.review.items[at]
        try:
            approval = self._approvals.open_for(approval_id, version, user)[0]
        except NotRecorded as error:
            told, _ = self._actions.explain(error, approval_id)
            return forms.each_view(looked, at, looked.asked[at], told)
        return forms.each_view(looked, at, approval)


def _about(body: Body) -> str:
    return value_of(body).rpartition(":")[0]
