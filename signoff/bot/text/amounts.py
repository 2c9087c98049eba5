"""Numbers that stand as texts, as money often does: `99000.00`, `1,299.50 USD`, `1.299,50 €`; pure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Any

from signoff.payload.fields import is_number

_CURRENCY = r"(?:[A-Z]{3}|[$\u20ac\u00a3\u00a5\u20b9\u20a9\u20bd\u20ba])"
_DIGITS = r"(?:0|[1-9][0-9]{0,14})"
_GAP = r"' \u2019\u00a0\u202f"
_BESIDE = re.compile(
    rf"([+-]?)(?:{_CURRENCY}[ \u00a0]?)?([+-]?[0-9][0-9.,{_GAP}]{{0,40}})(?:[ \u00a0]?{_CURRENCY})?"
)


def _form(group: str, point: str) -> re.Pattern[str]:
    whole = rf"[1-9][0-9]{{0,2}}(?:[{group}{_GAP}][0-9]{{3}}){{1,4}}|{_DIGITS}"
    return re.compile(rf"([+-]?)({whole})(?:{point}([0-9]{{1,9}}))?")


_POINT, _COMMA = _form(",", r"\."), _form(".", ",")
_NO_DIGIT = re.compile(r"[^0-9]")


def numbers(values: Sequence[Any]) -> list[float] | None:
    """Values as numbers, where each is one or a text that is one throughout; else None.

    What begins with a zero is no number, but a name (a postcode, a telephone's). Whether a comma or a point
    stands before the fraction is read from all of them together.
    """
    bare = [value if is_number(value) else _bare(value) for value in values]
    if None in bare:
        return None
    texts = [one for one in bare if isinstance(one, str)]
    for form in (_POINT, _COMMA) if texts else ():
        if all(form.fullmatch(one) for one in texts):
            return [
                _read(one, form) if isinstance(one, str) else float(one) for one in bare if one is not None
            ]
    return None if texts else [float(one) for one in bare if one is not None]


def _bare(value: Any) -> str | None:
    """A text's number, without the currency beside it."""
    found = _BESIDE.fullmatch(value.strip()) if isinstance(value, str) and len(value) <= 60 else None
    return f"{found[1]}{found[2].strip()}" if found else None


def _read(text: str, form: re.Pattern[str]) -> float:
    found = form.fullmatch(text)
    assert found is not None
    sign, whole, fraction = found.groups()
    return float(f"{sign}{_NO_DIGIT.sub('', whole)}.{fraction or 0}")
