"""What happened, when: the one log reply in a card's thread, edited in place; pure.

Slack's threads do not nest: on a card that is a reply itself the log stands at its end.
"""

from __future__ import annotations

from dataclasses import replace

from signoff.bot.text.difference import changes
from signoff.bot.text.states import at_of, state_line
from signoff.bot.text.text import Block, Trusted, mrkdwn
from signoff.bot.text.words import card as card_words
from signoff.models.approval import Approval


def lines(approval: Approval) -> list[Trusted]:
    """Received, shown, edited, decided, outcome: those that have happened, in this order."""
    found = _before_the_end(approval)
    if not approval.pending:
        found.append(state_line(approval))
    if approval.outcome:
        by = approval.decision.approver if approval.decision else ""
        found.append(card_words.outcome(approval.outcome.succeeded, approval.outcome_at, by))
    return found


def _before_the_end(approval: Approval) -> list[Trusted]:
    found = [card_words.log_received(approval.agent, approval.created_at)]
    if approval.shown_at is not None:
        found.append(card_words.log_shown(approval.shown_at))
    decision = approval.decision
    if approval.edited:
        number = len(changes(approval.request.payload, approval.payload))
        at = at_of(decision) or approval.ended_at or approval.created_at
        found.append(card_words.log_edited(at, decision.approver if decision else "", number))
    return found


def log_text(approval: Approval) -> Trusted:
    """The log as one mrkdwn text: the top-level text of the reply."""
    return Trusted("\n".join(lines(approval)))


def log_blocks(approval: Approval) -> list[Block]:
    """The log as blocks."""
    block_id = f"log:{approval.revision}"
    return [{"type": "section", "block_id": block_id, "text": mrkdwn(log_text(approval)), "expand": True}]


def log_on_card(approval: Approval, now: int | None) -> Block:
    """The log at the end of a card that is a reply; the card itself tells the decision and the outcome.

    `now` (microseconds since 1970) is when it is shown, on a card that has not been yet.
    """
    if approval.shown_at is None:
        approval = replace(approval, shown_at=now)
    said = Trusted("\n".join(_before_the_end(approval)))
    return {"type": "context", "block_id": f"log:{approval.revision}", "elements": [mrkdwn(said)]}
