"""The costliest requests that anybody has thought of, one of a kind, at any size.

Each kind is a function of a share of what a request may hold, from 0 to 1, so that what twice the size costs
can be compared. `make bench` measures all of them at their full size, the tests the growth.
"""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

VALUES = 9_500
"""What a whole request may hold, with room for what stands around it (see `messages.MAX_VALUES`)."""
BYTES = 250_000
"""Of a payload as JSON."""
SCHEMA = 31_000


@dataclass(frozen=True)
class Case:
    """What an agent sends beside its action."""

    payload: dict[str, Any]
    context: dict[str, Any] = field(default_factory=dict)
    schema: dict[str, Any] | None = None
    reason: str = ""


def values(make: Callable[[int], dict[str, Any]], each: float = 1) -> Callable[[float], Case]:
    """A payload of so many parts, `each` of which counts as so many values."""
    return lambda share: Case(make(int(VALUES * share / each)))


def text(unit: str, start: str = "", end: str = "", bytes_each: float = 0) -> Callable[[float], Case]:
    """A payload that is one long text; `bytes_each` is what the unit takes as JSON."""
    size = bytes_each or len(unit.encode())
    return lambda share: Case({"t": start + unit * int(BYTES * share / size) + end})


def both(unit: str, bytes_each: float) -> Callable[[float], Case]:
    """Such a text as payload and as context: a whole request of it."""

    def make(share: float) -> Case:
        long = unit * int(BYTES * share / bytes_each)
        return Case({"t": long}, {"c": long}, reason=long[:4000])

    return make


def schema_of(
    items: Callable[[float], dict[str, Any]], payload: Callable[[int], Any], each: float = 1
) -> Callable[[float], Case]:
    """A schema of the entries of a list, and the list."""

    def make(share: float) -> Case:
        described = {"type": "object", "properties": {"l": {"items": items(share)}}}
        room = VALUES * share - count(described)
        return Case({"l": payload(max(int(room / each), 1))}, schema=described)

    return make


def count(value: Any) -> int:
    """Values in it: each object, list, scalar and name."""
    if isinstance(value, dict):
        return 1 + sum(1 + count(item) for item in value.values())
    if isinstance(value, list):
        return 1 + sum(map(count, value))
    return 1


def _refs(share: float) -> Case:
    """Many fields that share one long list of values."""
    fields, options = int(450 * share), int(1500 * share)
    named = {f"f{n}": {"$ref": "#/$defs/e"} for n in range(fields)}
    schema = {
        "type": "object",
        "properties": named,
        "$defs": {"e": {"enum": [f"o{n}" for n in range(options)]}},
    }
    return Case({f"f{n}": f"o{options - 1}" for n in range(fields)}, schema=schema)


def _shared(share: float) -> Case:
    """Many objects whose fields share one long description, and a nest of alternatives."""
    what: dict[str, Any] = {
        "description": "\u200bx" * int(2000 * share),
        "title": "\u202e" * int(1000 * share),
        "anyOf": [{"const": f"c{n}"} for n in range(int(300 * share))] + [{"anyOf": [{}] * int(300 * share)}],
    }
    schema = {
        "type": "object",
        "additionalProperties": {"$ref": "#/$defs/o"},
        "properties": {f"p{n}": {"$ref": "#/$defs/o"} for n in range(40)},
        "$defs": {
            "o": {"type": "object", "properties": {f"q{n}": {"$ref": "#/$defs/e"} for n in range(100)}},
            "e": what,
        },
    }
    payload = {f"p{n}": {f"q{m}": "c0" for m in range(int(100 * share))} for n in range(40)}
    return Case(payload, schema=schema)


def _described(share: float) -> Case:
    """A schema that describes far more fields than the payload has."""
    fields = {
        f"p{n}": {"type": "string", "title": "t", "description": "d" * 10} for n in range(int(450 * share))
    }
    return Case({"l": [1] * int(4500 * share)}, schema={"type": "object", "properties": fields})


def _nested(levels: int, leaf: Any) -> Any:
    value = leaf
    for _ in range(levels):
        value = {"n": value}
    return value


def _deep(share: float) -> Case:
    return Case({f"k{n}": _nested(28, n) for n in range(int(VALUES * share / 60))})


def _long_names(share: float) -> Case:
    name = "é" * 90
    return Case({name: {name + "1": {name + str(n): n for n in range(int(BYTES * share / 190))}}})


