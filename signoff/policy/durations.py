"""A length of time as a policy's file writes it; pure."""

from __future__ import annotations

import re

from signoff.models.messages import MAX_EXPIRES_IN

_DURATION = re.compile(r"([0-9]{1,7})([smhd])")
_SECONDS = {"s": 1, "m": 60, "h": 3600, "d": 86400}


def seconds(value: int | str) -> int:
    """`90s`, `30m`, `2h`, `1d` or a number → seconds; raises ValueError for none and for over 30 days."""
    found = _DURATION.fullmatch(value) if isinstance(value, str) else None
    length = int(found[1]) * _SECONDS[found[2]] if found else int(value)
    if not 1 <= length <= MAX_EXPIRES_IN:
        raise ValueError("write a time from 1s to 30d")
    return length
