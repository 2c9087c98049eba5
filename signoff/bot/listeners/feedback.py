"""Was this right? The three buttons and the form behind two of them: ack, parse, one call, reply."""

from __future__ import annotations

from typing import Any

from signoff.approvals.errors import UnknownApproval
from signoff.approvals.service import Approvals
from signoff.bot.cards.feedback_parts import PRESSED
from signoff.bot.forms import answer_form
from signoff.bot.forms.feedback_form import read_correction
from signoff.bot.forms.loading import again_with
from signoff.bot.listeners.actions import Ack, Actions
from signoff.bot.listeners.opener import Body
from signoff.bot.listeners.replies import foreseen
from signoff.bot.text.text import Block, visible
from signoff.bot.text.views import target
from signoff.errors import Invalid
from signoff.models.approval import Approval

RIGHT = f"{PRESSED}right"
FORMS = (f"{PRESSED}partly", f"{PRESSED}wrong")
"""The buttons that open the form, as `Actions.open` does."""


class Feedback:
    """What those who are asked can say of an outcome. Nothing runs by it."""

    def __init__(self, approvals: Approvals, actions: Actions) -> None:
        self._approvals = approvals
        self._actions = actions

    def right(self, ack: Ack, body: Body) -> None:
        """*Right*, at once."""
        self._actions.press(ack, body, self._right)

    def submit(self, ack: Ack, body: Body, view: Block) -> None:
        """The form of *Partly…* and *Wrong…*."""
        try:
            answer, text, errors = read_correction(view)
            if not errors:
                errors = self._refused(target(view)[0], body["user"]["id"], answer, text)
            ack(
                **(
                    {"response_action": "errors", "errors": errors}
                    if errors
                    else {"response_action": "clear"}
                )
            )
        except Exception as error:
            ack(response_action="update", view=self._lost(error, view))

    def _right(self, approval_id: str, _: int, user: str, permalink: str | None = None) -> Approval:
        return self._approvals.feedback.give(approval_id, user, "right")

    def _refused(self, approval_id: str, user: str, answer: str, text: str) -> dict[str, str]:
        """Record it; else why it is not taken, at the input."""
        try:
            self._approvals.feedback.give(approval_id, user, answer, text)
        except Invalid as error:
            return {"text": visible(error.detail)}
        return {}

    def _lost(self, error: Exception, view: Block) -> Block:
        """What takes the form's place, with what had been typed; or the form, where it can be tried again."""
        try:
            approval_id = target(view)[0]
        except UnknownApproval:
            approval_id = ""
        if not foreseen(error):
            return again_with(self._actions.explain(error, approval_id)[0], view)
        shown = self._actions.refusal(error, approval_id)
        values: dict[str, Any] = (view.get("state") or {}).get("values") or {}
        return {**shown, "blocks": [*shown["blocks"], *answer_form.typed_block(values)]}
