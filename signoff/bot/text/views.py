"""The shell of every modal: title, submit, and the approval that it is about; pure."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from signoff.approvals.errors import UnknownApproval
from signoff.bot.text.cautions import caution_lines
from signoff.bot.text.paragraphs import elements
from signoff.bot.text.quotes import isolated_sentence
from signoff.bot.text.row import Row
from signoff.bot.text.text import Block, Trusted, cut, length, mrkdwn, plain, rich
from signoff.bot.text.which import value_lines
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.models.approval import Approval

HEADER = 150
"""Slack: characters of a header."""
INPUT = 3000
"""Slack: characters of an input's value."""
ACTION = "value"
"""The action_id of every input."""
TITLE = 24
"""Slack: characters of a modal's title, submit and close."""
BLOCK_CHARACTERS = 2800
"""Characters of one rich_text block: a text object holds 3,000, and Slack may count more than we do."""
BLOCK_ROWS = 50
REPEATED = 600
"""Characters of the values that stand once more over a submit."""


def modal(
    callback_id: str,
    title: str,
    blocks: list[Block],
    about: Approval | None = None,
    submit: str | None = None,
    close: str = forms_words.CLOSE,
    **more: Any,
) -> Block:
    """A view. `more` goes into its private_metadata, beside the approval's id and version."""
    found: Block = {
        "type": "modal",
        "callback_id": callback_id,
        "title": plain(cut(title, TITLE)),
        "close": plain(close),
        "blocks": blocks,
    }
    if about is not None:
        kept = {"id": about.id, "version": about.version, **more}
        found["private_metadata"] = json.dumps(kept, separators=(",", ":"))
    return found | ({"submit": plain(submit)} if submit else {})


def read_metadata(view: Block) -> dict[str, Any]:
    """What `modal` kept; raises UnknownApproval when it is not ours."""
    try:
        kept = json.loads(view.get("private_metadata") or "")
        if isinstance(kept["id"], str) and isinstance(kept["version"], int):
            return dict(kept)
    except (ValueError, TypeError, KeyError):
        pass
    raise UnknownApproval()


def target(view: Block) -> tuple[str, int]:
    """The approval's id, and the version of the payload that the view shows; raises UnknownApproval."""
    kept = read_metadata(view)
    return kept["id"], kept["version"]


def draft_of(view: Block) -> str:
    """The id of the draft that a form's view belongs to; empty where it has none. Raises UnknownApproval."""
    return str(read_metadata(view).get("draft") or "")


def page_back(action_id: str, approval: Approval) -> Block:
    """Back, on a page of a form."""
    value = f"{approval.id}:{approval.version}"
    back = {"type": "button", "action_id": action_id, "text": plain(forms_words.BACK), "value": value}
    return {"type": "actions", "block_id": "pages", "elements": [back]}


def title(sentence: str) -> Block:
    """A visible sentence as a header's text, cut so that it fits with all that holds it together."""
    room = HEADER
    while length(shown := isolated_sentence(cut(sentence, room))) > HEADER:
        room -= max(length(shown) - HEADER, 1)
    return plain(shown)


def element(kind: str, **more: Any) -> Block:
    """An element that takes what a person enters, without what is None or empty text."""
    given = {name: value for name, value in more.items() if value is not None and value != ""}
    return {"type": kind, "action_id": ACTION, **given}


def asks(block_id: str, label: str, by: Block, hint: str = "", optional: bool = False) -> Block:
    """An input, with its label and its hint; `by` is the element that takes it."""
    block = {"type": "input", "block_id": block_id, "label": plain(label), "element": by}
    return block | {"optional": optional} | ({"hint": plain(hint)} if hint else {})


def state_of(values: Mapping[str, Any], block_id: str) -> dict[str, Any]:
    """What an input holds, from `view.state.values`; empty where it was not there."""
    found = values.get(block_id)
    state = found.get(ACTION) if isinstance(found, dict) else None
    return state if isinstance(state, dict) else {}


def note(text: str, block_id: str = "") -> Block:
    """A small line of plain text."""
    return _named({"type": "context", "elements": [plain(text)]}, block_id)


def says(text: Trusted, block_id: str = "") -> Block:
    """A paragraph of mrkdwn."""
    return _named({"type": "section", "text": mrkdwn(text), "expand": True}, block_id)


def paragraph(text: str, block_id: str = "") -> Block:
    """A paragraph of plain text, visible already."""
    return _named({"type": "section", "text": plain(text), "expand": True}, block_id)


def _named(block: Block, block_id: str) -> Block:
    return block | ({"block_id": block_id} if block_id else {})


def stakes(approval: Approval) -> Block:
    """What Signoff knows of reversibility and risk."""
    verdict = approval.verdict
    known = (verdict.reversibility, verdict.reversibility_from, verdict.risk, verdict.risk_from)
    return says(card_words.stakes(*known), "stakes")


def warned(approval: Approval, payload: dict[str, Any]) -> list[Block]:
    """What of a payload and of its agent's words can mislead; no block where nothing does."""
    lines = caution_lines(approval.request, payload)
    return [note(lines, "warning")] if lines else []


def final(approval: Approval, payload: dict[str, Any] | None = None) -> Block:
    """The line over a submit that approves; of what cannot simply be undone it repeats the values.

    `payload` is the one that will run, where that is not the approval's own.
    """
    verdict, runs = approval.verdict, approval.payload if payload is None else payload
    again = verdict.reversibility != "reversible"
    asked = value_lines(approval.request.json_schema, runs, REPEATED) if again else ""
    line = forms_words.final(verdict.reversibility, verdict.reversibility_from, approval.action, asked)
    return paragraph(line, "final")


def chunks(shown: Iterable[Row], lines: int = 10_000) -> Iterator[list[Row]]:
    """Rows in groups that one rich_text block holds, of about `lines` lines at most."""
    group: list[Row] = []
    room, left = BLOCK_CHARACTERS, lines
    for row in shown:
        if group and (row.size > room or row.lines > left or len(group) == BLOCK_ROWS):
            yield group
            group, room, left = [], BLOCK_CHARACTERS, lines
        group.append(row)
        room, left = room - row.size, left - row.lines
    if group:
        yield group


def row_blocks(shown: Iterable[Row], prefix: str) -> list[Block]:
    """Rows as rich_text blocks, named `prefix:0` and on."""
    return [rich(f"{prefix}:{index}", *elements(group)) for index, group in enumerate(chunks(shown))]
