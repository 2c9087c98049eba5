"""Partly… and Wrong…: what would have been right, in words; and how to read that; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.bot.text.prose import prose
from signoff.bot.text.quotes import isolated
from signoff.bot.text.results import folded_blocks, folded_result, outcome_blocks
from signoff.bot.text.text import Block, Trusted, cut, line, literal, rich
from signoff.bot.text.views import INPUT, asks, element, modal, note, read_metadata, says, state_of
from signoff.bot.text.which import Which, trusted_title
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import feedback as words
from signoff.bot.text.words import forms as forms_words
from signoff.models.approval import Approval
from signoff.models.feedback import KIND

ROOM, NOTE = 800, 500
"""Characters of a result, and of a note about it, above the input."""


def correction_view(approval: Approval, answer: str) -> Block:
    """The form, below what it corrects; `answer` is `partly` or `wrong`."""
    field = element("plain_text_input", multiline=True, max_length=INPUT)
    blocks = [
        note(f"{approval.agent} · {approval.action} · {approval.code}"),
        says(Trusted(f"*{trusted_title(Which.of(approval))}*"), "what"),
        *_corrected(approval),
        asks("text", words.LABEL, field, words.HINT),
    ]
    return modal(
        "feedback", words.TITLES[answer], blocks, approval, words.SUBMIT, forms_words.CANCEL, answer=answer
    )


def _corrected(approval: Approval) -> list[Block]:
    """What the agent says came out: its note and its result, as a card cuts them."""
    if approval.request.kind == KIND:
        folded = folded_result(approval.payload.get("result"), ROOM)
        return folded_blocks(approval.revision, folded, words.SHOWS)
    said = prose(approval.outcome.note) if approval.outcome else ""
    quote: Block = {"type": "rich_text_quote", "elements": [literal(isolated(cut(said, NOTE)))]}
    head = line(literal(card_words.AGENT_SAYS, "bold"))
    return [*([rich("note", head, quote)] if said else []), *outcome_blocks(approval, ROOM)]


def read_correction(view: Block) -> tuple[str, str, dict[str, str]]:
    """(answer, correction, errors by block_id) of the submitted form; raises UnknownApproval."""
    values: Mapping[str, Any] = view["state"]["values"]
    value = state_of(values, "text").get("value")
    text = value.strip() if isinstance(value, str) else ""
    errors = {} if text else {"text": words.MISSING}
    errors |= {"text": words.TOO_LONG} if len(text) > INPUT else {}
    return str(read_metadata(view).get("answer")), text, errors
