"""What differs between a question and what is approved, wherever both are named or listed; pure."""

from __future__ import annotations

from signoff.bot.text.text import visible
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import feedback as feedback_words
from signoff.bot.text.words import questions as words
from signoff.bot.text.words import which as which_words
from signoff.models.approval import Approval
from signoff.models.feedback import KIND as FEEDBACK
from signoff.models.questions import ACTION, QUESTION


def heading(approval: Approval) -> str:
    """The policy's headline; else that an agent has a question or shows a result, or the action; visible.

    Never a title: that is the agent's word, and this is ours.
    """
    headline = visible(approval.verdict.headline or "")
    if not headline and approval.request.kind == QUESTION:
        return words.heading(approval.agent)
    if not headline and approval.request.kind == FEEDBACK:
        return feedback_words.heading(approval.agent)
    return headline or approval.action


def way_in(action: str) -> tuple[str, str]:
    """The action id and the label of the button that opens what waits, by its action, where it is listed."""
    if action == ACTION:
        return "answer", words.ANSWER_MORE
    return "review", card_words.REVIEW_MORE


def at_stake(action: str, reversibility: str, source: str) -> str:
    """In a list, of what is not simply undone; empty for a question, whose answer lets nothing run."""
    return "" if action == ACTION else which_words.cannot_be_undone(reversibility, source)