def _giant_name(share: float) -> Case:
    return Case({"\u200b" * int(60_000 * share): [0] * int(4500 * share)})


def _patterns(share: float) -> Case:
    patterns = [rf"(?i)a{n}\w{{9}}" for n in range(int(900 * share))]
    schema = {"type": "object", "properties": {"t": {"allOf": [{"pattern": one} for one in patterns]}}}
    return Case({"t": "ab" * 1000}, schema=schema)


def _mesh(share: float) -> Case:
    names = range(int(28 * share**0.5))  # what it holds grows with the square
    inner = {"properties": {f"y{n}": {"$ref": "#"} for n in names}}
    schema = {"type": "object", "properties": {f"x{n}": {"allOf": [inner]} for n in names}}
    return Case({f"x{n}": {f"y{m}": {f"x{m}": 0} for m in names} for n in names}, schema=schema)


def _combined(share: float) -> Case:
    """A rule of thousands of parts that hundreds refer to."""
    parts: dict[str, Any] = {"x": {"allOf": [{} for _ in range(int(1500 * share))]}}
    refers = {f"y{n}": {"$ref": "#/$defs/x"} for n in range(int(700 * share))}
    return Case({}, schema={"type": "object", "$defs": parts | refers})


def _names(share: float) -> Case:
    enum = [f"a{n}" for n in range(int(1500 * share))]
    payload = {f"k{n}": 1 for n in range(int(3700 * share))}
    return Case(payload, schema={"type": "object", "propertyNames": {"enum": enum}})


def _required(share: float) -> Case:
    missing = [f"r{n}" for n in range(int(1800 * share))]
    payload = {f"k{n}": 1 for n in range(int(3700 * share))}
    return Case(payload, schema={"type": "object", "required": missing})


def _dependent(share: float) -> Case:
    names = [f"b{n}" for n in range(int(800 * share))]
    schema = {"type": "object", "properties": {"l": {"items": {"dependentRequired": {"a": names}}}}}
    return Case({"l": [{"a": 1} for _ in range(int(2800 * share))]}, schema=schema)


def _unique(share: float) -> Case:
    schema = {"type": "object", "properties": {"l": {"allOf": [{"uniqueItems": True}] * int(200 * share)}}}
    return Case({"l": [[n] for n in range(int(4000 * share))]}, schema=schema)


def _matches(share: float) -> Case:
    schema = {"type": "object", "properties": {"t": {"pattern": "(?:[ab]{3,40}a){1,8}c"}}}
    return Case({"t": "aabab" * int(2000 * share)}, schema=schema)


