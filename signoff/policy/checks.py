"""What a policy's file may say: its shape, by the JSON Schema, and what its parts mean together; pure."""

from __future__ import annotations

import difflib
import json
import re
from functools import cache
from importlib.resources import files
from typing import Any

import jsonschema_rs

from signoff.models.people import MEMBERS
from signoff.payload.problems import problems_of
from signoff.policy import times
from signoff.policy.addresses import DOMAIN
from signoff.policy.classes import CLASSES
from signoff.policy.document import Document, Path
from signoff.policy.examples import ANYONE
from signoff.policy.faults import Faults
from signoff.policy.globs import covers
from signoff.policy.graces import fault_of
from signoff.policy.order import FREEING
from signoff.policy.proofs import session_fault
from signoff.policy.questions import only_questions, passes_questions
from signoff.policy.rules import Contents, Match, Rule

ONLY_ASK = (
    "approvers", "reject", "exclude", "require", "editable", "expires_in", "talk", "second_factor", "session",
    "confirm",
)  # fmt: skip
"""Keys that say how a person is asked."""
PROOFS = ("second_factor", "session", "confirm")
"""Keys that say how somebody proves that it was them who approved."""
ONLY_SEEN = ("headline", "channel", "feedback")
"""Keys that say what people see."""
LATER = {"after": "allow", "undo": "notify", "undo_for": "notify"}
"""Keys about what a person can still do once something is let run, and the verdict that they go with."""
_HINTS = {
    "expires_in": "write 90s, 30m, 2h or 1d",
    "feedback": "write a share from 0% to 100%, such as 10%",
    "talk": "write +10m, at most +1d",
    "session": "write 5m, at most 30m",
    "confirm": "write payload.customer",
    "second_factor": "write totp",
    "remind": "write [15m, 1h]",
    "escalate": "write [{after: 30m, to: [managers]}]",
    "valid": "write 90s, 30m, 2h or 1d",
    "quiet": 'write {from: "20:00", to: "07:00"}',
    "when": "write a condition in quotes",
    "always_ask": "write [a, b]",
    "never_ask": "write [a, b]",
    "block": "write [a, b]",
    "version": "write `version: 1`",
    "need": "write how many people, from 1 to 20",
    "reject": "write how many people, from 1 to 20",
    "from": "name groups, users or usergroups",
}
"""What to do, by the key."""
_QUIET = {"from": 'write "20:00", in quotes', "to": 'write "07:00", in quotes', "days": "write [mon, tue]"}
"""The same under `quiet`."""
_REMEDIES = {
    "must be a list": "start each entry with a dash, or take it out",
    "must be an object": "write `name: value` under it, or take it out",
    "must be text": "put it in quotes",
    "is required": "add it",
    "must not be empty": "write something, or take it out",
}
"""And by what is wrong, where the key says nothing."""


def schema_text() -> str:
    """The JSON Schema as it stands in the package."""
    return (files("signoff.policy") / "policy.schema.json").read_text(encoding="utf-8")


@cache
def _schema() -> tuple[dict[str, Any], jsonschema_rs.Validator]:
    values: dict[str, Any] = json.loads(schema_text())
    return values, jsonschema_rs.validator_for(values)


def shape(found: Document, faults: Faults) -> None:
    """Add what contradicts the JSON Schema, and the keys that are not served yet."""
    schema, validator = _schema()
    if not isinstance(found.values, dict):
        faults.add((), "this is no policy: start with `version: 1`")
        return
    for problem in problems_of(validator.iter_errors(found.values)):
        path, message = problem.path, problem.message
        name = next((str(part) for part in reversed(path) if isinstance(part, str)), "the file")
        if message == "is not a known field":
            faults.add(path, f"{_named(path)} is no key here{_meant(schema, path, name)}")
        elif message == "has a field whose name is not allowed":
            _wrong_names(found.values, schema, path, faults)
        else:
            written = message.startswith(("must match", "fits none"))
            hints = _QUIET if path[:1] == ("quiet",) and len(path) > 1 else _HINTS
            hint = hints.get(path[-1], "") if path and isinstance(path[-1], str) else ""
            hint = hint or (_expected(schema, path) if written else _REMEDIES.get(message, ""))
            message = "is not written as it has to be" if written else message
            faults.add(path, f"{_named(path)} {message}{f': {hint}' if hint else ''}")


