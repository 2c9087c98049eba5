"""A payload's fields as its schema describes them, for cards and forms; pure.

Many fields may share one description. So each part of a schema is read once by a `Reader`, however many
fields it is of: what the fields of a payload cost is what they and the schema have, not their product.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from typing import Any, TypeVar
from urllib.parse import unquote

from signoff.payload import whole
from signoff.payload.alternatives import WORDS, forms_of
from signoff.payload.keywords import REFERENCES
from signoff.payload.problems import TYPES

T = TypeVar("T")
_PARTS = frozenset(WORDS)
_CONSTANT = {"const", "title", "description", "type"}
_SAYS = {"type", "enum", "const", "anyOf", "oneOf", "allOf", "not", "if", *REFERENCES}
"""Keywords that say what a value is."""
_KINDS = {bool: "boolean", int: "number", float: "number", str: "string", list: "array", dict: "object"}


class Shared:
    """What was made of parts of a schema, once each: whatever field they are found at."""

    def __init__(self) -> None:
        self._made: dict[tuple[str, int], tuple[Any, Any]] = {}

    def make(self, what: str, part: Any, by: Callable[[Any], T]) -> T:
        """What `by` makes of this very object, under a name of its own."""
        key = (what, id(part))
        if key not in self._made:
            self._made[key] = part, by(part)  # with the part itself, so that its id stays its own
        found: T = self._made[key][1]
        return found


class Described:
    """One schema as it is ready for a form: a reference at its top is followed, and "this or null" is one."""

    def __init__(self, schema: dict[str, Any], shared: Shared) -> None:
        self.schema = schema
        self.shared = shared
        title, description = schema.get("title"), schema.get("description")
        self.title = title if isinstance(title, str) else ""
        self.description = description if isinstance(description, str) else ""

    @cached_property
    def types(self) -> set[str]:
        """Every type that it names; all of them where an alternative names none."""
        return types_of(self.schema, self.shared)

    @cached_property
    def scalar(self) -> str:
        """The one type that it has beside null: string, integer, number or boolean; empty for all else."""
        kinds = self.types - {"null"}
        if self.schema.get("format") == whole.FORMAT and kinds == {"integer", "string"}:
            return "integer"
        kind = "number" if kinds == {"number", "integer"} else next(iter(kinds)) if len(kinds) == 1 else ""
        return kind if kind in ("string", "integer", "number", "boolean") else ""


@dataclass(frozen=True)
class Field:
    """One field of a payload.

    `described` is its schema, ready for a form; where nothing says what a value is, its own type stands.
    `title` and `description` are the schema's, and so the agent's words. `value` is None where the payload
    does not have the field.
    """

    name: str
    described: Described
    value: Any
    present: bool
    required: bool

    @property
    def schema(self) -> dict[str, Any]:
        """What describes it."""
        return self.described.schema

    @property
    def title(self) -> str:
        """What the schema calls it."""
        return self.described.title

    @property
    def description(self) -> str:
        """What the schema says of it."""
        return self.described.description

    @property
    def types(self) -> set[str]:
        """Every type that its schema names; all of them where an alternative names none."""
        return self.described.types

    @property
    def nullable(self) -> bool:
        """True where null is allowed."""
        return "null" in self.described.types

    @property
    def scalar(self) -> str:
        """The one type that it has beside null: string, integer, number or boolean; empty for all else."""
        return self.described.scalar


class Reader:
    """Reads payloads by one schema: `root`, where references begin. It never raises."""

    def __init__(self, root: dict[str, Any] | None) -> None:
        self.root = root or {}
        self._described: dict[tuple[int, str], Described] = {}
        self._shared = Shared()

    def fields(self, schema: dict[str, Any] | None, payload: dict[str, Any]) -> Iterator[Field]:
        """The schema's properties in its order, then what else the payload has."""
        schema = self._inside(self._followed(schema or {}), payload)
        described, required = _properties(schema), self._required_by(schema)
        names = (*described, *(name for name in payload if name not in described))
        return (self._field(name, described.get(name), payload, name in required) for name in names)

    def present(self, schema: dict[str, Any] | None, payload: dict[str, Any]) -> Iterator[Field]:
        """The same without what the payload does not have."""
        schema = self._inside(self._followed(schema or {}), payload)
        described, required = _properties(schema), self._required_by(schema)
        names = list(payload)
        if described:
            places = self._shared.make("places", described, _places)
            names.sort(key=lambda name: places.get(name, len(places)))
        return (self._field(name, described.get(name), payload, name in required) for name in names)

    def items(self, schema: dict[str, Any] | None, values: list[Any]) -> Iterator[Field]:
        """The entries of a list as fields, named by their place, counted from 1."""
        for at, value in enumerate(values):
            yield Field(str(at + 1), self.item(schema, value, at), value, True, True)

    def item(self, schema: dict[str, Any] | None, value: Any, at: int = 0) -> Described:
        """What describes one entry of a list, by the list's schema; `at` is its place, counted from 0."""
        first = (schema or {}).get("prefixItems")
        if isinstance(first, list) and at < len(first):
            return self._ready(first[at], _KINDS.get(type(value), ""))
        return self._ready((schema or {}).get("items"), _KINDS.get(type(value), ""))

    def defaulted(self, schema: dict[str, Any] | None, payload: dict[str, Any]) -> Iterator[Field]:
        """What a payload does not have of the schema's properties, and has a default there or is a yes or no.

        A default of nothing (null, or what is empty) is none: a value that is not given is that already.
        """
        schema = self._inside(schema, payload)
        described = _properties(schema)
        if not described:
            return
        required = self._required_by(schema)
        for name in self._shared.make("defaulted", described, self._defaulted):
            if name not in payload:
                yield self._field(name, described[name], payload, name in required)

    def _defaulted(self, described: dict[str, Any]) -> list[str]:
        ready = ((name, self._ready(found, "")) for name, found in described.items())
        return [name for name, known in ready if known.scalar == "boolean" or _tells(known.schema)]

    def _inside(self, schema: dict[str, Any] | None, value: dict[str, Any]) -> dict[str, Any] | None:
        """What describes an object's fields, where a schema says it in several parts."""
        if not schema or not schema.keys() & _PARTS:
            return schema
        return self._shared.make("forms", schema, lambda part: forms_of(part, self._followed)).of(value)

    def _required_by(self, schema: dict[str, Any] | None) -> frozenset[str]:
        names = (schema or {}).get("required")
        if not isinstance(names, list):
            return frozenset()
        return self._shared.make("required", names, _texts)

    def _field(self, name: str, found: Any, payload: dict[str, Any], required: bool) -> Field:
        present = name in payload
        value = payload[name] if present else None
        return Field(name, self._ready(found, _KINDS.get(type(value), "")), value, present, required)

    def _ready(self, found: Any, kind: str) -> Described:
        """A schema ready for a form, for values of this type where it does not say which it takes."""
        key = (id(found) if isinstance(found, dict) else 0, kind)
        known = self._described.get(key)
        if known is None:
            schema = self._joined(found if isinstance(found, dict) else {})
            if not schema.keys() & _SAYS:
                schema = {**schema, "type": kind} if kind else schema
            known = self._described[key] = Described(schema, self._shared)
        return known

    def _joined(self, schema: dict[str, Any]) -> dict[str, Any]:
        """Follow the reference at the top, and join "this or null", "all of this" and constants into one."""
        schema = self._followed(schema)
        every = schema.get("allOf")
        if isinstance(every, list) and len(every) == 1 and isinstance(every[0], dict):
            schema = {**self._followed(every[0]), **_without(schema, "allOf")}
        for word in ("anyOf", "oneOf"):
            forms = schema.get(word)
            if not isinstance(forms, list):
                continue
            constants = self._shared.make("constants", forms, _constants)
            if constants:
                return {**_without(schema, word), "enum": constants}
            joined = self._or_null(forms)
            if joined is not None:
                return {**joined, **_without(schema, word), "type": joined["type"], **_options(joined)}
        return schema

    def _or_null(self, forms: list[Any]) -> dict[str, Any] | None:
        """One form or null, as one; None where these are no such two."""
        if len(forms) != 2 or not all(isinstance(form, dict) for form in forms):
            return None
        others = [form for form in forms if form.get("type") != "null"]
        other = self._followed(others[0]) if len(others) == 1 else {}
        kinds = other.get("type")
        kinds = [kinds] if isinstance(kinds, str) else kinds
        if not isinstance(kinds, list) or not kinds:
            return None
        joined = {**other, "type": [*kinds, "null"]}
        if isinstance(other.get("enum"), list):
            joined["enum"] = self._shared.make("or null", other["enum"], lambda options: [*options, None])
        if "const" in other:
            joined["enum"] = [joined.pop("const"), None]
        return joined

    def _followed(self, schema: dict[str, Any]) -> dict[str, Any]:
        reference = schema.get("$ref")
        if not isinstance(reference, str) or not reference.startswith("#/"):
            return schema
        found: Any = self.root
        for part in unquote(reference[2:]).split("/"):
            name = part.replace("~1", "/").replace("~0", "~")
            found = found.get(name) if isinstance(found, dict) else None
        if not isinstance(found, dict):
            return schema
        return {**found, **_without(schema, "$ref")}


