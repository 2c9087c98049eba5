"""What is said to somebody who is away, or back, and of whom they may name."""

from __future__ import annotations

from collections.abc import Sequence

from signoff.bot.text.text import Trusted, date, escape, is_id, mention
from signoff.bot.text.words.card import audience

HOW = Trusted(
    "Say until when you are away, and who decides in your place: */approvals away until Friday 9:00 deputy "
    "@ben*. At most 30 days; a time is by your own clock in Slack."
)
NOT_AWAY = Trusted("You are not away: what waits for you waits for you.")
BACK = Trusted("You are back: nobody decides in your place any more.")


def away(until: int, deputy: str, groups: Sequence[str]) -> Trusted:
    """They are, from now on; `groups` are the policy's names."""
    named = ", ".join(escape(one) for one in groups)
    return Trusted(
        f"You are away until {date(until)}. {_who(deputy)} decides in your place wherever all of *{named}* "
        "is asked, and your admins are told. You still can decide, too. */approvals back* ends it."
    )


def is_away(until: int, deputy: str) -> Trusted:
    """What holds now."""
    return Trusted(
        f"You are away until {date(until)}, and {_who(deputy)} decides in your place. */approvals back* ends "
        "it."
    )


def refused(detail: str, may: Sequence[str]) -> Trusted:
    """Why it was not noted; `detail` is our own sentence, `may` are ids of those who could be named."""
    could = f" The policy lets you name {audience(may)}." if may else ""
    return Trusted(f"{escape(detail)}{could}")


def _who(user_id: str) -> str:
    return mention(user_id) if is_id(user_id) else "Somebody"
