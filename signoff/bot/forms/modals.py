"""The smaller views, and how to read their state; pure. The larger ones have a file each."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from itertools import islice
from typing import Any

from signoff.bot.forms.edit_form import can_edit
from signoff.bot.forms.frame import about_blocks, claims_blocks, other_ways
from signoff.bot.forms.talk_forms import details_buttons
from signoff.bot.text import talks
from signoff.bot.text.claims import claims
from signoff.bot.text.difference import each_change, elements
from signoff.bot.text.history import history_block
from signoff.bot.text.octets import Blob, blobs
from signoff.bot.text.payload import rows
from signoff.bot.text.quotes import isolated
from signoff.bot.text.results import whole_result
from signoff.bot.text.text import Block, Trusted, line, literal, pieces, plain, rich, visible
from signoff.bot.text.views import (
    INPUT,
    asks,
    element,
    final,
    modal,
    note,
    paragraph,
    row_blocks,
    says,
    stakes,
    state_of,
    warned,
)
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import feedback as feedback_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import octets as octets_words
from signoff.bot.text.words import replies as replies_words
from signoff.bot.text.words import schema as schema_words
from signoff.models.approval import Approval
from signoff.models.questions import QUESTION
from signoff.payload.canonical import digest

_LONG_TEXT = element("plain_text_input", multiline=True, max_length=INPUT)
DETAILS_BYTES = 150_000
FILES = 20
"""Files and other bytes of a payload whose digests Details… names."""


def reject_view(approval: Approval) -> Block:
    """Which kind of rejection it is, and why: both are needed."""
    options = [
        {"text": plain(forms_words.REJECT_FINAL), "value": "final"},
        {"text": plain(forms_words.REJECT_CHANGES), "value": "changes"},
    ]
    radio = element("radio_buttons", options=options, initial_option=options[0])
    blocks = [
        note(f"{forms_words.tell(approval.agent)} · {approval.action}"),
        asks("which", forms_words.REJECT_LABEL, radio),
        asks("reason", forms_words.REASON_LABEL, _LONG_TEXT, forms_words.REASON_HINT),
    ]
    return modal("reject", card_words.REJECT, blocks, approval, card_words.REJECT, forms_words.CANCEL)


def read_reject(values: Mapping[str, Any]) -> tuple[str, bool, dict[str, str]]:
    """(reason, whether the agent may come back with changes, errors by block_id) of a submitted form."""
    chosen = state_of(values, "which").get("selected_option") or {}
    reason = _text(values, "reason")
    errors = {} if reason else {"reason": forms_words.REASON_MISSING}
    errors |= {"reason": forms_words.REASON_TOO_LONG} if len(reason) > INPUT else {}
    return reason, chosen.get("value") == "changes", errors


def note_view(approval: Approval) -> Block:
    """The whole payload and a note; submitting approves. Only for a payload that the card shows whole."""
    shown = list(rows(approval.request.json_schema, approval.payload, in_thread=approval.in_thread))
    blocks = [
        *about_blocks(approval),
        *(row_blocks(shown, "payload") or [note(card_words.EMPTY_PAYLOAD)]),
        stakes(approval),
        *claims_blocks(approval),
        *warned(approval, approval.payload),
        asks("note", forms_words.NOTE_LABEL, _LONG_TEXT),
        final(approval),
        other_ways(approval, edit=can_edit(approval, shown)),
    ]
    return modal("note", approval.action, blocks, approval, card_words.APPROVE, forms_words.CANCEL)


def read_note(values: Mapping[str, Any]) -> str:
    """The note, without spaces around it."""
    return _text(values, "note")[:INPUT]


def checking_view() -> Block:
    """Opened at once, because a trigger lives 3 s; filled or refused by an update."""
    return modal("checking", forms_words.CHECKING, [paragraph(forms_words.CHECKING_TEXT)])


def refused_view(text: str) -> Block:
    """Why somebody cannot go on, as plain text from anywhere: no markup in it works."""
    return modal(
        "message",
        replies_words.NOT_POSSIBLE,
        [paragraph(visible(text[:2000], keep="\n") or replies_words.NOT_POSSIBLE)],
    )


def message_view(title: str, text: Trusted, again: Approval | None = None) -> Block:
    """A message of our own words, as mrkdwn: mentions and times work in it. `again`: see message_blocks."""
    return modal("message", visible(title), message_blocks(text, again), again)


def message_blocks(text: Trusted, again: Approval | None = None) -> list[Block]:
    """The same for an ephemeral message. `again` adds what was changed in it, and a Review… that opens it."""
    if again is None:
        return [says(text)]
    parts, _ = elements(each_change(again.request.payload, again.payload), 1000, 200)
    value = f"{again.id}:{again.version}"
    review: Block = {
        "type": "button",
        "action_id": "review",
        "text": plain(card_words.REVIEW_MORE),
        "value": value,
    }
    look: Block = {"type": "actions", "block_id": "look", "elements": [review]}
    return [says(text), *([rich("changed", *parts)] if parts else []), look]


def details_view(approval: Approval, now: int | None = None) -> Block:
    """What does not help to decide: the agent's claims in full, what happened, ids, the policy's words."""
    blocks: list[Block] = [rich("said", line(literal(card_words.AGENT_SAYS, "bold")))]
    talk = [*talks.in_details(approval), *details_buttons(approval)]
    room = DETAILS_BYTES - len(json.dumps(talk))
    for block in _said(approval):
        room -= len(json.dumps(block))
        if room < 0 or len(blocks) >= 90 - len(talk):
            blocks.append(note(card_words.TRUNCATED))
            break
        blocks.append(block)
    if len(blocks) == 1:
        blocks.append(note(forms_words.NOT_SAID))
    facts = [
        span
        for label, value in _facts(approval)
        for span in (
            literal(f"{forms_words.DETAIL_LABELS[label]}: ", "bold"),
            literal(f"{isolated(value)}\n"),
        )
    ]
    return modal(
        "details",
        forms_words.DETAILS,
        [
            *blocks,
            *_afterwards(approval),
            *talk,
            *_schema_gaps(approval),
            {"type": "divider"},
            *([] if approval.request.kind == QUESTION else [stakes(approval)]),
            history_block(approval, now),
            rich("facts", line(*facts)),
        ],
        approval,
    )


def _afterwards(approval: Approval) -> list[Block]:
    """What came out, as the agent says, and what somebody has said of that; all of it."""
    outcome, said = approval.outcome, approval.feedback
    found = whole_result(outcome.result) if outcome and outcome.result is not None else []
    if said is not None and said.answer is not None:
        found.append(says(feedback_words.given(said.answer, said.by_id, said.at), "right"))
        for number, part in enumerate(pieces(visible(said.text, keep="\n"), 2800)):
            quote: Block = {"type": "rich_text_quote", "elements": [literal(isolated(part))]}
            found.append(rich(f"correction:{number}", quote))
    return found


def _schema_gaps(approval: Approval) -> list[Block]:
    """What of the agent's schema could not be used."""
    gaps = approval.request.schema_gaps
    if not gaps:
        return []
    title = literal(f"{schema_words.TITLE}: ", "bold")
    named = [literal(f"\n• {isolated(visible(schema_words.left_out(gap)))}") for gap in gaps]
    return [rich("gaps", line(title, literal(schema_words.EDITS), *named))]


