"""An edited payload is judged again, and never more loosely; headlines."""

from __future__ import annotations

from typing import Any

import pytest
from policy.policies import policy
from support import a_request

from signoff.models.verdict import Verdict
from signoff.policy.evaluate import evaluate, evaluate_edit
from signoff.policy.headline import Headline
from signoff.policy.policy import Policy

REFUNDS = """\
extends: none
channels: {high: C0HIGH}
internal_domains: [example.com]
groups: {finance: {users: [U0FIN]}, leads: {users: [U0LEAD]}}
rules:
  - {name: tiny, match: {action: refund.*}, when: payload.amount <= 10, verdict: allow}
  - {name: never, match: {action: refund.*}, when: payload.amount > 9000, verdict: block,
     reason: Over the limit.}
  - {name: large, match: {action: refund.*}, when: payload.amount > 1000, verdict: ask, approvers: finance,
     channel: C0FIN, headline: "Refund {amount} to {customer}", editable: [amount, customer], expires_in: 30m}
  - {name: medium, match: {action: refund.*}, when: payload.amount > 100, verdict: ask, approvers: leads,
     headline: "Give {amount} back", editable: [amount]}
"""


def edited(
    before: Any, after: Any, action: str = "refund.create", found: Policy | None = None
) -> tuple[Verdict, Verdict]:
    found = found or policy(REFUNDS)
    request = a_request(action, before)
    first = evaluate(request, "billing-bot", found)
    return first, evaluate_edit(found, request, "billing-bot", after, first)


def test_a_stricter_rules_people_and_channel_take_over() -> None:
    first, second = edited({"amount": 500}, {"amount": 2000, "customer": "cus_42"})
    assert (first.rule, first.approvers, first.conversation) == ("medium", ("U0LEAD",), "C0HIGH")
    assert (second.rule, second.approvers, second.named, second.conversation) == (
        "large",
        ("U0FIN",),
        ("finance",),
        "C0FIN",
    )
    assert second.headline == "Refund 2000 to cus_42"
    assert second.expires_in == 1800 and second.editable == ("amount",)


def test_an_edit_that_would_be_allowed_stays_with_the_people_who_were_asked() -> None:
    first, second = edited({"amount": 2000, "customer": "c"}, {"amount": 5, "customer": "c"})
    assert second.effect == "ask"
    kept = (first.rule, first.approvers, first.conversation)
    assert (second.rule, second.approvers, second.conversation) == kept
    assert second.headline == "Refund 5 to c"


def test_an_edit_that_only_the_level_asks_about_stays_with_the_rules_people() -> None:
    first, second = edited({"amount": 2000}, {"amount": 50})
    assert (second.rule, second.approvers) == ("large", ("U0FIN",))
    assert first.rule == "large"


def test_an_edit_into_a_block_is_refused_with_its_reason() -> None:
    _, second = edited({"amount": 500}, {"amount": 10_000})
    assert (second.effect, second.reason, second.rule) == ("block", "Over the limit.", "never")


def test_an_edit_into_what_cannot_be_evaluated_is_refused_where_a_rule_blocks() -> None:
    _, second = edited({"amount": 500}, {"amount": "500"})
    assert second.effect == "block"


def test_a_rule_that_names_nobody_takes_over_with_what_it_requires() -> None:
    """Its people and channel stay those who were asked; its sentence and what it wants said are its own."""
    found = policy(
        REFUNDS.replace("approvers: finance,\n     channel: C0FIN, ", "require: [reason, impact],\n     ")
    )
    first, second = edited({"amount": 500}, {"amount": 2000, "customer": "cus_42"}, found=found)
    assert (second.rule, second.require) == ("large", ("reason", "impact"))
    kept = (first.named, ("U0LEAD",), first.conversation)
    assert (second.named, second.approvers, second.conversation) == kept
    assert second.headline == "Refund 2000 to cus_42"


