"""Undo…: what undoes something, whole, before anybody presses it; pure."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from signoff.approvals.undo import Planned
from signoff.bot.forms.modals import message_view
from signoff.bot.forms.review import PAGE_BLOCKS, PAGE_BYTES
from signoff.bot.text.payload import rows
from signoff.bot.text.quotes import isolated
from signoff.bot.text.text import Block, cut, visible
from signoff.bot.text.views import modal, note, read_metadata, row_blocks, says, warned
from signoff.bot.text.which import Which, trusted_title
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import replies as replies_words
from signoff.bot.text.words import undo as words


def undo_view(planned: Planned) -> Block:
    """The undo's payload in full, what it puts at stake, and the click that approves it."""
    first, verdict = planned.first, planned.verdict
    payload = planned.request.payload
    shown = row_blocks(rows(None, payload, True), "payload")
    if len(shown) > PAGE_BLOCKS or len(json.dumps(shown)) > PAGE_BYTES:
        return message_view(replies_words.NOT_POSSIBLE, words.TOO_LARGE)
    ran_at = first.outcome_at or first.ended_at or first.created_at
    what = trusted_title(Which.of(first))
    blocks = [
        says(words.undoes(what, first.agent, ran_at, first.code), "undoes"),
        says(words.title(planned.request.action), "title"),
        *shown,
    ]
    if not shown:
        blocks.append(note(card_words.EMPTY_PAYLOAD))
    if planned.of_agent:
        places = cut(", ".join(planned.of_agent), 500)
        blocks.append(note(isolated(visible(words.of_agent(first.agent, places))), "whose"))
    known = (verdict.reversibility, verdict.reversibility_from, verdict.risk, verdict.risk_from)
    blocks += [{"type": "divider"}, says(card_words.stakes(*known), "stakes")]
    if first.undo is None or not first.undo.tried:
        blocks.append(says(words.TRIED_NOT, "tried"))
    about = replace(
        first, request=planned.request, payload=payload, payload_text=planned.request.payload_text
    )
    blocks += [*warned(about, payload), says(words.ONCE, "once")]
    seen = planned.request.digest
    return modal("undo", planned.request.action, blocks, first, words.UNDO, forms_words.CANCEL, seen=seen)


def read_seen(view: Any) -> str:
    """The digest of the payload that a view shows; raises UnknownApproval."""
    return str(read_metadata(view).get("seen") or "")
