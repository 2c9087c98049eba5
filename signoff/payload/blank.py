"""Whether a text shows anything at all; pure."""

from __future__ import annotations

import unicodedata

_SHOWS_NOTHING = frozenset(("Cc", "Cf", "Cn", "Zl", "Zp", "Zs"))
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs that are drawn as nothing: fillers of Hangul, the empty pattern of Braille."""


def is_blank(text: str) -> bool:
    """True where nothing in it would be seen: spaces, invisible characters, or nothing."""
    return all(one in _FILLERS or unicodedata.category(one) in _SHOWS_NOTHING for one in text)