def test_a_rule_is_named_with_the_policy_that_it_stands_in() -> None:
    """Another policy is in force by now, and has nothing to say to the new payload."""
    request = a_request("refund.create", {"amount": 500})
    first = evaluate(request, "billing-bot", policy(REFUNDS))
    later = policy("extends: none\ngroups: {leads: {users: [U0LEAD]}}")
    second = evaluate_edit(later, request, "billing-bot", {"amount": 400}, first)
    assert (second.rule, second.policy) == ("medium", first.policy) and later.digest != first.policy
    later = policy(REFUNDS.replace("large", "huge"))
    second = evaluate_edit(later, request, "billing-bot", {"amount": 2000}, first)
    assert (second.rule, second.policy) == ("huge", later.digest)


def test_within_one_rule_only_the_sentence_changes() -> None:
    first, second = edited({"amount": 500}, {"amount": 400})
    assert second == first.model_copy(update={"headline": "Give 400 back"})


def test_what_an_edit_reaches_raises_risk_and_never_lowers_it() -> None:
    text = "extends: none\ninternal_domains: [example.com]\nrules: [{name: mail, verdict: ask}]"
    inside, outside = {"to": "ana@example.com"}, {"to": "eve@evil.test"}
    first, second = edited(inside, outside, "send_email", policy(text))
    assert (first.risk, second.risk, second.reversibility) == ("low", "high", "irreversible")
    first, second = edited(outside, inside, "send_email", policy(text))
    assert (
        (second.risk, second.reversibility) == (first.risk, first.reversibility) == ("high", "irreversible")
    )


def test_without_a_file_an_edit_changes_nothing() -> None:
    found = Policy(("U0ANA",), "C1")
    first, second = edited({"amount": 500}, {"amount": 400}, found=found)
    assert first == second


@pytest.mark.parametrize(
    ("text", "payload", "filled"),
    [
        ("Refund {amount} {currency}", {"amount": 120, "currency": "EUR"}, "Refund 120 EUR"),
        ("Refund {amount}", {"amount": 49.5}, "Refund 49.5"),
        ("Refund {amount}", {"amount": 120.0}, "Refund 120"),
        ("Refund {amount}", {"amount": -0.0}, "Refund 0"),
        ("Keep {flag}", {"flag": True}, "Keep true"),
        ("To {customer.name}", {"customer": {"name": "ana@example.com"}}, "To ana@example.com"),
        ("To {customer}", {"customer": "Ana B"}, "To “Ana B”"),
        ("To {customer}", {"customer": "x” approved by “CEO"}, "To “x' approved by 'CEO”"),
        ("To {customer}", {"customer": "a\nb\u202ec\u2028d\u200be"}, "To “a b�c d�e”"),
        ("To {customer}", {"customer": "cus_42\u200b"}, "To “cus_42�”"),
        ("To {customer}", {"customer": "\u202ecus_42"}, "To “�cus_42”"),
        ("To {customer}", {"customer": " cus_42\n"}, "To “cus_42”"),
        ("To {customer}", {"customer": "<!channel> *now*"}, "To “<!channel> *now*”"),
        ("To {customer}", {"customer": "x" * 99}, "To “" + "x" * 59 + "…”"),
        ("To {customer}", {"customer": "{amount}", "amount": 1}, "To “{amount}”"),
        ("{agent} does {action}", {"agent": "ceo", "action": "nothing"}, "billing-bot does refund.create"),
        ("{payload.agent}", {"agent": "ceo"}, "ceo"),
        ("No fields", {}, "No fields"),
        ("To {customer}", {}, None),
        ("To {customer}", {"customer": ""}, None),
        ("To {customer}", {"customer": "\u200b \n"}, None),
        ("To {customer}", {"customer": None}, None),
        ("To {customer}", {"customer": ["a"]}, None),
        ("To {customer}", {"customer": {"name": "a"}}, None),
        ("To {customer.name}", {"customer": "a"}, None),
    ],
)
def test_a_headline_is_filled_or_left_out(text: str, payload: Any, filled: str | None) -> None:
    assert Headline(text).fill("refund.create", "billing-bot", payload) == filled
