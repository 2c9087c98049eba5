"""What a tool's schema says of one value: its fields, their defaults, and whether there may be others; pure.

A value may have one of several forms (`anyOf`, `oneOf`). One is taken where no other can be meant: it is the
only one of the value's kind, or the only one that has all it requires and nothing that contradicts it. Where
two are left, neither is. What is read of a schema is kept, so that a list costs no more than its entries.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from functools import cached_property
from itertools import islice
from typing import Any, Final
from urllib.parse import unquote

Schema = Mapping[str, Any]
MOST: Final = 32
"""Schemas that are looked at for one value, and alternatives of one."""
_OTHERS: Final = (
    "additionalProperties", "patternProperties", "unevaluatedProperties", "dependentSchemas", "if",
)  # fmt: skip
"""By these an object may have fields that its `properties` do not name."""
_UNKNOWN: Final[Schema] = {"if": True}
"""Stands for a schema that cannot be found: there may be anything in it."""


class Form:
    """Schemas that hold of a value, all at once. Not `sure` where others may hold of it, too."""

    def __init__(self, parts: list[Schema], sure: bool = True) -> None:
        self.parts, self._sure = parts, sure
        self._entries: dict[int, Any] = {}

    def knows(self, name: str) -> bool:
        """Whether an object may have this field, or whether it may cannot be told."""
        return self._is_open or name in self.fields

    def field(self, name: str) -> Any:
        """The schema of a field."""
        return self.fields.get(name, self._other_fields)

    def entry(self, at: int) -> Any:
        """The schema of a list's entry."""
        at = min(at, self._prefix)
        if at not in self._entries:
            self._entries[at] = _joined([_entry(part, at) for part in self.parts])
        return self._entries[at]

    def lacks(self, value: Mapping[str, Any]) -> bool:
        """Whether an object has not all that it must have."""
        return not self._required <= value.keys()

    def contradicts(self, value: Any) -> bool:
        """Whether a value cannot have this form, by what it lacks, or by a field that says what it is."""
        if any("const" in part and part["const"] != value for part in self.parts):
            return True
        if not isinstance(value, Mapping):
            return False
        return self.lacks(value) or any(
            name in value and value[name] not in marks for name, marks in self._marks.items()
        )

    def refuses(self, value: Any) -> bool:
        """Whether a value has a field that is not allowed."""
        strict = any(part.get("additionalProperties") is False for part in self.parts)
        return strict and isinstance(value, Mapping) and not all(map(self.knows, value))

    def is_kind(self, kind: str) -> bool:
        """Whether it may be an `object`, or an `array`."""
        return all(kind in _kinds(part, kind) for part in self.parts)

    @cached_property
    def fields(self) -> dict[str, Any]:
        """The fields that it names, each with its schema."""
        found: dict[str, list[Any]] = {}
        for part in self.parts:
            for name, inner in _object(part.get("properties")).items():
                found.setdefault(name, []).append(inner)
        return {name: _joined(inner) for name, inner in found.items()}

    @cached_property
    def _other_fields(self) -> Any:
        return _joined([part.get("additionalProperties") for part in self.parts])

    @cached_property
    def _is_open(self) -> bool:
        said = any(
            isinstance(part.get("properties"), Mapping) or part.get("additionalProperties") is False
            for part in self.parts
        )
        more = any(part.get(word, False) is not False for part in self.parts for word in _OTHERS)
        return more or not said or not self._sure

    @cached_property
    def _required(self) -> frozenset[str]:
        return frozenset(
            name for part in self.parts for name in _list(part.get("required")) if isinstance(name, str)
        )

    @cached_property
    def _marks(self) -> dict[str, list[Any]]:
        """Fields of one value, or of a few: a discriminator's."""
        marks = {}
        for name, inner in self.fields.items():
            if isinstance(inner, Mapping) and "const" in inner:
                marks[name] = [inner["const"]]
            elif isinstance(inner, Mapping) and isinstance(inner.get("enum"), list):
                marks[name] = inner["enum"]
        return marks

    @cached_property
    def _prefix(self) -> int:
        """From here on all entries of a list have one schema."""
        lists = (_list(part.get(word)) for part in self.parts for word in ("prefixItems", "items"))
        return max(map(len, lists), default=0)


