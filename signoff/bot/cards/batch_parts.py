"""What stands around several requests: buttons, what those ask, what is at stake, who says what; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence
from dataclasses import replace

from signoff.bot.blocks import CONFIRM_TEXT, CONFIRM_TITLE
from signoff.bot.cards.batch_items import Item, note_block, stakes
from signoff.bot.text.claims import claims, said
from signoff.bot.text.quotes import isolated_strings
from signoff.bot.text.row import Row
from signoff.bot.text.text import Block, cut, length, plain, rich, visible
from signoff.bot.text.views import row_blocks, says
from signoff.bot.text.which import Which, titles
from signoff.bot.text.words import batches as words
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.models.approval import Approval
from signoff.payload.canonical import canonical

NAMED = 60
"""Characters of a value in the question that approving asks."""
EACH = (1500, 30)
"""Characters and lines of what the agent says of each of several on a card."""


def confirm(asked: Sequence[Approval]) -> Block:
    """The question that approving these asks: how many, what cannot be undone, and what it is, quoted."""
    kinds = Counter(
        "unsaid" if one.verdict.reversibility_from == "nobody" else one.verdict.reversibility for one in asked
    )
    text = words.confirm_text(len(asked), kinds["irreversible"], kinds["unsaid"], kinds["costly"])
    hard = [one for one in asked if one.verdict.reversibility != "reversible"] or list(asked)
    for name in _names(hard[:8]):
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


def _names(asked: Sequence[Approval]) -> list[str]:
    """A line for each; where two that are not the same read alike (1 and "1"), with what differs as JSON."""
    names = titles([Which.of(one) for one in asked], NAMED)
    for name in [name for name, count in Counter(names).items() if count > 1]:
        same = [at for at, other in enumerate(names) if other == name]
        held = [asked[at].payload for at in same]
        differ = {
            key for one in held for key in one
            if len({canonical(other[key]) if key in other else None for other in held}) > 1
        }  # fmt: skip
        for at in same if differ else ():
            own = canonical({key: value for key, value in asked[at].payload.items() if key in differ})
            names[at] = f"{asked[at].action}: {isolated_strings(cut(visible(own), NAMED))}"
    return names


def approve_button(action_id: str, label: str, value: str, asked: Sequence[Approval]) -> Block:
    """A button that approves many: green where all of them can be undone; it always asks."""
    undoable = all(one.verdict.reversibility == "reversible" for one in asked)
    found = {**button(action_id, label, value), "confirm": confirm(asked)}
    return found | ({"style": "primary"} if undoable else {})


def button(action_id: str, label: str, value: str) -> Block:
    return {"type": "button", "action_id": action_id, "text": plain(label), "value": value}


def claims_of(asked: Sequence[Approval], room: tuple[int, int], block_id: str) -> list[Block]:
    """What the agent says, where it says the same of all of them; else that it does not."""
    if not same_claims(asked):
        return [note_block(block_id, words.REASONS_DIFFER)]
    return [rich(block_id, *said(asked[0], *room))]


def claims_each(asked: Sequence[Approval], numbers: Sequence[int], block_id: str) -> list[Block] | None:
    """What the agent says of each, where that is not the same of all: whole, under its number. None where
    that does not fit a card.
    """
    rows = [Row((), ((card_words.AGENT_SAYS, "bold"),))]
    for number, one in zip(numbers, asked, strict=True):
        text = "\n".join(
            f"{said.label}: {said.text}" if said.label else said.text for said in claims(one.request)
        )
        if text:
            rows.append(Row((str(number),), ((text, ""),), "code" if "\n" in text else "line"))
        if not one.request.reason.strip():
            rows.append(Row((str(number),), ((card_words.no_reason(one.agent), "italic"),)))
    if sum(row.size for row in rows) > EACH[0] or sum(row.lines for row in rows) > EACH[1]:
        return None
    return row_blocks(rows, block_id)


def same_claims(asked: Sequence[Approval]) -> bool:
    """Whether the agent says the same of all of them."""
    return len({tuple((said.label, said.text) for said in claims(one.request)) for one in asked}) < 2


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
