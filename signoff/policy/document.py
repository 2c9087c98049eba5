"""A policy's text: YAML read strictly, and where everything in it stands; pure.

Only what everybody reads alike is taken. YAML's traps are refused or defused: a key twice, anchors and
aliases (which can stand for gigabytes), tags, several documents; and only `true` and `false` are truth
values: `on`, `yes` and `NO` are texts, as are dates and `1:30`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

import yaml
from yaml.nodes import MappingNode, Node, ScalarNode, SequenceNode

MOST = 256 * 1024
"""Bytes of a policy."""
DEEPEST = 32
Path = tuple[str | int, ...]
Place = tuple[int, int]
"""Line and column, from 1."""


class Unreadable(Exception):
    """The text is no such YAML: `message` says why, `place` where."""

    def __init__(self, message: str, place: Place = (1, 1)) -> None:
        super().__init__(message)
        self.message, self.place = message, place


@dataclass(frozen=True)
class Document:
    """Values, and where each key and entry stands."""

    values: Any
    places: dict[Path, Place]

    def place(self, path: Path) -> Place:
        """Where the thing at `path` stands, or else the nearest that holds it."""
        while path and path not in self.places:
            path = path[:-1]
        return self.places.get(path, (1, 1))


class _Loader(yaml.SafeLoader):
    """Refuses aliases and what is nested too deep while it reads, so that nothing grows."""

    yaml_implicit_resolvers: dict[str | None, list[tuple[str, re.Pattern[str]]]] = {}  # noqa: RUF012
    _levels = 0

    def compose_node(self, parent: Node | None, index: Any) -> Node | None:
        event = self.peek_event()  # type: ignore[no-untyped-call]
        place = _place(event.start_mark)
        if isinstance(event, yaml.AliasEvent) or getattr(event, "anchor", None):
            raise Unreadable(
                "anchors (&) and aliases (*) are not taken: write it out, or quote the text", place
            )
        if getattr(event, "tag", None):
            raise Unreadable("tags (!) are not taken: quote the text where it is one", place)
        self._levels += 1
        if self._levels > DEEPEST:
            raise Unreadable(f"nested deeper than {DEEPEST} levels", place)
        node: Node | None = super().compose_node(parent, index)
        self._levels -= 1
        return node


for _tag, _pattern, _first in (
    ("bool", r"true|false", "tf"),
    ("int", r"[-+]?(?:0|[1-9][0-9]{0,15})", "-+0123456789"),
    ("float", r"[-+]?(?:0|[1-9][0-9]{0,15})\.[0-9]{1,20}(?:[eE][-+]?[0-9]{1,2})?", "-+0123456789"),
    ("null", r"null|~|", ["n", "~", ""]),
):
    _Loader.add_implicit_resolver(f"tag:yaml.org,2002:{_tag}", re.compile(f"^(?:{_pattern})$"), list(_first))


def read(data: bytes) -> Document:
    """A file's bytes → its values and places; raises Unreadable."""
    if len(data) > MOST:
        raise Unreadable(f"it has {len(data):,} bytes; at most {MOST:,} are taken")
    try:
        text = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        raise Unreadable("it is not UTF-8: save it as UTF-8", (line, 1)) from None
    try:
        loader = _Loader(text)
        node = loader.get_single_node()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        raise Unreadable(_mend(error), _place(mark) if mark else (1, 1)) from None
    except yaml.reader.ReaderError as error:
        line = text.count("\n", 0, error.position) + 1
        raise Unreadable("a control character stands here: take it out", (line, 1)) from None
    if node is None:
        raise Unreadable("it is empty: start with `version: 1`")
    places: dict[Path, Place] = {}
    return Document(_value(node, (), places), places)


def _value(node: Node, path: Path, places: dict[Path, Place]) -> Any:
    places.setdefault(path, _place(node.start_mark))
    if isinstance(node, MappingNode):
        return _mapping(node, path, places)
    if isinstance(node, SequenceNode):
        return [_value(entry, (*path, index), places) for index, entry in enumerate(node.value)]
    assert isinstance(node, ScalarNode)
    text: str = node.value
    kind = node.tag.rpartition(":")[2]
    if kind == "bool":
        return text == "true"
    if kind == "null":
        return None
    return int(text) if kind == "int" else float(text) if kind == "float" else text


def _mapping(node: MappingNode, path: Path, places: dict[Path, Place]) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for key, value in node.value:
        place = _place(key.start_mark)
        if not isinstance(key, ScalarNode) or not key.tag.endswith(":str"):
            raise Unreadable("a name on the left of a colon has to be a text: quote it", place)
        name: str = key.value
        if name in found:
            raise Unreadable(f"{name!r} stands twice here: keep one", place)
        places[(*path, name)] = place
        found[name] = _value(value, (*path, name), places)
    return found


def _place(mark: Any) -> Place:
    return mark.line + 1, mark.column + 1


_MENDED = (
    ("single document", "a second document (---) is not taken: one file is one policy"),
    ("\\t", "a tab stands where spaces have to: indent with spaces"),
    ("mapping values are not allowed", "no colon can stand here: quote the text, or check the line's indent"),
    ("could not find expected ':'", "a colon is missing: write `name: value`"),
    ("quoted scalar", "a text in quotes does not end: close its quotes"),
    ("parsing a block mapping", "this does not belong here: check how far the line is indented"),
    ("parsing a block collection", "this does not belong here: check how far the line is indented"),
    ("parsing a flow", "a bracket or a comma is missing before this"),
)


def _mend(error: yaml.MarkedYAMLError) -> str:
    """What to do about the parser's commonest complaints."""
    said = f"{error.context} {error.problem}"
    return next((what for part, what in _MENDED if part in said), f"it is no YAML: {error.problem}")
