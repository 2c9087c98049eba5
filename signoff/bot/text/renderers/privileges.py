"""What in a Kubernetes manifest reaches beyond its own container, or lets others do so; pure and linear."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from signoff.bot.text.row import name_text, scalar_text
from signoff.bot.text.text import cut
from signoff.bot.text.words import summaries as words

SHOWN = 80
"""Characters of a value that is repeated."""
_HOST = {"hostNetwork", "hostPID", "hostIPC"}
_ADMIN = frozenset({"cluster-admin", "admin", "edit", "system:masters"})
_EVERYBODY = frozenset(
    {"system:anonymous", "system:unauthenticated", "system:authenticated", "system:masters"}
)
_ROLES = frozenset({"Role", "ClusterRole"})
_BINDINGS = frozenset({"RoleBinding", "ClusterRoleBinding"})
_REACHES = frozenset({"escalate", "bind", "impersonate"})
_GATES = frozenset({"MutatingWebhookConfiguration", "ValidatingWebhookConfiguration", "APIService"})

Privilege = tuple[str, str]
"""Where, visible, and what it means, in our words."""


def found_in(manifest: Mapping[str, Any]) -> Iterator[Privilege]:
    """Each of them once, in the manifest's order."""
    kind = manifest.get("kind")
    seen: set[Privilege] = set()
    for privilege in (*_of_kind(str(kind), manifest), *_walk(manifest)):
        if privilege not in seen:
            seen.add(privilege)
            yield privilege


def _of_kind(kind: str, manifest: Mapping[str, Any]) -> Iterator[Privilege]:
    if kind == "Secret":
        yield "", words.SECRET
    if kind in ("Namespace", "CustomResourceDefinition", "PersistentVolume"):
        yield "", words.WHOLE_CLUSTER
    if kind in _GATES:
        yield "", words.GATES
    if kind in _BINDINGS:
        yield from _binding(manifest)
    if kind in _ROLES:
        yield from _role(manifest)
    spec = manifest.get("spec")
    if kind == "Service" and isinstance(spec, dict) and spec.get("type") in ("LoadBalancer", "NodePort"):
        yield _at("type", spec["type"]), words.REACHABLE


def _binding(manifest: Mapping[str, Any]) -> Iterator[Privilege]:
    role = manifest.get("roleRef")
    if isinstance(role, dict) and role.get("name") in _ADMIN:
        yield _at("roleRef", role["name"]), words.ADMIN
    subjects = manifest.get("subjects")
    for subject in subjects if isinstance(subjects, list) else ():
        if isinstance(subject, dict) and subject.get("name") in _EVERYBODY:
            yield _at("subject", subject["name"]), words.EVERYBODY


def _role(manifest: Mapping[str, Any]) -> Iterator[Privilege]:
    rules = manifest.get("rules")
    for rule in rules if isinstance(rules, list) else ():
        if not isinstance(rule, dict):
            continue
        for part in ("apiGroups", "resources", "verbs", "nonResourceURLs"):
            values = rule.get(part)
            texts = {item for item in values if isinstance(item, str)} if isinstance(values, list) else set()
            if "*" in texts:
                yield _at(part, "*"), words.WILDCARD
            if part == "resources" and any(text.partition("/")[0] == "secrets" for text in texts):
                yield _at(part, "secrets"), words.READS_SECRETS
            if part == "resources" and texts & {"pods/exec", "nodes/proxy", "pods/attach"}:
                yield _at(part, min(texts & {"pods/exec", "nodes/proxy", "pods/attach"})), words.RUNS_IN_PODS
            if part == "verbs" and texts & _REACHES:
                yield _at(part, min(texts & _REACHES)), words.GIVES_RIGHTS


def _walk(manifest: Mapping[str, Any]) -> Iterator[Privilege]:
    """At any depth: a pod stands in many kinds, and in kinds that nobody here knows."""
    left: list[Any] = [manifest]
    while left:
        value = left.pop()
        if isinstance(value, list):
            left += reversed(value)
        elif isinstance(value, dict):
            for name, item in value.items():
                yield from _field(name, item)
            left += reversed([item for item in value.values() if isinstance(item, dict | list)])


def _field(name: str, value: Any) -> Iterator[Privilege]:
    if name in _HOST and _is_true(value):
        yield _at(name, value), words.HOST
    elif name == "privileged" and _is_true(value):
        yield _at(name, value), words.PRIVILEGED
    elif name == "allowPrivilegeEscalation" and _is_true(value):
        yield _at(name, value), words.ESCALATES
    elif (name in ("runAsUser", "runAsGroup") and number_of(value) == 0) or (
        name == "runAsNonRoot" and value is False
    ):
        yield _at(name, value), words.ROOT
    elif name == "hostPath":
        path = value.get("path") if isinstance(value, dict) else value
        yield _at(name, path), words.HOST_PATH
    elif name == "capabilities" and isinstance(value, dict) and isinstance(value.get("add"), list):
        for added in value["add"]:
            yield _at("capabilities", added), words.ADDED
    elif name == "hostPort" and number_of(value):
        yield _at(name, value), words.HOST_PORT
    elif name == "image" and isinstance(value, str) and _is_latest(value):
        yield _at(name, value), words.LATEST
    elif name == "procMount" and value == "Unmasked":
        yield _at(name, value), words.PRIVILEGED
    elif name == "type" and value == "Unconfined":
        yield _at(name, value), words.UNCONFINED


def _at(name: str, value: Any) -> str:
    text = "…" if isinstance(value, dict | list) else scalar_text(value)
    return f"{name_text(name)} {cut(text, SHOWN)}"


def _is_true(value: Any) -> bool:
    return value is True or (isinstance(value, str) and value.strip().lower() in ("true", "yes", "on"))


def number_of(value: Any) -> int | None:
    """A whole number, also one that is written as text, in any base that YAML has."""
    if isinstance(value, bool):
        return None
    if isinstance(value, int | float):
        return int(value) if value == value and abs(value) < 2**63 else None
    if not isinstance(value, str) or not value or len(value) > 20 or value[0] not in "+-0123456789":
        return None
    digits = value.replace("_", "").lstrip("+-").lower()
    try:
        if digits[:2] in ("0x", "0o", "0b"):
            return int(digits, 0)
        return int(digits, 8 if digits[0] == "0" and len(digits) > 1 else 10)
    except ValueError:
        return None


def _is_latest(image: str) -> bool:
    """Whether nobody can tell from its name what an image holds."""
    if "@" in image:
        return False
    tag = image.rpartition("/")[2].partition(":")[2]
    return tag in ("", "latest")
