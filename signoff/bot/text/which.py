"""Which request it is, in a line or a few: its first values, each in quotes that it cannot close; pure."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from signoff.bot.text.octets import beginning
from signoff.bot.text.quotes import isolated_sentence, quoted, value_of
from signoff.bot.text.row import name_text
from signoff.bot.text.text import Trusted, cut, length, sentence, visible
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import which as which_words
from signoff.models.approval import Approval
from signoff.models.lists import Listed
from signoff.payload import glimpse
from signoff.payload.glimpse import Glimpse, Leaf

LINE = 120
"""Characters of the values in a line: a phone shows about 60 of a notification, and two or three lines."""
VALUE = 40
"""Characters of one value where not all of them fit."""
SHORTEST = 16
"""Characters of the first value, where even it does not fit."""


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
        kept = glimpse.glimpse(approval.request.json_schema, approval.payload)
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
    alike: defaultdict[str, list[int]] = defaultdict(list)
    for at, text in enumerate(shown):
        alike[text].append(at)
    for group in alike.values():
        first = _differing([found[at].glimpse for at in group])
        for at in group if first else ():
            shown[at] = title(found[at], room, first)
    return shown


def _values(which: Which, room: int, first: frozenset[tuple[str | int, ...]] = frozenset()) -> str:
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
            held[leaf.path].add(leaf.values)
    counts = [sum(leaf.path == path for one in glimpses for leaf in one.leaves) for path in held]
    return frozenset(
        path
        for (path, values_), count in zip(held.items(), counts, strict=True)
        if len(values_) > 1 or count < len(glimpses)
    )


def value_line(leaf: Leaf, most: int = glimpse.VALUE) -> str:
    """`amount “120”`: a field with its value; what goes on is marked outside the quotes."""
    name = " › ".join(str(name) if isinstance(name, int) else value_of(name_text(name)) for name in leaf.path)
    if leaf.cut and (kind := beginning(leaf.values[-1])):
        return which_words.file_in(name, kind)
    shown = [cut(visible(value), most, "") for value in leaf.values]
    goes_on = leaf.cut or leaf.long or any(map(_differs, shown, leaf.values))
    values = ", ".join(map(quoted, shown)) + (" …" if goes_on else "")
    return which_words.and_more_entries(f"{name} {values}", leaf.more)


def _differs(shown: str, value: str) -> bool:
    return shown != visible(value)


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
    lines = [kept[at] for at in sorted(kept)]
    return "\n".join([*lines, which_words.and_more_fields(count - len(lines))])


def values(leaves: Sequence[Leaf], room: int = LINE, more: int = 0) -> str:
    """The first fields in one line: `amount “120”, customer “cus_42”`, and … where there are `more`."""
    shown: list[str] = []
    for leaf in leaves:
        text = value_line(leaf, VALUE)
        takes = length(text) + 2
        if takes > room and shown:
            break
        shown.append(text if takes <= room else value_line(leaf, SHORTEST))
        room -= takes
    goes_on = more or len(shown) < len(leaves)
    return ", ".join(shown) + (", …" if goes_on and shown else "")
