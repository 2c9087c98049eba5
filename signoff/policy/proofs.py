"""What whoever approves has to prove beside their Slack account: which of several rules' words hold; pure."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from signoff.models.verdict import REVERSIBILITIES, RISKS, Verdict
from signoff.policy.graces import MILD_REVERSIBILITIES, is_mild
from signoff.policy.rules import Contents, Rule

UNCRITICAL = frozenset(RISKS[: RISKS.index("critical")])
NEVER = "a session never counts for what is critical or irreversible"


def session_fault(rule: Rule, contents: Contents) -> str:
    """Why a rule cannot have `session`, and what to write; empty where it can.

    It never counts for what is critical or irreversible, so a rule that is known to be about that alone, or
    that names it, would promise what is not given.
    """
    if rule.second_factor is None:
        return "session says nothing without second_factor: add second_factor: totp"
    named = (rule.match.risk or frozenset[Any]()) | (rule.match.reversibility or frozenset())
    if final := named & {"critical", "irreversible"}:
        return f"{NEVER}: take {' and '.join(sorted(final))} out of match, or session out of the rule"
    for what, value in (("risk", "critical"), ("reversibility", "irreversible")):
        if getattr(rule.match, what) is None and _is_rated(rule, contents, what, value):
            return f"{NEVER}, and the policy rates what this rule matches as {value}: take it out"
    return ""


def session_doubt(rule: Rule, contents: Contents) -> str:
    """What a rule's `session` may not do that somebody thought it did; empty where it is plain."""
    lacks = [
        f"match.{what}: [{', '.join(mild)}]"
        for what, mild in (
            ("risk", RISKS[: RISKS.index("critical")]),
            ("reversibility", REVERSIBILITIES[: REVERSIBILITIES.index("irreversible")]),
        )
        if not is_mild(rule, contents, what, UNCRITICAL if what == "risk" else MILD_REVERSIBILITIES)
    ]
    if not lacks:
        return ""
    return (
        f"{NEVER}, and this rule could fit such: each of those wants a code of its own; "
        f"add {' and '.join(lacks)} to say that it is about others"
    )


def wanted(verdict: Verdict, rules: Sequence[Rule]) -> Verdict:
    """A verdict with all that the rules by which it was decided want, where a person is asked.

    They are those that decided with the agent's claims and without them: a claim gets nobody past a code.
    """
    asking = [rule for rule in rules if rule.verdict == "ask"]
    if verdict.effect != "ask" or not any(rule.second_factor or rule.confirm for rule in asking):
        return verdict
    return verdict.model_copy(update=_strictest(asking))


def both(one: Verdict, other: Verdict) -> dict[str, Any]:
    """What two verdicts want together: an edit that comes under another rule has to satisfy either."""
    return _strictest([one, other])


def _strictest(found: Sequence[Rule | Verdict]) -> dict[str, Any]:
    codes = [one for one in found if one.second_factor is not None]
    return {
        "second_factor": codes[0].second_factor if codes else None,
        "session": min((one.session for one in codes), default=0),
        "confirm": tuple(dict.fromkeys(name for one in found for name in one.confirm)),
    }


def _is_rated(rule: Rule, contents: Contents, what: str, value: str) -> bool:
    """Whether the policy's own maps rate all that a rule names as that."""
    rated = contents.risk if what == "risk" else contents.reversibility
    actions = rule.match.action.patterns if rule.match.action else ()
    held = {entry for names, said in rated if said == value for entry in names.entries}
    return bool(actions) and all(action in held for action in actions)
