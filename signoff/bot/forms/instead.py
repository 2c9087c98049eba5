"""What somebody may do instead of approving, wherever they can approve; pure."""

from __future__ import annotations

from signoff.bot.text.text import Block, plain
from signoff.bot.text.words import card as card_words
from signoff.models.approval import Approval


def instead_block(approval: Approval, *, edit: bool) -> Block:
    """Reject…, and Edit… where that is possible and makes sense; each opens its form on top."""
    value = f"{approval.id}:{approval.version}"
    buttons = [("reject", card_words.REJECT_MORE)]
    buttons += [("edit", card_words.EDIT_MORE)] if edit else []
    elements = [
        {"type": "button", "action_id": name, "text": plain(label), "value": value} for name, label in buttons
    ]
    return {"type": "actions", "block_id": "instead", "elements": elements}
