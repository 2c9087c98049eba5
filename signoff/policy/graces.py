"""Which rules may let something run after a while: none that could fit what is risky or final; pure."""

from __future__ import annotations

from signoff.models.messages import Reversibility, Risk
from signoff.models.verdict import REVERSIBILITIES, RISKS
from signoff.policy.classes import CLASSES, ActionClass
from signoff.policy.examples import ANYONE, a_request
from signoff.policy.globs import covers
from signoff.policy.rated import facts_of
from signoff.policy.rules import Contents, Names, Rule

MILD_RISKS = frozenset(RISKS[: RISKS.index("high")])
MILD_REVERSIBILITIES = frozenset(REVERSIBILITIES[: REVERSIBILITIES.index("irreversible")])


def fault_of(rule: Rule, contents: Contents) -> str:
    """Why a rule cannot have `after`, and what to write; empty where it can.

    Known is what an action counts as by its very name, by the policy's own maps, or by its class. What an
    agent claims may still raise it: then it is asked about.
    """
    lacks = [
        f"match.{name}: [{', '.join(mild)}]"
        for name, mild, holds in (
            ("risk", RISKS[:2], is_mild(rule, contents, "risk", MILD_RISKS)),
            (
                "reversibility",
                REVERSIBILITIES[:2],
                is_mild(rule, contents, "reversibility", MILD_REVERSIBILITIES),
            ),
        )
        if not holds
    ]
    if not lacks:
        return ""
    return (
        "this rule could fit what is of high or critical risk, or irreversible, and that is never let run "
        f"after a while: add {' and '.join(lacks)}, or rate its actions under risk and reversibility"
    )


Mild = frozenset[Risk] | frozenset[Reversibility]


def is_mild(rule: Rule, contents: Contents, what: str, mild: Mild) -> bool:
    """Whether all that a rule fits is known to be one of `mild`: `what` is risk or reversibility."""
    named = rule.match.risk if what == "risk" else rule.match.reversibility
    if named is not None:
        return named <= mild
    rated = contents.risk if what == "risk" else contents.reversibility
    if rule.match.action is not None:
        return all(_rated(one, contents, what, mild, rated) for one in rule.match.action.patterns)
    classes = [CLASSES[one] for one in rule.match.action_class or () if one in CLASSES]
    harsh = [entry for names, value in rated for entry in names.entries if value not in mild]
    if not classes or any(_could_be_of(entry, one) for entry in harsh for one in classes):
        return False
    return all(getattr(one, what) in mild for one in classes)


def _could_be_of(entry: str, one: ActionClass) -> bool:
    """Whether an action that a map's entry names could be of a class."""
    return any(character in entry for character in "*?@") or one.fits(entry)


def _rated(
    pattern: str,
    contents: Contents,
    what: str,
    mild: Mild,
    rated: tuple[tuple[Names, Risk], ...] | tuple[tuple[Names, Reversibility], ...],
) -> bool:
    """Whether all that a pattern matches counts as mild, as far as that can be told."""
    if "*" not in pattern and "?" not in pattern:
        _, request = a_request({"action": pattern})
        return getattr(facts_of(request, ANYONE, contents), what) in mild
    entries = [(entry, value) for names, value in rated for entry in names.entries]
    if any(value not in mild for entry, value in entries if not _apart(entry, pattern)):
        return False
    return any(covers((entry,), (pattern,)) for entry, value in entries if value in mild)


def _apart(entry: str, pattern: str) -> bool:
    """Whether no action can be matched by both, as their beginnings differ; classes are never apart."""
    heads = [one.partition("*")[0].partition("?")[0] for one in (entry, pattern)]
    shorter = min(map(len, heads))
    return not entry.startswith("@") and heads[0][:shorter].lower() != heads[1][:shorter].lower()
