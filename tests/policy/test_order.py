"""What wins over what, and what a claim can and cannot do."""

from __future__ import annotations

from itertools import product
from typing import Any

import pytest
from policy.policies import THE_ISSUES, judged, policy
from support import a_request

from signoff.policy.evaluate import evaluate, explain, missing
from signoff.policy.rules import LEVELS, Level

ALLOW = "{name: allowed, match: {action: x.*}, verdict: allow}"
ASK = "{name: asked, match: {action: x.*}, verdict: ask, approvers: [U0BEN]}"
BLOCK = "{name: blocked, match: {action: x.*}, verdict: block}"


@pytest.mark.parametrize(
    ("text", "wanted", "rule"),
    [
        (
            f"autonomy: full_auto\nblock: [x.y]\nalways_ask: [x.y]\nrules: [{ALLOW}]\nnever_ask: [x.y]",
            "block",
            "",
        ),
        (f"always_ask: [x.y]\nrules: [{ALLOW}]", "ask", ""),
        (f"always_ask: [x.y]\nrules: [{ALLOW}]\nnever_ask: [x.y]", "ask", ""),
        ("autonomy: guided\nalways_ask: [x.y]\nnever_ask: [x.y]", "ask", ""),
        (f"rules: [{ALLOW}]", "allow", "allowed"),
        (f"autonomy: guided\nrules: [{ASK}]\nnever_ask: [x.y]", "ask", "asked"),
        ("autonomy: guided\nnever_ask: [x.y]", "allow", ""),
        ("autonomy: supervised\nnever_ask: [x.y]", "ask", ""),
        (f"autonomy: guided\nrules: [{BLOCK}]\nnever_ask: [x.y]", "block", "blocked"),
        ("autonomy: guided", "ask", ""),
    ],
)
def test_the_order(text: str, wanted: str, rule: str) -> None:
    verdict = judged(text, "x.y")
    assert (verdict.effect, verdict.rule) == (wanted, rule)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("rule", ["", ALLOW, ASK, BLOCK, ALLOW.replace("verdict: allow", "verdict: notify")])
def test_the_order_in_every_combination(level: Level, rule: str) -> None:
    """block > always_ask (and three failures) > rules > never_ask > level, read off the issue once more."""
    for block, always, never, attempts in product((0, 1), (0, 1), (0, 1), (0, 3)):
        lists = [name for name, on in (("block", block), ("always_ask", always), ("never_ask", never)) if on]
        text = "\n".join([f"autonomy: {level}", *(f"{name}: [x.y]" for name in lists), f"rules: [{rule}]"])
        if block or rule == BLOCK:
            wanted = "block"
        elif always or attempts:
            wanted = "ask"
        elif rule:
            wanted = policy(text).contents.rules[0].verdict  # type: ignore[union-attr]
        else:
            wanted = "allow" if never and level != "supervised" else "ask"  # it is in no class
        found = judged(text, "x.y", attempts=attempts)
        assert found.effect == wanted, text
        assert found.approvers == (("U0BEN",) if rule == ASK and wanted == "ask" else ("U0ANA",)), text


@pytest.mark.parametrize(
    "first", [ALLOW.replace("}", ", risk: [high]}", 1), ASK.replace("}", ", risk: [high]}", 1)]
)
def test_the_first_rule_that_matches_decides(first: str) -> None:
    for second in (ALLOW, ASK, BLOCK):
        second = second.replace("name: ", "name: second ")
        assert not judged(f"rules: [{first}, {second}]", "x.y").rule.startswith("second")


def test_in_always_ask_the_first_rule_that_asks_still_says_who() -> None:
    allow = ALLOW.replace("}", ", risk: high}", 1)
    verdict = judged(f"always_ask: [x.y]\nrules: [{allow}, {ASK}]", "x.y")
    assert (verdict.effect, verdict.rule, verdict.approvers) == ("ask", "asked", ("U0BEN",))


def test_always_ask_does_not_unblock() -> None:
    assert judged(f"always_ask: [x.y]\nrules: [{BLOCK}]", "x.y").effect == "block"


@pytest.mark.parametrize(
    ("match", "fits"),
    [
        ("{}", True),
        ("{action: x.*}", True),
        ("{action: X.Y}", True),
        ("{action: [a.*, 'x.?']}", True),
        ("{action: x}", False),
        ("{agent: some-*}", True),
        ("{agent: other}", False),
        ("{class: money}", False),
        ("{tags: [money, mine]}", True),
        ("{tags: money}", False),
        ("{risk: [high, critical]}", True),
        ("{risk: low}", False),
        ("{reversibility: irreversible}", True),
        ("{reversibility: [reversible, costly]}", False),
        ("{action: x.*, agent: some-bot, tags: mine, risk: high, reversibility: irreversible}", True),
        ("{action: x.*, agent: other}", False),
    ],
)
def test_all_of_a_match_has_to_fit(match: str, fits: bool) -> None:
    text = f"autonomy: full_auto\nrules: [{{name: one, match: {match}, verdict: block}}]"
    assert (judged(text, "x.y", tags=("mine",)).rule == "one") is fits