def fields(
    schema: dict[str, Any] | None, payload: dict[str, Any], root: dict[str, Any] | None = None
) -> list[Field]:
    """The schema's properties in its order, then what else the payload has. Never raises.

    For an object inside a payload, `root` is the whole schema: references begin there.
    """
    return list(Reader(schema if root is None else root).fields(schema, payload))


def types_of(schema: dict[str, Any], shared: Shared | None = None) -> set[str]:
    """Every type that a schema names; all of them where an alternative names none."""
    named = schema.get("type")
    if isinstance(named, str):
        return {named}
    if isinstance(named, list):
        return {name for name in named if isinstance(name, str)}
    shared = shared or Shared()
    found: set[str] = set()
    for word in ("anyOf", "oneOf"):
        if forms := schema.get(word):
            found |= shared.make("types", forms, lambda forms: _types_among(forms, shared))
    return found


def _types_among(forms: Any, shared: Shared) -> set[str]:
    found: set[str] = set()
    for form in forms:
        found |= (types_of(form, shared) or set(TYPES)) if isinstance(form, dict) else set(TYPES)
    return found


def _tells(schema: dict[str, Any]) -> bool:
    default = schema.get("default")
    return default is not None and default != "" and default != [] and default != {}


def _properties(schema: dict[str, Any] | None) -> dict[str, Any]:
    found = (schema or {}).get("properties")
    return found if isinstance(found, dict) else {}


def _places(described: dict[str, Any]) -> dict[str, int]:
    return {name: at for at, name in enumerate(described)}


def _texts(names: list[Any]) -> frozenset[str]:
    return frozenset(name for name in names if isinstance(name, str))


def _constants(forms: list[Any]) -> list[Any]:
    """The values of alternatives that are one value each; none where any is something else."""
    if not all(isinstance(form, dict) and _CONSTANT >= form.keys() >= {"const"} for form in forms):
        return []
    return [form["const"] for form in forms]


def _options(joined: dict[str, Any]) -> dict[str, Any]:
    return {"enum": joined["enum"]} if "enum" in joined else {}


def _without(schema: dict[str, Any], word: str) -> dict[str, Any]:
    return {name: value for name, value in schema.items() if name != word}
