"""The Approve button, and the question that it asks where what runs cannot simply be undone; pure."""

from __future__ import annotations

from signoff.bot.blocks.limits import CONFIRM_TEXT, CONFIRM_TITLE
from signoff.bot.text.seating import next_vote
from signoff.bot.text.text import Block, cut, length, plain
from signoff.bot.text.which import value_lines
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import seats as seats_words
from signoff.models.approval import Approval


def approve(approval: Approval, value: str) -> Block:
    """Green and at once where it can be undone; else without colour, and it asks, repeating what runs. Where
    more than a click is wanted, it opens the form that asks for it.

    `value` is the button's: which approval, and which version of it.
    """
    button: Block = {
        "type": "button",
        "action_id": "approve",
        "text": plain(card_words.APPROVE),
        "value": value,
    }
    if approval.verdict.asks_proof:  # a form asks: it has what the question would repeat, and more
        return {**button, "text": plain(card_words.APPROVE_MORE)}
    if approval.verdict.reversibility == "reversible" and approval.verdict.places == 1:
        return {**button, "style": "primary"}
    return {**button, "confirm": question(approval)}


def question(approval: Approval) -> Block:
    """A confirm object in danger style: the values one a line, quoted, and how many did not fit."""
    verdict = approval.verdict
    whose = (verdict.reversibility, verdict.reversibility_from, approval.action)
    first = f"{seats_words.your_vote(*next_vote(approval))} " if verdict.places > 1 else ""
    room = CONFIRM_TEXT - length(first + card_words.confirm_text(*whose, "\n"))
    asked = value_lines(approval.request.json_schema, approval.payload, room)
    return {
        "title": plain(cut(card_words.confirm_title(approval.action), CONFIRM_TITLE)),
        "text": plain(cut(first + card_words.confirm_text(*whose, asked), CONFIRM_TEXT)),
        "confirm": plain(card_words.APPROVE),
        "deny": plain(forms_words.CANCEL),
        "style": "danger",
    }