def _said(approval: Approval) -> Iterator[Block]:
    """What the agent says, claim by claim, in pieces that a block holds."""
    for index, claim in enumerate(claims(approval.request)):
        label = [literal(f"{claim.label}: ", "bold")] if claim.label else []
        for number, part in enumerate(pieces(claim.text, 2800)):
            spans = [*(label if number == 0 else []), literal(isolated(part))]
            yield rich(f"said:{index}:{number}", {"type": "rich_text_quote", "elements": spans})


def _facts(approval: Approval) -> list[tuple[str, str]]:
    request, verdict = approval.request, approval.verdict
    found = [
        ("risk", request.risk or forms_words.NOT_SAID),
        ("reversibility", request.reversibility or forms_words.NOT_SAID),
        ("tags", ", ".join(request.tags)),
        ("cost", "" if request.cost is None else str(request.cost)),
        ("confidence", "" if request.confidence is None else str(request.confidence)),
        ("attempts", "" if request.attempts is None else str(request.attempts)),
        ("run", visible(request.run or "")),
        ("key", visible(request.key or "")),
        ("rule", visible(verdict.rule)),
        ("why", visible(verdict.why or verdict.reason)),
        ("sum", visible(verdict.over)),
        ("policy", visible(verdict.policy)),
        ("digest", digest(approval.payload_text)),
        ("sent", approval.digest_sent if approval.edited else ""),
        ("files", "\n".join(map(_by_digest, islice(blobs(approval.payload), FILES)))),
        ("version", str(approval.version)),
        ("request", approval.request_id),
        ("id", approval.id),
    ]
    needless = ("risk", "reversibility") if request.kind == QUESTION else ()
    return [(label, value) for label, value in found if value and label not in needless]


def _by_digest(one: Blob) -> str:
    return octets_words.named_by_digest(one.kind, one.size, one.sha256)


def _text(values: Mapping[str, Any], block_id: str) -> str:
    value = state_of(values, block_id).get("value")
    return value.strip() if isinstance(value, str) else ""
