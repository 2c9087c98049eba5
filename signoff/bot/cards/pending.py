"""Requests that wait, each with *Review…* and *Reject…*, said privately; pure. No Approve stands here."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.cards.card import token
from signoff.bot.text.text import Block, Trusted, plain, visible
from signoff.bot.text.views import says
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import lists as lists_words
from signoff.models.approval import Approval

MOST = 20
"""Requests named in one answer. Slack: a message holds 50 blocks."""


def waiting_blocks(text: Trusted, found: Sequence[Approval], now: int) -> list[Block]:
    """`text`, then each request with its buttons. `now` is the database's clock in microseconds."""
    blocks = [says(text)]
    for approval in found[:MOST]:
        value = token(approval)
        buttons = [
            {"type": "button", "action_id": name, "text": plain(label), "value": value}
            for name, label in (("review", card_words.REVIEW_MORE), ("reject", card_words.REJECT_MORE))
        ]
        place = approval.card.permalink if approval.card else None
        what = card_words.named(approval.action, visible(approval.verdict.headline or ""))
        line = lists_words.waits(approval.agent, what, approval.expires_at, now, place or "")
        blocks.append(says(line, f"waits:{approval.id}"))
        blocks.append({"type": "actions", "block_id": f"decide:{approval.id}", "elements": buttons})
    if len(found) > MOST:
        blocks.append(says(lists_words.more_wait(len(found) - MOST)))
    return blocks
