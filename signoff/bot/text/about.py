"""Who asks, why, and what is at stake: what stands wherever somebody can approve; pure.

A payload alone does not say whether it should run. So a form that approves shows beside it what the card
shows beside it, as far as a form's room goes; what does not fit stands in *Details…*.
"""

from __future__ import annotations

from signoff.bot.text.claims import said
from signoff.bot.text.text import Block, mrkdwn, plain, rich, visible
from signoff.bot.text.views import note, stakes
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.models.approval import Approval

CHARACTERS, LINES = 2_800, 60
"""Of the agent's words: four times what a card has room for, and what one block of rich text holds."""


def about_blocks(approval: Approval) -> list[Block]:
    """Who asks whom, until when; what is at stake; what the agent says: at least what its card has."""
    return [asker_block(approval), *claim_blocks(approval)]


def asker_block(approval: Approval) -> Block:
    """Action, agent, approvers and until when, in a line; above the payload."""
    verdict = approval.verdict
    if approval.pending:
        asked = card_words.asks(approval.agent, verdict.approvers, approval.expires_at)
    else:
        asked = card_words.asked(approval.agent, approval.created_at)
    parts = [plain(approval.action), mrkdwn(asked)]
    if verdict.over:
        parts.append(plain(card_words.asks_as(visible(verdict.over))))
    return {"type": "context", "block_id": "asker", "elements": parts}


def claim_blocks(approval: Approval) -> list[Block]:
    """What is at stake, then reason, impact, how to undo it and what else was possible; below the payload."""
    words = said(approval.request, CHARACTERS, LINES)
    told = rich("claims", *words) if words else note(forms_words.no_reason(approval.agent), "claims")
    return [stakes(approval), told]