class Forms:
    """Reads one tool's schema."""

    def __init__(self, root: Any) -> None:
        self._root = root
        self._bare: dict[int, Form] = {}
        self._defaults: dict[int, dict[str, Any]] = {}
        self._chosen: dict[tuple[int, ...], Form] = {}

    def of(self, value: Any, schema: Any) -> Form:
        """What a schema says of a value."""
        bare = self.bare(schema)
        parts, seen, sure = list(bare.parts), set(map(id, bare.parts)), len(bare.parts) <= MOST
        for part in parts:  # which grows
            for word in ("anyOf", "oneOf"):
                if word in part and len(parts) <= MOST:
                    found = self._one(value, _list(part[word]))
                    sure = sure and found is not None
                    parts += [one for one in (found.parts if found else ()) if id(one) not in seen]
                    seen.update(map(id, parts))
        if len(parts) == len(bare.parts) and sure:
            return bare
        key = (int(sure), *map(id, parts))
        if key not in self._chosen:
            self._chosen[key] = Form(parts, sure)
        return self._chosen[key]

    def bare(self, schema: Any) -> Form:
        """What a schema says of any value: itself, what it refers to, and its `allOf`."""
        if not isinstance(schema, Mapping):
            return Form([])
        if id(schema) not in self._bare:
            self._bare[id(schema)] = Form(list(islice(self._parts(schema), MOST + 1)))
        return self._bare[id(schema)]

    def defaults(self, form: Form) -> Mapping[str, Any]:
        """The fields that have a default, and it."""
        if id(form) not in self._defaults:  # forms are kept, so that no other gets its id
            self._defaults[id(form)] = dict(self._found_defaults(form))
        return self._defaults[id(form)]

    def _found_defaults(self, form: Form) -> Iterator[tuple[str, Any]]:
        for name, inner in form.fields.items():
            parts = self.bare(inner).parts
            found = [part["default"] for part in parts if "default" in part]
            # `note: str = None` has a default that is no value of its own schema.
            if found and (found[0] is not None or all("null" in _kinds(part, "null") for part in parts)):
                yield name, found[0]

    def _one(self, value: Any, alternatives: list[Any]) -> Form | None:
        """The one alternative that can be meant."""
        if len(alternatives) > MOST:
            return None
        kind = "object" if isinstance(value, Mapping) else "array"
        found = [form for form in map(self.bare, alternatives) if form.is_kind(kind)]
        for excludes in (Form.contradicts, Form.refuses):
            if len(found) > 1:
                found = [form for form in found if not excludes(form, value)]
        return found[0] if len(found) == 1 else None

    def _parts(self, schema: Schema) -> Iterator[Schema]:
        queue, seen = [schema], set[int]()
        for part in queue:  # which grows
            if not isinstance(part, Mapping) or id(part) in seen:
                continue
            seen.add(id(part))
            yield part
            if "$ref" in part:
                queue.append(self._referred(part["$ref"]))
            if "$dynamicRef" in part:
                queue.append(_UNKNOWN)
            queue.extend(_list(part.get("allOf")))

    def _referred(self, reference: Any) -> Schema:
        if not isinstance(reference, str) or not reference.startswith("#"):
            return _UNKNOWN
        found = self._root
        for part in reference[1:].split("/")[1:]:
            name = unquote(part).replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, Mapping) else None
        return found if isinstance(found, Mapping) and reference[1:2] in ("", "/") else _UNKNOWN


def _kinds(part: Schema, otherwise: str) -> list[Any]:
    """The kinds of JSON that a schema names."""
    named = part.get("type", otherwise)
    return named if isinstance(named, list) else [named]


def _entry(part: Schema, at: int) -> Any:
    items = part.get("items")
    first = _list(items) or _list(part.get("prefixItems"))
    if at < len(first):
        return first[at]
    return part.get("additionalItems") if isinstance(items, list) else items


def _joined(schemas: list[Any]) -> Any:
    """One schema that says what several say."""
    found = [schema for schema in schemas if isinstance(schema, Mapping)]
    return {"allOf": found} if len(found) > 1 else next(iter(found), None)


def _object(value: Any) -> Schema:
    return value if isinstance(value, Mapping) else {}


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []
