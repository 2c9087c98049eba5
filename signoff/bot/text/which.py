"""Which request it is, in a line or a few: its first values, each in quotes that it cannot close; pure."""

from __future__ import annotations

import re
import unicodedata
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any

from signoff.bot.text.octets import beginning
from signoff.bot.text.quotes import isolated_sentence, quoted, value_of
from signoff.bot.text.row import name_text
from signoff.bot.text.text import Trusted, cut, hides, length, sentence, visible
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import which as which_words
from signoff.models.approval import Approval
from signoff.models.lists import Listed
from signoff.models.questions import ACTION
from signoff.models.telling import told_of
from signoff.payload import glimpse
from signoff.payload.glimpse import Glimpse, Leaf

LINE = 120
"""Characters of the values in a line: a phone shows about 60 of a notification, and two or three lines."""
VALUE = 40
"""Characters of one value where not all of them fit."""
SHORTEST = 16
"""Characters of the first value, where even it does not fit."""
BEFORE = 12
"""Characters that are shown before the first difference of two values that would read the same."""
_ROUNDS = 4
"""Times that requests which still read the same are told apart: by another field, then by a later place."""
_SHORT_FILE = 80
"""Characters of a text from which it may be a file that is kept whole."""
_ESCAPE = re.compile(r"\\u\{[0-9a-f]{1,6}\}")

ASKED = "question "
"""The name of the one field that a question is known by: its quotes say enough."""
_TELLING = 3
"""First values of which a headline has to name one, or they stand after it."""


@dataclass(frozen=True)
class Which:
    """What a request is known by: the policy's headline (visible, or empty) or action, and first values."""

    action: str
    headline: str
    glimpse: Glimpse

    @classmethod
    def of(cls, approval: Approval) -> Which:
        """Of a request whose payload is at hand."""
        kept = glimpse.glimpse(approval.request.json_schema, told_of(approval))
        return cls(approval.action, visible(approval.verdict.headline or ""), kept)

    @classmethod
    def listed(cls, one: Listed) -> Which:
        """Of a line of a list."""
        return cls(one.action, visible(one.headline), one.glimpse)


def title(which: Which, room: int = LINE, first: frozenset[tuple[str | int, ...]] = frozenset()) -> str:
    """A request in one visible line, for plain text: its headline, or `refund.create: amount “120”`.

    A headline that names none of the first values is followed by them. Fields `first` (by their paths) stand
    before others, after a headline too.
    """
    shown = _values(which, room, first)
    if not which.headline:
        return which_words.with_values(which.action, shown)
    headline = isolated_sentence(which.headline)
    return which_words.with_values(headline, shown) if first or not _names_one(which) else headline


def trusted_title(which: Which, room: int = LINE) -> Trusted:
    """The same for mrkdwn: no character of it works as markup."""
    if not which.headline:
        name = card_words.action_name(which.action)
        return Trusted(which_words.with_values(name, sentence(_values(which, room))))
    return Trusted(sentence(title(which, room)))


def titles(found: Sequence[Which], room: int = LINE) -> list[str]:
    """`title` of each; where two of them read the same, what differs between them stands first in both."""
    shown = [title(which, room) for which in found]
    for round_ in range(_ROUNDS):
        alike: defaultdict[str, list[int]] = defaultdict(list)
        for at, text in enumerate(shown):
            alike[text].append(at)
        for group in alike.values():
            first = _differing([found[at].glimpse for at in group])
            if first:
                seen = (
                    _from_differences([found[at] for at in group]) if round_ else [found[at] for at in group]
                )
                for at, which in zip(group, seen, strict=True):
                    shown[at] = title(which, room, first)
    return shown


def _values(which: Which, room: int, first: frozenset[tuple[str | int, ...]] = frozenset()) -> str:
    if which.action == ACTION:
        asked = [leaf for leaf in which.glimpse.leaves if leaf.path == ("question",)]
        return values(asked, room + len(ASKED), 0).removeprefix(ASKED)
    leaves = sorted(which.glimpse.leaves, key=lambda leaf: leaf.path not in first)
    return values(leaves, room, which.glimpse.more)


