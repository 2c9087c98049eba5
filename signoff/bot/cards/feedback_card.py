"""The card of a result that an agent shows by itself, to ask whether it is right; pure."""

from __future__ import annotations

from typing import Any

from signoff.bot.cards.card import Message, metadata
from signoff.bot.cards.feedback_parts import (
    SAID,
    buttons,
    feedback_line,
    given_blocks,
    section,
    small,
)
from signoff.bot.cards.menu import beside, menu_after
from signoff.bot.text.cautions import caution_lines
from signoff.bot.text.heading import heading
from signoff.bot.text.poses import any_poses
from signoff.bot.text.prose import prose
from signoff.bot.text.quotes import isolated
from signoff.bot.text.results import as_payload, folded_blocks, folded_result
from signoff.bot.text.spoken import unlinked
from signoff.bot.text.spoken_feedback import spoken_feedback
from signoff.bot.text.states import state_line
from signoff.bot.text.text import Block, Trusted, cut, line, literal, mrkdwn, plain, rich
from signoff.bot.text.views import title as header
from signoff.bot.text.which import Which, trusted_title
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import feedback as words
from signoff.bot.text.words import notifications as notices
from signoff.bot.text.words import questions as question_words
from signoff.models.approval import Approval
from signoff.models.feedback import OPEN_FOR

RESULT = 1500
"""Characters of a result on a card of its own: nothing else stands there."""
TITLE = 300
"""Characters of what the agent calls its result."""


def feedback_card(approval: Approval, *, now: int | None = None) -> Message:
    """The card of a result that an agent shows by itself, in any state.

    The header is ours. What the agent calls its result is a claim as any other: below, in its own quote.
    """
    revision = approval.revision
    waits = approval.pending and (now is None or now < approval.expires_at)
    people = card_words.audience(approval.verdict.approvers)
    asks = words.asks(approval.agent, people, approval.code)
    asked = card_words.asked(approval.agent, approval.created_at, approval.code)
    head: list[Block] = [
        {"type": "header", "block_id": f"header:{revision}", "text": header(heading(approval))},
        small(f"about:{revision}", plain(approval.action), mrkdwn(asks if waits else asked)),
    ]
    result = approval.payload.get("result")
    folded = folded_result(result, RESULT if waits else SAID)
    shown = [*_title(approval), *folded_blocks(revision, folded, words.SHOWS)]
    warned = _warned(approval, result)
    shown += [small(f"warning:{revision}", plain(warned))] if warned else []
    if waits:
        question = [section(f"right:{revision}", Trusted(f"*{words.ASKS}*"))]
        note = small(f"asked:{revision}", plain(words.ASK_NOTE))
        blocks = [*head, *shown, *question, note, buttons(approval, menu_after(approval))]
        told = spoken_feedback(approval, folded, warned, not folded.whole)
    else:
        blocks = [*head, *beside(_became(approval, SAID), menu_after(approval)), *shown]
        told = _told(approval)
    return Message(told, blocks, metadata(approval))


def _title(approval: Approval) -> list[Block]:
    """What the agent calls its result, as a claim."""
    title = prose(approval.request.title)
    if not title:
        return []
    quote: Block = {"type": "rich_text_quote", "elements": [literal(isolated(cut(title, TITLE)))]}
    return [rich(f"claims:{approval.revision}", line(literal(card_words.AGENT_SAYS, "bold")), quote)]


def _warned(approval: Approval, result: Any) -> str:
    """What of it can mislead, a line each; empty where nothing does."""
    named = {"title": approval.request.title, "result": result}
    found = [name for name, value in named.items() if any_poses(value)]
    lines = [question_words.looks_ours(found)] if found else []
    cautions = caution_lines(approval.request, as_payload(result))
    return "\n".join([*lines, *([cautions] if cautions else [])])


def _became(approval: Approval, room: int) -> list[Block]:
    if approval.feedback is not None:
        return given_blocks(approval, room)
    revision = approval.revision
    if approval.status in ("pending", "expired") and not approval.restored:
        return [section(f"state:{revision}", words.unsaid(approval.created_at + OPEN_FOR))]
    return [section(f"state:{revision}", state_line(approval))]


def _told(approval: Approval) -> Trusted:
    """The notification once it is over."""
    what = unlinked(trusted_title(Which.of(approval)))
    said = feedback_line(approval)
    return notices.asked(approval.agent, what, *([Trusted(said.replace("*", ""))] if said else []))
