"""What in a text can be read as something that it is not; pure.

Three rules keep everyday text free of warnings. A word is suspect where it mixes alphabets that words do not
mix. A word of one other alphabet is suspect only in an address, or where nothing else in the request is
written in that alphabet. Digits of another script are suspect only where no letter of it stands near.
All of it is linear: patterns over the text's kinds find the few places that are looked at one by one.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Literal

from signoff.bot.text.alphabet import KINDS, LOOK, is_form, looks, script
from signoff.bot.text.hosts import authorities, is_host, plain_of

Deception = Literal["mixed", "whole", "digits", "forms", "point", "sign", "coded", "direction", "many"]
MOST = 4_000
"""Different words of one text that are looked at one by one; one with more of them is suspect as a whole."""
MOST_TOLD = 50
"""Suspects of one text that are told; it has been found out by then."""

_WORD = "AqLcrCgGoOwWFBDm"
_SWITCH = (
    r"[AqL]m*+[cgrCGoO]|[crC]m*+[AqLgGoO]|[gG]m*+[AqLcrCoO]|[oO]m*+[AqLcrCgG]"
    r"|[AD][wF]|[wF][AD]|D[cgro]|[cgro]D"
)
_MIXED = re.compile(rf"(?<![{_WORD}])(?=[{_WORD}]*?(?:{_SWITCH}))[{_WORD}]++")
_NUMBER = re.compile(r"(?<![DdWB.an])(?=[DdWB.an]*?[dWB])[DdWB.an]++")
_PARTED = re.compile(r"(?<![D.an])(?=[D.an]*?DnD)[D.an]++")
_RUPEES = {
    "Devanagari",
    "Bengali",
    "Gujarati",
    "Gurmukhi",
    "Oriya",
    "Tamil",
    "Telugu",
    "Kannada",
    "Malayalam",
}
"""Whose digits stand beside the sign of the rupee."""
_FORMS = re.compile(r"F[FB]++|w[wW]++")
_ALONE = "AqLcrCgGoODRikm"
_LONE = re.compile(rf"(?<![{_ALONE}])(?:[cr][crm]*+|g[gm]*+|o[om]*+)(?![{_ALONE}])")
# A word between spaces, or beside East Asian ones, that is not ASCII and has something inside that parts it.
_ADDRESS = re.compile(
    r"(?<![^sk])(?=[ADa.]*+[^ADa.sk])"
    r"(?=[^sk]*?(?:[ADqLcrCgGoOwWFBdmRi][ap]++[ADqLcrCgGoOwWFBdRai]|[ADap]p|p[ADap]))[^sk]++"
)
_AUTHORITY = re.compile(r"(?:[A-Za-z][A-Za-z0-9+.-]*://)?([^/?#\\]++)")
_TWO_WAYS = re.compile(r"R[Rm]*+[.aDnp]*[ap][.aDnp]*[RD]|D[.anp]*[ap][.anp]*R")
_OWN = {"c": "C", "r": "C", "g": "G", "o": "O"}
"""Letters that look like ASCII's, and those of the same alphabet that do not."""
_STRIP = "()[]{}<>«»“”„\"'’‘‚,;!?…。、，；！？「」『』（）【】《》*`"
_NAMED_IN_GREEK = re.compile(r"[A-Z][A-Za-z]?[A-Z][A-Z0-9]{0,6}[αβγδεζηθκλμπρστφχψω][A-Z0-9]{0,3}")
"""`PPARγ`, `FcεRI`: an acronym, and the Greek letter of its kind."""
_ACRONYM = re.compile(r"[A-Z]{2,}[\u0430-\u044f\u0451\u0456\u0457\u0454]{1,5}")


@dataclass(frozen=True)
class Suspect:
    """A word or an address that can be read as another; `what` names the characters, in our words."""

    kind: Deception
    word: str
    chars: str = ""
    """The characters that deceive, each once."""
    at: tuple[int, ...] = ()
    """Where they stand in the word, counted from 1."""
    reads: str = ""
    """What it can be read as."""
    host: bool = False


