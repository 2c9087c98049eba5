"""What can mislead, said in one line each: the word, where it stands, and what about it is odd."""

from __future__ import annotations

import unicodedata
from collections.abc import Sequence

from signoff.bot.text.alphabet import script
from signoff.bot.text.destinations import Destination
from signoff.bot.text.lookalikes import Suspect
from signoff.bot.text.quotes import code, quoted
from signoff.bot.text.text import cut, exact, visible
from signoff.bot.text.unseen import nature
from signoff.bot.text.words import summaries

WORD = 60
"""Characters of a word or a name that a caution repeats."""
PLACES = {
    "title": "what the agent calls it",
    "reason": "the agent's reason",
    "requested_by": "for whom the agent says it asks",
    "interpretation": "what the agent says it took its task to mean",
    "impact": "what the agent says it touches",
    "undo": "how the agent says to undo it",
    "alternatives": "what the agent would do instead",
    "context": "the agent's context",
    "question": "the question",
    "default": "what the agent takes by itself",
    **{f"{name} {at}": f"{name} {at}" for name in ("answer", "source", "attempt") for at in range(1, 11)},
}
"""Claims, and the parts of a question: all of them are counted from 1."""
UNREAD = "Only the first 100,000 characters were looked through for letters that pass for others."
_WAYS = {
    "user": "what stands before the @ is only the name of a user",
    "backslash": "a backslash ends the name of the host",
    "coded": "a part of its name is coded",
    "number": "the host is written as a number",
}
_UNREADABLE = "its name is coded, and what it reads cannot be told"
_ORDINALS = {1: "first", 2: "second", 3: "third"}


class Claimed(str):
    """The name of a claim, as a place: told from a payload's field of the same name."""

    __slots__ = ()


def and_more(count: int) -> str:
    """After those that are told one by one."""
    return f"… and {summaries.count(count, 'more like this', 'more like these')}."


def where(path: Sequence[str]) -> str:
    """A place, as `in url` or `in to › mail`."""
    claims = [name for name in path if isinstance(name, Claimed)]
    if claims:
        return f"in {PLACES[claims[0]]}"
    return f"in {' › '.join(_name(name) for name in path[-3:])}" if path else "in the payload"


def suspect(found: Suspect, path: Sequence[str], is_name: bool) -> str:
    """A word that can be read as another."""
    place = where(path)
    if found.kind == "many":
        return f"Too many unusual words {place} to look at each: letters in them may pass for others."
    name = "the name " if is_name else ""
    return f"{name}{code(visible(_around(found)))} {place}: {_odd(found)}."


def leads(found: Destination, path: Sequence[str], is_name: bool) -> str:
    """An address that leads to another host than it reads as."""
    name = "the name " if is_name else ""
    host = quoted(cut(visible(found.host), WORD)).replace("`", "\\u{60}")
    return (
        f"{name}{code(cut(visible(found.url), WORD))} {where(path)}: it goes to {host}; {_WAYS[found.way]}."
    )


def twins(one: str, other: str, path: Sequence[str]) -> str:
    """Two names in one object that look the same."""
    place = where(path) if path else "in the payload"
    return f"Two names {place} look alike: {code(_exact(one))} and {code(_exact(other))}."


def hidden(char: str, path: Sequence[str], is_name: bool) -> str:
    """A character that is not seen, and how it is shown."""
    shown = f"\\u{{{ord(char):x}}}"
    named = unicodedata.name(char, "").lower()
    known = f" ({named})" if named else ""
    place = f"a name {where(path)}" if is_name else where(path).removeprefix("in ")
    if nature(char) == "mark":
        return f"{_capital(place)} holds marks piled on a letter, or without one: shown as {shown}."
    what = "a character that changes direction" if _turns(char) else "a character that cannot be seen"
    return f"{_capital(place)} holds {what}{known}: shown as {shown}."


def _odd(found: Suspect) -> str:
    scripts = list(dict.fromkeys(map(_script, found.chars)))
    named = " and ".join(scripts[:3])
    match found.kind:
        case "mixed":
            if set(scripts) == {"Latin"} and not found.chars.isascii():
                named = " and ".join(f"“{char}” ({_sign(char)})" for char in found.chars[:3])
            return f"{_letters(found.at)} {named}"
        case "whole":
            return f"it is written in {named} letters, and reads {_reading(found)}"
        case "digits" if found.reads.isascii():
            return f"its digits are not all plain ones, but {named}; it reads {_reading(found)}"
        case "digits":
            return f"its digits are {named}"
        case "forms":
            return f"some of its letters or digits are {named}, not plain ones"
        case "point":
            signs = ", ".join(f"“{char}” ({_sign(char)})" for char in found.chars[:3])
            return f"{signs} only looks like a part of an address"
        case "sign":
            signs = ", ".join(f"“{char}” ({_sign(char)})" for char in found.chars[:3])
            return f"{signs} is not a plain comma or point"
        case "coded":
            return f"its name is coded, and reads {_reading(found)}" if found.reads else _UNREADABLE
        case "direction":
            return "parts of it are read from right to left, so what comes first is not what it seems"
        case "many":
            return ""


def _reading(found: Suspect) -> str:
    return quoted(cut(visible(found.reads), WORD)).replace("`", "\\u{60}")


def _letters(at: Sequence[int]) -> str:
    if len(at) == 1:
        return f"its {_ORDINALS.get(at[0]) or f'{at[0]}th'} letter is"
    listed = ", ".join(map(str, at[:4]))
    return f"its letters {listed} are" if len(at) <= 4 else f"{len(at)} of its letters are"


def _script(char: str) -> str:
    named = script(char).split("-")[0]
    return {"Fullwidth": "full-width", "Mathematical": "mathematical", "Arabic": "Arabic"}.get(named, named)


def _sign(char: str) -> str:
    return f"U+{ord(char):04X}, {unicodedata.name(char, 'unnamed').lower()}"


def _turns(char: str) -> bool:
    return char in "\u061c\u200e\u200f\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069"


def _around(found: Suspect) -> str:
    """The word; of a long one the part that holds what is odd."""
    start = max(min(found.at, default=1) - WORD // 2, 0) if len(found.word) > WORD else 0
    shown = found.word[start : start + WORD]
    return f"{'…' if start else ''}{shown}{'…' if start + WORD < len(found.word) else ''}"


def _name(name: str) -> str:
    shown = cut(visible(name), WORD)
    return shown if shown.isidentifier() else quoted(shown)


def _exact(name: str) -> str:
    """A name with everything that is not ASCII as its escape."""
    return cut(exact(name[: WORD + 1]), 2 * WORD)


def _capital(text: str) -> str:
    return text[:1].upper() + text[1:] if text.startswith(("a name", "the ", "what ", "how ")) else text
