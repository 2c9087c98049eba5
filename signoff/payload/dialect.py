"""A JSON Schema of any draft, or of none, as one of 2020-12; pure.

Schemas come from tool servers, and whoever wrote the agent cannot mend them. So what has an equivalent is
translated, what cannot be used is left out and noted, and all else stays as it was written.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import urljoin

from signoff.payload.canonical import MAX_DEPTH
from signoff.payload.gaps import LEFT_OUT, Gap, Path, Why, place_of
from signoff.payload.keywords import REFERENCES
from signoff.payload.rules import NOTHING, RULES, WRONG, Schema, dependent, travels

_DRAFTS = {
    "json-schema.org/draft/2020-12/schema": 2020,
    "json-schema.org/draft/2019-09/schema": 2019,
    "json-schema.org/draft-07/schema": 7,
    "json-schema.org/draft-06/schema": 6,
    "json-schema.org/draft-05/schema": 4,
    "json-schema.org/draft-04/schema": 4,
    "json-schema.org/draft-03/schema": 3,
    "json-schema.org/schema": 2020,
}
_ONE = {
    "not", "if", "then", "else", "contains", "additionalProperties", "unevaluatedProperties",
    "unevaluatedItems", "propertyNames", "contentSchema",
}  # fmt: skip
_LISTS = {"allOf", "anyOf", "oneOf", "prefixItems"}
_MAPS = {"properties", "patternProperties", "$defs", "definitions", "dependentSchemas"}
_WORDS = {*_ONE, *_LISTS, *_MAPS, "items", "dependencies"}
"""Keywords that have subschemas."""
_SAID: dict[str, type] = {
    "title": str, "description": str, "$comment": str, "examples": list, "deprecated": bool,
    "readOnly": bool, "writeOnly": bool, "default": object,
}  # fmt: skip
"""What checks nothing, and its type: what is not of it is left out without a word."""
_PLACED = {"$schema", "$id", "id", "$vocabulary", "$anchor", "$dynamicAnchor", "$recursiveAnchor"}
"""What says where a schema is and what it is called: nothing, once every reference is a local one."""
_TRANSLATED = {"additionalItems", "nullable", "x-nullable"}
"""What is read with its neighbours."""
_THIRD = {"extends", "disallow"}
"""Rules of draft-03 that no later one has."""
_SHOWN_BESIDE = {"$ref", "$defs", "definitions", "nullable", "x-nullable", *_PLACED, *_SAID}
"""What counts beside a reference until draft-07."""


@dataclass(frozen=True)
class Resource:
    """What references are relative to: an address, and the part of the schema that has it."""

    uri: str
    root: Any

    def join(self, reference: str) -> str:
        """An absolute address; the reference itself where there is none."""
        try:
            return urljoin(self.uri, reference)
        except ValueError:
            return reference


@dataclass
class Reference:
    """One that is to be followed once all of the schema is known."""

    holder: Schema
    path: Path
    keyword: str
    text: str
    resource: Resource


class Dialect:
    """Reads one schema into 2020-12: `root`, with `references` still as they were written.

    `gaps` are in the order of the schema. `loose` are the subschemas that take more than they did, by their
    ids; `blind` says that some no longer know which fields and entries they have seen.
    """

    def __init__(self, given: Schema) -> None:
        self.gaps: list[Gap] = []
        self.loose: dict[int, Schema] = {}
        self.blind = False
        self.nodes: dict[int, tuple[Schema, Path]] = {}
        """Of each subschema as it was given, by its id: what became of it, and where it stands."""
        self.references: list[Reference] = []
        self.addresses: dict[str, Any] = {}
        self.names: dict[tuple[int, str], Any] = {}
        """What `$anchor` and its kin name, by the resource that they are in."""
        self._copies: list[Schema] = []
        self.draft = self._draft(given.get("$schema"))
        self.root: Schema = self.subschema(given, (), Resource("", given), MAX_DEPTH)

    def miss(self, holder: Schema, path: Path, keyword: str, why: Why = "wrong", blind: bool = False) -> None:
        """Note that `holder`, at `path`, lost a keyword."""
        self.gaps.append(Gap(keyword, place_of(path), why))
        self.loose[id(holder)] = holder
        self.blind = self.blind or blind

    def subschema(self, given: Any, path: Path, resource: Resource, levels: int) -> Any:
        """What stands at `path`, in 2020-12; of at most so many levels. Where it is no schema, or none that
        fits, it takes everything.
        """
        if isinstance(given, bool):
            return given
        out: Schema = {}
        if not isinstance(given, dict) or levels < 2:
            keyword = next((word for word in reversed(path) if isinstance(word, str) and word in _WORDS), "")
            self.miss(out, path, keyword, "deep" if isinstance(given, dict) else "wrong", blind=True)
            return out
        given = self._own(given)
        self.nodes[id(given)] = out, path
        given = self._or_null(given)
        resource = self._resource(given, resource)
        hides = self.draft <= 7 and isinstance(given.get("$ref"), str)
        for word, value in given.items():
            if isinstance(word, str) and not (hides and word not in _SHOWN_BESIDE):
                self._keyword(out, word, value, given, path, resource, levels - 1)
        self._denials(out, given, path)
        return out

    def _draft(self, named: Any) -> int:
        bare = str(named).removeprefix("https://").removeprefix("http://").rstrip("#/")
        if named is not None and bare not in _DRAFTS:
            self.gaps.append(Gap("$schema", "", "dialect"))
        return _DRAFTS.get(bare, 2020)

    def _own(self, given: Schema) -> Schema:
        """The schema itself; a copy where a program has put one into two places."""
        if id(given) in self.nodes:
            given = dict(given)
            self._copies.append(given)
        return given

    def _or_null(self, given: Schema) -> Schema:
        """OpenAPI's `nullable` as a type, or as an alternative."""
        if given.get("nullable") is not True and given.get("x-nullable") is not True:
            return given
        types = RULES["type"](given.get("type"), given)
        if types is WRONG:
            kept = {word: value for word, value in given.items() if word in _SAID or word in _PLACED}
            kept |= {word: given[word] for word in ("$defs", "definitions") if word in given}
            rules = {
                word: value
                for word, value in given.items()
                if word not in kept and word not in ("nullable", "x-nullable")
            }
            made = {**kept, "anyOf": [rules, {"type": "null"}]} if rules else kept
        else:
            types = [types] if isinstance(types, str) else types
            made = {**given, "type": types if "null" in types else [*types, "null"]}
            options = [given["const"]] if "const" in given else given.get("enum")
            if isinstance(options, list) and None not in options:
                made = {**made, "enum": [*options, None]}
                made.pop("const", None)
        self._copies.append(made)
        return made

    def _resource(self, given: Schema, outer: Resource) -> Resource:
        found = outer
        words = ("$id", "id") if self.draft <= 4 else ("$id",)
        named = next((given[word] for word in words if isinstance(given.get(word), str)), "")
        address, _, fragment = named.partition("#")
        if address:
            found = Resource(outer.join(address), given)
            self.addresses.setdefault(found.uri, given)
            self.addresses.setdefault(address, given)
        for name in (fragment, given.get("$anchor"), given.get("$dynamicAnchor")):
            if isinstance(name, str) and name:
                self.names.setdefault((id(found.root), name), given)
        return found

    def _keyword(
        self, out: Schema, word: str, value: Any, given: Schema, path: Path, resource: Resource, levels: int
    ) -> None:
        if value is None and word not in ("const", "default"):
            return  # so do libraries write what nobody gave them
        if word in REFERENCES:
            self._reference(out, word, value, path, resource)
        elif word == "items" and isinstance(value, list):
            self._tuple(out, value, given, path, resource, levels)
        elif word == "items" or word in _ONE:
            self._one(out, word, value, path, resource, levels)
        elif word in _LISTS:
            self._list(out, word, value, path, resource, levels)
        elif word in _MAPS:
            self._map(out, word, value, path, resource, levels)
        elif word == "dependencies":
            self._dependencies(out, value, path, resource, levels)
        elif word in RULES or (self.draft == 3 and word == "divisibleBy"):
            self._rule(out, word, value, given, path, levels)
        elif word in _THIRD and self.draft == 3:
            self.miss(out, path, word, blind=True)
        elif word not in _PLACED and word not in _TRANSLATED:
            self._said(out, word, value, levels)

    @staticmethod
    def _said(out: Schema, word: str, value: Any, levels: int) -> None:
        """What is said beside the rules, and words that nobody knows."""
        if isinstance(value, _SAID.get(word, object)) and travels(word) and travels(value, levels):
            out[word] = value

    def _reference(self, out: Schema, word: str, value: Any, path: Path, resource: Resource) -> None:
        if not isinstance(value, str):
            self.miss(out, path, word, blind=True)
        elif _is_mark(value):
            self._unsaid(out, path, value)
        else:
            out[word] = value
            self.references.append(Reference(out, path, word, value, resource))

    def _unsaid(self, out: Schema, path: Path, mark: str) -> None:
        named = mark.removeprefix(LEFT_OUT)
        known = named in RULES or named in _WORDS or named in REFERENCES or named in ("*", "$schema")
        self.miss(out, path, named if known else "", "unsaid")

    def _rule(self, out: Schema, word: str, value: Any, given: Schema, path: Path, levels: int) -> None:
        named = "multipleOf" if word == "divisibleBy" else word
        found = RULES[named](value, given)
        if found is WRONG:
            self.miss(out, path, word)
        elif found is not NOTHING and travels(found, levels):
            out[named] = found
        elif found is not NOTHING:
            self.miss(out, path, word, "deep")

    def _one(self, out: Schema, word: str, value: Any, path: Path, resource: Resource, levels: int) -> None:
        if isinstance(value, bool | dict):
            out[word] = self.subschema(value, (*path, word), resource, levels)
        else:
            self.miss(out, path, word, blind=True)

    def _tuple(
        self, out: Schema, value: list[Any], given: Schema, path: Path, resource: Resource, levels: int
    ) -> None:
        """`items` of before 2020: the first entries, and `additionalItems` for the rest."""
        if "prefixItems" in given:
            self.miss(out, path, "items", blind=True)
            return
        self._list(out, "prefixItems", value, path, resource, levels)
        rest = given.get("additionalItems")
        if rest is not None:
            out["items"] = self.subschema(rest, (*path, "items"), resource, levels)

    def _list(self, out: Schema, word: str, value: Any, path: Path, resource: Resource, levels: int) -> None:
        if isinstance(value, list | tuple) and not value and word in ("allOf", "prefixItems"):
            return
        if not isinstance(value, list | tuple) or not value or levels < 3:
            self.miss(out, path, word, "wrong" if levels >= 3 else "deep", blind=True)
            return
        parts: list[Any] = []
        for part in value:
            if isinstance(part, dict) and _is_mark(part.get("$ref")):
                self._unsaid(out, path, part["$ref"])
            else:
                parts.append(self.subschema(part, (*path, word, len(parts)), resource, levels - 1))
        if parts:
            out[word] = parts

    def _map(self, out: Schema, word: str, value: Any, path: Path, resource: Resource, levels: int) -> None:
        if not isinstance(value, dict) or levels < 3:
            self.miss(out, path, word, "deep" if isinstance(value, dict) else "wrong", blind=True)
            return
        found = out.setdefault(word, {})
        for name, part in value.items():
            if isinstance(name, str) and travels(name):
                found[name] = self.subschema(part, (*path, word, name), resource, levels - 1)

    def _dependencies(self, out: Schema, value: Any, path: Path, resource: Resource, levels: int) -> None:
        """Of before 2019: names of fields, or schemas."""
        if not isinstance(value, dict):
            self.miss(out, path, "dependencies", blind=True)
            return
        names = {name: [part] if isinstance(part, str) else part for name, part in value.items()}
        schemas = {name: part for name, part in names.items() if isinstance(part, bool | dict)}
        listed = dependent({name: part for name, part in names.items() if name not in schemas}, {})
        if listed is WRONG:
            self.miss(out, path, "dependencies")
        elif listed:
            out["dependentRequired"] = {**out.get("dependentRequired", {}), **listed}
        if schemas:
            self._map(out, "dependentSchemas", schemas, path, resource, levels)

    def _denials(self, out: Schema, given: Schema, path: Path) -> None:
        """What forbids all that its neighbours do not name, where those were left out."""
        lost = [word for word in ("properties", "patternProperties") if word in given and word not in out]
        if any(given[word] is not None for word in lost) and "additionalProperties" in out:
            del out["additionalProperties"]
            self.miss(out, path, "additionalProperties", "depends")
        if given.get("prefixItems") and "prefixItems" not in out and "items" in out:
            del out["items"]
            self.miss(out, path, "items", "depends")


def _is_mark(reference: Any) -> bool:
    return isinstance(reference, str) and reference.startswith(LEFT_OUT)
