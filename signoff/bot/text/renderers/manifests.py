"""Kubernetes' manifests by kind, name and namespace, and what in them reaches beyond its container; pure.

As objects, lists of them, or YAML. YAML is read as nodes: nothing is built from it, and aliases are not
followed, so that no text of it grows.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from typing import Any

from signoff.bot.text.renderers import Seen, Summary
from signoff.bot.text.renderers.manifest_yaml import documents
from signoff.bot.text.renderers.parts import headline, listed, warned
from signoff.bot.text.renderers.privileges import found_in
from signoff.bot.text.row import Row, Span, is_short, scalar_text
from signoff.bot.text.words import summaries as words

MOST_SHOWN = 20
"""Privileges of one manifest that are named; more are counted."""


def summarise(seen: Seen) -> Summary | None:
    """One manifest or several."""
    value, odd = seen.value, list[str]()
    if isinstance(value, str):
        if "kind" not in value or "apiVersion" not in value:
            return None
        read = documents(value)
        if read is None:
            return Summary((headline(words.YAML_UNREAD),)) if _certain(value) else None
        value = read.documents
        odd += [words.YAML_ALIASES] if read.aliases else []
        odd += [words.YAML_TWICE] if read.twice else []
    found, others = _all(value if isinstance(value, list) else [value])
    if not found or (others and isinstance(seen.value, list)):
        return None
    odd += [words.not_manifests(others)] if others else []
    kinds = Counter(scalar_text(manifest["kind"]) for manifest in found)
    shown = [f"{count:,} {kind}" for kind, count in kinds.most_common(8)]
    rows: list[Row] = [headline(words.count(len(found), "manifest"), *shown), *map(warned, odd)]
    told = [(manifest, list(found_in(manifest))) for manifest in found]
    risky = [row for manifest, privileges in told if privileges for row in _risky(manifest, privileges)]
    rows += [*risky, *listed([_named(manifest) for manifest, privileges in told if not privileges])]
    return Summary(tuple(rows))


def _certain(text: str) -> bool:
    return any(line.startswith("apiVersion:") for line in text.splitlines()[:50])


def _all(values: list[Any]) -> tuple[list[Mapping[str, Any]], int]:
    """The manifests in a list, those of lists in it too, and how many values are none."""
    found, others, left = list[Mapping[str, Any]](), 0, list(reversed(values))
    while left:
        value = left.pop()
        if not _is_manifest(value):
            others += value is not None
            continue
        items = value.get("items")
        if isinstance(items, list) and str(value["kind"]).endswith("List"):
            left += reversed(items)
        else:
            found.append(value)
    return found, others


def _is_manifest(value: Any) -> bool:
    return (
        isinstance(value, dict)
        and isinstance(value.get("apiVersion"), str)
        and isinstance(value.get("kind"), str)
    )


def _named(manifest: Mapping[str, Any]) -> list[Span]:
    about = manifest.get("metadata")
    about = about if isinstance(about, dict) else {}
    name = about.get("name") or about.get("generateName")
    spans: list[Span] = [(scalar_text(manifest["kind"]), "bold")]
    told = name is not None and is_short(name)
    spans.append((" " + scalar_text(name), "") if told else (" " + words.NO_NAME, "italic"))
    namespace = about.get("namespace")
    if namespace is not None and is_short(namespace):
        spans += [("  " + words.IN_NAMESPACE + " ", "italic"), (scalar_text(namespace), "")]
    return spans


def _risky(manifest: Mapping[str, Any], privileges: list[tuple[str, str]]) -> Iterator[Row]:
    """A manifest and what it may do; first the value from the payload, then what it means."""
    spans = [("⚠ ", "italic"), *_named(manifest)]
    for number, (place, what) in enumerate(privileges[:MOST_SHOWN]):
        spans += [("; " if number else "  ", "italic"), (place + " ", ""), (what, "italic")]
    if len(privileges) > MOST_SHOWN:
        spans.append((f"; {words.and_more(len(privileges) - MOST_SHOWN)}", "italic"))
    yield Row((), tuple(spans), "bullet")