def _text_types(share: float) -> Case:
    """Texts that cards read twice: base64, dates, and what could be read as a number."""
    schema = {
        "type": "object",
        "properties": {"b": {"contentEncoding": "base64"}, "d": {"type": "string", "format": "diff"}},
    }
    third = int(BYTES * share / 4)
    return Case(
        {"b": "QUJD" * (third // 4), "d": "+a\n" * (third // 3), "n": "1" * third + "x"}, schema=schema
    )


def _pictures(share: float) -> Case:
    """One file, spelled in each of the ways that are looked at."""
    quarter = int(BYTES * share / 4)
    octets = b"\x89PNG\r\n\x1a\n" + bytes(n * n % 251 for n in range(quarter * 3 // 4))
    plain = base64.b64encode(octets).decode()
    lines = "\n".join(plain[at : at + 76] for at in range(0, len(plain) * 9 // 10, 76))
    url = "data:image/png;base64," + plain.replace("+", "-").replace("/", "_")
    return Case({"a": plain, "b": lines, "c": url, "d": octets[: quarter // 2].hex()})


def _small_files(n: int) -> dict[str, Any]:
    """As many files as there can be, and texts that look like some until their last letter."""
    each = BYTES // max(n, 1) - 8
    return {"l": ["JVBERi0xLjQK" + "QUJD" * (max(each - 12, 0) // 4) + "-+"[m % 2] for m in range(n)]}


def _choices(share: float) -> Case:
    fields = int(500 * share)
    forms = [{"const": f"v{n}"} for n in range(int(700 * share))]
    schema = {
        "type": "object",
        "properties": {f"f{n}": {"$ref": "#/$defs/e"} for n in range(fields)},
        "$defs": {"e": {"oneOf": forms}},
    }
    return Case({f"f{n}": "v0" for n in range(fields)}, schema=schema)


def _many_patterns(*patterns: str) -> Callable[[float], Case]:
    """As many patterns of names as a schema holds, no two the same, each of these in turn."""

    def make(share: float) -> Case:
        named: dict[str, Any] = {}
        room = SCHEMA * share - 50
        for n in range(3000):
            pattern = f"{patterns[n % len(patterns)]}{n:x}"
            room -= len(json.dumps(pattern, ensure_ascii=False).encode()) + 4
            if room < 0:
                break
            named[pattern] = {}
        return Case({"x": 1}, schema={"type": "object", "patternProperties": named})

    return make


def _one_pattern(start: str, unit: str, end: str = "") -> Callable[[float], Case]:
    """One pattern that is as long as a schema may be."""
    size = len(json.dumps(unit)) - 2
    return lambda share: Case(
        {"t": "a"},
        schema={
            "type": "object",
            "properties": {"t": {"pattern": start + unit * int((SCHEMA - 100) * share / size) + end}},
        },
    )


def _shared_patterns(share: float) -> Case:
    """Patterns that hundreds of fields refer to, through others that forbid the rest."""
    named: dict[str, Any] = {rf"\D{{60}}{n:x}": {} for n in range(int(1000 * share))}
    one = {"patternProperties": named, "additionalProperties": False}
    fields = {f"f{n}": {"$ref": "#/$defs/e", "unevaluatedProperties": False} for n in range(int(150 * share))}
    return Case(
        {name: {} for name in fields}, schema={"type": "object", "properties": fields, "$defs": {"e": one}}
    )


def _doubled(share: float) -> Case:
    """References that double at every step, each of which has its neighbours looked at again."""
    parts: dict[str, Any] = {"d0": {"type": "object"}}
    for n in range(1, int(24 * share) + 1):
        twice = [{"$ref": f"#/$defs/d{n - 1}"}] * 2
        parts[f"d{n}"] = {"unevaluatedProperties": False, "allOf": twice}
    last = {"$ref": f"#/$defs/d{len(parts) - 1}"}
    return Case({"a": {}}, schema={"type": "object", "properties": {"a": last}, "$defs": parts})


def _summed_up(
    name: str, unit: str, start: str = "", end: str = "", texts: int = 1
) -> Callable[[float], Case]:
    """Long texts of a kind that a renderer knows, by the name that it knows it by."""
    size = len(json.dumps(unit)) - 2

    def make(share: float) -> Case:
        text = start + unit * int((BYTES / texts - 500) * share / size) + end
        return Case({f"p{number}": {name: text} for number in range(texts)})

    return make


def _run(sql: str) -> str:
    """A text of SQL that is run as one."""
    return "EXEC '" + sql.replace("\\", "\\\\").replace("'", "''") + "';"


def _plan(share: float) -> Case:
    one = {"actions": ["delete"]}
    return Case(
        {"resource_changes": [{"address": f"a.b{n}", "change": one} for n in range(int(1180 * share))]}
    )


def _table(share: float) -> Case:
    return Case({"l": [{f"c{n}": n for n in range(20)} for _ in range(int(225 * share))]})


def _edits(share: float) -> Case:
    one = {"oldText": "a\nb\n" * 8, "newText": "b\na\n" * 8}
    return Case({"edits": [one for _ in range(int(1700 * share))]})


def _not(rule: dict[str, Any]) -> dict[str, Any]:
    """So that the validator looks at every entry, and does not stop at the first."""
    return {"not": rule}


KINDS: dict[str, Callable[[float], Case]] = {
    # many values
    "whole numbers": values(lambda n: {"l": [0] * n}),
    "whole numbers in both": lambda share: Case(
        {"l": [0] * int(VALUES * share / 2)}, {"l": [1] * int(VALUES * share / 2)}
    ),
    "tiny numbers": values(lambda n: {"l": [m * 1e-300 for m in range(1, n)]}),
    "short texts": values(lambda n: {"l": ["é\u200b"] * n}),
    "many fields": values(lambda n: {f"k{m}": m for m in range(n)}, 2),
    "many odd fields": values(lambda n: {f"ключ{m}\u200b": "\u202ex" for m in range(n)}, 2),
    "many mixed fields": lambda share: Case(
        {f"אב\u200bпаypal{n}.com": f"אב\u202epаy 1{n}.com" for n in range(int(4700 * share))}
    ),
    "many dates": values(lambda n: {f"k{m}": "2026-11-21T14:02:00Z" for m in range(n)}, 2),
    "small objects": values(lambda n: {"l": [{"a": 1, "b": "x"} for _ in range(n)]}, 5),
    "empty lists": values(lambda n: {"l": [[] for _ in range(n)]}),
    "an object of objects": values(lambda n: {f"k{m}": {"a": {"b": m}} for m in range(n)}, 6),
    "lists of lists": values(lambda n: {f"k{m}": [[m], [m]] for m in range(n)}, 6),
    "deep": _deep,
    "long names": _long_names,
    "a giant name": _giant_name,
    # long texts
    "tabs": text("\t", "x\n", "x", 2),
    "spaces": text(" ", "x\n", "x"),
    "spaces at line ends": text(" \n", "x", bytes_each=3),
    "line ends": text("\n", "x", bytes_each=2),
    "short lines": text("a\n", bytes_each=3),
    "marks": text("a\u0300"),
    "marks alone": text("\u0300"),
    "hidden": text("\u202e"),
    "hidden between": text("a\u200b"),
    "backslashes": text("\\u{", bytes_each=4),
    "ampersands": text("&"),
    "astral": text("\U0001f600"),
    "all of Unicode": lambda share: Case(
        {"t": "".join(chr(0x20000 + int(n / share)) for n in range(int(62_000 * share)))}
    ),
    "mixed words": text("pаypal "),
    "at signs": text("a@"),
    "dots": text("a."),
    "digits": text("1", "", "x"),
    "quotes": text('"', bytes_each=2),
    "slashes": text("http://a/"),
    "hidden everywhere": both("\u202e", 3),
    "tabs everywhere": both("\t", 2),
    "texts and dates": _text_types,
    "pictures": _pictures,
    "many files": lambda share: Case(_small_files(int(VALUES * share))),
    "base64 of a script": text("cm0gLXJmIC8K", bytes_each=12),
    "base64 of Cyrillic": text("0JPQm9Cw0LLQsAo=".rstrip("="), bytes_each=15),
    "hex of nothing known": text("1f9a", bytes_each=4),
    "data of a URL": text("QUJD", "data:image/png;base64,", bytes_each=4),
    "percents of a URL": text("%41", "data:image/png;base64,", bytes_each=3),
    "a URL without an end": text(" ", "data:", "base6", 1),
    "short lines of base64": text("QUJD\n", bytes_each=6),
    # what is summed up
    "SQL of brackets": _summed_up("sql", "(", "DELETE FROM t WHERE ", texts=9),
    "SQL of conditions": _summed_up("sql", "a=1 OR ", "DELETE FROM t WHERE ", texts=9),
    "SQL of conditions in two ways": _summed_up("sql", "a='\\' OR ", "DELETE FROM t WHERE ", texts=9),
    "SQL of names": _summed_up("sql", "a,", "DELETE FROM ", texts=9),
    "SQL of statements": _summed_up("sql", "DELETE FROM t;", texts=9),
    "SQL of different statements": lambda share: Case(
        {"sql": "".join(f"DELETE FROM t{n};" for n in range(int(1700 * share))) + "SELECT '\\'"}
    ),
    "SQL of texts": _summed_up("sql", "EXEC 'DELETE FROM t';", texts=9),
    "SQL in texts": lambda share: Case({"sql": _run(_run("DELETE FROM t;" * int(1900 * share)))}),
    "SQL in texts in two ways": lambda share: Case(
        {"sql": _run(_run(_run("DELETE FROM t WHERE a='\\';" * int(250 * share))))}
    ),
    "SQL too long": _summed_up("sql", "DELETE ", texts=1),
    "patches": _summed_up("patch", "--- a\n+++ b\n@@ -1 +1 @@\n-a\n+b\n"),
    "changed lines": _summed_up("diff", "-a\n+b\n", "--- a\n+++ b\n@@ -1 +1 @@\n"),
    "edits": _edits,
    "a plan": _plan,
    "a printed plan": _summed_up("t", "  # a.b will be destroyed\n", "Terraform will perform\n"),
    "manifests": _summed_up("t", "---\napiVersion: v1\nkind: Pod\nhostPID: true\n", texts=3),
    "links": _summed_up("body", "<a href=http://x.y>x.z</a>", "<p>"),
    "marks of HTML": _summed_up("body", "<b hidden><", "<p>"),
    "a mail's headers": _summed_up("raw", "To: =?utf-8?q?a?=\n", "From: a@b\n", "\nx"),
    "a mail's lines": _summed_up(
        "raw",
        "\n",
        "From: a@b\nTo: c@d\n"
        + "".join(f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(14)),
    ),
    "a table": _table,
    # schemas
    "enum of fractions": schema_of(
        lambda share: _not({"enum": [n + 0.37 for n in range(int(4000 * share))]}),
        lambda n: [m + 0.5 for m in range(n)],
    ),
    "enum of tiny numbers": schema_of(
        lambda share: _not({"enum": [n * 1e-300 for n in range(1, 20)]}),
        lambda n: [m * 1e-307 for m in range(n)],
    ),
    "enum of objects": schema_of(
        lambda share: _not({"enum": [{"a": n} for n in range(int(2500 * share))]}),
        lambda n: [{"a": -1} for _ in range(n)], 3,
    ),
    "enum of texts": schema_of(
        lambda share: _not({"enum": [f"o{n}" for n in range(int(3000 * share))]}), lambda n: ["x"] * n
    ),
    "a large const": schema_of(
        lambda share: _not({"const": {f"a{n}": n for n in range(int(1500 * share))}}),
        lambda n: [{f"a{m}": m for m in range(1400)} for _ in range(max(n, 1))], 2801,
    ),
    "alternatives": schema_of(
        lambda share: {"anyOf": [{"const": n + 0.5} for n in range(int(1500 * share))]},
        lambda n: [-1.5] * n,
    ),
    "bounds of tiny numbers": schema_of(
        lambda share: {"allOf": [{"minimum": n * 1e-305} for n in range(1, 24)]},
        lambda n: [m * 1e-300 for m in range(1, min(n, 120))],
    ),
    "multiples": schema_of(lambda share: {"multipleOf": 1e-9}, lambda n: [m / 100 for m in range(n)]),
    "conditions": schema_of(
        lambda share: {
            "allOf": [
                {"if": {"properties": {"a": {"const": n}}}, "then": {"required": [f"q{n}"]}}
                for n in range(int(200 * share))
            ]
        },
        lambda n: [{"a": 1} for _ in range(n)], 3,
    ),
    "contained": lambda share: Case(
        {"l": list(range(int(4500 * share)))},
        schema={
            "type": "object",
            "properties": {
                "l": {"unevaluatedItems": False, "allOf": [{"contains": {"const": n}} for n in range(200)]}
            },
        },
    ),
    "types of everything": schema_of(lambda share: {"type": "integer"}, lambda n: ["x"] * n),
    "alternatives for everything": schema_of(
        lambda share: {"anyOf": [{"type": "integer"}, {"type": "null"}]}, lambda n: ["x"] * n
    ),
    "formats": schema_of(lambda share: {"format": "idn-hostname"}, lambda n: ["é.bücher.example"] * n),
    "unique": _unique,
    "required": _required,
    "dependent": _dependent,
    "names": _names,
    "a pattern": _matches,
    "patterns": _patterns,
    "patterns of names": lambda share: Case(
        {str(n): 0 for n in range(int(4500 * share))},
        schema={"type": "object", "patternProperties": {f"(a|b){{{n}}}c": {} for n in range(1, 400)}},
    ),
    "patterns that repeat": _many_patterns(r"\D{64}", r"\W{36}", r"[^\w]{40}", r"\D{60}"),
    "patterns that nest": _many_patterns(r"(\D{8}){8}", r"((a{3}){3}){9}", "(a?){99}", "(a|é|中){30}"),
    "patterns of alphabets": _many_patterns(r"\pL", r"[\pL&&[^a]]", r"\PN", r"\p{Greek}{9}"),
    "patterns that fold": _many_patterns(r"(?i)[\x{0}-\x{10ffff}]", r"(?i)\PL", "(?i)k{99}", "(?i:[^a]{9})"),
    "a pattern of alphabets": _one_pattern("(?i)[", r"\pL", "]"),
    "a pattern of ranges": _one_pattern("(?i)[", r"[\x{0}-\x{10ffff}]", "]"),
    "a pattern of choices": _one_pattern("", "a?"),
    "patterns that are shared": _shared_patterns,
    "doubled": _doubled,
    "a mesh": _mesh,
    "combined": _combined,
    "references": _refs,
    "choices": _choices,
    "shared": _shared,
    "described": _described,
}  # fmt: skip
"""Every kind by its name."""
