"""What keyboards make of numbers and of JSON, read as it was meant; pure.

Phones turn straight quotes into curly ones and a hyphen into a dash, and write spaces that do not break;
other keyboards have digits and brackets of full width. Only what can be read in one way is read: everything
here gives text for a strict reader, which refuses the rest.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

_DASHES = "−–—‒‐‑﹣－⁻"
_PLAIN = str.maketrans(
    {
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
        **dict.fromkeys(_DASHES, "-"),
        "＋": "+",
        "．": ".",
        "，": ",",
        "＇": "'",
        "’": "'",
        "‘": "'",
    }
)
_UNSEEN = "\ufeff\u200b\u200e\u200f\u061c\u2066\u2067\u2068\u2069\u2060"
"""What a keyboard or a clipboard adds around a number without being seen."""
_SIGN = re.compile(r"([+-])\s+(?=[0-9])")
_GROUPED = re.compile(r"([+-]?)([0-9]{1,3}(?:([ '])[0-9]{3})(?:\3[0-9]{3})*)(?:[.,]([0-9]{1,400}))?")
_THOUSANDS = re.compile(
    r"([+-]?)([0-9]{1,3}(?:,[0-9]{3}){2,}|[0-9]{1,3}(?:,[0-9]{3})+(?=\.))(?:\.([0-9]{1,400}))?"
    r"|([+-]?)([0-9]{1,3}(?:\.[0-9]{3}){2,}|[0-9]{1,3}(?:\.[0-9]{3})+(?=,))(?:,([0-9]{1,400}))?"
)
_COMMA = re.compile(r"([+-]?[0-9]{1,400}),([0-9]{1,400})")
_EITHER = re.compile(r"[+-]?[1-9][0-9]{0,2},[0-9]{3}")

_QUOTES = {
    **dict.fromkeys("“”„‟«»＂〝〞〟", '“”„‟«»＂〝〞〟"'),
    **dict.fromkeys("‘’‚‛＇‹›'", "‘’‚‛＇‹›'"),
}
"""What begins a text in JSON as people type it, and all that may end one that begins so."""
_OUTSIDE = str.maketrans(
    {
        **{chr(0xFF10 + digit): str(digit) for digit in range(10)},
        **dict.fromkeys(_DASHES, "-"),
        **dict.fromkeys(_UNSEEN, ""),
        "．": ".",
        "＋": "+",
        "：": ":",
        "，": ",",
        "、": ",",
        "［": "[",
        "］": "]",
        "｛": "{",
        "｝": "}",
    }
)
_STRICT = re.compile(r'"(?:[^"\\]|\\.)*+"', re.DOTALL)
_AFTER = re.compile(r"\s*+(?:[:,\]}：，、］｝]|\Z)")
_ODD_SPACE = re.compile(r"[^\S \t\r\n]")
_BARE = re.compile(r'(\\.)|"', re.DOTALL)


def is_ambiguous(text: str) -> bool:
    """True for a number whose one comma may end its thousands or its whole part: 1,000."""
    return bool(_EITHER.fullmatch(_spelled(text)))


def number(text: str) -> str:
    """A number as it was typed → with ASCII digits, a point, and no separators, where that is certain.

    `1 234,50`, `1'234.50`, `1,234.50` and `1.234,50` are all 1234.50, and 99,5 is 99.5; `1,000` and all else
    come back as they are.
    """
    found = _spelled(text)
    if grouped := _GROUPED.fullmatch(found):
        return _joined(grouped[1], re.sub("[ ']", "", grouped[2]), grouped[4])
    if grouped := _THOUSANDS.fullmatch(found):
        sign, whole = grouped[1] or grouped[4] or "", grouped[2] or grouped[5]
        return _joined(sign, re.sub("[.,]", "", whole), grouped[3] or grouped[6])
    comma = _COMMA.fullmatch(found)
    return f"{comma[1]}.{comma[2]}" if comma and not _EITHER.fullmatch(found) else found


def _spelled(text: str) -> str:
    found = " ".join(text.translate(_PLAIN).strip(_UNSEEN).split())
    return _SIGN.sub(r"\1", found.strip(_UNSEEN))


def _joined(sign: str, whole: str, decimals: str | None) -> str:
    return f"{sign}{whole}.{decimals}" if decimals else sign + whole


def straightened(text: str) -> str:
    """JSON as a phone types it → with the quotes, signs and spaces that JSON has, outside its texts only.

    A text that begins with a curly or a single quote ends with the first of that family that something
    structural follows; what stands inside stays, and straight quotes there are escaped. A text in straight
    quotes is not touched. What cannot be read so is left for the parser to refuse. Linear.
    """
    return "".join(_parts(text))


def _parts(text: str) -> Iterator[str]:
    at = plain = 0
    while at < len(text):
        if text[at] != '"' and text[at] not in _QUOTES:
            at += 1
            continue
        strict = _STRICT.match(text, at)
        end = strict.end() if strict else _end(text, at)
        if end < 0:
            break
        yield _outside(text[plain:at])
        yield strict[0] if strict else f'"{_BARE.sub(_escaped, text[at + 1 : end - 1])}"'
        at = plain = end
    yield _outside(text[plain:at]) + text[at:]


def _escaped(found: re.Match[str]) -> str:
    return found[1] or '\\"'


def _end(text: str, start: int) -> int:
    """Where a text that begins with the quote at `start` ends; -1 where it does not."""
    at, ends = start + 1, _QUOTES.get(text[start], "")
    while at < len(text):
        if text[at] == "\\":
            at += 2
        elif text[at] in ends and _AFTER.match(text, at + 1):
            return at + 1
        else:
            at += 1
    return -1


def _outside(text: str) -> str:
    return _ODD_SPACE.sub(" ", text.translate(_OUTSIDE))