def meaning(found: Document, contents: Contents, faults: Faults) -> None:
    """Add what each part allows, and the parts together do not."""
    values = found.values
    rules = [rule for rule in contents.rules if not rule.source]
    preset = {rule.name: rule.source for rule in contents.rules if rule.source}
    for index, rule in enumerate(rules):
        path: Path = ("rules", index)
        _rule(values["rules"][index], rule, path, contents, faults)
        if rule.name in preset:
            faults.add(
                (*path, "name"), f"the preset {preset[rule.name]} has a rule {rule.name!r}, too: rename yours"
            )
        for number, earlier in enumerate(rules[:index]):
            if earlier.name == rule.name:
                faults.add(
                    (*path, "name"),
                    f"the rule of line {earlier.line} is called {rule.name!r}, too: rename one",
                )
            asked_past = earlier.sums and rule.verdict == "ask"  # what its sum does not let run comes here
            if asked_past or (only_questions(rule) and passes_questions(earlier)):
                continue
            if "when" not in values["rules"][number] and _superset(earlier.match, rule.match):
                faults.add(
                    path,
                    f"this rule can never decide, as {earlier.name!r} of line {earlier.line} has no `when` "
                    "and matches all that it matches: move it up, or take it out",
                )
                break
    times.check(values, contents, faults)
    _known_groups(values.get("questions", {}), contents.questions.approvers, ("questions",), contents, faults)
    _known_groups(values.get("stop", {}), contents.stop.who, ("stop",), contents, faults, "who")
    for name, group in contents.groups.items():
        if name == MEMBERS:
            faults.add(
                ("groups", name), f"{MEMBERS} are all members of the workspace: give the group another name"
            )
        elif not group:
            faults.add(("groups", name), f"the group {name} has nobody: name users or usergroups")
    for index, domain in enumerate(values.get("internal_domains", ())):
        if not DOMAIN.fullmatch(domain):
            faults.add(
                ("internal_domains", index), f"{domain} is no domain: write example.com or *.example.com"
            )
    for part in ("always_ask", "never_ask", "block"):
        for index, entry in enumerate(values.get(part, ())):
            _known_class(entry, (part, index), faults)
    for index, entry in enumerate(values.get("batch", {}).get("of", ())):
        _known_class(entry, ("batch", "of", index), faults)
    for part in ("risk", "reversibility"):
        for entry in values.get(part, {}):
            _known_class(entry, (part, entry), faults)


def _rule(values: dict[str, Any], rule: Rule, path: Path, contents: Contents, faults: Faults) -> None:
    for key in (*ONLY_ASK, *ONLY_SEEN, "reason"):
        fits = {
            "block": key == "reason",
            "allow": "after" in values and key not in ("reject", "exclude", "require", "reason", *PROOFS),
            "notify": key in ONLY_SEEN or (key == "approvers" and "undo" in values),
            "ask": key != "reason",
        }
        if key in values and not fits[rule.verdict]:
            faults.add(
                (*path, key), f"{key} means nothing in a rule whose verdict is {rule.verdict}: take it out"
            )
    if only_questions(rule):
        _about_questions(values, rule, path, faults)
    _later(values, rule, path, contents, faults)
    if "session" in values and (fault := session_fault(rule, contents)):
        faults.add((*path, "session"), fault)
    times.check_rule(values, rule, path, contents, faults)
    if rule.sums and rule.verdict == "block":
        faults.add((*path, "limits"), "limits mean nothing in a rule whose verdict is block: take them out")
    _known_groups(values, rule.approvers, path, contents, faults)
    for name in sorted(rule.match.action_class or ()):
        _known_class(f"@{name}", (*path, "match", "class"), faults)


def _about_questions(values: dict[str, Any], rule: Rule, path: Path, faults: Faults) -> None:
    if rule.verdict in FREEING:
        faults.add(
            (*path, "verdict"), "a question lets nothing run, so nothing allows one: write ask or block"
        )
    for key in ("headline", "editable", "limits", "reject", "exclude", *PROOFS):
        if key in values:
            faults.add((*path, key), f"{key} means nothing in a rule about questions: take it out")


def _known_groups(
    values: dict[str, Any],
    named: tuple[str, ...],
    path: Path,
    contents: Contents,
    faults: Faults,
    key: str = "approvers",
) -> None:
    for index, name in enumerate(named):
        if name[:1].islower() and name != MEMBERS and name not in contents.groups:
            close = difflib.get_close_matches(name, contents.groups, 1)
            hint = f"did you mean {close[0]}?" if close else "add it to groups"
            place = (*path, *_place_of(values[key], key, name, index))
            faults.add(place, f"there is no group {name}: {hint}")


