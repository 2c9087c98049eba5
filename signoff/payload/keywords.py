"""Where the keywords of JSON Schema have subschemas, and what those apply to; pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

REFERENCES = ("$ref", "$dynamicRef", "$recursiveRef")
DEFINITIONS = ("$defs", "definitions")
_HERE = ("not", "if", "then", "else", "allOf", "anyOf", "oneOf")
_HERE_BY_NAME = ("dependentSchemas", "dependencies")
_ENTRIES = ("items", "additionalItems", "unevaluatedItems", "contains")
_FIELDS = ("additionalProperties", "unevaluatedProperties")
_BY_NAME = ("properties", "patternProperties")


def references(schema: dict[str, Any]) -> list[str]:
    """What it refers to."""
    return [schema[word] for word in REFERENCES if isinstance(schema.get(word), str)]


def _listed(found: Any) -> list[Any]:
    return found if isinstance(found, list) else [found]


def named(schema: dict[str, Any], keyword: str) -> dict[str, Any]:
    """A keyword's object; empty where it is none."""
    found = schema.get(keyword)
    return found if isinstance(found, dict) else {}


def prefix_of(schema: dict[str, Any]) -> int:
    """Entries of a list that have a schema of their own."""
    lists = (schema.get(word) for word in ("prefixItems", *_ENTRIES))
    return max((len(found) for found in lists if isinstance(found, list)), default=0)


def combined(schema: dict[str, Any]) -> Iterator[Any]:
    """The subschemas beside it that apply to the same value."""
    for word in _HERE:
        if word in schema:
            yield from _listed(schema[word])
    for word in _HERE_BY_NAME:
        yield from named(schema, word).values()


def of_entry(schema: dict[str, Any], place: int) -> Iterator[Any]:
    """The subschemas that may apply to the entry at `place`."""
    prefix = _listed(schema.get("prefixItems", []))
    if place < len(prefix):
        yield prefix[place]
    for word in _ENTRIES:
        found = schema.get(word)
        if not isinstance(found, list):
            yield found
        elif place < len(found):
            yield found[place]


def of_field(schema: dict[str, Any], name: str) -> Iterator[Any]:
    """The subschemas that may apply to the field `name`."""
    fields = named(schema, "properties")
    yield fields[name] if name in fields else schema.get("additionalProperties")
    yield schema.get("unevaluatedProperties")
    yield from named(schema, "patternProperties").values()


def subschemas(schema: dict[str, Any]) -> Iterator[Any]:
    """All that stand right in it."""
    yield from combined(schema)
    for word in (*_ENTRIES, *_FIELDS, "prefixItems", "propertyNames", "contentSchema"):
        yield from _listed(schema.get(word))
    for word in (*_BY_NAME, *DEFINITIONS):
        yield from named(schema, word).values()
