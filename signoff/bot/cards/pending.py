"""Requests that wait, each with *Review…* and *Reject…*, said privately; pure. No Approve stands here."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.cards.menu import token
from signoff.bot.text.heading import at_stake, way_in
from signoff.bot.text.memory import recalled
from signoff.bot.text.text import Block, Trusted, mrkdwn, plain
from signoff.bot.text.views import paragraph, says
from signoff.bot.text.which import Which, titles
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import lists as lists_words
from signoff.models.approval import Approval
from signoff.models.questions import QUESTION

MOST = 15
"""Requests named in one answer. Slack: a message holds 50 blocks."""


def waiting_blocks(text: Trusted, found: Sequence[Approval], now: int) -> list[Block]:
    """`text`, then each request with its buttons. `now` is the database's clock in microseconds."""
    blocks = [says(text)]
    shown = found[:MOST]
    for approval, title in zip(shown, titles([Which.of(one) for one in shown]), strict=True):
        value = token(approval)
        buttons = [
            {"type": "button", "action_id": name, "text": plain(label), "value": value}
            for name, label in _ways(approval)
        ]
        place = approval.card.permalink if approval.card else None
        verdict = approval.verdict
        undo = at_stake(approval.action, verdict.reversibility, verdict.reversibility_from)
        line = lists_words.listed(
            approval.agent, approval.expires_at, now, place or "", undo=undo, code=approval.code
        )
        blocks.append(paragraph(title, f"waits:{approval.id}"))
        about = [mrkdwn(line), *recalled(approval.rejected, approval.payload)]
        blocks.append({"type": "context", "block_id": f"about:{approval.id}", "elements": about})
        blocks.append({"type": "actions", "block_id": f"decide:{approval.id}", "elements": buttons})
    if len(found) > MOST:
        blocks.append(says(lists_words.more_wait(len(found) - MOST)))
    return blocks


def _ways(approval: Approval) -> list[tuple[str, str]]:
    """The buttons beside it. A question is answered, and not rejected."""
    opens = way_in(approval.action)
    return [opens] if approval.request.kind == QUESTION else [opens, ("reject", card_words.REJECT_MORE)]
