"""The top-level text of messages: what a notification and a screen reader get of a card, and all they get."""

from __future__ import annotations

from signoff.bot.text.text import Trusted
from signoff.bot.text.words.card import until


def asks(agent: str, what: Trusted, ends: int, now: int | None, *, named: bool) -> Trusted:
    """The first line of a card's top-level text while it waits: it decides whether a phone is unlocked.

    A lock screen shows some 60 characters of it: where no policy has `named` it, the values come first.
    """
    when = until(ends, now)
    return Trusted(f"{agent} asks: {what} · {when}" if named else f"{what} · {agent} asks · {when}")


def stands_elsewhere(permalink: str | None) -> Trusted:
    """On a message that stands beside the card; `permalink` is the card's."""
    where = f"The one that counts is <{permalink}|here>." if permalink else "The one that counts is another."
    return Trusted(f"This card was posted twice. {where}")


def asked(agent: str, what: Trusted, *state: Trusted) -> Trusted:
    """The top-level text of a card that waits no more."""
    return Trusted("\n".join([f"{agent} asked: {what}", *state]))


def reported(agent: str, what: Trusted, outcome: Trusted | None) -> Trusted:
    """The top-level text of that card."""
    became = [outcome.replace("*", "")] if outcome else []
    return Trusted("\n".join([f"{agent} ran without asking: {what}", *became]))
