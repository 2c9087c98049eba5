"""What can be used of a schema, whatever it is: a request is asked with that, and nobody is refused; pure.

Schemas come from tool servers. What is wrong with one is nothing that the agent's author could mend, so it
stops no request: it is left out, and said. What is left out can only make the rest take more, never less.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from signoff.errors import Invalid
from signoff.payload.canonical import canonical, count
from signoff.payload.dialect import Dialect
from signoff.payload.excerpt import excerpt
from signoff.payload.gaps import LEFT_OUT, Gap, Why
from signoff.payload.links import link, loosen
from signoff.payload.patterns import check_patterns
from signoff.payload.rules import Schema
from signoff.payload.schema import DRAFTS, MAX_SCHEMA, Ready, TooCostly, compiles, ready, refuse

_SAYS_NOTHING = {"$schema", "$defs", "definitions", "$comment", "title", "description", "examples"}
_MOST_MARKS = 10


@dataclass(frozen=True)
class Usable:
    """A schema to check by, None where nothing is left of one; and what was left out."""

    schema: Schema | None
    gaps: tuple[Gap, ...] = ()
    ready: Ready | None = None

    def check(self, payload: Any) -> None:
        """Raise Invalid, naming the first places, where a payload contradicts the schema; and TooCostly."""
        if self.ready is not None:
            refuse(self.ready.problems(payload))

    def marked(self) -> Schema:
        """The schema with a mark for each keyword that is not in it: what a client sends in its place."""
        if self.schema is None:
            return {"$ref": f"{LEFT_OUT}schema"}
        words = list(dict.fromkeys(gap.keyword for gap in self.gaps))[:_MOST_MARKS]
        marks = [{"$ref": LEFT_OUT + word} for word in words]
        return {**self.schema, "allOf": [*self.schema.get("allOf", ()), *marks]} if marks else self.schema


def usable(given: Any, room: int | None = None) -> Usable:
    """What can be used of `given`, in 2020-12; never raises. It holds at most `room` values.

    The very schema comes back where nothing was to be done.
    """
    if not isinstance(given, dict):
        return _nothing("wrong")
    found = Dialect(given)
    link(found)
    if "object" not in _kinds(found.root):
        return _nothing("wrong", "type")

    def fits(schema: Schema) -> bool:
        text = canonical(schema, "schema")
        return len(text.encode()) <= MAX_SCHEMA and (room is None or count(text, room) <= room)

    try:
        loosen(found)
        small, is_less = excerpt(found.root, fits)
        if small is None:
            return _nothing("large")
        if small is not found.root:
            again = Dialect(small)
            link(again)
            again.gaps = [*found.gaps, *([Gap("*", "", "large")] if is_less else ()), *again.gaps]
            found = again
        return _ready(given, found)
    except TooCostly:
        return _nothing("costly")
    except Invalid:
        return _nothing("wrong")


def _ready(given: Schema, found: Dialect) -> Usable:
    try:
        schema = _as_given(given, found)
        made = ready(schema)
    except TooCostly:
        raise
    except Invalid:
        _leave_patterns(found)
        loosen(found)
        schema, made = found.root, ready(found.root)
    gaps = tuple(dict.fromkeys(found.gaps))
    if gaps and not (schema.keys() - _SAYS_NOTHING - {"type"}):
        return Usable(None, gaps)
    return Usable(schema, gaps, made)


def _as_given(given: Schema, found: Dialect) -> Schema:
    """The schema that was given, where reading it changed nothing."""
    if found.gaps:
        return found.root
    bare = {word: value for word, value in given.items() if word != "$schema"}
    known = str(given.get("$schema", DRAFTS[0])).removesuffix("#") in DRAFTS
    return given if known and bare == found.root else found.root


def _leave_patterns(found: Dialect) -> None:
    """Leave out the patterns that the validator's engine does not take."""
    check_patterns(found.root)
    known: dict[str, bool] = {}

    def is_known(pattern: str) -> bool:
        if pattern not in known:
            known[pattern] = compiles(pattern)
        return known[pattern]

    for node, path in found.nodes.values():
        if "pattern" in node and not is_known(node["pattern"]):
            del node["pattern"]
            found.miss(node, path, "pattern", "pattern")
        named = node.get("patternProperties", {})
        lost = [pattern for pattern in named if not is_known(pattern)]
        for pattern in lost:
            del named[pattern]
        if lost:
            found.miss(node, path, "patternProperties", "pattern", blind=True)
            if node.pop("additionalProperties", None) is not None:
                found.miss(node, path, "additionalProperties", "depends")


def _kinds(schema: Schema) -> list[Any]:
    kinds = schema.get("type", "object")
    return kinds if isinstance(kinds, list) else [kinds]


def _nothing(why: Why, keyword: str = "") -> Usable:
    return Usable(None, (Gap(keyword, "", why),))
