"""The form that hands a request on to somebody else who may decide it; pure."""

from __future__ import annotations

from signoff.bot.forms.frame import about_blocks
from signoff.bot.text.text import Block, plain
from signoff.bot.text.views import asks, element, modal
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import questions as words
from signoff.bot.text.words import times
from signoff.models.approval import Approval


def hand_on_view(approval: Approval) -> Block:
    """What it is about, and who else should decide it."""
    by = element("users_select", placeholder=plain(words.CHOOSE_SOMEBODY))
    blocks = [*about_blocks(approval), asks("to", times.HAND_LABEL, by, times.HAND_HINT)]
    return modal("hand", words.HAND, blocks, approval, words.HAND_SUBMIT, forms_words.CANCEL)
