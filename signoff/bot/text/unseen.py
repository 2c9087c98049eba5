"""What is not seen, and which of it its neighbours explain; pure.

A joiner inside an emoji or a Persian word, a soft hyphen inside a German one, the space that does not break
between a number and its unit: such characters do what they are there for, and are left alone. The same
characters anywhere else can mislead. Everything here is linear: a text becomes one letter a character (its
kinds), and patterns that look at a fixed number of neighbours do the rest.
"""

from __future__ import annotations

import re
import unicodedata
from bisect import bisect_right
from collections.abc import Callable
from typing import Literal


def _span(first: int, last: int) -> set[str]:
    return {chr(code) for code in range(first, last + 1)}


_UNSEEN = frozenset(
    # Unicode's Default_Ignorable_Code_Point that str.isprintable() passes …
    {"\u034f", "\u115f", "\u1160", "\u17b4", "\u17b5", "\u3164", "\uffa0"}
    | _span(0x180B, 0x180F)
    | _span(0xFE00, 0xFE0F)
    | _span(0xE0100, 0xE01EF)
    # … and characters that have a category of their own but no ink: blank Braille and hieroglyphs, joiners,
    # a null note head, the object replacement character.
    | {"\u2800", "\u2d7f", "\ufffc", "\U00016fe4", "\U0001d159", "\U0001107f"}
    | _span(0x13441, 0x13446)
)
_SINGLE = {
    " ": " ",
    "\\": "b",
    "u": "u",
    "{": "{",
    "\t": "T",
    "\r": "r",
    "\u200d": "j",  # zero width joiner
    "\u200c": "z",  # zero width non-joiner
    "\u200b": "Z",  # zero width space
    "\ufe0f": "v",  # as an emoji
    "\ufe0e": "v",  # as text
    "\u20e3": "q",  # keycap
    "\u00ad": "s",  # soft hyphen
    "\ufeff": "f",  # byte order mark
    "\u3000": "d",  # ideographic space
    "\u00a0": "N",  # no-break space
    "\u202f": "w",  # narrow no-break space, thin space, figure space
    "\u2009": "w",
    "\u2007": "w",
    "\u200f": "l",  # right-to-left mark, Arabic letter mark
    "\u061c": "l",
    "\u180e": "g",  # parts a last vowel from its word in Mongolian
    **dict.fromkeys("0123456789#*", "x"),
    **dict.fromkeys("«»!?;:%€$£¥°‰", "P"),
    **dict.fromkeys("“„”\"'’‘‚([-–—…¿¡,)]", "o"),
}
_EMOJI = (
    (0x2190, 0x21FF),
    (0x2300, 0x23FF),
    (0x24C2, 0x24C2),
    (0x25A0, 0x27BF),
    (0x2934, 0x2935),
    (0x2B00, 0x2BFF),
    (0x1F000, 0x1FAFF),
)
_EMOJI_SIGNS = frozenset("©®‼⁉™ℹ〰〽㊗㊙")
_ARABIC = ((0x0600, 0x08FF), (0xFB50, 0xFDFF), (0xFE70, 0xFEFC))
_INDIC = ((0x0900, 0x0DFF), (0x1800, 0x18AF))
"""With Mongolian. In these words joiners are spelling, as they are in Arabic letters."""
_UNSPACED = ((0x0E00, 0x0FFF), (0x1000, 0x109F), (0x1780, 0x17FF), (0xA980, 0xA9DF))
"""Thai, Lao, Tibetan, Myanmar, Khmer, Javanese: no space stands between words, but one without width may."""
_HEBREW = ((0x0590, 0x05FF), (0xFB1D, 0xFB4F))
_EAST_ASIAN = ((0x2E80, 0x2FFF), (0x3001, 0x31FF), (0x3200, 0x9FFF), (0xAC00, 0xD7A3), (0xF900, 0xFAFF))
_MORE_EAST_ASIAN = ((0xFE30, 0xFE4F), (0xFF01, 0xFFEE), (0x20000, 0x3FFFD))

MARK = "mM"
_SEEN = r".cbu{xPoeaiyRkL" + MARK
"""Kinds of what is seen, for a set in a pattern; marks are seen with the letter before them."""
HIDDEN = "hjzZvVqsfdNwlrg"
"""Kinds of what is not."""


_LETTERS = sorted(
    (first, last, letter)
    for letter, spans in (
        ("e", _EMOJI),
        ("a", _ARABIC),
        ("i", _INDIC),
        ("y", _UNSPACED),
        ("R", _HEBREW),
        ("k", (*_EAST_ASIAN, *_MORE_EAST_ASIAN)),
    )
    for first, last in spans
)
_FIRST = [first for first, _, _ in _LETTERS]


def _letter(code: int) -> str:
    """The kind of the span that a character is in; empty where it is in none."""
    at = bisect_right(_FIRST, code) - 1
    return _LETTERS[at][2] if at >= 0 and code <= _LETTERS[at][1] else ""


def nature(char: str) -> Literal["shown", "mark", "hidden"]:
    """What a character needs. str.isprintable() is False for categories C and Z but the ASCII space."""
    if not char.isprintable() or char in _UNSEEN:
        return "hidden"
    category = unicodedata.category(char)
    if category == "Me" or unicodedata.combining(char) == 1:  # enclosing, or struck through: overlays digits
        return "hidden"
    return "mark" if category == "Mn" else "shown"


