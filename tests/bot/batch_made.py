"""Batches and reviews by hand, and payloads read back from what is shown of them."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any

from signoff.bot.gallery.approval import BEGAN, SECOND, made_up
from signoff.bot.text.text import actual
from signoff.bot.together.review import Looked
from signoff.models.approval import Approval
from signoff.models.batches import Batch, Review
from signoff.sandbox.remote import nodes

JSON = dict[str, Any]
NOW = BEGAN + 60 * SECOND
_ISOLATES = re.compile("[\u2068\u2069]")


def asked(payload: JSON, **fields: Any) -> Approval:
    """One request of a batch."""
    return made_up(payload, **{"action": "branch.delete", "agent": "ops-bot", **fields})


def batch_of(items: Sequence[Approval], apart: Sequence[Approval] = (), **fields: Any) -> Batch:
    """A frozen batch of these."""
    known: JSON = {
        "id": 7, "agent": "ops-bot", "name": "0" * 32, "title": "Clean up 40 branches", "run": None,
        "size": len(items) + len(apart), "state": "frozen", "created_at": BEGAN, "frozen_at": BEGAN,
        "wanted": "C0APPROVALS", "conversation": "C0APPROVALS", "message": "1.2", "permalink": None,
        "revision": 1, "shown_revision": 0, "shown_at": None,
    }  # fmt: skip
    return Batch(**(known | fields), items=tuple(items), apart=tuple(apart))


def looked_at(items: Sequence[Approval], review_id: str = "r" * 32, **fields: Any) -> Looked:
    """A review of these, in this order."""
    pairs = tuple((one.id, one.version) for one in items)
    return Looked(
        Review(review_id, 7, "U0ANA", pairs, 0), tuple(items), tuple(range(1, len(items) + 1)), **fields
    )


def read_back(blocks: Sequence[JSON], count: int) -> list[JSON]:
    """The payloads, by number, of which blocks show the parts: what is bold is a name, then comes its value.

    Of payloads without a schema and without bytes, whose names hold nothing but letters and digits.
    """
    shared: JSON = {}
    own: dict[int, JSON] = {number: {} for number in range(1, count + 1)}
    for block in blocks:
        block_id = str(block.get("block_id", ""))
        if block["type"] == "table":
            head, *lines = [[cell["text"] for cell in line] for line in block["rows"]]
            for number, *cells in lines:
                for name, text in zip(head[1:], cells, strict=True):
                    if text != "—":
                        _put(own[int(number)], name.split(" › "), _short(text))
        elif block["type"] == "rich_text" and block_id.startswith(("same", "outliers", "items", "page")):
            _read_rich(block["elements"], shared, own)
    return [_merged(shared, own[number]) for number in sorted(own)]


def _read_rich(parts: Sequence[JSON], shared: JSON, own: dict[int, JSON]) -> None:
    path: list[str] = []
    for part in parts:
        if part["type"] == "rich_text_preformatted":
            text = _plain("".join(span["text"] for span in part["elements"]))
            _place(path, shared, own, _long(text))
            continue
        for line in _lines(part["elements"]):
            path = _read_line(line, shared, own)


def _lines(spans: Sequence[JSON]) -> list[list[JSON]]:
    """A section's spans by lines: none of a value has a line's end."""
    found: list[list[JSON]] = [[]]
    for span in spans:
        first, *more = span.get("text", "").split("\n")
        found[-1].append(span | {"text": first})
        for text in more:
            found.append([span | {"text": text}])
    return found


def _read_line(spans: Sequence[JSON], shared: JSON, own: dict[int, JSON]) -> list[str]:
    """`name  value`, or `3  name value · name value`: the path, where the value is in a box below."""
    names: list[str] = []
    pairs: list[tuple[list[str], str]] = []
    for span in spans:
        if span["type"] != "text":
            continue
        style = span.get("style", {})
        text = _ISOLATES.sub("", span["text"])
        if style.get("bold"):
            names = [*names, text] if not pairs or pairs[-1][1] == "›" else [text]
            pairs = [*pairs[:-1], (names, "")] if pairs and pairs[-1][1] == "›" else [*pairs, (names, "")]
        elif not style.get("italic") and pairs:
            joins = text == " › "
            pairs[-1] = (pairs[-1][0], "›" if joins else pairs[-1][1] + text)
    if not pairs:
        return []
    first, value = pairs[0]
    if first[0].isdigit():
        number = int(first[0])
        for path, text in pairs[1:]:
            _put(own[number], [name for part in path for name in part.split(" › ")], _short(_cell(text)))
        return first
    if value.strip():
        _put(shared, first, _line(value.removeprefix("  ")))
    return first


def _cell(text: str) -> str:
    return text.removeprefix(" ").removesuffix(" · ")


def _place(path: Sequence[str], shared: JSON, own: dict[int, JSON], value: Any) -> None:
    if path and path[0].isdigit():
        _put(own[int(path[0])], path[1:], value)
    elif path:
        _put(shared, path, value)


def _put(into: JSON, path: Sequence[str], value: Any) -> None:
    for name in path[:-1]:
        into = into.setdefault(name, {})
    into[path[-1]] = value


def _merged(one: JSON, other: JSON) -> JSON:
    found = json.loads(json.dumps(one))
    for name, value in other.items():
        both = isinstance(value, dict) and value and isinstance(found.get(name), dict)
        found[name] = _merged(found[name], value) if both else value
    return found


def _plain(text: str) -> str:
    return _ISOLATES.sub("", text)


def _short(text: str) -> Any:
    """What `told` has made: a text in quotes or as one word, or JSON with such texts in a list."""
    text = _plain(text)
    if text.startswith("“"):
        return actual(text[1:-1])
    if text.startswith("["):
        found = []
        rest = text[1:-1]
        while rest:
            if rest.startswith("“"):
                end = rest.index("”") + 1
            else:
                end = rest.find(", ") if ", " in rest else len(rest)
            found.append(_short(rest[:end]))
            rest = rest[end:].removeprefix(", ")
        return found
    try:
        return json.loads(text)
    except ValueError:
        return text


def _line(text: str) -> Any:
    """What stands on a line of its own."""
    if text.startswith("["):
        return _short(text)
    text = _plain(text)
    if text.startswith('"'):
        return json.loads(actual(text), strict=False)
    try:
        return json.loads(text)
    except ValueError:
        return actual(text)


def _long(text: str) -> Any:
    """A box: a text in lines, or JSON."""
    if text[:1] in "[{":
        try:
            return json.loads(actual(text), strict=False)
        except ValueError:
            pass
    return actual(text)


def shows(blocks: Sequence[JSON], action_id: str) -> JSON | None:
    """The first button of this name."""
    return next((node for node in nodes(list(blocks)) if node.get("action_id") == action_id), None)
