"""What stands around a payload wherever somebody can approve: who asks, why, and the other ways; pure."""

from __future__ import annotations

from signoff.bot.text import talks
from signoff.bot.text.claims import said
from signoff.bot.text.memory import recalled
from signoff.bot.text.text import Block, mrkdwn, plain, rich, visible
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import talks as talk_words
from signoff.bot.text.words import times
from signoff.models.approval import Approval

CLAIMS = (2500, 25)
"""Characters and lines of the agent's words."""


def about_blocks(approval: Approval) -> list[Block]:
    """Headline, action, who asks whom and until when, its code; and who rejected the same before."""
    verdict = approval.verdict
    headline = visible(verdict.headline or "")
    found: list[Block] = [plain(headline)] if headline else []
    if approval.pending:
        line = card_words.asks(approval.agent, times.people(approval), approval.expires_at, approval.code)
    else:
        line = card_words.asked(approval.agent, approval.created_at, approval.code)
    elements = [*found, plain(approval.action), mrkdwn(line)]
    if verdict.over and approval.pending:
        elements.append(plain(card_words.asks_as(visible(verdict.over))))
    blocks: list[Block] = [{"type": "context", "block_id": "about", "elements": elements}]
    if said_before := recalled(approval.rejected, approval.payload):
        blocks.append({"type": "context", "block_id": "before", "elements": said_before})
    return blocks


def claims_blocks(approval: Approval) -> list[Block]:
    """Reason, impact, undo, alternatives, context: what the agent says."""
    return [rich("claims", *said(approval, *CLAIMS)), *talks.on_card(approval)]


def other_ways(approval: Approval, *, edit: bool) -> Block:
    """Reject…, and Edit… where something may be edited, and is not being edited already."""
    value = f"{approval.id}:{approval.version}"
    ways = [("reject", card_words.REJECT_MORE)]
    ways += [("edit", card_words.EDIT_MORE)] if edit else []
    ways.append(("ask", talk_words.ASK_MORE))
    buttons = [
        {"type": "button", "action_id": name, "text": plain(label), "value": value} for name, label in ways
    ]
    return {"type": "actions", "block_id": "ways", "elements": buttons}
