"""Whether a text shows anything at all, and what of it is seen; pure."""

from __future__ import annotations

import re
import unicodedata

_SHOWS_NOTHING = frozenset(("Cc", "Cf", "Cn", "Zl", "Zp", "Zs"))
_FILLERS = frozenset("\u115f\u1160\u2800\u3164\uffa0")
"""Letters and signs that are drawn as nothing: fillers of Hangul, the empty pattern of Braille."""


def is_blank(text: str) -> bool:
    """True where nothing in it would be seen: spaces, invisible characters, or nothing."""
    return all(one in _FILLERS or unicodedata.category(one) in _SHOWS_NOTHING for one in text)


_UNSEEN = re.compile(
    "[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x84\x86-\x9f\u00ad\u034f\u061c\u115f\u1160\u17b4\u17b5\u180b-\u180f\u200b-\u200f"
    "\u202a-\u202e\u2060-\u206f\u2800\u3164\ufe00-\ufe0f\ufeff\uffa0\ufff0-\ufffb\U0001bca0-\U0001bca3"
    "\U0001d173-\U0001d17a\U000e0000-\U000e0fff]+"
)
"""Controls, and what Unicode calls ignorable (Default_Ignorable_Code_Point); line ends and tabs stay."""


def seen(text: str) -> str:
    """What an eye reads of a text, for matching only: without the unseen, wide letters as plain ones."""
    if text.isascii() and text.isprintable():
        return text
    return _UNSEEN.sub("", unicodedata.normalize("NFKC", _UNSEEN.sub("", text)))
