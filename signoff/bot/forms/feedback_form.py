"""Partly… and Wrong…: what would have been right, in words; and how to read that; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.bot.text.text import Block
from signoff.bot.text.views import INPUT, asks, element, modal, note, read_metadata, state_of
from signoff.bot.text.words import feedback as words
from signoff.bot.text.words import forms as forms_words
from signoff.models.approval import Approval


def correction_view(approval: Approval, answer: str) -> Block:
    """The form; `answer` is `partly` or `wrong`."""
    field = element("plain_text_input", multiline=True, max_length=INPUT)
    blocks = [
        note(f"{approval.agent} · {approval.action} · {approval.code}"),
        asks("text", words.LABEL, field, words.HINT),
    ]
    return modal(
        "feedback", words.TITLES[answer], blocks, approval, words.SUBMIT, forms_words.CANCEL, answer=answer
    )


def read_correction(view: Block) -> tuple[str, str, dict[str, str]]:
    """(answer, correction, errors by block_id) of the submitted form; raises UnknownApproval."""
    values: Mapping[str, Any] = view["state"]["values"]
    value = state_of(values, "text").get("value")
    text = value.strip() if isinstance(value, str) else ""
    errors = {} if text else {"text": words.MISSING}
    errors |= {"text": words.TOO_LONG} if len(text) > INPUT else {}
    return str(read_metadata(view).get("answer")), text, errors