def _names_one(which: Which) -> bool:
    """Whether a headline names one of the first values."""
    told = [value for leaf in which.glimpse.leaves[:_TELLING] for value in leaf.values[:1] if value]
    return not told or any(
        re.search(rf"(?<!\w){re.escape(visible(value))}(?!\w)", which.headline) for value in told
    )


def _differing(glimpses: Sequence[Glimpse]) -> frozenset[tuple[str | int, ...]]:
    """Paths of the fields whose values are not the same in all of them."""
    held: defaultdict[tuple[str | int, ...], set[tuple[str, ...]]] = defaultdict(set)
    for one in glimpses:
        for leaf in one.leaves:
            held[leaf.path].add((*leaf.values, *_ends(leaf)))
    counts = [sum(leaf.path == path for one in glimpses for leaf in one.leaves) for path in held]
    return frozenset(
        path
        for (path, values_), count in zip(held.items(), counts, strict=True)
        if len(values_) > 1 or count < len(glimpses)
    )


def _from_differences(group: Sequence[Which]) -> list[Which]:
    """The same, each with its values from a little before where those of the group begin to differ."""
    held: defaultdict[tuple[str | int, ...], list[Leaf]] = defaultdict(list)
    for which in group:
        for leaf in which.glimpse.leaves:
            held[leaf.path].append(leaf)
    return [
        replace(
            which,
            glimpse=replace(
                which.glimpse,
                leaves=tuple(_from_difference(leaf, held[leaf.path]) for leaf in which.glimpse.leaves),
            ),
        )
        for which in group
    ]


def _from_difference(leaf: Leaf, group: Sequence[Leaf]) -> Leaf:
    """`leaf` from where it begins to differ from others of its name; as it is where that is its beginning."""
    for at, (value, end) in enumerate(zip(leaf.values, _ends(leaf), strict=True)):
        others = [(one.values[at], _ends(one)[at]) for one in group if at < len(one.values)]
        for text, others_, after in (
            (value, [other for other, _ in others], end),
            (end, [other for _, other in others], ""),
        ):
            if len(set(others_)) < 2:
                continue
            start = max(_alike(others_) - BEFORE, 0)
            if not (start or at or text is not value):
                return leaf
            return replace(leaf, values=(text[start:],), ends=(after,), late=True)
    return leaf


def _alike(texts: Sequence[str]) -> int:
    """Characters that all of them begin with."""
    least, most = min(texts), max(texts)
    return next(
        (at for at, pair in enumerate(zip(least, most, strict=False)) if len(set(pair)) > 1), len(least)
    )


def _ends(leaf: Leaf) -> tuple[str, ...]:
    return leaf.ends or ("",) * len(leaf.values)


def value_line(leaf: Leaf, most: int = glimpse.VALUE) -> str:
    """`amount “120”`: a field with its value; what is left out is marked outside the quotes.

    Of a value beyond `most` characters its beginning and its end are shown: `url “https://gi” … “/1842”`.
    """
    name = " › ".join(str(name) if isinstance(name, int) else value_of(name_text(name)) for name in leaf.path)
    last = leaf.values[-1]
    if (leaf.cut or len(last) > _SHORT_FILE) and not leaf.late and (kind := beginning(last)):
        return which_words.file_in(name, kind)
    told = [_told(leaf, value, end, most) for value, end in zip(leaf.values, _ends(leaf), strict=True)]
    values = ("… " if leaf.late else "") + ", ".join(text for text, _ in told)
    goes_on = any(more for _, more in told) or (leaf.cut and not leaf.ends)
    return which_words.and_more_entries(f"{name} {values}" + (" …" if goes_on else ""), leaf.more)