def _place_of(said: Any, key: str, name: str, index: int) -> Path:
    """Where `key` names somebody, who is the `index`th in a plain list."""
    if not isinstance(said, list):
        return (key,)
    if isinstance(said[0], str):
        return (key, index)
    at = next(number for number, one in enumerate(said) if name == one["from"] or name in one["from"])
    return (key, at, "from")


def _later(values: dict[str, Any], rule: Rule, path: Path, contents: Contents, faults: Faults) -> None:
    """What somebody can hold before it runs, or undo once it has."""
    for key, verdict in LATER.items():
        if key in values and rule.verdict != verdict:
            faults.add(
                (*path, key),
                f"{key} means nothing in a rule whose verdict is {rule.verdict}: it goes with {verdict}",
            )
    for key, other in (("undo", "undo_for"), ("undo_for", "undo")):
        if key in values and other not in values:
            faults.add((*path, key), f"{key} says nothing without {other}: add it")
    if rule.undo is not None and rule.match.could(rule.undo.action, ANYONE) and rule.match.action is not None:
        faults.add(
            (*path, "undo"), "this rule fits its own undo, which would be undone in turn: name another"
        )
    if rule.after is None or rule.verdict != "allow":
        return
    if fault := fault_of(rule, contents):
        faults.add((*path, "after"), fault)
    if rule.expires_in is not None and rule.expires_in <= rule.after:
        faults.add((*path, "expires_in"), "it would have ended before it may run: make it longer than after")


def _known_class(entry: str, path: Path, faults: Faults) -> None:
    if entry.startswith("@") and entry[1:] not in CLASSES:
        close = difflib.get_close_matches(entry[1:], CLASSES, 1)
        hint = f"did you mean {close[0]}?" if close else "`signoff policy classes` lists them"
        faults.add(path, f"there is no class {entry[1:]}: {hint}")


def _superset(wide: Match, narrow: Match) -> bool:
    """Whether all that `narrow` matches is matched by `wide`; False where it cannot be told."""
    for one, other in ((wide.action, narrow.action), (wide.agent, narrow.agent)):
        if one is not None and not covers(one.patterns, other.patterns if other else ("*",)):
            return False
    pairs: tuple[tuple[frozenset[str] | None, frozenset[str] | None], ...] = (
        (wide.action_class, narrow.action_class),
        (wide.tags, narrow.tags),
        (wide.risk, narrow.risk),
        (wide.reversibility, narrow.reversibility),
    )
    return all(one is None or (other is not None and one >= other) for one, other in pairs)


def _named(path: Path) -> str:
    """A place in the file as a person would say it: `rules[2].when`."""
    text = ""
    for part in path:
        text += f"[{part + 1}]" if isinstance(part, int) else f".{part}" if text else str(part)
    return text or "the file"


def _meant(schema: dict[str, Any], path: Path, name: str) -> str:
    part = _part(schema, path[:-1])
    known = [key for key in part.get("properties", ())]
    close = difflib.get_close_matches(name, known, 1)
    return f": did you mean {close[0]}?" if close else f": there are {', '.join(known)}" if known else ""


def _expected(schema: dict[str, Any], path: Path) -> str:
    part = _part(schema, path)
    for form in part.get("anyOf", ()):
        named = schema["$defs"][form["$ref"].rpartition("/")[2]] if "$ref" in form else form
        if "enum" in named:
            return f"write one or more of {', '.join(named['enum'])}"
    said: str = part.get("description", "")
    return f"{said[:1].lower()}{said[1:].rstrip('.')}"


def _wrong_names(values: Any, schema: dict[str, Any], path: Path, faults: Faults) -> None:
    """The names in an object that are not written as names have to be there."""
    for step in path:
        values = values[step]
    names = _part(schema, path)["propertyNames"]
    for name in values:
        if not re.search(names["pattern"], name):
            faults.add((*path, name), f"{name!r} cannot stand here: {names['description']}")


def _part(schema: dict[str, Any], path: Path) -> dict[str, Any]:
    """The part of the schema that describes a place; empty where none does."""
    definitions: dict[str, Any] = schema["$defs"]
    part: Any = schema
    for step in path:
        while "$ref" in part:
            part = definitions[part["$ref"].rpartition("/")[2]]
        part = (
            part.get("items", {})
            if isinstance(step, int)
            else part.get("properties", {}).get(step) or part.get("additionalProperties")
        )
        if not isinstance(part, dict):
            return {}
    named: dict[str, Any] = definitions[part["$ref"].rpartition("/")[2]] if "$ref" in part else {}
    return {**named, **part}