def test_a_class_has_its_tags_whether_the_agent_says_so_or_not() -> None:
    text = "rules: [{name: money, match: {tags: money}, verdict: block}]"
    assert judged(text, "payment.create").effect == "block"


@pytest.mark.parametrize(
    ("verdict", "decides"), [("allow", False), ("notify", False), ("ask", True), ("block", True)]
)
def test_a_second_class_holds_an_action_and_never_frees_it(verdict: str, decides: bool) -> None:
    head = "extends: none\nautonomy: guided"
    text = f"{head}\nrules: [{{name: one, match: {{class: search}}, verdict: {verdict}}}]"
    assert (judged(text, "search.delete_index").rule == "one") is decides


CLAIMS: dict[str, Any] = {
    "risk": "low",
    "reversibility": "reversible",
    "tags": ("harmless",),
    "cost": 1.0,
    "confidence": 1.0,
    "attempts": 0,
    "run": "night",
}
FOR_CLAIMS = (
    "match: {tags: harmless}, verdict: allow",
    "match: {risk: low}, verdict: allow",
    "match: {reversibility: reversible}, verdict: allow",
    "match: {action: x.*}, when: cost < 10.0, verdict: allow",
    "match: {action: x.*}, when: confidence > 0.9, verdict: notify",
    "match: {action: x.*}, when: attempts == 0, verdict: allow",
    "match: {action: x.*}, when: run == 'night', verdict: allow",
    "match: {action: x.*}, when: \"'harmless' in tags\", verdict: allow",
)


@pytest.mark.parametrize("rule", FOR_CLAIMS)
def test_no_claim_frees_anything_even_where_a_rule_would_believe_it(rule: str) -> None:
    verdict = judged(f"autonomy: guided\nrules: [{{name: trusting, {rule}}}]", "x.y", **CLAIMS)
    assert verdict.effect == "ask"


def test_a_claim_does_not_hide_behind_a_rule_that_asks_for_less() -> None:
    """Claiming a high risk must not lead to a rule that allows what is risky."""
    text = "autonomy: guided\nrules: [{name: odd, match: {risk: high}, verdict: allow}]\nrisk: {x.y: medium}"
    assert judged(text, "x.y", risk="high").effect == "ask"


def test_a_claim_makes_it_stricter() -> None:
    text = "rules: [{name: ours, match: {action: x.*}, when: \"!('production' in tags)\", verdict: allow}]"
    assert judged(text, "x.y").effect == "allow"
    assert judged(text, "x.y", tags=("production",)).effect == "ask"
    raised = judged("autonomy: guided", "files.read", risk="high", reversibility="irreversible")
    assert (raised.effect, raised.risk_from, raised.reversibility_from) == ("ask", "agent", "agent")


def test_the_policys_word_decides_what_can_be_undone() -> None:
    for claim in ("reversible", "costly"):
        verdict = judged("reversibility: {x.y: irreversible}", "x.y", reversibility=claim)
        assert (verdict.reversibility, verdict.reversibility_from) == ("irreversible", "policy")
    assert judged("", "x.y", reversibility="reversible").reversibility == "irreversible"


def test_of_several_estimates_the_highest_holds() -> None:
    for order in ("{x.*: high, '*.y': low}", "{'*.y': low, x.*: high}"):
        assert judged(f"risk: {order}", "x.y").risk == "high"
    assert judged("reversibility: {x.*: costly, '*': reversible}", "x.y").reversibility == "costly"
    assert judged("risk: {'@money': low}", "payment.create").risk == "low"


def test_the_issues_policy() -> None:
    """Each part of the example that the issue shows."""
    found = policy(THE_ISSUES)
    small = judged(found, "refund.create", {"amount": 49.5, "currency": "EUR"}, "billing-bot")
    assert (small.effect, small.rule) == ("allow", "small refunds")
    assert judged(found, "refund.create", {"amount": 40, "currency": "USD"}, "other-bot").rule == ""
    large = judged(
        found, "refund.create", {"amount": 1200, "currency": "EUR", "customer": "cus_42"}, "billing-bot"
    )
    assert (large.effect, large.rule, large.headline) == ("ask", "large refunds", "Refund 1200 EUR to cus_42")
    assert (large.conversation, large.named, large.approvers) == (
        "#finance-approvals",
        ("finance",),
        ("U0FIN1", "S0FIN"),
    )
    assert (large.editable, large.expires_in, large.policy) == (("amount",), 1800, found.digest)
    request = a_request(payload={"amount": 1200}, reason="r", impact="i")
    assert missing(evaluate(request, "billing-bot", found), request) == ("alternatives",)
    assert judged(found, "search.web", {}, "other-bot").why == "never_ask lists search.*"
    assert judged(found, "search.web", {}, "billing-bot").effect == "ask"  # supervised
    blocked = judged(found, "iam.grant_admin")
    assert (blocked.effect, blocked.reason) == ("block", "The policy blocks iam.grant_admin.")
    assert judged(found, "send_email", {"to": "ana@partner.test"}).rule == "outside mail"
    assert judged(found, "db.drop").risk == "high"
    assert judged(found, "run_command").conversation == "#agent-review"
    assert (found.owner("billing-bot"), found.owner("x")) == ("U0OWNER", None)
    assert (found.limits("billing-bot").pending, found.limits("billing-bot").per_hour) == (20, 60)
    assert found.limits("other-bot").pending is None


