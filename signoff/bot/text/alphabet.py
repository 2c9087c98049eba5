"""Which alphabet a character belongs to, and what of ASCII it looks like; pure.

The tables know Unicode's look-alikes of ASCII letters and digits, its mathematical and full-width forms, and
the punctuation that can pass for what parts an address. They do not know look-alikes among other scripts
(a Greek letter for a Cyrillic one is a mix all the same), two letters that look like one (`rn` for `m`), nor
ASCII's own (`1` for `l`), which everyday names are full of.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache

from signoff.bot.text.confusables import LOOKALIKES
from signoff.bot.text.unseen import Table

CLOSE = {
    "k": "\u043a\u03ba\u1d0b",
    "t": "\u0442\u03c4",
    "m": "\u043c",
    "n": "\u043f\u03b7",
    "w": "\u03c9",
    "x": "\u03c7\u0445",
    "h": "\u043d",
    "b": "\u0432",
    "u": "\u0438",
    "e": "\u03b5\u03f5",
    "3": "\u0437",
}
"""Near enough in the name of a host, which is read for its sake and not as a word."""
POINTS = {
    ".": "\u2024\uff0e\u3002\uff61\ufe52\u0701\u0702\ua4f8\u06d4\u00b7\u0387\u2022\u2027\u2219\u22c5"
    "\u30fb\uff65\u2e31\u2488\u2489\u248a\u248b\u248c\u248d\u248e\u248f\u2490",
    "/": "\u2100\u2101\u2105\u2106\u2044\u2215\u2571\u29f8\uff0f\u27cb\u3033\u30ce\u4e3f\u2f03",
    ":": "\u2236\u02d0\ua789\uff1a\ufe55\ufe13\u0589\u05c3\u02f8\u205a\ufe30",
    "@": "\uff20\ufe6b",
    "-": "\u2010\u2011\u2012\u2013\u2014\u2015\u2212\u2043\u02d7\ufe58\ufe63\uff0d\u30fc\u2796\u4e00",
    "!": "\u203c\u01c3",
    "?": "\u2047\u2048\u2049\uff1f\ufe56\u0294",
    "#": "\uff03\ufe5f",
    "%": "\uff05\ufe6a",
    "&": "\uff06\ufe60\ua778",
    "=": "\uff1d\ufe66\u30a0",
    "_": "\uff3f\ufe4d\u203f\u2040\u2054\ufe33\ufe34",
    "\\": "\uff3c\ufe68\u2216\u29f5\u29f9",
    "~": "\uff5e\u223c\u301c\u02dc",
}
"""What parts an address: what passes for it there."""

MIDDLE = frozenset("\u06d4\u00b7\u0387\u2022\u2027\u2219\u22c5\u30fb\uff65\u2e31")
"""Those that stand in words, units and lists too; they are points only in the name of a host."""

POINT = {other: ours for ours, others in POINTS.items() for other in others}
LOOK = {other: ours for ours, others in LOOKALIKES.items() for other in others} | {
    "\u04cf": "l",
    "\u03f2": "c",
    "\u03f9": "C",
}
"""With Greek's lunate letters, whose compatibility forms look like something else."""
NEAR = LOOK | {other: ours for ours, others in CLOSE.items() for other in others}
_SEPARATORS = frozenset("\u066b\u066c\u201a\u2e41\ua4f9\uff0c\ufe50")
"""What can pass for the comma or the point of a number."""
_WIDE = ("<wide>", "<font>")
_IPA = frozenset("ıɪɩʋʀʏɴʟʙʜɢɣɯ")
"""Small capitals and letters of sounds are everyday in what is about sounds, and in Turkish."""
_RARE = frozenset("ѕјӏԁԛԝһЅЈӀԚԜҺ")
"""Cyrillic letters of few languages, and of most forgeries."""


def ascii_of(char: str) -> str:
    """The ASCII letters or digits that a compatibility form stands for; empty for anything else."""
    if char.isascii() or not unicodedata.decomposition(char).startswith(_WIDE):
        return ""
    found = unicodedata.normalize("NFKC", char)
    return found if found.isascii() and found.isalnum() else ""


def is_form(char: str) -> bool:
    """Whether a letter or digit is another form of ASCII's: Roman numerals, circled, small capitals."""
    if char.isascii() or not (char.isalnum() or unicodedata.category(char) == "So"):
        return False
    plain = unicodedata.normalize("NFKC", char)
    return (plain.isascii() and plain.isalnum()) or "SMALL CAPITAL" in unicodedata.name(char, "")


