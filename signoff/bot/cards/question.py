"""The Approve button, and the question that it asks where what runs cannot simply be undone; pure."""

from __future__ import annotations

from signoff.bot.blocks.limits import CONFIRM_TEXT, CONFIRM_TITLE
from signoff.bot.text.text import Block, cut, length, plain
from signoff.bot.text.which import value_lines
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.models.approval import Approval


def approve(approval: Approval, value: str) -> Block:
    """Green and at once where it can be undone; else without colour, and it asks, repeating what runs.

    `value` is the button's: which approval, and which version of it.
    """
    button: Block = {
        "type": "button",
        "action_id": "approve",
        "text": plain(card_words.APPROVE),
        "value": value,
    }
    if approval.verdict.reversibility == "reversible":
        return {**button, "style": "primary"}
    return {**button, "confirm": question(approval)}


def question(approval: Approval) -> Block:
    """A confirm object in danger style: the values one a line, quoted, and how many did not fit."""
    verdict = approval.verdict
    whose = (verdict.reversibility, verdict.reversibility_from, approval.action)
    room = CONFIRM_TEXT - length(card_words.confirm_text(*whose, "\n"))
    asked = value_lines(approval.request.json_schema, approval.payload, room)
    return {
        "title": plain(cut(card_words.confirm_title(approval.action), CONFIRM_TITLE)),
        "text": plain(cut(card_words.confirm_text(*whose, asked), CONFIRM_TEXT)),
        "confirm": plain(card_words.APPROVE),
        "deny": plain(forms_words.CANCEL),
        "style": "danger",
    }
