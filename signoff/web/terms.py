"""What all doors take alike: a request's id, an Idempotency-Key, how long a caller may wait."""

from __future__ import annotations

import re

from starlette.datastructures import Headers

from signoff.errors import Invalid

ID = re.compile(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}")
KEY = "Idempotency-Key"
LONGEST = 30
"""Seconds that a caller may wait. What stands between us and a caller gives up later than that."""
_QUOTED = re.compile(r'"(?:[^"\\]|\\["\\])*"')
"""A string as RFC 9651 has it, section 3.3.3."""


def read_key(headers: Headers) -> str | None:
    """Idempotency-Key: a quoted string, as its draft says, or a bare one, as many send it. Raises Invalid."""
    given = headers.getlist(KEY)
    if not given:
        return None
    if len(given) > 1:
        raise Invalid(f"There are {len(given)} headers {KEY}: send one.")
    text = given[0].strip()
    if text.startswith('"'):
        if not _QUOTED.fullmatch(text):
            raise Invalid(f"{KEY} begins with a quote, and is no quoted string.")
        text = re.sub(r"\\(.)", r"\1", text[1:-1])
    if not text or not text.isprintable():
        raise Invalid(f"{KEY} is empty, or holds what cannot be printed.")
    return text