def _kind(char: str) -> str:
    code = ord(char)
    if 0x3400 <= code <= 0x9FFF or 0xAC00 <= code <= 0xD7A3:  # most of what there is
        return "k"
    if 0x20000 <= code <= 0x3FFFD and char.isprintable():  # and most of the rest
        return "k"
    need = nature(char)
    if char in _SINGLE:
        return _SINGLE[char]
    if need == "hidden":
        if 0xFE00 <= code <= 0xFE0D or 0xE0100 <= code <= 0xE01EF:
            return "V"
        return "h"
    letter = _letter(code)
    if need == "mark":
        return "M" if letter in ("a", "i", "y") else "m"
    if char in _EMOJI_SIGNS:
        return "e"
    if letter == "a":
        return "a" if char.isalpha() else "x" if char.isdigit() else "."
    return letter or ("L" if char.isalpha() else ".")


MOST_KEPT = 16_384
"""Characters that a table keeps: there are a million."""


class Table(dict[int, str]):
    """What becomes of each character, by its code; for str.translate, which looks up what it is given.

    What was looked up is kept, within bounds: there are a million characters.
    """

    def __init__(self, of: Callable[[str], str]) -> None:
        super().__init__()
        self._of = of

    def __missing__(self, code: int) -> str:
        if len(self) >= MOST_KEPT:
            self.clear()
        found = self[code] = self._of(chr(code))
        return found


def _kinds(keep: str) -> Table:
    kept = {"\n": "n", "\t": "t"}
    return Table(lambda char: kept[char] if char in keep else _kind(char))


_KINDS = {keep: _kinds(keep) for keep in ("", "\n", "\n\t")}

# Each takes away one kind of what is explained. All look at a fixed number of neighbours.
_EXPLAINED = re.compile(
    "|".join(
        (
            r"(?<=e)v",  # ❤ as an emoji
            r"(?<=x)v(?=q)|(?<=xv)q",  # keycaps
            r"(?<=[ev])j(?=e)",  # families, professions
            r"(?<=k)V",  # a variant of an ideograph
            rf"(?<=[{_SEEN}])z(?=[aR])|(?<=a )z(?=a)",  # Persian, also after a Latin word, or a stray space
            r"(?<=i)g(?=i)",
            rf"(?<=[aiM])[zj](?=[aiyM])|(?<=[aiM])j(?=[{_SEEN} ])",  # conjuncts; an Arabic letter by itself
            r"(?<=[yM])Z(?=y)|(?<=[yM])[zj](?=[yM])",  # between words of Khmer or Thai
            rf"(?<=[{_SEEN}])N(?=[{_SEEN}])|(?<=ev)N(?=[{_SEEN}])",
            rf"(?<=[xP])w(?=[{_SEEN}])|(?<=[{_SEEN}])w(?=[xP])|(?<=[iM])w(?=[iM])",  # 120 000, « so »
            r"(?:\A[Lu]|(?<=[^Lu][Lu]))\.w(?=[Lu]\.)",  # z. B., d. h.
            r"(?<=[Ra])l|l(?=[Ra])|(?<=[RaM][.Po])l(?=[ n]|\Z)",  # beside what goes that way already
            rf"(?<=k)d(?=[{_SEEN}n]|\Z)|(?<=[{_SEEN}])d(?=k)",
            r"r(?=n)",  # of a line's end
            r"(?:\A|(?<=n))d{1,2}(?=k)",  # indents a paragraph
        )
    )
)
_AFTER_NUMBER = re.compile(r"(?<=[xP])l(?=[ n]|\Z)|(?<=[xP][.Po])l(?=[ n]|\Z)")
"""A mark behind a number at the end of words that are read from the right: it keeps the number's place."""
_SOFT = re.compile(
    rf"(?:\A|(?<=[ onNtT]))[Lu][Lu{MARK}]++(?:s[Lu][Lu{MARK}]++)++(?=[.oPx]{{0,3}}(?:[ nNtT]|\Z))"
)
_FLAGS = re.compile(
    "\U0001f3f4\U000e0067\U000e0062(?:\U000e0065\U000e006e\U000e0067|\U000e0073\U000e0063\U000e0074|"
    "\U000e0077\U000e006c\U000e0073)\U000e007f"
)
_ANY = re.compile(f"[{HIDDEN}]")
_LONE_WORD = 10
"""Letters from which a word with soft hyphens is taken for prose even where it stands alone."""


def kinds_of(text: str, keep: str = "", explain: bool = True) -> str:
    """Each character's kind, as a letter; what its neighbours `explain` counts as seen.

    `n` and `t` are kept line ends and tabs, `c` a CR before such an end, `T` other tabs, `b`, `u` and `{`
    what an escape begins with, `m` and `M` marks; see `_SEEN` and `HIDDEN`.
    """
    if not explain:
        return text.translate(_KINDS[keep])
    if "\U000e007f" in text:  # the flags of England, Scotland and Wales
        text = _FLAGS.sub("\U0001f3f4......", text)
    kinds = text.translate(_KINDS[keep])
    if not _ANY.search(kinds):
        return kinds
    kinds = _EXPLAINED.sub(lambda found: "c" if found[0] == "r" else "." * len(found[0]), kinds)
    if "l" in kinds and ("a" in kinds or "R" in kinds):
        kinds = _AFTER_NUMBER.sub(".", kinds)
    if "s" in kinds:
        running = " " in kinds or "n" in kinds or "\u00a0" in text
        kinds = _SOFT.sub(lambda found: _soft(found, text, running), kinds)
    if kinds.startswith("f") and any(mark in text[1:].strip() for mark in " \n\u00a0,;"):
        kinds = "." + kinds[1:]
    return kinds


def _soft(found: re.Match[str], text: str, running: bool) -> str:
    """A word with soft hyphens: explained in running text, and where it is long and is no identifier."""
    word = text[found.start() : found.end()].replace("\u00ad", "")
    prose = running or (len(word) >= _LONE_WORD and (word[0].isupper() or not word.isascii()))
    return "." * len(found[0]) if prose else found[0]
