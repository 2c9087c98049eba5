"""Dates with a time, as JSON Schema's `date-time` writes them and as Slack's picker does; pure."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any

from signoff.bot.text.text import DATE_FORMS, Block
from signoff.models.messages import moment

PICKER = (1_000_000_000, 9_999_999_999)
"""Slack: a datetimepicker takes ten digits, in seconds since 1970."""
MINUTE = 60
"""Seconds. Slack's picker chooses minutes, so within one nothing was chosen anew."""

_MOMENT = re.compile(
    r"([0-9]{4}-[0-9]{2}-[0-9]{2}T[0-9]{2}:[0-9]{2}:[0-9]{2})(?:\.[0-9]{1,9})?(Z|[+-][0-9]{2}:[0-9]{2})"
)


def seconds(text: Any) -> int | None:
    """A date-time → seconds since 1970; None for anything else, and for what a picker cannot hold."""
    found = _MOMENT.fullmatch(text) if isinstance(text, str) else None
    if found is None:
        return None
    try:
        at = int(datetime.fromisoformat(found[1] + found[2]).timestamp())
    except (ValueError, OverflowError):
        return None
    return at if PICKER[0] <= at <= PICKER[1] else None


def written(at: int, like: Any) -> str:
    """Seconds since 1970 → a date-time with the offset of `like`; in UTC where that is none."""
    found = _MOMENT.fullmatch(like) if isinstance(like, str) else None
    if found is None or found[2] == "Z":
        return f"{datetime.fromtimestamp(at, UTC):%Y-%m-%dT%H:%M:%SZ}"
    zone = datetime.fromisoformat(found[1] + found[2]).tzinfo
    return datetime.fromtimestamp(at, zone).isoformat()


def date_span(at: int) -> Block:
    """A piece of rich text: the moment in the reader's own zone and language."""
    when = moment(at * 1_000_000)
    return {
        "type": "date",
        "timestamp": at,
        "format": f"({DATE_FORMS['when']})",
        "fallback": f"({when.day} {when:%b %H:%M} UTC)",
    }
