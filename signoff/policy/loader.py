"""A policy's file → the Policy in force; raises PolicyError with every fault, its line, and what to do."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import cache, cached_property
from importlib.resources import files
from pathlib import Path
from typing import Any

from signoff.policy import checks, document, quorums, times
from signoff.policy.addresses import Domains
from signoff.policy.builder import build_questions, build_rules, sums_of
from signoff.policy.document import Document, Unreadable
from signoff.policy.doubts import doubts
from signoff.policy.errors import PolicyError
from signoff.policy.evaluate import evaluate
from signoff.policy.examples import ANYONE, Example, a_request, examples
from signoff.policy.faults import Faults
from signoff.policy.feedback import Asking
from signoff.policy.policy import Policy
from signoff.policy.rules import AgentRules, BatchRules, Contents, Limits, Names
from signoff.policy.sensitive import SensitiveFields
from signoff.policy.stop_builder import breaker, stop_rules

PRESETS = ("conservative", "balanced", "permissive")


@dataclass(frozen=True)
class Loaded:
    """A file that holds: the policy, and the examples that it should keep."""

    policy: Policy
    examples: tuple[Example, ...]
    _found: Document
    _faults: Faults

    @cached_property
    def warnings(self) -> tuple[str, ...]:
        """What it may not mean, a line each: file, line, column, and what to write instead."""
        policy, contents = self.policy, self.policy.contents
        assert contents is not None

        def judge(action: str, changed: Contents) -> str:
            _, request = a_request({"action": action})
            return evaluate(request, ANYONE, replace(policy, contents=changed)).effect

        said = [
            *doubts(self._found, contents, judge),
            *quorums.doubts(self._found, contents, policy.approvers),
        ]
        told = {(self._found.place(path), self._faults.warning(path, one)) for path, one in said}
        return tuple(line for _, line in sorted(told))


def load(path: Path | str, *, approvers: Sequence[str] = (), conversation: str = "") -> Policy:
    """A file → the policy; `approvers` and `conversation` are for all that names no others.

    Raises PolicyError, also where the file cannot be read.
    """
    return load_all(path, approvers=approvers, conversation=conversation).policy


def load_all(path: Path | str, *, approvers: Sequence[str] = (), conversation: str = "") -> Loaded:
    """`load`, with the examples."""
    try:
        data = Path(path).read_bytes()
    except OSError as error:
        raise PolicyError([f"{path}: cannot be read: {error.strerror}. Look at the path."]) from None
    return parse(data, str(path), approvers=approvers, conversation=conversation)


def parse(data: bytes, name: str, *, approvers: Sequence[str] = (), conversation: str = "") -> Loaded:
    """A file's bytes → the policy and its examples; `name` stands in front of each fault.

    Raises PolicyError.
    """
    try:
        found = document.read(data)
    except Unreadable as error:
        raise PolicyError([f"{name}:{error.place[0]}:{error.place[1]}: {error.message}."]) from None
    faults = Faults(name, found)
    checks.shape(found, faults)
    faults.stop()
    contents = _with_preset(found, faults)
    shown = examples(found, faults)
    checks.meaning(found, contents, faults)
    faults.stop()
    quorums.check(found, contents, tuple(approvers), faults)
    faults.stop()
    policy = Policy(tuple(approvers), conversation, contents, data.decode("utf-8-sig"))
    return Loaded(policy, shown, found, faults)


def _with_preset(found: Document, faults: Faults) -> Contents:
    """The file's own first, then the preset's; and its autonomy where the file has none."""
    own, extends = _contents(found, faults), found.values.get("extends", "base")
    if extends == "none":
        return own
    preset = _preset(extends)
    return replace(
        own,
        autonomy=own.autonomy if "autonomy" in found.values else preset.autonomy,
        always_ask=Names((*own.always_ask.entries, *preset.always_ask.entries)),
        never_ask=Names((*own.never_ask.entries, *preset.never_ask.entries)),
        rules=(*own.rules, *(replace(rule, source=extends) for rule in preset.rules)),
    )


@cache
def _preset(name: str) -> Contents:
    found = document.read(preset_text(name).encode())
    faults = Faults(name, found)
    checks.shape(found, faults)
    contents = _contents(found, faults)
    faults.stop()
    return contents


def preset_text(name: str) -> str:
    """A preset as it stands in the package."""
    return (files("signoff.policy") / "presets" / f"{name}.yml").read_text(encoding="utf-8")


def _contents(found: Document, faults: Faults) -> Contents:
    values: dict[str, Any] = found.values
    asking = _asking(values, faults)
    return Contents(
        autonomy=values.get("autonomy", "supervised"),
        always_ask=Names(tuple(values.get("always_ask", ()))),
        never_ask=Names(tuple(values.get("never_ask", ()))),
        block=Names(tuple(values.get("block", ()))),
        risk=tuple((Names((glob,)), risk) for glob, risk in values.get("risk", {}).items()),
        reversibility=tuple((Names((glob,)), undo) for glob, undo in values.get("reversibility", {}).items()),
        domains=Domains(values.get("internal_domains", ())),
        sensitive=SensitiveFields(tuple(values.get("sensitive_fields", ()))),
        conversations=values.get("channels", {}),
        groups={name: _ids(group) for name, group in values.get("groups", {}).items()},
        deputies={
            name: tuple(group["deputies"])
            for name, group in values.get("groups", {}).items()
            if "deputies" in group
        },
        quiet=times.build_quiet(values),
        people={one: ids[0] for ids in values.get("people", {}).values() for one in ids},
        agents=tuple(_agent(name, said) for name, said in values.get("agents", {}).items()),
        questions=build_questions(found, faults),
        rules=build_rules(found, faults),
        feedback=asking.share,
        asks_per_hour=asking.per_hour,
        shares={name: tuple(among) for name, among in values.get("lessons", {}).get("share", {}).items()},
        batch=_batch(values.get("batch", {})),
        stop=stop_rules(values),
        breaker=breaker(values, faults),
    )


def _asking(values: dict[str, Any], faults: Faults) -> Asking:
    try:
        return Asking.of(values.get("feedback", "0%"))
    except ValueError as error:
        faults.add(("feedback",), f"feedback: {error}")
        return Asking()


def _ids(group: dict[str, Any]) -> tuple[str, ...]:
    return (*group.get("users", ()), *group.get("usergroups", ()))


def _batch(said: dict[str, Any]) -> BatchRules:
    of = Names(tuple(said["of"])) if "of" in said else None
    return BatchRules(int(said.get("most", BatchRules.most)), of, said.get("irreversible", False))


def _agent(name: str, said: dict[str, Any]) -> AgentRules:
    # JSON Schema takes 20.0 for a whole number, and a database does not.
    found = said.get("limits", {})
    limits = {kind: int(found[kind]) for kind in ("pending", "per_hour") if kind in found}
    sums = sums_of(found, "")
    return AgentRules(name, said.get("owner"), said.get("autonomy"), Limits(**limits, sums=sums))
