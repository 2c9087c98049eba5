"""What is said around a card's content to those who hear it read."""

from __future__ import annotations

from signoff.bot.text.text import Trusted
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import summaries


def asks(action: str, audience: Trusted, code: str) -> Trusted:
    """Under the first line: the action by its name, who may decide, and the request's short code."""
    return Trusted(f"{card_words.action_name(action)}, asks {audience} · {code}")


def more_lines(count: int) -> Trusted:
    """Where not all of the payload fits."""
    return Trusted(f"… and {summaries.count(count, 'more line')}: open the message to see them.")


def more_warnings(count: int) -> Trusted:
    """Where not all that can mislead fits."""
    return Trusted(f"… and {summaries.count(count, 'more line')} of what can mislead.")


def how(whole: bool, edits: bool) -> Trusted:
    """The last line: what can be pressed on the card."""
    first = card_words.APPROVE if whole else card_words.REVIEW_MORE
    buttons = [first, card_words.REJECT_MORE, *([card_words.EDIT_MORE] if edits else [])]
    return Trusted(f"Open the message to decide: {', '.join(buttons)}, {card_words.DETAILS_MORE}")
