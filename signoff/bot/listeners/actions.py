"""Buttons and view submissions: ack, parse, one call into `approvals`, reply.

A click never edits a card: it changes the row, and the card is redrawn from it.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from signoff.approvals.errors import EditedMeanwhile, GroupsUnread, NotRecorded, UnknownApproval
from signoff.approvals.factor_errors import ProofAsked, Unproven, WrongTyped
from signoff.approvals.service import Approvals
from signoff.bot.cards.card import more_view, parse_token
from signoff.bot.cards.feedback_parts import PRESSED
from signoff.bot.cards.menu import REST
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.forms import modals
from signoff.bot.forms.feedback_form import correction_view
from signoff.bot.forms.loading import again_with
from signoff.bot.forms.proof_form import errors_of, read_proof, unproven, with_proof
from signoff.bot.forms.review import read_page, review_view
from signoff.bot.forms.talk_forms import conversation_view, read_question
from signoff.bot.forms.talk_forms import read_page as read_turns
from signoff.bot.forms.way_back import back_of, with_back
from signoff.bot.kinds import kind_of
from signoff.bot.listeners import replies
from signoff.bot.listeners.opener import Body, Opener, thread_of
from signoff.bot.listeners.replies import NotOpened, foreseen
from signoff.bot.slack.client import Slack
from signoff.bot.text.text import Block, Trusted
from signoff.bot.text.views import target
from signoff.bot.text.words import factors as factor_words
from signoff.bot.text.words import replies as replies_words
from signoff.errors import Invalid
from signoff.models.approval import Approval

Ack = Callable[..., Any]


class Actions:
    """What a person can do on a card and in its modals."""

    def __init__(self, approvals: Approvals, slack: Slack, opener: Opener, delivery: Delivery) -> None:
        self._approvals = approvals
        self._slack = slack
        self._opener = opener
        self._delivery = delivery
        self.after: Callable[[Block, str], Body] = lambda view, user: {"response_action": "clear"}
        """The acknowledgement of a form that has decided, for this person."""

    def approve(self, ack: Ack, body: Body) -> None:
        """The card's Approve."""

        def decide(approval_id: str, version: int, user: str, permalink: str | None) -> Approval:
            return self._approvals.decide(approval_id, version, user, "approve", permalink=permalink)

        self.press(ack, body, decide)

    def take_back(self, ack: Ack, body: Body) -> None:
        """The card's Take my vote back."""

        def withdraw(approval_id: str, version: int, user: str, permalink: str | None) -> Approval:
            return self._approvals.take_back(approval_id, version, user)

        self.press(ack, body, withdraw)

    def press(self, ack: Ack, body: Body, decide: Callable[..., Approval]) -> None:
        """A button of a card that decides at once: `decide(approval_id, version, user, permalink=…)`."""
        ack()
        approval_id = ""
        try:
            approval_id, version = parse_token(_value(body))
            link = self._slack.permalink(*_clicked(body), thread_of(body))
            user = body["user"]["id"]
            decided = decide(approval_id, version, user, permalink=link)
        except ProofAsked:
            self._open(body, "review", _value(body))
        except Exception as error:
            self.say(error, approval_id, body)
            if isinstance(error, NotRecorded):  # in an outage it would only keep the ack waiting
                self.redraw(approval_id, body)
        else:
            if decided.card is None or decided.card.message != _clicked(body)[1]:
                self.redraw(approval_id, body)  # maybe the double of a lost reply: nothing else redraws it

    def open(self, body: Body) -> None:
        """Reject…, Edit…, Review…, Answer… and others: the action's id names the form."""
        action = body["actions"][0]
        self._open(body, action["action_id"], action.get("value", ""))

    def form(self, body: Body, form: str, token: str) -> None:
        """⋯: what was chosen names the form."""
        self._open(body, form, token)

    def review(self, body: Body, token: str) -> None:
        """The form that shows all of it, from a message shortcut."""
        self._open(body, "review", token)

    def page_back(self, body: Body) -> None:
        """Back, on a page of a review."""
        view = body["view"]
        self._opener.replace(
            body,
            lambda: self._page(body, view, read_page(view)[0] - 1),
            lambda error: self.refusal(error, _about(view)),
        )

    def submit_reject(self, ack: Ack, body: Body, view: Block) -> None:
        """The reject form."""
        reason, resubmit, errors = modals.read_reject(view["state"]["values"])
        if errors:
            ack(response_action="errors", errors=errors)
        else:
            self._decide(ack, body, view, "reject", reason=reason, resubmit=resubmit)

    def submit_note(self, ack: Ack, body: Body, view: Block) -> None:
        """Approve with note…"""
        self._decide(ack, body, view, "approve", reason=modals.read_note(view["state"]["values"]))

    def submit_ask(self, ack: Ack, body: Body, view: Block) -> None:
        """Ask the agent…: what lies under the form stays open."""
        question, errors = read_question(view["state"]["values"])
        if errors:
            ack(response_action="errors", errors=errors)
            return
        try:
            approval_id, version = target(view)
            self._approvals.talks.ask(approval_id, version, body["user"]["id"], question)
            ack()
        except Exception as error:
            ack(response_action="update", view=self.lost(error, view))

    def conversation(self, body: Body) -> None:
        """Conversation… in Details…"""
        self._open(body, "conversation", body["actions"][0].get("value", ""))

    def other_turns(self, body: Body) -> None:
        """Newer or Older, on a page of a conversation."""
        view = body["view"]
        step = 1 if body["actions"][0]["action_id"] == "conversation_older" else -1

        def page() -> Block:
            approval = self._approvals.get(target(view)[0])
            self._approvals.judge.decider(approval, body["user"]["id"])
            return conversation_view(approval, read_turns(view) + step)

        self._opener.replace(body, page, lambda error: self.refusal(error, _about(view)))

    def submit_review(self, ack: Ack, body: Body, view: Block) -> None:
        """The next page, or on the last one the approval."""
        page, pages = read_page(view)
        if page >= pages:
            self._decide(ack, body, view, "approve")
            return
        try:
            ack(response_action="update", view=self._page(body, view, page + 1))
        except Exception as error:
            ack(response_action="update", view=self.lost(NotOpened.of(error), view))

    def _decide(self, ack: Ack, body: Body, view: Block, vote: Any, **said: Any) -> None:
        try:
            approval_id, version = target(view)
            user = body["user"]["id"]
            proof = read_proof(view) if vote == "approve" else None
            self._approvals.decide(approval_id, version, user, vote, proof=proof, **said)
            ack(**self.after(view, user))
        except Unproven as error:
            ack(**self.asked_again(error, view, body["user"]["id"]))
        except Exception as error:
            ack(response_action="update", view=self.lost(error, view))

    def asked_again(self, error: Unproven, view: Block, user: str) -> Body:
        """The acknowledgement of a form whose proof does not hold: at its field, nothing typed is lost.

        Where the form has no such field yet, as the policy wants it by now, it gets it.
        """
        if at := errors_of(error, view):
            return {"response_action": "errors", "errors": at}
        if isinstance(error, ProofAsked | WrongTyped):
            again = again_with(factor_words.BY_NOW, view)
            seen = self._approvals.open_for(*target(view), user)[0]
            again = with_proof(again, self._approvals.factors.needs(seen.verdict, user))
        else:
            again = again_with(unproven(error), view)
        return {"response_action": "update", "view": again}

    def lost(self, error: Exception, view: Block) -> Block:
        """What takes a form's place: why it came to nothing, or the form where it can be tried again."""
        if foreseen(error):
            return self.refusal(error, _about(view))
        return again_with(self.explain(error, _about(view))[0], view)

    def _open(self, body: Body, form: str, token: str) -> None:
        """Open a form, or say why not; the card that was clicked may then show what is no longer so."""
        try:
            approval_id, version = parse_token(token)
        except UnknownApproval as error:
            self.say(error, "", body)
            return
        opened = self._opener.open(
            body,
            lambda user: self._form(form, approval_id, version, user),
            lambda error: self.refusal(error, approval_id),
            lambda error: self.say(error, approval_id, body),
            levels=2 if form == "edit" else 1,  # the difference stands on top of it
        )
        if not opened or self._beside(approval_id, body):
            self.redraw(approval_id, body)

    def _beside(self, approval_id: str, body: Body) -> bool:
        """Whether a double was clicked, or maybe one: nothing else redraws it."""
        found = self._approvals.store.get(approval_id)
        card = found.card if found else None
        return card is not None and card.message != _clicked(body)[1]

    def _form(self, form: str, approval_id: str, version: int, user: str) -> Block:
        if form in ("details", "conversation"):
            approval = self._approvals.get(approval_id)
            self._approvals.judge.decider(approval, user)
            if form == "conversation":
                return conversation_view(approval)
            return modals.details_view(approval, self._approvals.store.clock())
        if form.startswith(PRESSED):
            seen = self._approvals.feedback.open_for(approval_id, user)
            return correction_view(seen, form.removeprefix(PRESSED))
        approval = self._approvals.open_for(approval_id, version, user)[0]
        if form == REST:
            return more_view(replace(approval, alike=self._approvals.batches.count_alike(approval)))
        kind = kind_of(approval)
        view = kind.forms.get(kind.whole if form == "review" else form)
        if view is None:
            raise UnknownApproval
        return self.proving(view(approval), approval, user)

    def proving(self, view: Block, approval: Approval, user: str) -> Block:
        """A form of an approval with what this person is asked for beside, if it approves."""
        page, pages = read_page(view)
        return with_proof(view, self._approvals.factors.needs(approval.verdict, user), page >= pages)

    def _seen(self, body: Body, view: Block) -> Approval:
        """The approval that a view is about, if this person may still decide on what it shows."""
        approval_id, version = target(view)
        return self._approvals.open_for(approval_id, version, body["user"]["id"])[0]

    def _page(self, body: Body, view: Block, page: int) -> Block:
        seen = self._seen(body, view)
        shown = self.proving(review_view(seen, page), seen, body["user"]["id"])
        return with_back(shown, back_of(view))

    def refusal(self, error: Exception, approval_id: str) -> Block:
        """The view that takes the form's place: what happened, and that nothing was recorded."""
        if isinstance(error, Invalid):  # it may repeat what the agent wrote: never as mrkdwn
            return modals.refused_view(error.detail)
        text, again = self.explain(error, approval_id)
        return modals.message_view(replies_words.NOT_POSSIBLE, text, again)

    def say(self, error: Exception, approval_id: str, body: Body) -> None:
        """Tell only the person who clicked."""
        self._opener.tell(body, *self.explain(error, approval_id))

    def explain(self, error: Exception, approval_id: str) -> tuple[Trusted, Approval | None]:
        """The sentence, and the approval where looking again makes sense."""

        def look_up() -> tuple[Approval | None, int]:
            return self._approvals.store.get(approval_id), self._approvals.store.clock()

        text = replies.explain(error, look_up)
        if isinstance(error, GroupsUnread):
            self._delivery.tell_of_groups(error.groups, error.why)
        return text, self._approvals.get(approval_id) if isinstance(error, EditedMeanwhile) else None

    def redraw(self, approval_id: str, body: Body) -> None:
        """After a click that came to nothing: the message may show what is no longer so."""
        channel, ts = _clicked(body)
        if approval_id and ts:
            try:
                self._delivery.redraw(approval_id, channel, ts, thread_of(body))
            except Exception as error:
                replies.log.warning("not redrawn: id=%s %s", approval_id, type(error).__name__)


def _about(view: Block) -> str:
    try:
        return target(view)[0]
    except UnknownApproval:
        return ""


def _clicked(body: Body) -> tuple[str, str]:
    """Channel and ts of the message that was clicked, or that a shortcut was used on; else empty texts.

    One that only its reader sees cannot be redrawn.
    """
    if body.get("type") == "message_action":
        return str((body.get("channel") or {}).get("id", "")), str(body.get("message_ts", ""))
    place = body.get("container") or {}
    if place.get("type") != "message" or place.get("is_ephemeral"):
        return "", ""
    return str(place.get("channel_id", "")), str(place.get("message_ts", ""))


def _value(body: Body) -> str:
    action = body["actions"][0]
    chosen = action.get("selected_option") or action
    return str(chosen.get("value") or "")
