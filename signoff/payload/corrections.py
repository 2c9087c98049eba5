"""What a model is told of a call that runs: who changed what of it, and their note; pure.

Only the standard library is loaded here: a hook starts once for every call of a tool.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

MOST_CHANGES: Final = 10
"""Changed fields that a model is told one by one."""
LONGEST_VALUE: Final = 300
"""Characters of a value that a model is told; it reads the rest in what it has sent, or in the result."""
LONGEST_NAME: Final = 200
SOMEBODY: Final = "A person"


def told(sent: Mapping[str, Any], payload: Mapping[str, Any], who: str = "", note: str = "") -> str:
    """A sentence or two for the model whose call was approved; empty where nothing was changed or noted.

    `sent` is what was asked, `payload` what was approved, `who` the approver's name.
    """
    person, note = one_line(who) or SOMEBODY, note.strip()
    parts = []
    if changes := list(_changes(sent, payload, "")):
        more = len(changes) - MOST_CHANGES
        listed = "; ".join(changes[:MOST_CHANGES]) + (f"; and {more} more were changed" if more > 0 else "")
        parts.append(f"{person} approved this call with changes: {listed}.")
        parts.append("Only the changed call counts: go by it, and do not repeat the original.")
    if note:
        parts.append(f"{person} says about it: {note}")
    return " ".join(parts)


def one_line(name: str) -> str:
    """Somebody's or something's name as it stands in a sentence of ours: it cannot begin one of its own."""
    shown = "".join(mark if mark.isprintable() else " " for mark in name[: 10 * LONGEST_NAME])
    text = " ".join(shown.split())
    return text if len(text) <= LONGEST_NAME else f"{text[: LONGEST_NAME - 1]}…"


def _changes(sent: Any, payload: Any, path: str) -> Iterator[str]:
    if isinstance(sent, Mapping) and isinstance(payload, Mapping):
        for name in [*sent, *(name for name in payload if name not in sent)]:
            place = f"{path}.{name}" if path else str(name)
            if name not in payload:
                yield f"{one_line(place)} was removed"
            elif name not in sent:
                yield f"{one_line(place)} was added: {_shown(payload[name])}"
            else:
                yield from _changes(sent[name], payload[name], place)
    elif not _same(sent, payload):
        yield f"{one_line(path)} was {_shown(sent)} and is now {_shown(payload)}"


def _same(one: Any, other: Any) -> bool:
    """Whether two JSON values are one: 1.0 is 1, and true is not."""
    if isinstance(one, Mapping) and isinstance(other, Mapping):
        return one.keys() == other.keys() and all(_same(one[name], other[name]) for name in one)
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(_same, one, other))
    return isinstance(one, bool) == isinstance(other, bool) and bool(one == other)


def _shown(value: object) -> str:
    text = json.dumps(value, ensure_ascii=False)
    return text if len(text) <= LONGEST_VALUE else f"{text[:LONGEST_VALUE]}…"
