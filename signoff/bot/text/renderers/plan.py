"""Plans of changes to what runs, by counts and names: what is deleted or replaced first, all of it; pure.

Terraform and OpenTofu (`show -json`, and what `plan` prints), Pulumi (`preview --json`) and CloudFormation's
change sets. Attributes are not shown: a summary of a plan is never the whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from typing import Any

from signoff.bot.text.renderers import Seen, Summary
from signoff.bot.text.renderers.changes import Change, Plan
from signoff.bot.text.renderers.parts import headline, listed, said, warned
from signoff.bot.text.renderers.printed import printed
from signoff.bot.text.row import Row, Span, scalar_text
from signoff.bot.text.text import visible
from signoff.bot.text.words import summaries as words
from signoff.payload.canonical import count

MOST_VALUES = 50_000
"""In a plan that comes as the text of JSON."""

_TERRAFORM = {
    ("no-op",): "keep",
    ("create",): "create",
    ("read",): "read",
    ("update",): "update",
    ("delete",): "delete",
    ("delete", "create"): "replace",
    ("create", "delete"): "replace",
    ("forget",): "forget",
    ("create", "forget"): "forget",
}
_PULUMI = {
    "same": "keep",
    "create": "create",
    "update": "update",
    "delete": "delete",
    "replace": "replace",
    "create-replacement": "replace",
    "delete-replaced": "replace",
    "read": "read",
    "read-replacement": "replace",
    "refresh": "read",
    "discard": "forget",
    "discard-replaced": "forget",
    "import": "import",
    "import-replacement": "replace",
}
_CLOUDFORMATION = {"Add": "create", "Modify": "update", "Remove": "delete", "Import": "import"}
_REPLACES = {"True": "replace", "Conditional": "maybe"}


def summarise(seen: Seen) -> Summary | None:
    """A plan of any of these kinds, as JSON, as the text of JSON, or as it is printed."""
    plan = _of_text(seen.value) if isinstance(seen.value, str) else _of_json(seen.value)
    if plan is None or not (plan.changes or plan.unread):
        return None
    by_kind: dict[str, list[Change]] = {kind: [] for kind in words.KINDS}
    for change in plan.changes:
        by_kind[change.kind].append(change)
    counts = [words.of_kind(len(found), kind) for kind, found in by_kind.items() if found]
    rows = [headline(*counts, words.outputs(plan.outputs) if plan.outputs else "")]
    rows += [warned(plan.odd)] if plan.odd else []
    rows += [warned(words.not_read(plan.unread))] if plan.unread else []
    for kind, found in by_kind.items():
        if found and kind not in ("keep", "read"):
            rows += _named(kind, found)
    takes = _takes(seen.value)
    return Summary(tuple(rows), takes)


def _takes(value: Any) -> frozenset[str]:
    """The fields of an object that hold the plan, where others stand beside them."""
    fields = next((name for name, _ in _LISTS if isinstance(value, dict) and name in value), "")
    return frozenset({fields}) if fields and set(value) - _ABOUT - {fields} else frozenset()


def _named(kind: str, found: list[Change]) -> Iterator[Row]:
    text = words.of_kind(len(found), kind) + ":"
    yield warned(text) if kind in ("delete", "replace", "forget", "unclear", "maybe") else said(text)
    yield from listed([_spans(change) for change in found])


def _spans(change: Change) -> list[Span]:
    spans: list[Span] = [(scalar_text(change.name), "")]
    spans += [(" → ", ""), (scalar_text(change.becomes), "")] if change.becomes else []
    return [*spans, ("  " + change.note, "italic")] if change.note else spans


def _of_json(value: Any) -> Plan | None:
    if isinstance(value, list):
        return _listed(value) if value else None
    if not isinstance(value, dict):
        return None
    for name, read in _LISTS:
        entries = value.get(name)
        if isinstance(entries, list):
            plan = _read(entries, read)
            if plan.changes or name == "resource_changes":
                outputs = value.get("output_changes")
                return Plan(plan.changes, plan.unread, _outputs(outputs))
    return None


def _listed(entries: list[Any]) -> Plan | None:
    """A list of changes by itself: each of them has to be one."""
    for _, read in _LISTS:
        if read(entries[0]) is not None:
            plan = _read(entries, read)
            return plan if plan.unread <= len(entries) // 2 else None
    return None


def _outputs(value: Any) -> int:
    if not isinstance(value, dict):
        return 0
    return sum(isinstance(item, dict) and item.get("actions") != ["no-op"] for item in value.values())


def _read(entries: list[Any], read: Callable[[Any], list[Change] | None]) -> Plan:
    changes, unread = list[Change](), 0
    for entry in entries:
        found = read(entry)
        unread += found is None
        changes += found or []
    return Plan(changes, unread)


def _terraform(entry: Any) -> list[Change] | None:
    change = entry.get("change") if isinstance(entry, dict) else None
    if not isinstance(change, dict) or not isinstance(change.get("actions"), list):
        return None
    name = entry.get("address")
    if not isinstance(name, str):
        name = ".".join(str(entry.get(part, "?")) for part in ("type", "name"))
    actions = tuple(str(action) for action in change["actions"])
    kind = _TERRAFORM.get(actions, "")
    if not kind:
        kind = "replace" if "delete" in actions and "create" in actions else ""
        kind = kind or ("delete" if "delete" in actions else "unclear")
    note = words.more_actions(visible(", ".join(actions)[:200])) if kind == "unclear" else ""
    note = words.DEPOSED if entry.get("deposed") else note
    before = entry.get("previous_address")
    moved = isinstance(before, str) and before != name
    found = [Change("move", before, becomes=name)] if moved and isinstance(before, str) else []
    if change.get("importing"):
        found.append(Change("import", name))
    return [*found, Change(kind, name, note)] if kind != "keep" or not found else found


def _pulumi(entry: Any) -> list[Change] | None:
    if not isinstance(entry, dict) or not isinstance(entry.get("op"), str) or "urn" not in entry:
        return None
    kind = _PULUMI.get(entry["op"], "unclear")
    note = words.more_actions(visible(entry["op"][:200])) if kind == "unclear" else ""
    return [Change(kind, str(entry["urn"]), note)]


def _cloudformation(entry: Any) -> list[Change] | None:
    change = entry.get("ResourceChange") if isinstance(entry, dict) else None
    if not isinstance(change, dict) or not isinstance(change.get("Action"), str):
        return None
    kind = _CLOUDFORMATION.get(change["Action"], "unclear")
    if kind == "update":
        kind = _REPLACES.get(str(change.get("Replacement")), kind)
    if kind == "delete" and change.get("PolicyAction") == "Retain":
        kind = "forget"
    note = words.more_actions(visible(change["Action"][:200])) if kind == "unclear" else ""
    names = [change.get(part) for part in ("LogicalResourceId", "ResourceType", "PhysicalResourceId")]
    return [Change(kind, " ".join(str(name) for name in names if name), note)]


_LISTS = (
    ("resource_changes", _terraform),
    ("steps", _pulumi),
    ("Changes", _cloudformation),
)
_ABOUT = frozenset(
    [
        "format_version",
        "terraform_version",
        "applyable",
        "complete",
        "errored",
        "planned_values",
        "prior_state",
        "configuration",
        "relevant_attributes",
        "checks",
        "timestamp",
        "variables",
        "output_changes",
        "resource_drift",
        "config",
        "diagnostics",
        "changeSummary",
        "duration",
        "StackName",
        "StackId",
        "ChangeSetName",
        "ChangeSetId",
        "Status",
        "ExecutionStatus",
    ]
)
"""What else such a document holds: the summary stands for all of it."""


def _of_text(text: str) -> Plan | None:
    if text[:200].lstrip()[:1] in ("{", "["):
        return _of_json_text(text) if _MARKED.search(text) else None
    return printed(text)


_MARKED = re.compile(r'"(?:resource_changes|actions|urn|ResourceChange)"')


def _of_json_text(text: str) -> Plan | None:
    if count(text) > MOST_VALUES:
        return None
    try:
        return _of_json(json.loads(text, object_pairs_hook=_once))
    except (ValueError, RecursionError):
        return None


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """An object; of two fields of one name, one reader takes the first and another the last."""
    found = dict(pairs)
    if len(found) < len(pairs):
        raise ValueError("a name twice")
    return found
