"""What a screen reader or a notification says of a batch, and how lists call one."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.text.text import Trusted
from signoff.bot.text.words import batches, summaries
from signoff.bot.text.words import card as card_words


def spoken_first(agent: str, what: Trusted, ends: Trusted) -> Trusted:
    """The first line of the notification: ours alone."""
    return Trusted(f"{agent} asks for {what} · {ends}")


def spoken_after(agent: str, what: Trusted, counted: Trusted) -> Trusted:
    """The same afterwards."""
    return Trusted(f"{agent} asked for {what}: {counted.replace('*', '')}")


def of_actions(actions: Sequence[tuple[str, int]]) -> Trusted:
    """`40 × branch.delete`, in mrkdwn."""
    named = [f"{count:,} × {card_words.action_name(action)}" for action, count in actions[:3]]
    return Trusted(", ".join(named) + (", …" if len(actions) > 3 else ""))


def how(whole: bool, count: int) -> Trusted:
    """The last line: what can be pressed on the card."""
    first = batches.approve_all(count) if whole else card_words.REVIEW_MORE
    return Trusted(f"Open the message to decide: {first}, {batches.REVIEW_EACH}, {batches.REJECT_ALL}")


def more_heard(count: int) -> Trusted:
    """Where not all of them fit."""
    return Trusted(f"… and {summaries.count(count, 'more line')}: open the message to see them.")
