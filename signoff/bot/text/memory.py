"""The no that somebody gave to the same request, or to one nearly the same: said in our words; pure."""

from __future__ import annotations

from signoff.bot.text.difference import each_change
from signoff.bot.text.quotes import isolated, quoted
from signoff.bot.text.text import Block, cut, mrkdwn, plain, visible
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import which as which_words
from signoff.models.approval import Rejection

REASON = 200
"""Characters of the reason."""
CHANGES = 3
"""Differences that are named."""


def recalled(rejection: Rejection | None, payload: dict[str, object] | None = None) -> list[Block]:
    """A context block's elements: who rejected it and when, why, and what differs; none where nobody did.

    `payload` is that of the request which it stands beside; without it nothing is said of what differs.
    """
    if rejection is None:
        return []
    parts = (rejection.by_id, rejection.at, rejection.same, rejection.resubmit)
    found = [mrkdwn(which_words.rejected_before(*parts))]
    if rejection.reason.strip():
        found.append(plain(_reason(rejection)))
    changes = _changes(rejection, payload)
    return [*found, plain(which_words.differs(changes))] if changes else found


def _reason(rejection: Rejection) -> str:
    return quoted(cut(visible(rejection.reason.strip()), REASON))


def _changes(rejection: Rejection, payload: dict[str, object] | None) -> str:
    if rejection.same or rejection.payload is None or payload is None:
        return ""
    named: list[str] = []
    for change in each_change(rejection.payload, dict(payload)):
        if len(named) == CHANGES:
            break
        path = cut(" › ".join(map(isolated, change.path)), 80)
        named.append(f"{path} {_side(change.old)} → {_side(change.new)}")
    return ", ".join(named)


def _side(text: str | None) -> str:
    return card_words.ABSENT if text is None else quoted(cut(text, 80))
