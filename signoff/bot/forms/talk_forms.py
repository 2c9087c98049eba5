"""Asking the agent, and reading the conversation that it gives; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.bot.forms.frame import about_blocks
from signoff.bot.text.conversation import pages, turns
from signoff.bot.text.text import Block, plain
from signoff.bot.text.views import INPUT, asks, element, modal, note, read_metadata, state_of
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import talks as words
from signoff.bot.text.words.questions import HAND_MORE
from signoff.models.approval import Approval
from signoff.models.receipt_claims import APPROVAL
from signoff.payload.secrets import secret_in

_TEXT = element("plain_text_input", multiline=True, max_length=INPUT)


def ask_view(approval: Approval) -> Block:
    """A question to the agent, about the version that its asker saw."""
    blocks = [
        *about_blocks(approval),
        asks("question", words.QUESTION_LABEL, _TEXT, words.QUESTION_HINT),
    ]
    return modal("ask", words.title(approval.agent), blocks, approval, words.ASK, forms_words.CANCEL)


def read_question(values: Mapping[str, Any]) -> tuple[str, dict[str, str]]:
    """(the question, errors by block_id) of a submitted form."""
    value = state_of(values, "question").get("value")
    text = value.strip() if isinstance(value, str) else ""
    if not text:
        return "", {"question": words.QUESTION_MISSING}
    return text, {"question": words.SECRET} if secret_in(text) else {}


def details_buttons(approval: Approval) -> list[Block]:
    """What Details… leads to: asking the agent while that makes sense, and its conversation."""
    value, found = f"{approval.id}:{approval.version}", list[Block]()
    if approval.pending:
        found.append(_button("ask", words.ASK_MORE, value))
        if approval.request.kind == APPROVAL and not approval.verdict.in_grace:
            found.append(_button("hand", HAND_MORE, value))
    if turns(approval.request.context):
        found.append(_button("conversation", words.CONVERSATION_MORE, value))
    return [{"type": "actions", "block_id": "more", "elements": found}] if found else []


def conversation_view(approval: Approval, page: int = 1) -> Block:
    """One page of a conversation, counted from 1; a number outside is taken to the nearest."""
    found, count = pages(approval.request.context), len(turns(approval.request.context))
    page = min(max(page, 1), len(found))
    value = f"{approval.id}:{approval.version}"
    ways = [
        (words.NEWER, "conversation_newer", page > 1),
        (words.OLDER, "conversation_older", page < len(found)),
    ]
    buttons = [_button(name, label, value) for label, name, there in ways if there]
    blocks = [note(words.turns(count, page, len(found)), "turns"), *found[page - 1]]
    blocks += [{"type": "actions", "block_id": "pages", "elements": buttons}] if buttons else []
    return modal("conversation", words.CONVERSATION, blocks, approval, page=page)


def read_page(view: Block) -> int:
    """The page that a conversation's view shows; raises UnknownApproval."""
    page = read_metadata(view).get("page")
    return page if isinstance(page, int) else 1


def _button(action_id: str, label: str, value: str) -> Block:
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": value}
