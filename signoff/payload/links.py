"""The references of a schema, each made a local one; and what hangs on a part that was left out; pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from itertools import count
from typing import Any
from urllib.parse import quote, unquote

from signoff.payload.canonical import MAX_DEPTH
from signoff.payload.dialect import Dialect, Reference
from signoff.payload.gaps import Path, Why
from signoff.payload.keywords import combined, subschemas
from signoff.payload.rules import Schema

_MISS: Any = object()
_HOMES = ("#/$defs/", "#/definitions/")
_NAMES = "-_.!*'()[]:@$,;+=&| "
"""What may stand in a pointer as it is, for the sake of who reads it."""


def link(schema: Dialect) -> None:
    """Point every reference at its place; leave out what leads outside, nowhere, or back to itself."""
    places = Counter(name for _, name in schema.names)
    for reference in schema.references:  # what one leads to may hold others: they come behind
        found = _target(schema, reference, places)
        if isinstance(found, str):
            del reference.holder[reference.keyword]
            schema.miss(reference.holder, reference.path, reference.keyword, _why(found), blind=True)
        else:
            _point(schema, reference, found[0])
    _straighten(schema)


def _why(found: str) -> Why:
    return "outside" if found == "outside" else "missing"


def _target(schema: Dialect, reference: Reference, places: Counter[str]) -> tuple[Any] | str:
    """What it refers to, as it was given, in a tuple; else why there is nothing."""
    address, _, fragment = reference.text.partition("#")
    root = reference.resource.root
    if address:
        root = schema.addresses.get(reference.resource.join(address), schema.addresses.get(address))
        if root is None:
            return "outside"
    name = unquote(fragment)
    if name and not name.startswith("/"):
        if reference.keyword == "$dynamicRef" and places[name] > 1:
            return "missing"  # which of them it means depends on the way here
        found = schema.names.get((id(root), name), _MISS)
    else:
        found = _at(root, name)
        if found is _MISS and not address:
            found = _elsewhere(root, reference.text)
    return "missing" if not isinstance(found, bool | dict) else (found,)


def _at(root: Any, pointer: str) -> Any:
    found = root
    for part in pointer.split("/")[1:]:
        name = part.replace("~1", "/").replace("~0", "~")
        try:
            found = found[int(name)] if isinstance(found, list) else found[name]
        except (KeyError, IndexError, ValueError, TypeError):
            return _MISS
    return found


def _elsewhere(root: Any, text: str) -> Any:
    """The same definition under the other name that drafts have for where definitions stand."""
    for here, there in (_HOMES, _HOMES[::-1]):
        if text.startswith(here):
            return _at(root, unquote(there[1:] + text.removeprefix(here)))
    return _MISS


def _point(schema: Dialect, reference: Reference, target: Any) -> None:
    """Let it lead to where its target stands now."""
    holder = reference.holder
    if reference.keyword != "$ref" and ("$ref" in holder or isinstance(target, bool)):
        del holder[reference.keyword]
        schema.miss(holder, reference.path, reference.keyword, "wrong", blind=True)
        return
    if isinstance(target, bool):
        del holder["$ref"]
        if not target:
            holder["allOf"] = [*holder.get("allOf", ()), False]
        return
    if id(target) not in schema.nodes:  # no place where schemas stand: it gets one
        named = schema.root.setdefault("$defs", {})
        name = next(name for n in count(len(named) + 1) if (name := f"part-{n}") not in named)
        named[name] = {}
        named[name] = schema.subschema(target, ("$defs", name), reference.resource, MAX_DEPTH - 2)
    place = schema.nodes[id(target)][1]
    if reference.keyword != "$ref" or unquote(reference.text) != "#" + _pointer(place, quoted=False):
        holder["$ref"] = "#" + _pointer(place)
    if reference.keyword != "$ref":
        del holder[reference.keyword]


def _pointer(path: Path, quoted: bool = True) -> str:
    parts = (str(part).replace("~", "~0").replace("/", "~1") for part in path)
    return "".join("/" + (quote(part, safe=_NAMES) if quoted else part) for part in parts)


def _straighten(schema: Dialect) -> None:
    """Leave out the references by which a subschema applies to its own value again."""
    by_pointer = {_pointer(path, quoted=False): out for out, path in schema.nodes.values()}
    places = {id(out): path for out, path in schema.nodes.values()}
    done = set[int]()

    def following(node: Schema) -> Iterator[tuple[Schema, bool]]:
        for part in combined(node):
            if isinstance(part, dict):
                yield part, False
        if isinstance(node.get("$ref"), str):
            found = by_pointer.get(unquote(node["$ref"][1:]))
            if found is not None:
                yield found, True

    for start, _ in list(schema.nodes.values()):
        if id(start) in done:
            continue
        way, on_way = [(start, False, following(start))], {id(start): 0}
        while way:
            node, _, rest = way[-1]
            step = next(rest, None)
            if step is None:
                way.pop()
                del on_way[id(node)]
                done.add(id(node))
            elif id(step[0]) in on_way:
                around = [(one, led) for one, led, _ in way[on_way[id(step[0])] :]]
                _cut(schema, [*around, step], places)
            elif id(step[0]) not in done:
                on_way[id(step[0])] = len(way)
                way.append((*step, following(step[0])))


def _cut(schema: Dialect, around: list[tuple[Schema, bool]], places: dict[int, Path]) -> None:
    """Take the last reference out of a circle: subschemas, and whether a reference leads to each."""
    last = max((at for at, (_, led) in enumerate(around) if led and at), default=0)
    holder = around[last - 1][0]
    if holder.pop("$ref", None) is not None:
        schema.miss(holder, places[id(holder)], "$ref", "circle", blind=True)


def loosen(schema: Dialect) -> None:
    """Leave out what would refuse more, now that what it hangs on takes more than it did.

    `not` and `if` turn their part around, of `oneOf` only one may fit, `maxContains` counts what fits.
    """
    if not schema.loose:
        return
    places = {id(out): path for out, path in schema.nodes.values()}
    by_pointer = {_pointer(path, quoted=False): out for out, path in schema.nodes.values()}
    above: dict[int, list[Schema]] = {}
    everything = [out for out, _ in schema.nodes.values()]
    for node in everything:
        parts = [part for part in subschemas(node) if isinstance(part, dict)]
        named = by_pointer.get(unquote(node["$ref"][1:])) if isinstance(node.get("$ref"), str) else None
        for part in (*parts, *([named] if named is not None else ())):
            above.setdefault(id(part), []).append(node)
    due, tainted = list(schema.loose), set(schema.loose)
    while due:
        for node in above.get(due.pop(), ()):
            if id(node) not in tainted:
                tainted.add(id(node))
                due.append(id(node))
    for node in everything:
        if id(node) in tainted:
            _turned(schema, node, places[id(node)], tainted)
    if schema.blind:
        for node in everything:
            for word in ("unevaluatedProperties", "unevaluatedItems"):
                if word in node:
                    del node[word]
                    schema.miss(node, places[id(node)], word, "depends")


def _turned(schema: Dialect, node: Schema, path: Path, tainted: set[int]) -> None:
    for word, others in (("not", ()), ("if", ("then", "else")), ("contains", ())):
        if id(node.get(word)) not in tainted:
            continue
        gone = [word, *others] if word != "contains" else ["maxContains"]
        lost = [part for part in gone if node.pop(part, None) is not None]
        if lost:
            schema.miss(node, path, lost[0], "depends", blind=word == "if")
    if isinstance(node.get("oneOf"), list) and any(id(part) in tainted for part in node["oneOf"]):
        forms = node.pop("oneOf")
        if "anyOf" in node:
            node["allOf"] = [*node.get("allOf", ()), {"anyOf": forms}]
        else:
            node["anyOf"] = forms
        schema.miss(node, path, "oneOf", "depends")