def _told(leaf: Leaf, value: str, end: str, most: int) -> tuple[str, bool]:
    """A value in quotes, within `most` characters; and whether it goes on after that."""
    text = visible(value)
    within = bool(end) and (leaf.late or len(value) == glimpse.VALUE - glimpse.END)  # its line goes on
    if length(text) <= most and not within:
        return quoted(text), bool(end)
    if most <= SHORTEST:
        return quoted(cut(text, most, "")), True
    head = cut(text, most * 3 // 5, "")
    tail = _tail(visible(end or value), most - length(head))
    return (f"{quoted(head)} … {quoted(tail)}", False) if tail else (quoted(head), True)


def _tail(text: str, most: int) -> str:
    """The end of a visible text, in at most `most`: from no mark, and from the middle of no escape."""
    start = max(len(text) - most, 0)
    for found in _ESCAPE.finditer(text, max(start - 10, 0)):
        if found.start() < start < found.end():
            start = found.end()
    while start < len(text) and (length(text[start:]) > most or (start and _leans(text[start:]))):
        start += 1
    return text[start:]


def _leans(text: str) -> bool:
    """Whether a text's first character needs one before it."""
    return unicodedata.category(text[0]) in ("Mn", "Mc", "Me") or hides(text) or text[0] == " "


def _fitted(leaf: Leaf, room: int) -> str:
    """A field with as much of its values as there is room for."""
    most = glimpse.VALUE
    while length(line := value_line(leaf, most)) > room and most > SHORTEST:
        most = max(most - max((length(line) - room) // len(leaf.values), 1), SHORTEST)
    return line


def _widened(shown: list[str], leaves: Sequence[Leaf], left: int) -> list[str]:
    """The same fields with more of their values, the first ones first, where room is left."""
    for at, leaf in enumerate(leaves):
        wider = _fitted(leaf, length(shown[at]) + left) if left > 0 else shown[at]
        if length(shown[at]) < length(wider) <= length(shown[at]) + left:
            left -= length(wider) - length(shown[at])
            shown[at] = wider
    return shown


LEAST = 5
"""Characters of the shortest line of a field, its end included."""
MOST_TRIED = 100
"""Fields that are tried and do not fit: to write each of thousands out takes longer than all else."""


def value_lines(schema: dict[str, Any] | None, payload: dict[str, Any], room: int) -> str:
    """A payload's fields one a line, in the schema's order, within `room` characters as Slack counts them.

    Where not all fit, sums and recipients are kept before others, and the last line counts what is left out.
    """
    found = glimpse.leaves(schema, payload)
    count = glimpse.count(payload)
    if count == len(found) and count * LEAST <= room:
        for most in (glimpse.VALUE, VALUE):
            shown = "\n".join(value_line(leaf, most) for leaf in found)
            if length(shown) <= room:
                return shown
    room -= length(which_words.and_more_fields(count)) + 1
    kept: dict[int, str] = {}
    tried = MOST_TRIED
    for at in sorted(range(len(found)), key=lambda at: glimpse.rank(found[at])):
        if room < LEAST or not tried:
            break
        line = value_line(found[at], VALUE)
        if (takes := length(line) + 1) <= room:
            kept[at] = line
            room -= takes
        else:
            tried -= 1
    order = sorted(kept)
    lines = _widened([kept[at] for at in order], [found[at] for at in order], room)
    return "\n".join([*lines, which_words.and_more_fields(count - len(lines))])


def values(leaves: Sequence[Leaf], room: int = LINE, more: int = 0) -> str:
    """The first fields in one line: `amount “120”, customer “cus_42”`, and … where there are `more`."""
    shown: list[str] = []
    for leaf in leaves:
        text = value_line(leaf, VALUE)
        takes = length(text) + 2
        if takes > room and shown:
            break
        shown.append(text if takes <= room else _fitted(leaf, room - 2))
        room -= length(shown[-1]) + 2
    shown = _widened(shown, leaves[: len(shown)], room)
    goes_on = more or len(shown) < len(leaves)
    return ", ".join(shown) + (", …" if goes_on and shown else "")
