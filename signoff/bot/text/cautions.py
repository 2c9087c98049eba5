"""What a person is warned of before deciding: what in a request can mislead, and where it stands; pure.

A caution is about a word that can be read as another, a character that is not seen, or two names in one
object that look the same. The worst come first: whoever wants to bury one under many does not.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from functools import lru_cache
from itertools import chain, islice
from typing import Any

from signoff.bot.text.alphabet import skeleton
from signoff.bot.text.destinations import destinations
from signoff.bot.text.hosts import coded_hosts
from signoff.bot.text.lookalikes import MOST_TOLD, Scripts, Suspect, scripts_of, suspects
from signoff.bot.text.text import hidden
from signoff.bot.text.words import cautions as words
from signoff.models.messages import ApprovalRequest

READ = 100_000
"""Characters, of texts that are not ASCII, that are looked through; of more it is said that they are not."""
SHOWN = 5
"""Cautions that are told one by one; the others are counted."""
FOUND = 2_000
"""Cautions after which nobody needs more."""
HIDDEN = 200
"""Of those about what is not seen, all of which are as bad: the first ones, what will run before claims."""
LEAST = 20
"""Characters that a text counts for at least where texts are looked through: each takes time by itself."""
_TEXTS = ("title", "reason", "interpretation", "requested_by", "impact", "undo")
"""What an agent says in words of its own, beside its alternatives."""
SHORT_NAME = 3
"""Characters of an ASCII name from which `item1` and `iteml` are two names that look the same."""

Place = tuple["Place", str] | None
"""Where something stands: what it is in, and its name there; None for the payload."""


@dataclass(frozen=True)
class Caution:
    """One thing that can mislead, in our words, and how bad: 0 is the worst."""

    text: str
    rank: int


@dataclass(frozen=True)
class _Text:
    place: Place
    text: str
    is_name: bool


def caution_lines(request: ApprovalRequest, payload: dict[str, Any]) -> str:
    """The lines above the buttons; empty where nothing misleads."""
    found = cautions(request, payload)
    lines = [caution.text for caution in found[:SHOWN]]
    if len(found) > SHOWN:
        lines.append(words.and_more(len(found) - SHOWN))
    return "\n".join(lines)


def cautions(request: ApprovalRequest, payload: dict[str, Any]) -> list[Caution]:
    """Every caution about a payload and about what its agent says, the worst first, each once."""
    texts, twins = _payload(payload)
    texts += _claims(request)
    found: dict[str, Caution] = {}
    odd, unread = _read([one for one in texts if not one.text.isascii() or "xn--" in one.text.lower()])
    around = scripts_of("".join(set().union(*(one.text for one in odd))))
    for caution in chain(twins, _leading(texts), _misread(odd, around), islice(_hidden(texts), HIDDEN)):
        found.setdefault(caution.text, caution)
        if len(found) >= FOUND:
            break
    if unread:
        found[words.UNREAD] = Caution(words.UNREAD, 2)
    return sorted(found.values(), key=lambda caution: caution.rank)


def _payload(payload: dict[str, Any]) -> tuple[list[_Text], list[Caution]]:
    """Every name and text of a payload, as it is read, and the names that look alike."""
    texts: list[_Text] = []
    twins: list[Caution] = []
    left: list[tuple[Place, Any]] = [(None, payload)]
    while left:
        place, value = left.pop()
        if isinstance(value, str):
            texts.append(_Text(place, value, False))
        elif isinstance(value, list):
            left += [(place, item) for item in reversed(value) if isinstance(item, str | list | dict)]
        elif isinstance(value, dict):
            twins += _twins(place, value)
            texts += [_Text(place, name, True) for name in value]
            left += [((place, name), item) for name, item in reversed(value.items())]
    return texts, twins


def _twins(place: Place, names: dict[str, Any]) -> Iterator[Caution]:
    if len(names) < 2:
        return
    seen: dict[str, str] = {}
    for name in names:
        look = skeleton(name)
        other = seen.setdefault(look, name)
        short = other.isascii() and name.isascii() and len(look) < SHORT_NAME
        if other != name and not (short and other.strip() != name.strip()):
            yield Caution(words.twins(other, name, _path(place)), 0)


def _claims(request: ApprovalRequest) -> list[_Text]:
    """What the agent says, each at a place of its own."""
    said = [(name, getattr(request, name)) for name in _TEXTS]
    said += [("alternatives", text) for text in request.alternatives]
    found = [_Text((None, words.Claimed(name)), text, False) for name, text in said if text]
    context, _ = _payload(request.context)
    return found + [_Text((one.place, words.Claimed("context")), one.text, False) for one in context]


def _read(texts: list[_Text]) -> tuple[list[_Text], bool]:
    """The texts that are looked through, the short ones (fields) first; and whether there is more."""
    found, left = list[_Text](), READ
    for one in sorted(texts, key=lambda one: len(one.text)):
        if left <= 0:
            return found, True
        found.append(one if len(one.text) <= left else replace(one, text=one.text[:left]))
        left -= max(len(one.text), LEAST)
    return found, left < 0


def _hidden(texts: list[_Text]) -> Iterator[Caution]:
    seen = set[tuple[Place, str, bool]]()
    for one in texts:
        char = hidden(one.text)
        about = (one.place, char or "", one.is_name)
        if char is not None and about not in seen:
            seen.add(about)
            yield Caution(words.hidden(char, _path(one.place), one.is_name), 1 + _later(one))


def _leading(texts: list[_Text]) -> Iterator[Caution]:
    """Addresses that lead to another host than they read as."""
    for one in texts:
        for found in destinations(one.text):
            yield Caution(words.leads(found, _path(one.place), one.is_name), _later(one))


def _misread(texts: list[_Text], around: Scripts) -> Iterator[Caution]:
    for one in texts:
        name = "" if one.is_name or one.place is None else one.place[1]
        for suspect in _suspects(one.text, around, name):
            where = _path(one.place)
            yield Caution(words.suspect(suspect, where, one.is_name), _rank(suspect) + _later(one))


@lru_cache(maxsize=256)
def _suspects(text: str, around: Scripts, name: str) -> tuple[Suspect, ...]:
    here, beside = scripts_of(text), scripts_of(name)
    coded = (
        Suspect("coded", host, reads=read, host=True) for host, read in islice(coded_hosts(text), MOST_TOLD)
    )
    seen = suspects(text, around, Scripts(here.kinds | beside.kinds, here.names | beside.names))
    return (*coded, *seen)


def _rank(suspect: Suspect) -> int:
    if suspect.host or suspect.kind == "many":
        return 0
    return {"digits": 0, "sign": 0, "point": 1, "mixed": 2, "forms": 3, "whole": 3, "direction": 2}[
        suspect.kind
    ]


def _later(one: _Text) -> int:
    """What the agent says comes after what will run."""
    return 4 if one.place is not None and isinstance(one.place[1], words.Claimed) else 0


def _path(place: Place) -> list[str]:
    """The names that lead to a place, the outermost first."""
    names: list[str] = []
    while place is not None:
        place, name = place
        names.append(name)
    return names[::-1]