@lru_cache(maxsize=4096)
def script(char: str) -> str:
    """The first word of a character's name, as `Latin`, `Cyrillic`, `Arabic-indic`."""
    if is_many(char):
        return "Cjk"
    return unicodedata.name(char, "").split(" ")[0].capitalize()


def is_many(char: str) -> bool:
    """Ideographs and Hangul: tens of thousands, which need not be looked up one by one."""
    return "\u3400" <= char <= "\u9fff" or "\uac00" <= char <= "\ud7a3" or "\U00020000" <= char < "\U000e0000"


def _kind(char: str) -> str:
    if is_many(char) and char not in POINT:
        return "k"
    if not char.isprintable() and not char.isspace():
        return "z"
    if char.isascii():
        return "A" if char.isalpha() else "D" if char.isdigit() else "s" if char.isspace() else _ascii(char)
    if char in POINT:
        return "p"
    if char in _SEPARATORS:
        return "n"
    if form := ascii_of(char):
        wide = unicodedata.decomposition(char).startswith("<wide>")
        return ("w" if wide else "F") if form.isalpha() else ("W" if wide else "B")
    if char.isdecimal():
        return "d"
    category = unicodedata.category(char)
    if category in ("Mn", "Mc"):
        return "m"
    if char.isspace():
        return "s"
    if category in ("Nl", "So") and is_form(char):
        return "q"
    if not char.isalpha() or category == "Lm":
        return "."
    return _letter(char)


def _ascii(char: str) -> str:
    return "a" if char in ".@/:\\" else "."


def _letter(char: str) -> str:
    named = script(char)
    like = char in LOOK
    if named in ("Latin", "Micro", "Feminine", "Masculine"):
        return "q" if like and char not in _IPA else "L"
    if named == "Cyrillic":
        return "r" if char in _RARE else "c" if like else "C"
    if named == "Greek":
        return "g" if like else "G"
    if named in ("Hebrew", "Arabic", "Syriac", "Thaana", "Nko"):
        return "R"
    if named in ("Hiragana", "Katakana", "Cjk", "Hangul", "Bopomofo", "Ideographic", "Halfwidth"):
        return "k"
    if named in ("Armenian", "Cherokee", "Coptic", "Lisu", "Deseret", "Canadian", "Glagolitic", "Old"):
        return "o" if like else "O"
    return "i"


KINDS = Table(_kind)
"""A letter for each character, for str.translate.

ASCII: `A` letter, `D` digit, `a` what parts addresses, `s` any space. Others: `p` looks like what parts
addresses, `n` like what parts numbers; `w` and `W` full-width letters and digits, `F` and `B` mathematical
ones; `d` other digits; `m` marks; `z` not seen; letters that look like ASCII's or do not: `q` and `L` Latin,
`c` (`r`: rare) and `C` Cyrillic, `g` and `G` Greek, `o` and `O` of further alphabets; `R` right to left, `k`
East Asian, `i` of any other script, `.` the rest.
"""
_SKELETON = Table(lambda char: _fold(char))
_SEEN = Table(lambda char: "" if unicodedata.category(char) in ("Cf", "Cc") else char)
_LOOKS = Table(lambda char: LOOK.get(char) or POINT.get(char) or ascii_of(char) or char)
_LOOKS_NEAR = Table(lambda char: NEAR.get(char) or POINT.get(char) or ascii_of(char) or char)


_ALIKE = str.maketrans({"1": "l", "I": "l", "|": "l", "0": "O"})


def _fold(char: str) -> str:
    found = NEAR.get(char) or POINT.get(char) or char
    if found == char and not char.isascii():
        if not unicodedata.decomposition(char):  # most of what there is
            return char
        # superscripts, ligatures, Roman numerals
        found = "".join(NEAR.get(one) or one for one in unicodedata.normalize("NFKC", char))
    return found.translate(_ALIKE)


def skeleton(text: str) -> str:
    """`text` as it looks: what looks the same has the same skeleton."""
    if not text.isascii():
        text = unicodedata.normalize("NFC", text)
        if not text.isprintable():
            text = text.translate(_SEEN)
        text = text.replace("\ufe0f", "").replace("\ufe0e", "")
    return " ".join(text.translate(_SKELETON).split())


def looks(text: str, near: bool = False) -> str:
    """`text` with every look-alike replaced by what it looks like."""
    return text.translate(_LOOKS_NEAR if near else _LOOKS)
