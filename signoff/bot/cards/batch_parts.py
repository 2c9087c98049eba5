"""What stands around several requests: buttons, what those ask, what is at stake, who says what; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from signoff.bot.blocks import CONFIRM_TEXT, CONFIRM_TITLE
from signoff.bot.cards.batch_items import Item, note_block, stakes
from signoff.bot.text.claims import claims, said
from signoff.bot.text.row import Row
from signoff.bot.text.text import Block, cut, length, plain, rich
from signoff.bot.text.views import says
from signoff.bot.text.which import Which, titles
from signoff.bot.text.words import batches as words
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.models.approval import Approval

NAMED = 60
"""Characters of a value in the question that approving asks."""


def confirm(asked: Sequence[Approval]) -> Block:
    """The question that approving these asks: how many, what cannot be undone, and what it is, quoted."""
    kinds = Counter(
        "unsaid" if one.verdict.reversibility_from == "nobody" else one.verdict.reversibility for one in asked
    )
    text = words.confirm_text(len(asked), kinds["irreversible"], kinds["unsaid"], kinds["costly"])
    hard = [one for one in asked if one.verdict.reversibility != "reversible"] or list(asked)
    for name in titles([Which.of(one) for one in hard[:8]], NAMED):
        if length(f"{text}\n{name}") > CONFIRM_TEXT - 12:
            break
        text += f"\n{name}"
    left = len(hard) - text.count("\n")
    text += f"\n{words.more_items(left)}" if left and length(text) < CONFIRM_TEXT - 30 else ""
    found: Block = {
        "title": plain(cut(words.confirm_title(len(asked)), CONFIRM_TITLE)),
        "text": plain(cut(text, CONFIRM_TEXT)),
        "confirm": plain(card_words.APPROVE),
        "deny": plain(forms_words.CANCEL),
    }
    return found | ({"style": "danger"} if kinds["reversible"] < len(asked) else {})


def approve_button(action_id: str, label: str, value: str, asked: Sequence[Approval]) -> Block:
    """A button that approves many: green where all of them can be undone; it always asks."""
    undoable = all(one.verdict.reversibility == "reversible" for one in asked)
    found = {**button(action_id, label, value), "confirm": confirm(asked)}
    return found | ({"style": "primary"} if undoable else {})


def button(action_id: str, label: str, value: str) -> Block:
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": value}


def claims_of(asked: Sequence[Approval], room: tuple[int, int], block_id: str) -> list[Block]:
    """What the agent says, where it says the same of all of them; else that it does not."""
    told = {tuple((claim.label, claim.text) for claim in claims(one.request)) for one in asked}
    if len(told) > 1:
        return [note_block(block_id, words.REASONS_DIFFER)]
    return [rich(block_id, *said(asked[0], *room))]


def stakes_block(asked: Sequence[Approval], block_id: str) -> Block:
    """What Signoff knows of reversibility and risk: once, or how many of each."""
    found = stakes(asked)
    if len(found) == 1:
        verdict = asked[0].verdict
        known = (verdict.reversibility, verdict.reversibility_from, verdict.risk, verdict.risk_from)
        return says(card_words.stakes(*known), block_id)
    return says(words.stakes_differ(found), block_id)


def marked(one: Item) -> list[Row]:
    """Its rows, the first with why it stands out."""
    if not one.marks:
        return list(one.rows)
    return [replace(one.rows[0], mark=f"({'; '.join(one.marks)})"), *one.rows[1:]]