@dataclass(frozen=True)
class Scripts:
    """What is written around a text: kinds of letters (see alphabet.KINDS), and their scripts' names."""

    kinds: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()


def scripts_of(text: str) -> Scripts:
    """The kinds and scripts of a text's letters."""
    if text.isascii():
        return Scripts()
    once = set(text)
    names = {script(char) for char in once if not char.isascii() and char.isalpha()}
    return Scripts(frozenset("".join(once).translate(KINDS)), frozenset(names))


def suspects(text: str, around: Scripts, here: Scripts | None = None) -> Iterator[Suspect]:
    """Every word and address of `text` that can mislead; of an ASCII text none.

    `around` is what the whole request is written in, `here` what this text and its name are.
    """
    if text.isascii():
        return
    kinds = text.translate(KINDS)
    found = _Text(text, kinds, around, here or scripts_of(text))
    yield from found.suspects()


class _Text:
    def __init__(self, text: str, kinds: str, around: Scripts, here: Scripts) -> None:
        self._text, self._kinds, self._around, self._here = text, kinds, around, here

    def suspects(self) -> Iterator[Suspect]:
        there = set(self._kinds)
        judges = (
            (_ADDRESS, self._address, bool(there & set("ap"))),
            (_MIXED, self._mixed, bool(there & set("cgroCGOwF"))),
            (_FORMS, self._forms, bool(there & set("Fw"))),
            (_NUMBER, self._number, bool(there & set("dWB"))),
            (_PARTED, self._parted, "n" in there),
            (_LONE, self._lone, "r" in there or any(not there & set(own) for own in ("C", "G", "O"))),
        )
        left, told = MOST, list[tuple[int, int]]()
        for pattern, judge, possible in judges:
            if not possible:
                continue
            seen = set[str]()
            for place in pattern.finditer(self._kinds):
                start, end = self._bare(*place.span())
                word = self._text[start:end]
                if word in seen or any(first <= start and end <= last for first, last in told[:MOST_TOLD]):
                    continue
                seen.add(word)
                left -= 1
                if left < 0:
                    yield Suspect("many", "")
                    return
                suspect = judge(word, self._kinds[start:end])
                if suspect is not None:
                    told.append((start, end))
                    yield suspect
                    if len(told) >= MOST_TOLD:
                        return

    def _bare(self, start: int, end: int) -> tuple[int, int]:
        """A word's place without the punctuation around it."""
        word = self._text[start:end]
        left, right = len(word) - len(word.lstrip(_STRIP)), len(word) - len(word.rstrip(_STRIP + ".:"))
        return (start + left, end - right) if left + right < len(word) else (start, end)

    def _address(self, word: str, kinds: str) -> Suspect | None:
        """A host, an address of mail, a URL, a path: what parts it, and its labels."""
        if word.isascii():
            return None
        plain = plain_of(word)
        named = is_host(plain)
        is_path = plain.count("/") + plain.count("\\") > 1 or plain.startswith(("/", "~/", "./", "../"))
        points = [at for at, kind in enumerate(kinds) if kind == "p" and self._parts(word, plain, kinds, at)]
        if points and (named or is_path):
            return self._found("point", word, points, plain, named)
        if not named:
            return None
        hosts = authorities(plain)
        odd = [at for at, kind in enumerate(kinds) if kind in "wFWB" or is_form(word[at])]
        if [at for at in odd if kinds[at] != "." or hosts[at]]:  # m² is everyday in a path
            return self._found("forms", word, odd, plain, True)
        odd = [at for at, kind in enumerate(kinds) if kind == "d" and not self._is_beside(word, at, hosts)]
        if odd and "A" in kinds:
            return self._found("digits", word, odd, plain, True)
        bare = kinds[kinds.find("aaa") + 3 :] if "://" in plain else kinds
        if "A" in bare and _TWO_WAYS.search(bare):
            return Suspect("direction", word, host=True)
        for label in re.finditer(r"[^.@/:\\?#=&_+-]+", word):
            part = kinds[label.start() : label.end()]
            inside = bool(hosts[label.start()])
            if "A" not in bare or not (set(part) & set("qcrgoi") or (inside and set(label[0]) & LOOK.keys())):
                continue
            if not inside and not set(part) & set("ALq") and self._is_written(part):
                continue
            read = looks(label[0], near=True)
            if read.isascii() and "m" not in part and read != label[0]:
                odd = [at for at in range(label.start(), label.end()) if not word[at].isascii()]
                return self._found("whole" if "A" not in part else "mixed", word, odd, plain, True)
        return None

    def _is_beside(self, word: str, at: int, hosts: bytearray) -> bool:
        """Whether a digit stands beside the host's name, in a request of its script."""
        return not hosts[at] and self._is_explained(_digits(word[at]))

    def _is_written(self, part: str) -> bool:
        """Whether the request holds words that only this part's alphabet can write."""
        own = {_OWN[kind] for kind in part if kind in _OWN}
        return own <= (self._here if "r" in part else self._around).kinds

    @staticmethod
    def _parts(word: str, plain: str, kinds: str, at: int) -> bool:
        """Whether a look-alike of punctuation stands as in an address: letters or digits at both sides."""
        both = kinds[at - 1 : at] + kinds[at + 1 : at + 2]
        if word[at] == plain[at]:  # a dot of the middle that parts no host
            return False
        if word[at] == "\u2044" and set(both) <= {"D"}:  # a fraction
            return False
        return len(both) == 2 and not set(both) & set("ski") and bool(set(both) & set("ADaqLcrCgGoOwF"))

    def _mixed(self, word: str, kinds: str) -> Suspect | None:
        """A word of two alphabets, unless it is a unit, a formula, or an acronym with an ending."""
        there = set(kinds) - {"m"}
        if there <= set("DcrCgGoO"):
            return self._beside_digits(word, kinds) if "D" in there else self._by_minority(word, kinds)
        if there <= set("AqLgGD") and (self._is_formula(word, kinds) or _NAMED_IN_GREEK.fullmatch(word)):
            return None
        if _ACRONYM.fullmatch(word) and not looks(word).isascii():
            return None
        if there <= set("AqLwWD") and "k" in self._here.kinds:
            return None
        return self._by_minority(word, kinds)

    @staticmethod
    def _is_formula(word: str, kinds: str) -> bool:
        """Latin and Greek as formulas and units have them, `10kΩ` and `5μm`: no letter passes for a digit."""
        bare = kinds.strip("D")
        greek = (char for char, kind in zip(word, kinds, strict=True) if kind in "gG")
        passes = any(looks(char) in "OoIl013" for char in greek)
        return "D" not in bare and ("G" in bare or len(bare) < 3) and not (bare != kinds and passes)

    def _by_minority(self, word: str, kinds: str) -> Suspect:
        """What is odd about a word of two alphabets: the letters of the one that it has fewer of."""
        groups: dict[str, list[int]] = {}
        for at, kind in enumerate(kinds):
            if kind not in "mDWB":
                group = next(names for names in ("AqL", "crC", "gG", "oO", "wF") if kind in names)
                groups.setdefault(group, []).append(at)
        ordered = sorted(groups, key=lambda name: (len(groups[name]), name == "AqL"))
        odd = groups[ordered[0]] if len(ordered) > 1 else []
        return self._found("mixed", word, odd or list(range(len(word))), looks(word), False)

    def _beside_digits(self, word: str, kinds: str) -> Suspect | None:
        """Digits and letters of one other alphabet: `12б` is a house, `1О0` is not a hundred."""
        letters = [at for at, kind in enumerate(kinds) if kind not in "Dm"]
        if len({kinds[at] in "crC" for at in letters}) > 1:
            return self._by_minority(word, kinds)
        own = {"c": "C", "r": "C", "C": "C", "g": "G", "G": "G"}.get(kinds[letters[0]], "O")
        within = [at for at in letters if kinds[at - 1 : at] == "D" and kinds[at + 1 : at + 2] == "D"]
        passes = [at for at in within if looks(word[at]) in "OoIl0136"]
        if own not in self._around.kinds and all(kinds[at] in "cgro" for at in letters):
            passes = letters
        return self._found("mixed", word, passes, looks(word), False) if passes else None

    def _forms(self, word: str, kinds: str) -> Suspect | None:
        """Mathematical letters; full-width ones where nothing East Asian is written."""
        if "F" not in kinds:
            if "k" in self._here.kinds | self._around.kinds:
                return None
            return self._found("forms", word, list(range(len(word))), looks(word), False)
        return self._found("forms", word, [at for at, k in enumerate(kinds) if k in "FB"], looks(word), False)

    def _number(self, word: str, kinds: str) -> Suspect | None:
        """Digits of another script: by themselves, or of more than one kind in one number."""
        odd = [at for at, kind in enumerate(kinds) if kind in "dWB"]
        names = {_digits(word[at]) for at in odd} | ({"ASCII"} if "D" in kinds else set())
        explained = len(names) == 1 and all(self._is_explained(name) for name in names)
        return None if explained or not odd else self._found("digits", word, odd, looks(word), False)

    def _is_explained(self, name: str) -> bool:
        if name == "Fullwidth":
            return "k" in self._here.kinds or ("k" in self._around.kinds and self._is_wide)
        if "₹" in self._text and name in _RUPEES:
            return True
        return name.split("-")[0] in self._around.names or (
            name.startswith("Extended") and "Arabic" in self._around.names
        )

    @cached_property
    def _is_wide(self) -> bool:
        """Whether all letters and digits of a text are full-width: so an East Asian keyboard writes."""
        return not any(char.isascii() and char.isalnum() for char in self._text)

    def _parted(self, word: str, kinds: str) -> Suspect | None:
        """Plain digits with a separator of another script between them."""
        odd = [at for at in range(1, len(word) - 1) if kinds[at - 1 : at + 2] == "DnD"]
        arabic = "Arabic" in self._around.names
        odd = [at for at in odd if not (arabic if word[at] in "\u066b\u066c" else "k" in self._around.kinds)]
        return self._found("sign", word, odd, word, False) if odd else None

    def _lone(self, word: str, kinds: str) -> Suspect | None:
        """A word that is wholly made of another alphabet's look-alikes."""
        own = _OWN[next(kind for kind in kinds if kind != "m")]
        if own in (self._here if "r" in kinds else self._around).kinds or "m" in kinds:
            return None
        if len(word) == 1 and own == "G" and word.islower():
            return None  # α = 0.05
        if len(word) == 1 and own == "C" and ("№" in self._text or f"°{word}" in self._text):
            return None  # № 12/34-А, 25 °С
        return self._found("whole", word, list(range(len(word))), looks(word), False)

    @staticmethod
    def _found(kind: Deception, word: str, at: list[int], reads: str, host: bool) -> Suspect:
        chars = "".join(dict.fromkeys(word[place] for place in at))
        if (
            host
            and kind != "point"
            and (name := _AUTHORITY.match(word))
            and name.start(1) <= at[0]
            and at[-1] < name.end(1)
        ):
            word, reads = name[1], reads[name.start(1) : name.end(1)] if len(reads) == len(word) else reads
            at = [place - name.start(1) for place in at]
        return Suspect(kind, word, chars, tuple(place + 1 for place in at), reads, host)


def _digits(char: str) -> str:
    """What a digit's kind is called, as `Fullwidth`, `Mathematical`, `Arabic-indic`, `Devanagari`."""
    return unicodedata.name(char).split(" DIGIT ")[0].split(" ")[0].capitalize()
