"""Whether two payloads are nearly the same, so that what was said of one may matter for the other; pure."""

from __future__ import annotations

from typing import Any

from signoff.payload.canonical import canonical

MOST_DIFFERING = 3
SHORT = 80
"""Characters of a value that can be said in a line: what differs has to be."""
MOST_BYTES = 16_000
"""Of a payload that is compared: what is longer is alike only where it is the same."""
_NONE = object()


def is_like(one: dict[str, Any], other: dict[str, Any]) -> bool:
    """Whether only a few of their fields differ, all of them short, and about as many are the same.

    The same payload is like itself. Two of one field each are not alike: nothing of them is the same.
    """
    mine, theirs = _leaves(one), _leaves(other)
    differing = [
        path for path in mine.keys() | theirs.keys() if mine.get(path, _NONE) != theirs.get(path, _NONE)
    ]
    same = len(mine.keys() | theirs.keys()) - len(differing)
    if len(differing) > MOST_DIFFERING or (differing and not 1 <= len(differing) <= same + 1) or not same:
        return not mine and not theirs
    return all(_is_short(found.get(path, "")) for path in differing for found in (mine, theirs))


def _is_short(text: str) -> bool:
    return len(text) <= SHORT and "\n" not in text


def _leaves(payload: dict[str, Any]) -> dict[tuple[str | int, ...], str]:
    """Each field's value as text, by where it stands; that of a text begins with a quote."""
    found: dict[tuple[str | int, ...], str] = {}
    due: list[tuple[tuple[str | int, ...], Any]] = [((), payload)]
    while due:
        path, value = due.pop()
        if isinstance(value, dict) and value:
            due += [((*path, name), inner) for name, inner in value.items()]
        elif isinstance(value, list) and value:
            due += [((*path, at), inner) for at, inner in enumerate(value)]
        elif path:
            found[path] = f'"{value}' if isinstance(value, str) else canonical(value)
    return found
