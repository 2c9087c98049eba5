"""What a person is told about a form that loads, or that could not be shown: nothing was decided."""

from __future__ import annotations

import re

from signoff.bot.text.text import Trusted

LOADING = "Loading…"
LOADING_TEXT = (
    "One moment: this is larger than Slack takes at once. If it stays like this, close it and press again."
)
BACK = "Back"
_CODE = re.compile(r"[a-z_]{1,60}")

NOT_OPENED = Trusted(
    "*Signoff could not open that just now.* Nothing was decided, and nothing has changed: "
    "press again in a moment."
)
SLACK_AWAY = Trusted(
    "*Slack could not open that just now.* Nothing was decided, and nothing has changed: "
    "press again in a moment."
)
TOO_LATE = Trusted(
    "*That took too long to open*: Slack waits three seconds. Nothing was decided, and nothing has changed: "
    "press again."
)
KEPT = Trusted("What you typed is kept below.")


def slack_refuses(code: str) -> Trusted:
    """Slack does not show a form of ours; `code` is its word for why. Pressing again would not help."""
    said = f" ({code})" if _CODE.fullmatch(code) else ""
    return Trusted(
        f"*Slack does not show that*{said}. Nothing was decided, and nothing has changed. "
        "Please tell whoever runs Signoff; the card's other buttons work."
    )


def first_options(count: int) -> str:
    """Over the values that a search offers, where there are more than are shown: at most 75 characters."""
    return f"The first {count:,}: type more to find others"
