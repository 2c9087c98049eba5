"""A line on the card of what is stopped: since when, by whom and why; pure."""

from __future__ import annotations

from signoff.bot.text.text import Block, mrkdwn, plain
from signoff.bot.text.words import stops as words
from signoff.models.approval import Approval


def stopped_blocks(approval: Approval) -> list[Block]:
    """None where nothing keeps it from being decided."""
    if approval.stop is None:
        return []
    revision, why = approval.revision, words.reason(approval.stop.reason)
    found: list[Block] = [
        {
            "type": "section",
            "block_id": f"stopped:{revision}",
            "text": mrkdwn(words.holds(approval.stop)),
            "expand": True,
        }
    ]
    if why:
        found.append({"type": "context", "block_id": f"stopped-why:{revision}", "elements": [plain(why)]})
    return found
