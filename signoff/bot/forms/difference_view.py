"""The form that shows what an edit changes and approves it; pure.

It shows only what changed where the card shows all the rest; else everything that will run, so that nobody
approves what they have not seen. What it approves is what its draft makes of the payload, pinned by the
digest that it shows; that is checked again, against its schema and against what may be edited.
"""

from __future__ import annotations

import json
from typing import Any

from signoff.bot.forms.frame import about_blocks, claims_blocks, other_ways
from signoff.bot.text.difference import changes, elements
from signoff.bot.text.fold import shown_whole, split
from signoff.bot.text.payload import rows
from signoff.bot.text.text import Block, line, literal, rich
from signoff.bot.text.views import (
    BLOCK_CHARACTERS,
    final,
    modal,
    note,
    paragraph,
    read_metadata,
    row_blocks,
    stakes,
    warned,
)
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import seats as seats_words
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.payload.canonical import canonical, digest

BYTES = 230_000
"""Of the view as JSON: Slack takes 250 KB."""
BLOCKS = 100


def difference_view(approval: Approval, payload: dict[str, Any], draft_id: str = "") -> Block:
    """What changes, old → new, then all that will run unless the card shows it; its submit approves.

    Raises Invalid where the changes do not fit, with a message for the person in `detail`.
    """
    found, sha256 = changes(approval.payload, payload), digest(canonical(payload))
    for old in (600, 60):
        parts, _ = elements(found, 200_000, old)
        groups = [parts[at : at + 40] for at in range(0, len(parts), 40)]
        blocks: list[Block] = [
            *about_blocks(approval),
            paragraph(forms_words.WITH_CHANGES, "ask"),
            *_proposes(approval),
            *(rich(f"change:{index}", *group) for index, group in enumerate(groups)),
            *_rest(approval, payload),
            {"type": "divider"},
            stakes(approval),
            *claims_blocks(approval),
            *warned(approval, payload),
            final(approval, payload),
            other_ways(approval, edit=False),  # Back leads to what was edited
        ]
        kept = {"draft": draft_id, "digest": sha256}
        proposes = "editor" in approval.verdict.exclude and not approval.verdict.exclude_by_default
        submit = seats_words.PROPOSE_CHANGES if proposes else forms_words.APPROVE_CHANGES
        close = forms_words.BACK
        view = modal("difference", approval.action, blocks, approval, submit, close, **kept)
        if len(json.dumps(view)) <= BYTES and len(blocks) <= BLOCKS:
            return view
    raise Invalid(forms_words.CHANGES_TOO_LARGE)


def _proposes(approval: Approval) -> list[Block]:
    """That nobody approves what they have changed themselves, where that is so."""
    if "editor" not in approval.verdict.exclude:
        return []
    by_default = approval.verdict.exclude_by_default
    return [note(seats_words.MAY_PROPOSE if by_default else seats_words.PROPOSES, "proposes")]


def is_shown(payload: dict[str, Any], view: Block, approval: Approval) -> bool:
    """True where a difference view has shown just this payload of this version; raises UnknownApproval."""
    kept = read_metadata(view)
    shown = (kept["id"], kept["version"], kept.get("digest"))
    return shown == (approval.id, approval.version, digest(canonical(payload)))


def _rest(approval: Approval, payload: dict[str, Any]) -> list[Block]:
    """What does not change: on the card where that is whole, else here with all that will run."""
    if shown_whole(approval):
        return [note(forms_words.UNCHANGED_REST, "rest")]
    whole = split(rows(approval.request.json_schema, payload, whole=True), BLOCK_CHARACTERS)
    heading = line(literal(forms_words.runs_with(len(canonical(payload).encode())), "bold"))
    return [{"type": "divider"}, rich("heading", heading), *row_blocks(whole, "whole")]