def test_an_agent_is_found_by_name_before_glob() -> None:
    limits = {"'b*'": 1, "billing-bot": 2, "'*'": 3}
    said = ", ".join(f"{name}: {{limits: {{pending: {most}}}}}" for name, most in limits.items())
    found = policy(f"agents: {{{said}}}")
    assert [found.limits(name).pending for name in ("billing-bot", "bot", "x")] == [2, 1, 3]


@pytest.mark.parametrize(
    ("asked", "rules", "wanted"), [(None, "30m", 1800), (60, "30m", 60), (7200, "30m", 1800), (60, None, 60)]
)
def test_the_rules_time_holds_and_the_agent_may_shorten_it(
    asked: int | None, rules: str | None, wanted: int
) -> None:
    time = f", expires_in: {rules}" if rules else ""
    claims = {"expires_in": asked} if asked else {}
    assert judged(f"rules: [{{name: a, verdict: ask{time}}}]", "x.y", **claims).expires_in == wanted


def test_a_rule_may_say_what_a_blocked_agent_is_told() -> None:
    text = "rules: [{name: no, match: {class: money}, verdict: block, reason: Ask finance by mail.}]"
    assert judged(text, "refund.create").reason == "Ask finance by mail."


def test_an_explanation_says_of_each_rule_before_why_it_did_not_decide() -> None:
    found = policy(THE_ISSUES)
    request = a_request("send_email", {"to": "ana@partner.test"})
    explained = explain(request, "billing-bot", found)
    assert explained.verdict == evaluate(request, "billing-bot", found)
    assert [(rule.name, why) for rule, why in explained.passed] == [
        ("small refunds", "always_ask lists send_email: a rule that allows does not free it"),
        ("large refunds", "the action is not refund.*"),
    ]


def test_an_explanation_also_says_why_a_rule_that_believes_a_claim_did_not_decide() -> None:
    found = policy(
        "autonomy: guided\nrules:\n - {name: trusting, match: {tags: harmless}, verdict: allow}\n"
        " - {name: after, match: {action: x.*}, when: payload.a > 1, verdict: allow}"
    )
    request = a_request("x.y", {"a": 0}, tags=("harmless",))
    explained = explain(request, "some-bot", found)
    assert explained.verdict == evaluate(request, "some-bot", found) and explained.claims_aside
    assert [(rule.name, why) for rule, why in explained.passed] == [
        ("trusting", "the request has no tag harmless"),
        ("after", "its condition does not hold"),
    ]
    assert not explain(a_request("x.y", {"a": 0}), "some-bot", found).claims_aside


@pytest.mark.parametrize(
    ("said", "lacks"),
    [
        ({"reason": "R2", "alternatives": ("", "wait"), "context": {"a": 0}, "cost": 0}, ()),
        ({"reason": "理由", "alternatives": ("1",), "context": {"a": None}, "cost": 0.5}, ()),
        ({}, ("reason", "alternatives", "context", "cost")),
        (
            {"reason": " \n", "alternatives": ("", "\u200b"), "context": {}, "cost": 1},
            ("reason", "alternatives", "context"),
        ),
        (
            {"reason": "...", "alternatives": (), "context": {}, "cost": 1},
            ("reason", "alternatives", "context"),
        ),
    ],
)
def test_what_is_required_has_to_be_said_in_words(said: Any, lacks: tuple[str, ...]) -> None:
    found = policy("rules: [{name: a, verdict: ask, require: [reason, alternatives, context, cost]}]")
    request = a_request("x.y", **said)
    assert missing(evaluate(request, "some-bot", found), request) == lacks


def test_what_decided_is_said_without_a_word_of_the_payload() -> None:
    text = "rules: [{name: odd, when: 'payload[payload.which] > 1', verdict: ask}]"
    verdict = judged(text, "x.y", {"which": "secret"})
    assert (
        verdict.why
        == "the rule “odd”; its condition cannot be evaluated, as a field that it reads is not there"
    )


def test_a_group_is_resolved_by_the_policy_of_today() -> None:
    rule = "{name: a, verdict: ask, approvers: [finance, S0X, members]}"
    old, new = (
        policy(f"groups: {{finance: {{users: [{user}]}}}}\nrules: [{rule}]") for user in ("U0OLD", "U0NEW")
    )
    verdict = judged(old, "x.y")
    assert old.approvers_of(verdict) == verdict.approvers == ("U0OLD", "S0X", "members")
    assert new.approvers_of(verdict) == ("U0NEW", "S0X", "members")
    assert policy("", approvers=("U0ANA",)).approvers_of(verdict) == ("S0X", "members")
    assert new.approvers_of(judged("", "x.y")) == ("U0ANA",)
