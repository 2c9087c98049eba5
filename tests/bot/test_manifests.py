"""Kubernetes' manifests on a card: kinds, names, namespaces, and what reaches beyond a container."""

from __future__ import annotations

import json
from typing import Any

import pytest
import yaml

from signoff.bot.text.renderers import Seen
from signoff.bot.text.renderers.manifests import summarise


def told(value: Any) -> list[str]:
    summary = summarise(Seen("manifest", value, {}, {}))
    return [] if summary is None else [row.text for row in summary.rows]


def pod(spec: dict[str, Any], **container: Any) -> dict[str, Any]:
    containers = [{"name": "c", "image": "shop/app:1.2", **container}]
    about = {"name": "web", "namespace": "prod"}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": {"containers": containers, **spec}}


RISKS: list[tuple[dict[str, Any], str]] = [
    (pod({"hostNetwork": True}), "hostNetwork true"),
    (pod({"hostPID": True}), "hostPID true"),
    (pod({"hostIPC": True}), "hostIPC true"),
    (pod({"volumes": [{"name": "v", "hostPath": {"path": "/"}}]}), "hostPath /"),
    (pod({}, securityContext={"privileged": True}), "privileged true"),
    (pod({}, securityContext={"runAsUser": 0}), "runAsUser 0"),
    (pod({}, securityContext={"allowPrivilegeEscalation": True}), "allowPrivilegeEscalation true"),
    (
        pod({}, securityContext={"capabilities": {"add": ["NET_ADMIN", "SYS_ADMIN"]}}),
        "capabilities SYS_ADMIN",
    ),
    (pod({}, image="shop/app:latest"), "image shop/app:latest"),
    (pod({}, image="registry:5000/shop/app"), "image registry:5000/shop/app"),
    (
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRoleBinding",
            "metadata": {"name": "b"},
            "roleRef": {"kind": "ClusterRole", "name": "cluster-admin"},
            "subjects": [{"kind": "Group", "name": "system:unauthenticated"}],
        },
        "roleRef cluster-admin",
    ),
    (
        {
            "apiVersion": "rbac.authorization.k8s.io/v1",
            "kind": "ClusterRole",
            "metadata": {"name": "r"},
            "rules": [{"apiGroups": [""], "resources": ["pods"], "verbs": ["*"]}],
        },
        "verbs *",
    ),
    ({"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}}, "holds secrets"),
]


def deployed(manifest: dict[str, Any]) -> dict[str, Any]:
    """A pod inside what makes pods, inside a kind that nobody knows."""
    return {
        "apiVersion": "example.org/v1",
        "kind": "Fleet",
        "metadata": {"name": "f"},
        "spec": {"template": {"spec": {"jobTemplate": {"spec": manifest.get("spec", manifest)}}}},
    }


@pytest.mark.parametrize(("manifest", "risk"), RISKS)
def test_what_reaches_beyond_its_container_is_named(manifest: dict[str, Any], risk: str) -> None:
    calm = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "calm"}}
    forms: list[Any] = [
        manifest,
        [calm, manifest],
        {"apiVersion": "v1", "kind": "List", "items": [calm, manifest]},
        yaml.safe_dump(manifest),
        yaml.safe_dump_all([calm, manifest]),
        json.dumps(manifest),
    ]
    for form in forms:
        [line] = [line for line in told(form) if line.startswith("⚠ ") and risk in line]
        assert manifest["metadata"]["name"] in line and manifest["kind"] in line
    if manifest["kind"] == "Pod":
        assert any(risk in line for line in told(deployed(manifest)))


def test_a_calm_manifest_is_named_without_a_warning() -> None:
    lines = told(pod({"hostNetwork": False}, securityContext={"runAsUser": 1000, "privileged": False}))
    assert lines == ["1 manifest, 1 Pod · summary by Signoff", "Pod web  in namespace prod"]


@pytest.mark.parametrize("written", ["true", "True", "yes", "on", '"true"', "TRUE"])
def test_true_is_read_however_it_is_written(written: str) -> None:
    assert any(
        "privileged" in line for line in told(f"apiVersion: v1\nkind: Pod\nspec:\n  privileged: {written}\n")
    )


@pytest.mark.parametrize("written", ["0", "0x0", "00", '"0"', "0o0", "+0", "-0", "0_0"])
def test_root_is_read_however_it_is_written(written: str) -> None:
    assert any(
        "runs as root" in line
        for line in told(f"apiVersion: v1\nkind: Pod\nspec: {{runAsUser: {written}}}\n")
    )


def test_aliases_are_told_of_and_not_followed() -> None:
    bomb = "a: &a [x, x, x, x, x, x, x, x, x]\n" + "".join(
        f"{chr(98 + n)}: &{chr(98 + n)} [{', '.join([f'*{chr(97 + n)}'] * 9)}]\n" for n in range(20)
    )
    lines = told("apiVersion: v1\nkind: Pod\n" + bomb)
    assert any("repeats" in line for line in lines)
    merged = "x: &x {privileged: true}\napiVersion: v1\nkind: Pod\nspec:\n  <<: *x\n"
    assert any("privileged true" in line for line in told(merged))


def test_a_name_that_stands_twice_hides_neither_value() -> None:
    for first, second in (("true", "false"), ("false", "true")):
        lines = told(f"apiVersion: v1\nkind: Pod\nspec:\n  privileged: {first}\n  privileged: {second}\n")
        assert any("stands twice" in line for line in lines) and any(
            "privileged true" in line for line in lines
        )


@pytest.mark.parametrize(
    "text",
    [
        "apiVersion: v1\nkind: Pod\nmetadata: {name: [",
        "apiVersion: v1\nkind: Pod\nspec: " + "[" * 5000,
        "apiVersion: v1\nkind: Pod\nspec: !!python/object/apply:os.system [id]\n  - {",
        "apiVersion: v1\nkind: Pod\n" + "a: 1\n" * 40_000,
    ],
)
def test_what_cannot_be_read_says_so(text: str) -> None:
    assert "cannot read" in told(text)[0]


def test_what_is_no_manifest_gets_no_summary() -> None:
    for value in ({"kind": "x"}, {"apiVersion": 1, "kind": "x"}, [], [1], "kind of apiVersion", {"a": {}}):
        assert told(value) == []


def test_names_with_line_ends_stay_on_their_line() -> None:
    manifest = {"apiVersion": "v1", "kind": "Po\nd", "metadata": {"name": "a\n⚠ b", "namespace": "\u202ex"}}
    lines = told(manifest)
    assert len(lines) == 2 and all("\n" not in line and "\u202e" not in line for line in lines)
