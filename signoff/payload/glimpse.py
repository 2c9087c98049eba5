"""What tells one request from another: the first values of a payload, few and short; pure.

A list, a notification and a question have room for a line or two, and somebody decides by them which of
three refunds this is. So what a sum or a recipient is called comes first in a line. Nothing here is made
safe to show: whoever shows it does that.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from signoff.payload.canonical import canonical
from signoff.payload.reader import Reader

MOST = 8
"""Fields that are kept for lists."""
LOOKED_AT = 400
"""Fields among which those are chosen: a payload may have thousands."""
NAME = 40
"""Characters of a name."""
VALUE = 160
"""Characters of a value that are kept: of a longer one its beginning and its end."""
END = 60
"""Characters of those for the end: two addresses and two statements often differ there."""
LONG = 160
"""Characters of a field beyond which it is long: about three lines of a phone."""
ITEMS = 3
"""Entries of a list that are kept."""
DEEPEST = 32
"""Objects and lists inside each other that are looked into; below, a value is given as JSON."""

_SUMS = frozenset((
    "amount", "amounts", "sum", "total", "subtotal", "price", "cost", "fee", "fees", "value",
    "quantity", "qty", "balance", "charge", "payment", "refund", "budget", "salary", "cents", "money",
    "credit", "debit", "units", "count",
))  # fmt: skip
_RECIPIENTS = frozenset((
    "to", "cc", "bcc", "recipient", "recipients", "receiver", "payee", "beneficiary", "vendor",
    "supplier", "customer", "client", "account", "iban", "email", "emails", "mail", "phone", "user",
    "username", "member", "owner", "channel", "address", "destination", "dest", "target", "url", "host",
    "environment", "env", "workspace", "namespace", "cluster", "database", "table", "repo",
    "repository", "branch", "path", "file",
))  # fmt: skip
_NUMBER = re.compile(r"[^0-9]{0,4}-?[0-9][0-9.,' ]{0,30}[^0-9]{0,5}")
_WORDS = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+|[0-9]+")


@dataclass(frozen=True)
class Leaf:
    """One field: its value, or the first entries of a list of plain values, as text.

    `path` holds its names, and places in lists, counted from 1.
    `more` counts entries that are not in `values`. `cut` says that one of `values` goes on; `long`,
    that the field has lines or is longer than a line of a phone. `ends` holds how each of `values` ends that
    goes on, and is empty where none does. `late` says that a value is given from within, and is not kept.
    """

    path: tuple[str | int, ...]
    values: tuple[str, ...]
    more: int = 0
    cut: bool = False
    long: bool = False
    ends: tuple[str, ...] = ()
    late: bool = False


@dataclass(frozen=True)
class Glimpse:
    """The first fields of a payload, the telling ones first; `more` counts the others."""

    leaves: tuple[Leaf, ...] = ()
    more: int = 0


NOTHING = Glimpse()


def leaves(schema: dict[str, Any] | None, payload: dict[str, Any], most: int = LOOKED_AT) -> list[Leaf]:
    """The first `most` fields at any depth, those of one line first, in the schema's order."""
    found: list[Leaf] = []
    for leaf in _under(Reader(schema), schema, payload, ()):
        found.append(leaf)
        if len(found) == most:
            break
    return sorted(found, key=lambda leaf: leaf.long)


def count(value: Any) -> int:
    """How many fields a value has, as `leaves` counts them."""
    number, due = 0, [(value, 0)]
    while due:
        one, depth = due.pop()
        inner = _inner(one, depth)
        if inner is None:
            number += 1
        else:
            due += [(each, depth + 1) for each in inner]
    return number if value else 0


def glimpse(schema: dict[str, Any] | None, payload: dict[str, Any]) -> Glimpse:
    """What a list keeps of a payload."""
    found = leaves(schema, payload)
    ranked = sorted(found, key=rank)[:MOST]
    return Glimpse(tuple(ranked), max(count(payload) - len(ranked), 0))


def written(kept: Glimpse) -> str:
    """A glimpse as text for a row; `read` takes it back."""
    rows = [[leaf.path, leaf.values, leaf.more, leaf.cut, leaf.long, leaf.ends] for leaf in kept.leaves]
    return json.dumps([rows, kept.more], ensure_ascii=False, separators=(",", ":"))


def read(text: str | None) -> Glimpse:
    """What `written` gave; nothing of a row that has none."""
    if not text:
        return NOTHING
    rows, more = json.loads(text)
    return Glimpse(tuple(map(_read, rows)), more)


def _read(row: list[Any]) -> Leaf:
    """A row has no ends where an earlier version wrote it."""
    path, values, more, cut, long, *rest = row
    ends = tuple(rest[0]) if rest else ()
    return Leaf(tuple(path), tuple(values), more, cut, long, ends)


def _under(
    reader: Reader, schema: dict[str, Any] | None, value: dict[str, Any], path: tuple[str | int, ...]
) -> Iterator[Leaf]:
    for field in reader.present(schema, value):
        yield from _of(reader, field.schema, field.value, (*path, _short(field.name, NAME)))


def _of(reader: Reader, schema: dict[str, Any], value: Any, path: tuple[str | int, ...]) -> Iterator[Leaf]:
    if _inner(value, len(path)) is None:
        yield _leaf(path, value)
    elif isinstance(value, dict):
        yield from _under(reader, schema, value, path)
    else:
        for number, entry in enumerate(value, 1):
            yield from _of(reader, {}, entry, (*path, number))


def _inner(value: Any, depth: int) -> list[Any] | None:
    """What has to be looked into; None of what is a field of its own."""
    if depth >= DEEPEST or not value:
        return None
    if isinstance(value, dict):
        return list(value.values())
    if isinstance(value, list) and any(isinstance(entry, dict | list) and entry for entry in value):
        return value
    return None


def _leaf(path: tuple[str | int, ...], value: Any) -> Leaf:
    entries = value if isinstance(value, list) and value and len(path) < DEEPEST else [value]
    kept = [_text(entry) for entry in entries[:ITEMS]]
    values, ends = zip(*map(_ends, kept), strict=True)
    long = any("\n" in text for text in kept) or sum(map(len, kept)) > LONG
    goes_on = any(text != value for text, value in zip(kept, values, strict=True))
    return Leaf(path, values, len(entries) - len(kept), goes_on, long, ends if any(ends) else ())


def _ends(text: str) -> tuple[str, str]:
    """A text's first line, or its beginning; and how it ends where that is not all of it."""
    line = text.partition("\n")[0]
    head = line if len(line) <= VALUE else line[: VALUE - END]
    if head == text:
        return head, ""
    return head, text[len(head) :].rstrip().rpartition("\n")[2][-END:]


def _text(value: Any) -> str:
    """A value as text: of a text itself, else its JSON."""
    return value if isinstance(value, str) else canonical(value)


def _short(text: str, most: int) -> str:
    return text if len(text) <= most else text[:most]


def rank(leaf: Leaf) -> int:
    """0 of a sum and its currency, 1 of a recipient or a target, 2 of all else, 3 of what is long.

    A name is the agent's own: it decides what stands first in a line, and nothing more.
    """
    if leaf.long:
        return 3
    words = {word.lower() for name in leaf.path[-2:] for word in _WORDS.findall(str(name))}
    if "currency" in words or (words & _SUMS and _NUMBER.fullmatch(leaf.values[0])):
        return 0
    return 1 if words & _RECIPIENTS else 2
