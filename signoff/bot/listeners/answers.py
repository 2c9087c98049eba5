"""Questions: the buttons and forms that answer them or hand them on: ack, parse, one call, reply."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from signoff.approvals.errors import NotHanded, UnknownApproval
from signoff.approvals.service import Approvals
from signoff.bot.cards.card import parse_token
from signoff.bot.cards.question_card import OPTION
from signoff.bot.forms import answer_form, modals
from signoff.bot.forms.loading import again_with
from signoff.bot.listeners.actions import Ack, Actions
from signoff.bot.listeners.opener import Body, Opener
from signoff.bot.listeners.replies import foreseen
from signoff.bot.text.text import Block, visible
from signoff.bot.text.views import state_of, target
from signoff.bot.text.words import questions as words
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.models.questions import MOST_OPTIONS, GivenAnswer, Question

OPTIONS = tuple(f"{OPTION}{at}" for at in range(MOST_OPTIONS))
"""The action ids of the buttons of options."""


class Answers:
    """What a person can do with a question."""

    def __init__(self, approvals: Approvals, opener: Opener, actions: Actions) -> None:
        self._approvals = approvals
        self._opener = opener
        self._actions = actions

    def choose(self, ack: Ack, body: Body) -> None:
        """An option's button on a card."""
        at = int(body["actions"][0]["action_id"].removeprefix(OPTION))
        self._actions.press(ack, body, lambda *what, **more: self._answer(_chosen(at), *what, **more))

    def leave(self, ack: Ack, body: Body) -> None:
        """*You decide*, on a card or in the form."""
        if not body.get("view"):
            self._actions.press(ack, body, lambda *what, **more: self._answer(_left, *what, **more))
            return
        ack()
        view = body["view"]

        def left() -> Block:
            approval_id, version = parse_token(str(body["actions"][0].get("value") or ""))
            self._answer(_left, approval_id, version, body["user"]["id"])
            return modals.message_view(words.ANSWERED, words.ANSWER_RECORDED)

        self._opener.replace(body, left, lambda error: self._lost(error, view))

    def submit(self, ack: Ack, body: Body, view: Block) -> None:
        """The form that answers."""
        values = view["state"]["values"]
        self._submit(ack, body, view, lambda question: answer_form.read_answer(question, values))

    def submit_none(self, ack: Ack, body: Body, view: Block) -> None:
        """*None of these…*"""
        values = view["state"]["values"]
        self._submit(ack, body, view, lambda _: answer_form.read_none(values))

    def submit_hand(self, ack: Ack, body: Body, view: Block) -> None:
        """*Hand to…*"""
        to = answer_form.read_hand(view["state"]["values"])
        if not to:
            ack(response_action="errors", errors={"to": words.CHOOSE_SOMEBODY})
            return
        try:
            approval_id, version = target(view)
            self._approvals.times.hands.hand(approval_id, version, body["user"]["id"], to)
            ack(response_action="clear")
        except NotHanded as error:
            ack(response_action="errors", errors={"to": visible(error.detail) or words.NOT_THEM})
        except Exception as error:
            ack(response_action="update", view=self._lost(error, view))

    def _submit(
        self,
        ack: Ack,
        body: Body,
        view: Block,
        read: Callable[[Question], tuple[GivenAnswer, dict[str, str]]],
    ) -> None:
        """What does not answer the question, or looks like a secret, is said at the field where it stands."""
        try:
            approval_id, version = target(view)
            question = Question.of(self._approvals.get(approval_id).payload)
            answer, errors = read(question)
            if not errors:
                errors = self._refused(answer, question, approval_id, version, body["user"]["id"])
            if errors:
                ack(response_action="errors", errors=errors)
            else:
                ack(response_action="clear")
        except Exception as error:
            ack(response_action="update", view=self._lost(error, view))

    def _refused(
        self, answer: GivenAnswer, question: Question, approval_id: str, version: int, user: str
    ) -> dict[str, str]:
        """Record it; else why it is not taken, by the input where it stands."""
        try:
            self._approvals.questions.answer(approval_id, version, user, answer)
        except Invalid as error:
            at = "text" if answer.text else "date" if answer.date else answer_form.first_input(question)
            return {at: visible(error.detail)}
        return {}

    def _answer(
        self,
        make: Callable[[Question], GivenAnswer],
        approval_id: str,
        version: int,
        user: str,
        permalink: str | None = None,
    ) -> Approval:
        question = Question.of(self._approvals.get(approval_id).payload)
        return self._approvals.questions.answer(
            approval_id, version, user, make(question), permalink=permalink
        )

    def _lost(self, error: Exception, view: Block) -> Block:
        """What takes a form's place, with what had been typed; or the form, where it can be tried again."""
        try:
            approval_id = target(view)[0]
        except UnknownApproval:
            approval_id = ""
        if not foreseen(error):
            return again_with(self._actions.explain(error, approval_id)[0], view)
        shown = self._actions.refusal(error, approval_id)
        values: dict[str, Any] = (view.get("state") or {}).get("values") or {}
        typed = answer_form.typed_block(values) if state_of(values, "text") else []
        return {**shown, "blocks": [*shown["blocks"], *typed]}


def _chosen(at: int) -> Callable[[Question], GivenAnswer]:
    """The option at a place; one that is not there answers nothing, and is refused as that."""

    def choose(question: Question) -> GivenAnswer:
        return GivenAnswer(choice=tuple(option.id for option in question.options[at : at + 1]))

    return choose


def _left(_: Question) -> GivenAnswer:
    return GivenAnswer(default=True)
