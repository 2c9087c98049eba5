"""A schema that is too large to check by, made smaller: what says least goes first; pure."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any
from urllib.parse import unquote

from signoff.payload.canonical import canonical
from signoff.payload.keywords import DEFINITIONS, REFERENCES, subschemas
from signoff.payload.rules import RULES, Schema

_MAPS = ("properties", "patternProperties", "dependentSchemas", *DEFINITIONS)
_LISTS = ("allOf", "anyOf", "oneOf", "prefixItems")
_ONE = (
    "items", "not", "if", "then", "else", "contains", "additionalProperties", "unevaluatedProperties",
    "unevaluatedItems", "propertyNames", "contentSchema",
)  # fmt: skip
_SHOWN = {"title", "description", "default", "readOnly"}
_WORDS = {*RULES, *_MAPS, *_LISTS, *_ONE, *REFERENCES, *_SHOWN, "$schema"}
_PLAIN = {*RULES, *_SHOWN} - {"dependentRequired"}
"""What a field's own description keeps where all that stands deeper goes."""
MOST_SAID = 300
"""Characters of a description: a form shows fewer."""


def excerpt(schema: Schema, fits: Callable[[Schema], bool]) -> tuple[Schema | None, bool]:
    """The most of `schema` that fits, None where nothing does; and whether rules are gone from it."""
    if fits(schema):
        return schema, False
    found = _referred(_kept(schema, _WORDS, 99))
    for words, level in ((_WORDS, 99), (_WORDS - {"default"}, 0), (_WORDS - _SHOWN, 2), (_WORDS - _SHOWN, 0)):
        found = _kept(found, words, level)
        if fits(found):
            return found, False
    for words, most in ((_PLAIN, 100_000), (_PLAIN, MOST_SAID), (_PLAIN - _SHOWN, MOST_SAID)):
        found = _fields(schema, words, most)
        if fits(found):
            return found, True
    return None, True


def _kept(schema: Any, words: set[str], from_level: int) -> Any:
    """The schema with these keywords alone, in its subschemas of a level and deeper."""
    if not isinstance(schema, dict):
        return schema
    found: Schema = {}
    for word, value in schema.items():
        if word not in _WORDS or (from_level <= 0 and word not in words):
            continue
        if word in ("title", "description") and isinstance(value, str):
            found[word] = value[:MOST_SAID]
        elif word in _MAPS and isinstance(value, dict):
            found[word] = {name: _kept(part, words, from_level - 1) for name, part in value.items()}
        elif word in _LISTS and isinstance(value, list):
            found[word] = [_kept(part, words, from_level - 1) for part in value]
        elif word in _ONE:
            found[word] = _kept(value, words, from_level - 1)
        else:
            found[word] = value
    return found


def _referred(schema: Schema) -> Schema:
    """The schema without definitions that nothing refers to."""
    used = set[tuple[str, str]]()
    homes = {word: schema[word] for word in DEFINITIONS if isinstance(schema.get(word), dict)}
    bare = {word: value for word, value in schema.items() if word not in homes}
    due: list[Any] = [bare]
    while due:
        for name in _names(due.pop()):
            word, _, key = name.partition("/")
            if (word, key) not in used and key in homes.get(word, {}):
                used.add((word, key))
                due.append(homes[word][key])
    for word, parts in homes.items():
        kept = {key: part for key, part in parts.items() if (word, key) in used}
        bare |= {word: kept} if kept else {}
    return bare


def _names(schema: Any) -> Iterator[str]:
    """The definitions that a schema refers to, as `$defs/Name`."""
    left = [schema]
    while left:
        part = left.pop()
        if not isinstance(part, dict):
            continue
        reference = part.get("$ref")
        if isinstance(reference, str) and reference.startswith("#/"):
            word, _, rest = reference[2:].partition("/")
            yield f"{word}/{unquote(rest.partition('/')[0]).replace('~1', '/').replace('~0', '~')}"
        left += subschemas(part)


def _fields(schema: Schema, words: set[str], most: int) -> Schema:
    """The first fields alone, each with what it says of itself in so many characters a keyword."""
    found: Schema = {"type": "object"}
    described = schema.get("properties")
    if isinstance(described, dict):
        found["properties"] = {name: _plain(schema, part, words, most) for name, part in described.items()}
    if isinstance(schema.get("required"), list):
        found["required"] = schema["required"]
    if schema.get("additionalProperties") is False and "patternProperties" not in schema:
        found["additionalProperties"] = False
    return found


def _plain(root: Schema, part: Any, words: set[str], most: int) -> Any:
    if not isinstance(part, dict):
        return part
    reference = part.get("$ref")
    if isinstance(reference, str) and reference.startswith("#/") and reference.count("/") == 2:
        word, name = reference[2:].split("/")
        home = root.get(word)
        target = home.get(unquote(name)) if isinstance(home, dict) else None
        part = {**(target if isinstance(target, dict) else {}), **part}
    return {word: value for word, value in part.items() if word in words and len(canonical(value)) <= most}
