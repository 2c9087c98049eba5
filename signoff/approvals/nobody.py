"""Takes people out of a text: names that the log knows, their ids, mentions, e-mail addresses; pure.

A name counts in the letters that it has, so that *Will Mark* is gone and `this will fail: mark it` stays;
after an `@` in any letters. What no row knows, such as a customer's name, stays.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable
from typing import Final

SOMEBODY: Final = "somebody"
_MENTION = re.compile(r"<[@!#][^<>\s]{1,80}(?: [^<>]{0,80})?>")
"""How Slack writes people and groups in a text."""
_ADDRESS = re.compile(
    r"(?<![^\s<>()\[\]{}|,;:\"'\u201c\u201d/=])[^\s<>()\[\]{}|,;:\"'\u201c\u201d/=@]{1,80}"
    r"@(?:[^\W_](?:[\w-]{0,62}[^\W_])?\.){1,8}[^\W\d_]{2,24}(?![\w-])"
)
_WORD = re.compile(r"\w+")
_ASIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|[|/\u2013\u2014].*|\s-\s.*")
"""What stands in a name and is none: (Finance), | Ops."""
_SPLIT = re.compile(r"[\s,]+")
_TITLES = frozenset(
    ("mr", "mrs", "ms", "miss", "dr", "prof", "sir", "herr", "frau", "jr", "sr", "phd", "the", "team", "bot")
)
_ORDINARY = frozenset(
    (
        "will", "mark", "may", "art", "bill", "rob", "grant", "hope", "rich", "case", "page", "miles",
        "chase", "drew", "max", "min", "sum", "sue", "pat", "jack", "joy", "faith", "grace", "dawn",
        "april", "june", "rose", "lily", "olive", "ray", "bob", "dick", "don", "frank", "gene", "guy",
        "jay", "lane", "lee", "long", "nick", "norm", "price", "short", "skip", "ward", "web", "admin",
        "user", "test", "info", "ops", "finance", "support", "sales", "wade", "sky", "iris", "penny",
        "star", "major", "king", "young", "brown",
    )
)  # fmt: skip
"""Handles in small letters that are words of everyday texts: they count with a capital, or after `@`."""
_RUN_TOGETHER = re.compile("[\u0e00-\u0eff\u1000-\u109f\u1780-\u17ff\u3040-\u30ff\u3400-\u9fff\uac00-\ud7a3]")
"""Scripts that put no space between words, or endings behind names."""
_SAME = re.compile(rf"{SOMEBODY}(?: {SOMEBODY})+\b")


class Names:
    """Names and ids of people who are known."""

    def __init__(self, names: Iterable[str], ids: Iterable[str]) -> None:
        self._forms: dict[str, set[str]] = {}
        self._called: dict[str, set[str]] = {}
        together: set[str] = set()
        for one in {_nfc(name) for name in names}:
            for part in _parts(one):
                if _RUN_TOGETHER.search(part):
                    together.add(part)
                else:
                    self._add(part)
        for one in ids:
            self._note(self._forms, one, one)
        longest = sorted(together, key=lambda one: (-len(one), one))
        self._together = re.compile("@?(?:" + "|".join(map(re.escape, longest)) + ")") if longest else None

    def without(self, said: str) -> str:
        """The text with `somebody` for each of them."""
        found = _ADDRESS.sub(SOMEBODY, _MENTION.sub(SOMEBODY, _nfc(said)))
        if self._together:
            found = self._together.sub(SOMEBODY, found)
        return _SAME.sub(SOMEBODY, self._spelled(found))

    def _spelled(self, text: str) -> str:
        """Without the names that stand as words."""
        kept, at = list[str](), 0
        for word in _WORD.finditer(text):
            start = word.start()
            if start < at:
                continue
            called = text[start - 1 : start] == "@" and start > at
            length = self._length(text, start, word[0].casefold(), called)
            if length:
                kept += [text[at : start - called], SOMEBODY]
                at = start + length
        return "".join([*kept, text[at:]])

    def _length(self, text: str, start: int, word: str, called: bool) -> int:
        """Characters of the longest name that stands here whole; 0 where none does."""
        forms = self._forms.get(word, ())
        found = [len(one) for one in forms if text.startswith(one, start) and _ends(text, start + len(one))]
        for one in self._called.get(word, ()) if called else ():
            end = start + len(one)
            if text[start:end].casefold() == one.casefold() and _ends(text, end):
                found.append(len(one))
        return max(found, default=0)

    def _add(self, part: str) -> None:
        """One name in the ways that it may be written in: its own, and of a handle with a capital, too."""
        self._note(self._called, part, part)
        if part[0].upper() != part[0]:
            self._note(self._forms, part, part[0].upper() + part[1:])
            if len(part) < 3 or part.casefold() in _ORDINARY:
                return
        self._note(self._forms, part, part)

    @staticmethod
    def _note(by_word: dict[str, set[str]], name: str, form: str) -> None:
        word = _WORD.search(name)
        if word and word.start() == 0:
            by_word.setdefault(word[0].casefold(), set()).add(form)


def _nfc(text: str) -> str:
    return text if text.isascii() else unicodedata.normalize("NFC", text)


def _ends(text: str, at: int) -> bool:
    """Whether no word goes on there; a genitive's `s` behind an apostrophe is another word."""
    return at >= len(text) or not (text[at].isalnum() or text[at] == "_")


def _parts(name: str) -> set[str]:
    """A name whole, without what stands beside it, and its words: without titles, initials, and the small
    words inside of it as `de`.
    """
    bare = " ".join(_ASIDE.sub(" ", name).split()).strip(" .,@")
    found = {
        one
        for one in (" ".join(name.split()).strip("@"), bare)
        if len(one) > 1 and one.lower() not in _TITLES
    }
    words = [word.strip(".,'\"\u201c\u201d@") for word in _SPLIT.split(bare)]
    small = bare == bare.lower()
    for word in words if len(words) > 1 else ():
        shown = word[:1].isupper() or word.lower() == word.upper() or (small and len(word) > 2)
        if len(word) > 1 and shown and word.lower() not in _TITLES:
            found.add(word)
    return found
