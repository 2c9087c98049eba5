"""What a person types to confirm a value of the payload, compared as people type; pure.

Letters may be large or small, since phones begin every text with a large one, and spaces may be more or
fewer. Nothing else is forgiven: a letter that only looks like another is another one. What is typed with
an Asian keyboard in full width counts as what it stands for; a value that is written so does not.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from signoff.payload.canonical import canonical

MOST = 200
"""Characters of a value that somebody can be asked to type."""
_FIELD = re.compile(r"payload(?:\.[A-Za-z_][A-Za-z0-9_-]*)+", re.ASCII)
EXACT = 2**53
"""No payload holds a number of that or more."""
UNSEEN = ("Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp")


def fields(value: str) -> tuple[str, ...]:
    """A rule's `confirm`: one field of the payload; raises ValueError for anything else."""
    if not _FIELD.fullmatch(value):
        raise ValueError(f"{value!r} names no field of the payload: write payload.customer")
    return (value,)


def value_at(payload: Mapping[str, Any], field: str) -> Any:
    """What stands under `payload.customer.name`; None where that is nothing."""
    value: Any = payload
    for part in field.split(".")[1:]:
        if not isinstance(value, Mapping) or part not in value:
            return None
        value = value[part]
    return value


def is_typable(value: Any) -> bool:
    """Whether somebody can type it: one number, truth value or text of one line, short, and seen."""
    if isinstance(value, bool | int | float):
        return abs(value) < EXACT
    if not isinstance(value, str) or len(value) > MOST or not _plain(value):
        return False
    return not any(unicodedata.category(one) in UNSEEN for one in value)


def is_same(typed: str, value: Any) -> bool:
    """Whether somebody has typed a value; never true for one that cannot be typed, or for no text."""
    if not is_typable(value) or len(typed) > 4 * MOST or not _plain(typed):
        return False
    wide = unicodedata.normalize("NFKC", typed)
    if isinstance(value, int | float) and not isinstance(value, bool):
        return _number(wide) == _number(canonical(value))
    expected = _plain(value if isinstance(value, str) else canonical(value))
    return expected in (_plain(typed), _plain(wide))


def _plain(text: str) -> str:
    return " ".join(unicodedata.normalize("NFC", text).split()).lower()


def _number(text: str) -> Decimal | None:
    """A number, as digits with spaces between them at most: nobody knows what a comma means to somebody."""
    try:
        found = Decimal("".join(text.replace("\u2212", "-").split()))
    except InvalidOperation:
        return None
    return found if found.is_finite() else None
