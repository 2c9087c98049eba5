"""The form that edits, page by page: ack, parse, one call into `approvals`, reply."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from signoff.approvals.errors import (
    AlreadyDecided,
    BlockedNow,
    EditedMeanwhile,
    TimeRanOut,
    UnknownApproval,
)
from signoff.approvals.factor_errors import ProofAsked, Unproven, WrongTyped
from signoff.approvals.service import Approvals
from signoff.bot.forms.choices import OPTIONS, Choice
from signoff.bot.forms.conflict import again_view, as_sent, lost_view
from signoff.bot.forms.difference_view import is_shown
from signoff.bot.forms.edit_form import EditForm
from signoff.bot.forms.loading import again_with
from signoff.bot.forms.proof_form import errors_of, read_proof, unproven, with_proof
from signoff.bot.listeners import replies
from signoff.bot.listeners.acks import fewer_options
from signoff.bot.listeners.opener import Body, Opener
from signoff.bot.listeners.replies import NotOpened, foreseen
from signoff.bot.text.text import Block, visible
from signoff.bot.text.views import draft_of, paragraph, target
from signoff.bot.text.words import factors as factor_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import replies as replies_words
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.models.drafts import Drafts

Ack = Callable[..., Any]
log = logging.getLogger("signoff.bot")


class Editor:
    """What a person can do in the form that edits, and in the one that shows the difference.

    `refusal` makes the view that says why something came to nothing, `after` the acknowledgement of what has
    decided, for this person.
    """

    def __init__(
        self,
        approvals: Approvals,
        opener: Opener,
        refusal: Callable[[Exception, str], Block],
        after: Callable[[Block, str], Body],
    ) -> None:
        self._approvals = approvals
        self._opener = opener
        self._refusal = refusal
        self._after = after
        self._drafts = Drafts(approvals.store)

    def submit(self, ack: Ack, body: Body, view: Block) -> None:
        """A page: its errors at its fields, else the next page; after the last one the difference, on top."""
        user = body["user"]["id"]
        try:
            ack(**self._response(self._open(view, user), user))
        except Exception as error:
            ack(response_action="update", view=self._lost(NotOpened.of(error), user, view))

    def back(self, body: Body) -> None:
        """Back, on a page that is not the first. What was typed is kept, right or wrong."""
        view, user = body["view"], body["user"]["id"]

        def before() -> Block:
            form = self._open(view, user)
            self._keep(form, user)
            return form.view(starts=form.starts[:-1] or (0,))

        self._opener.replace(body, before, lambda error: self._lost(error, user, view))

    def suggest(self, ack: Ack, body: Body) -> None:
        """What a select with many values offers; nothing to those who may not decide."""
        options: list[Block] = []
        try:
            seen = self._seen(body.get("view") or {}, body["user"]["id"])
            found = EditForm(seen).inputs.get(str(body.get("block_id")))
            if isinstance(found, Choice):
                options = found.suggestions(str(body.get("value") or ""), OPTIONS + 1)
        except Exception as error:
            log.warning("nothing suggested: %s", type(error).__name__)
        more = len(options) > OPTIONS
        ack(fewer_options(options[:OPTIONS]) if more else {"options": options})

    def submit_difference(self, ack: Ack, body: Body, view: Block) -> None:
        """Approve with these changes. What the draft holds is checked again by `decide`."""
        user = body["user"]["id"]
        try:
            form = self._open(view, user)
            approval, payload = form.approval, form.payload
            if not is_shown(payload, view, approval):  # typed on in another window
                raise UnknownApproval
            self._approvals.decide(
                approval.id, approval.version, user, "approve", payload=payload, proof=read_proof(view)
            )
            ack(**self._after(view, user))
        except Unproven as error:
            ack(**self._asked_again(error, view, user))
        except Exception as error:
            ack(response_action="update", view=self._lost(error, user, view))

    def _response(self, form: EditForm, user: str) -> Body:
        """The acknowledgement of a page."""
        errors, refused = form.unreadable, None
        if not errors.keys() & form.here:
            self._keep(form, user)
            if form.following is not None:
                shown = form.view(starts=(*form.starts, form.following))
                return {"response_action": "update", "view": shown}
            errors, refused = (form.errors, None) if form.errors else self._judged(form, user)
        here = {name: text for name, text in errors.items() if name in form.here}
        if here:
            return {"response_action": "errors", "errors": here}
        if errors:
            return {"response_action": "update", "view": form.view(errors=errors)}
        if refused:
            shown = form.view(starts=form.starts, above=(refused,))
            return {"response_action": "update", "view": shown}
        return {"response_action": "push", "view": self._proving(form.difference, form, user)}

    def _proving(self, view: Block, form: EditForm, user: str) -> Block:
        """The difference, with what this person is asked for to approve it: the edited value is the one that
        is typed, and a stricter rule that it comes under counts.
        """
        verdict = self._approvals.judge.judge_edit(form.approval, form.payload, user)
        return with_proof(view, self._approvals.factors.needs(verdict, user))

    def _asked_again(self, error: Unproven, view: Block, user: str) -> Body:
        if at := errors_of(error, view):
            return {"response_action": "errors", "errors": at}
        if isinstance(error, ProofAsked | WrongTyped):
            again = again_with(factor_words.BY_NOW, view)
            again = self._proving(again, self._open(view, user), user)
        else:
            again = again_with(unproven(error), view)
        return {"response_action": "update", "view": again}

    def _judged(self, form: EditForm, user: str) -> tuple[dict[str, str], Block | None]:
        """Why this person cannot approve these changes: an error at a field, or a block for the form's top.

        What is blocked is told at the field where only one was changed: no other can be why.
        """
        try:
            self._approvals.judge.judge_edit(form.approval, form.payload, user)
        except BlockedNow as error:
            reason = visible(error.detail)
            if len(form.entered) == 1 and reason:
                return dict.fromkeys(form.entered, replies_words.blocked_value(reason)), None
            return {}, paragraph(f"{replies_words.BLOCKED_EDIT} {reason}".strip(), "refused")
        except Invalid as error:
            return {}, paragraph(visible(error.detail), "refused")
        return {}, None

    def _seen(self, view: Block, user: str) -> Approval:
        """The approval that a view is about, if this person may still decide on what it shows."""
        approval_id, version = target(view)
        return self._approvals.open_for(approval_id, version, user)[0]

    def _open(self, view: Block, user: str) -> EditForm:
        """The form behind a view, with all that this person has typed in it, if they may still decide."""
        return self._form(view, self._seen(view, user), user)

    def _form(self, view: Block, approval: Approval, user: str) -> EditForm:
        return EditForm.read(view, approval, self._drafts.read(draft_of(view), approval, user))

    def _keep(self, form: EditForm, user: str) -> None:
        if not self._drafts.write(form.draft_id, form.approval, user, form.entered):
            raise Invalid(forms_words.DRAFT_TOO_LARGE)

    def _lost(self, error: Exception, user: str, view: Block) -> Block:
        """The view that takes the form's place: what happened, and what had been typed."""
        if not foreseen(error):  # it can be tried again
            return again_with(replies.explain(error, lambda: (None, 0)), view)
        approval_id = ""
        try:
            approval_id, _ = target(view)
            if isinstance(error, EditedMeanwhile | AlreadyDecided | TimeRanOut):
                return self._overtaken(error, self._approvals.get(approval_id), user, view)
        except Exception as fault:
            log.warning("what was typed is not shown: %s", type(fault).__name__)
        return self._refusal(error, approval_id)

    def _overtaken(self, error: Exception, approval: Approval, user: str, view: Block) -> Block:
        form = self._form(view, as_sent(approval), user)
        if isinstance(error, EditedMeanwhile):
            return again_view(approval, form)
        if isinstance(error, AlreadyDecided) and approval.status == "approved" and approval.edited:
            text = replies_words.decided_with_changes(error.by_id, error.at)
        else:
            text = replies.sentence(error, approval, self._approvals.store.clock())
        return lost_view(text, approval, form.payload)
