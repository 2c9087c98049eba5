"""Whether a text of an agent's reads as a line of ours: it is warned of then, wherever it stands; pure."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

from signoff.bot.text.alphabet import skeleton
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import feedback as feedback_words
from signoff.bot.text.words import questions as words

_EDGES = " .…!?:;-–—()[]\"'“”*_~`>|•⏎"
_OURS = (
    words.ANSWER, words.NONE, words.DECIDE, words.HAND_MORE, words.HAND, words.SAFETY,
    card_words.APPROVE, card_words.REJECT, card_words.EDIT_MORE, card_words.REVIEW_MORE,
    card_words.NOTE_MORE, card_words.DETAILS_MORE, "Approved", "Answered", "Rejected", "Undone", "Cancel",
    "Close", "Signoff", feedback_words.ASKS,
)  # fmt: skip
"""What stands on our own buttons, and lines of ours."""
_BEGINNINGS = (
    "Your answer lets", "Approved by", "Answered by", "Rejected by", "Sent back by", "Undone by", "Held by",
    "Handed to", "Policy of Signoff", "Policy allows", "Signoff:", "Signoff says", "Real Signoff",
    "Checked by Signoff", card_words.AGENT_SAYS, words.ASKS, words.ANSWERS, words.TRIED, f"{words.DECIDE}:",
    feedback_words.GAVE, feedback_words.SHOWS, feedback_words.ASK_NOTE, "Open the message to",
    *(f"{said}, says" for said in feedback_words.SAID.values()),
)  # fmt: skip
_SAYS = re.compile(r"\s*[\"“”„«][^\n]{1,160}[\"“”»] says\b", re.I)
"""As the line over a source."""


def _look(text: str) -> str:
    return skeleton(text.casefold()).strip(_EDGES)


_WHOLE = frozenset(map(_look, _OURS))
_BEGIN = tuple(map(_look, _BEGINNINGS))


def poses(text: str) -> bool:
    """Whether a line of it is one of ours, or begins as one does."""
    for line in text.splitlines()[:400]:
        look = _look(line[:300])
        if look and (look in _WHOLE or look.startswith(_BEGIN) or _SAYS.match(line)):
            return True
    return False


def any_poses(value: Any) -> bool:
    """The same of all texts and names in JSON."""
    return any(map(poses, _texts(value)))


def _texts(value: Any) -> Iterator[str]:
    if isinstance(value, str):
        yield value
    elif isinstance(value, dict):
        for name, one in value.items():
            yield name
            yield from _texts(one)
    elif isinstance(value, list):
        for one in value:
            yield from _texts(one)
