"""A result that waits to be called right or wrong, as it is heard: all that its card says; pure."""

from __future__ import annotations

from collections.abc import Iterator

from signoff.bot.text.fold import Folded
from signoff.bot.text.heading import heading
from signoff.bot.text.prose import prose
from signoff.bot.text.size import TEXT_BYTES, shortened
from signoff.bot.text.spoken import behind_bar, heard, size, spelled, told_values, unlinked, within
from signoff.bot.text.text import Trusted, escape
from signoff.bot.text.which import Which, trusted_title
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import feedback as words
from signoff.bot.text.words import spoken as spoken_words
from signoff.models.approval import Approval

_TITLE = 700
"""Bytes of what the agent calls it."""


def spoken_feedback(approval: Approval, folded: Folded, warned: str, details: bool) -> Trusted:
    """The first line, then the card in its order. `folded` is the result as the card has it."""
    people = card_words.audience(approval.verdict.approvers)
    what = unlinked(trusted_title(Which.of(approval)))
    head = [
        Trusted(f"{heard(heading(approval))} · {words.ASKS} {what}"),
        words.heard_whom(approval.action, approval.agent, people, approval.code),
        *within([*_title(approval)], _TITLE, lambda _: escape(card_words.more_claims())),
        escape(f"{words.SHOWS}:"),
    ]
    tail = [*map(spelled, filter(None, warned.split("\n")))]
    tail += [escape(words.CUT)] if not folded.whole else []
    tail += [escape(words.ASK_NOTE), escape(words.how(details))]
    room = TEXT_BYTES - size([*head, *tail])
    shown = within([*told_values(folded.rows)], room, spoken_words.more_lines)
    return Trusted(shortened("\n".join([*head, *shown, *tail]), TEXT_BYTES))


def _title(approval: Approval) -> Iterator[Trusted]:
    title = prose(approval.request.title)
    if title:
        yield escape(f"{card_words.AGENT_SAYS}:")
        yield from map(behind_bar, title.split("\n"))
