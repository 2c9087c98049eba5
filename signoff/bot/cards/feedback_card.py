"""The card of a result that an agent shows by itself, to ask whether it is right; pure."""

from __future__ import annotations

from signoff.bot.cards.card import Message, metadata
from signoff.bot.cards.feedback_parts import SAID, buttons, feedback_line, given_blocks, section, small
from signoff.bot.text.results import result_blocks
from signoff.bot.text.spoken import unlinked
from signoff.bot.text.states import state_line
from signoff.bot.text.text import Block, Trusted, mrkdwn, plain, visible
from signoff.bot.text.views import title as header
from signoff.bot.text.which import Which, trusted_title
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import feedback as words
from signoff.bot.text.words import notifications as notices
from signoff.models.approval import Approval
from signoff.models.feedback import OPEN_FOR

RESULT = 1500
"""Characters of a result on a card of its own: nothing else stands there."""


def feedback_card(approval: Approval, *, now: int | None = None) -> Message:
    """The card of a result that an agent shows by itself, in any state."""
    revision = approval.revision
    waits = approval.pending and (now is None or now < approval.expires_at)
    name = visible(approval.request.title) or approval.action
    about = [*([plain(approval.action)] if name != approval.action else [])]
    people = card_words.audience(approval.verdict.approvers)
    asks = words.asks(approval.agent, people, approval.code)
    asked = card_words.asked(approval.agent, approval.created_at, approval.code)
    head: list[Block] = [
        {"type": "header", "block_id": f"header:{revision}", "text": header(name)},
        small(f"about:{revision}", *about, mrkdwn(asks if waits else asked)),
    ]
    shown = result_blocks(approval, approval.payload.get("result"), words.SHOWS, RESULT if waits else SAID)
    if waits:
        question = [section(f"right:{revision}", Trusted(f"*{words.ASKS}*"))]
        note = small(f"asked:{revision}", plain(words.ASK_NOTE))
        blocks = [*head, *shown, *question, note, buttons(approval)]
    else:
        blocks = [*head, *_became(approval, SAID), *shown]
    return Message(_told(approval, waits), blocks, metadata(approval))


def _became(approval: Approval, room: int) -> list[Block]:
    if approval.feedback is not None:
        return given_blocks(approval, room)
    revision = approval.revision
    if approval.status in ("pending", "expired") and not approval.restored:
        return [section(f"state:{revision}", words.unsaid(approval.created_at + OPEN_FOR))]
    return [section(f"state:{revision}", state_line(approval))]


def _told(approval: Approval, waits: bool) -> Trusted:
    """The notification."""
    what = unlinked(trusted_title(Which.of(approval)))
    if waits:
        return Trusted(f"{what} · {approval.agent} asks: {words.ASKS}")
    said = feedback_line(approval)
    return notices.asked(approval.agent, what, *([Trusted(said.replace("*", ""))] if said else []))
