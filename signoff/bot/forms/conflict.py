"""What a person sees whose form was open while something else happened to the request; pure."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from signoff.bot.forms.edit_form import EditForm
from signoff.bot.text.difference import each_change, elements
from signoff.bot.text.text import Block, Trusted, line, literal, rich
from signoff.bot.text.views import modal, says
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import replies as replies_words
from signoff.models.approval import Approval
from signoff.payload.canonical import canonical

ROOM = 1500
"""Characters of the changes that are shown; an old value in its first 200."""


def as_sent(approval: Approval) -> Approval:
    """The approval with the payload that its agent sent: what an open form was made of."""
    sent = approval.request.payload
    return replace(approval, payload=sent, payload_text=canonical(sent), version=1)


def again_view(approval: Approval, form: EditForm) -> Block:
    """The form once more, on what somebody else has made of the payload, with what was entered in it."""
    by = approval.decision.approver if approval.decision else ""
    changed = _changes("meanwhile", forms_words.WHAT_CHANGED, approval.request.payload, approval.payload)
    return form.on(approval).view(above=(says(replies_words.edited_kept(by), "told"), *changed))


def lost_view(text: Trusted, approval: Approval, typed: dict[str, Any]) -> Block:
    """Why a form came to nothing, what was approved instead, and what had been typed, to be copied."""
    unused = _changes("typed", forms_words.NOT_USED, approval.request.payload, typed)
    blocks = [says(text, "told"), *_approved(approval), *unused]
    return modal("message", replies_words.NOT_POSSIBLE, blocks, approval)


def _approved(approval: Approval) -> list[Block]:
    match approval.status:
        case "approved":
            return _changes("meanwhile", forms_words.WHAT_CHANGED, approval.request.payload, approval.payload)
        case "pending" | "answered" | "rejected" | "expired" | "cancelled" | "blocked":
            return []


def _changes(block_id: str, heading: str, old: dict[str, Any], new: dict[str, Any]) -> list[Block]:
    parts, whole = elements(each_change(old, new), ROOM, 200)
    if not parts:
        return []
    parts += [] if whole else [line(literal(card_words.TRUNCATED, "italic"))]
    return [rich(block_id, line(literal(heading, "bold")), *parts)]
