"""The form that edits, page by page: ack, parse, one call into `approvals`, reply."""

from __future__ import annotations

import logging
from collections.abc import Callable
from typing import Any

from signoff.approvals.errors import (
    AlreadyDecided,
    BlockedNow,
    EditedMeanwhile,
    EditNotAllowed,
    TimeRanOut,
    UnknownApproval,
)
from signoff.approvals.service import Approvals
from signoff.bot.forms import modals
from signoff.bot.forms.conflict import again_view, as_sent, lost_view
from signoff.bot.forms.controls import suggestions
from signoff.bot.forms.edit_form import (
    changed_values,
    controls,
    page_errors,
    page_of_edit,
    start_of,
    typed_payload,
)
from signoff.bot.listeners import replies
from signoff.bot.slack.client import Slack
from signoff.bot.text.text import Block, visible
from signoff.bot.text.views import read_metadata
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import replies as replies_words
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.models.drafts import Drafts
from signoff.payload.canonical import canonical, digest

Body = dict[str, Any]
Ack = Callable[..., Any]
log = logging.getLogger("signoff.bot")


class Editor:
    """What a person can do in the form that edits, and in the one that shows the difference.

    `refusal` makes the view that says why something came to nothing.
    """

    def __init__(
        self, approvals: Approvals, slack: Slack, refusal: Callable[[Exception, str], Block]
    ) -> None:
        self._approvals = approvals
        self._slack = slack
        self._refusal = refusal
        self._drafts = Drafts(approvals.store)

    def submit(self, ack: Ack, body: Body, view: Block) -> None:
        """A page: its errors at its fields, else the next page; after the last one the difference, on top."""
        user, here = body["user"]["id"], view["state"]["values"]
        try:
            approval = self._seen(view, user)
            ack(**self._submitted(approval, user, view, here))
        except Exception as error:
            ack(response_action="update", view=self._lost(error, user, view, here))

    def back(self, body: Body) -> None:
        """Back, on a page that is not the first. What was typed is kept, right or wrong."""
        view, user = body["view"], body["user"]["id"]
        here = (view.get("state") or {}).get("values") or {}
        try:
            approval = self._seen(view, user)
            form, starts, _ = page_of_edit(view)
            typed = changed_values(approval, self._drafts.read(form, approval, user), here)
            self._keep(form, approval, user, typed)
            shown = modals.edit_view(approval, typed, starts=starts[:-1] or (0,), form=form)
        except Exception as error:
            shown = self._lost(error, user, view, here)
        self._slack.update_view(view["id"], shown)

    def suggest(self, ack: Ack, body: Body) -> None:
        """What a select with many values offers; nothing to those who may not decide."""
        view = body.get("view") or {}
        options: list[Block] = []
        try:
            found = controls(self._seen(view, body["user"]["id"])).get(str(body.get("block_id")))
            if found is not None and found.kind == "choice":
                options = suggestions(found.field, str(body.get("value") or ""))
        except Exception as error:
            log.warning("nothing suggested: %s", type(error).__name__)
        ack(options=options)

    def submit_difference(self, ack: Ack, body: Body, view: Block) -> None:
        """Approve with these changes. What the view carries is checked again by `decide`."""
        user = body["user"]["id"]
        try:
            approval = self._seen(view, user)
            payload = self._shown(approval, user, view)
            self._approvals.decide(approval.id, approval.version, user, "approve", payload=payload)
            ack(response_action="clear")
        except Exception as error:
            ack(response_action="update", view=self._lost(error, user, view, None))

    def _submitted(self, approval: Approval, user: str, view: Block, here: Body) -> Body:
        """The acknowledgement of a page."""
        form, starts, following = page_of_edit(view)
        paged = following is not None or len(starts) > 1
        before = self._drafts.read(form, approval, user) if paged else {}
        typed = changed_values(approval, before, here)
        errors = page_errors(approval, here)
        if errors:
            return {"response_action": "errors", "errors": errors}
        if following is not None:
            self._keep(form, approval, user, typed)
            shown = modals.edit_view(approval, typed, starts=(*starts, following), form=form)
            return {"response_action": "update", "view": shown}
        payload, errors = modals.read_edit(approval, typed, here, form)
        refused = None
        if not errors:
            errors, refused = self._judged(approval, payload, user, list(typed))
        if errors.keys() & here.keys():
            at_fields = {block_id: text for block_id, text in errors.items() if block_id in here}
            return {"response_action": "errors", "errors": at_fields}
        if paged or errors or refused:
            self._keep(form, approval, user, typed)
        if errors:
            starts = start_of(approval, next(iter(errors)))
            shown = modals.edit_view(approval, typed, errors=errors, starts=starts, form=form)
            return {"response_action": "update", "view": shown}
        if refused:
            shown = modals.edit_view(approval, typed, starts=starts, form=form, above=(refused,))
            return {"response_action": "update", "view": shown}
        shown = modals.difference_view(approval, payload, form)
        if not paged and not modals.carries(shown):
            self._keep(form, approval, user, typed)
        return {"response_action": "push", "view": shown}

    def _judged(
        self, approval: Approval, payload: Body, user: str, changed: list[str]
    ) -> tuple[dict[str, str], Block | None]:
        """Why this person cannot approve these changes: an error at a field, or a block for the form's top.

        What is blocked is told at the field where only one was changed: no other can be why.
        """
        try:
            self._approvals.judge.judge_edit(approval, payload, user)
        except EditNotAllowed as error:
            return {}, modals.says(replies_words.edit_needs(error.approvers), "refused")
        except BlockedNow as error:
            reason = visible(error.detail)
            if len(changed) == 1 and reason:
                return {changed[0]: replies_words.blocked_value(reason)}, None
            return {}, modals.paragraph(f"{replies_words.BLOCKED_EDIT} {reason}".strip(), "refused")
        except Invalid as error:
            return {}, modals.paragraph(visible(error.detail), "refused")
        return {}, None

    def _keep(self, form: str, approval: Approval, user: str, typed: Body) -> None:
        if not self._drafts.write(form, approval, user, typed):
            raise Invalid(forms_words.DRAFT_TOO_LARGE)

    def _shown(self, approval: Approval, user: str, view: Block) -> Body:
        """The payload that a difference view has shown: what it carries, or the draft that it names."""
        if modals.carries(view):
            return modals.read_difference(view, approval)
        kept = read_metadata(view)
        typed = self._drafts.read(str(kept.get("form")), approval, user)
        payload = typed_payload(approval, typed)
        if digest(canonical(payload)) != kept.get("digest"):  # typed on in another window
            raise UnknownApproval
        return payload

    def _seen(self, view: Block, user: str) -> Approval:
        """The approval that a view is about, if this person may still decide on what it shows."""
        approval_id, version = modals.target(view)
        return self._approvals.open_for(approval_id, version, user)[0]

    def _lost(self, error: Exception, user: str, view: Block, here: Body | None) -> Block:
        """The view that takes the form's place: what happened, and what had been typed."""
        approval_id = ""
        try:
            approval_id, _ = modals.target(view)
            if isinstance(error, EditedMeanwhile | AlreadyDecided | TimeRanOut):
                return self._overtaken(error, self._approvals.get(approval_id), user, view, here)
        except Exception as fault:
            log.warning("what was typed is not shown: %s", type(fault).__name__)
        return self._refusal(error, approval_id)

    def _overtaken(
        self, error: Exception, approval: Approval, user: str, view: Block, here: Body | None
    ) -> Block:
        form = str(read_metadata(view).get("form") or "")
        kept = self._drafts.read(form, approval, user) if form else {}
        typed = kept | (here or {})
        if isinstance(error, EditedMeanwhile) and (typed or here is not None):
            return again_view(approval, typed, form)
        before = as_sent(approval)
        if here is None and modals.carries(view):
            payload = modals.read_difference(view, before)
        else:
            payload = typed_payload(before, typed)
        if isinstance(error, AlreadyDecided) and approval.status == "approved" and approval.edited:
            text = replies_words.decided_with_changes(error.by_id, error.at)
        else:
            text = replies.sentence(error, approval, self._approvals.store.clock())
        return lost_view(text, approval, payload)
