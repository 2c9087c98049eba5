"""Who is asked an agent's question: by rules that name questions, by `questions`, else owner and defaults."""

from __future__ import annotations

from typing import Any

import pytest
from policy.policies import policy
from support import a_request

from signoff.models.history import Past
from signoff.models.verdict import Verdict
from signoff.policy.errors import PolicyError
from signoff.policy.evaluate import evaluate, explain
from signoff.policy.examples import a_request as example
from signoff.policy.loader import load_all, parse
from signoff.policy.policy import Policy
from signoff.policy.replay import replay

ASKED = {"question": "Which?", "free_text": True, "why": "scope"}
FINANCE = "groups: {finance: {users: [U0FIN]}}\n"


def of(text: str | Policy, agent: str = "billing-bot", owner: str | None = None, **fields: Any) -> Verdict:
    found = policy(text) if isinstance(text, str) else text
    payload = {**ASKED, **fields.pop("payload", {})}
    return evaluate(a_request("question", payload, kind="question", **fields), agent, found, owner=owner)


@pytest.mark.parametrize(
    ("text", "who", "rule"),
    [
        ("autonomy: full_auto", (), ""),
        ("never_ask: [question]\nautonomy: full_auto", (), ""),
        ("always_ask: [question]", (), ""),
        (FINANCE + "questions: {approvers: finance}", ("finance",), ""),
        ("agents: {billing-bot: {owner: U0OWN}}", ("U0OWN",), ""),
        ("agents: {billing-bot: {owner: U0OWN}}\nquestions: {approvers: [U0ANA]}", ("U0ANA",), ""),
        ("rules: [{name: q, match: {action: question}, verdict: ask, approvers: U0BEN}]", ("U0BEN",), "q"),
        ("rules: [{name: q, match: {action: 'quest*'}, verdict: ask, approvers: U0BEN}]", ("U0BEN",), "q"),
        ("rules: [{name: q, match: {action: '*'}, verdict: ask, approvers: U0BEN}]", (), ""),
        ("rules: [{name: q, verdict: allow}]", (), ""),
        ("rules: [{name: q, match: {agent: billing-bot}, verdict: ask, approvers: U0BEN}]", (), ""),
        (
            "rules: [{name: free, verdict: notify}, {name: q, match: {action: question, agent: 'b*'}, "
            "when: payload.why == 'scope', verdict: ask, approvers: U0BEN}]",
            ("U0BEN",), "q",
        ),
        (
            "questions: {approvers: [U0ANA]}\n"
            "rules: [{name: q, match: {action: question}, verdict: ask, expires_in: 1m}]",
            ("U0ANA",), "q",
        ),
    ],
)  # fmt: skip
def test_who_is_asked_and_that_nothing_is_ever_let_run(text: str, who: tuple[str, ...], rule: str) -> None:
    verdict = of(text)
    assert (verdict.effect, verdict.named, verdict.rule) == ("ask", who, rule)
    assert verdict.approvers == (policy(text).resolve(who)) and verdict.why and not verdict.sums


@pytest.mark.parametrize(
    "text",
    [
        "block: [question]",
        "rules: [{name: no, match: {agent: billing-bot}, verdict: block, reason: Not this one.}]",
        "rules: [{name: no, match: {tags: noisy}, verdict: block}]",
        "rules: [{name: no, match: {action: question}, when: payload.why != 'ambiguous', verdict: block}]",
    ],
)
def test_what_blocks_blocks_a_question_too_and_a_claim_can(text: str) -> None:
    verdict = of(text, tags=["noisy"])
    assert verdict.effect == "block" and verdict.reason and verdict.named == ()


def test_where_and_how_long() -> None:
    text = (
        "questions: {channel: '#ask', expires_in: 1h}\n"
        "rules: [{name: q, match: {action: question, agent: other}, verdict: ask, channel: '#other', "
        "expires_in: 2m}]"
    )
    assert (of(text).conversation, of(text).expires_in) == ("#ask", 3600)
    assert of(text, expires_in=60).expires_in == 60 and of(text, expires_in=90_000).expires_in == 3600
    other = of(text, agent="other")
    assert (other.conversation, other.expires_in) == ("#other", 120)
    assert of(Policy(approvers=("U0ANA",), conversation="C1")).approvers == ("U0ANA",)
    assert of(Policy(approvers=("U0ANA",), conversation="C1"), owner="U0OWN").approvers == ("U0OWN",)
    assert set(policy(text).places) == {"C0APPROVE", "#ask", "#other"}


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("rules: [{name: q, match: {action: question}, verdict: allow}]", "a question lets nothing run"),
        (
            "rules: [{name: q, match: {action: question}, verdict: ask, headline: x}]",
            "headline means nothing",
        ),
        (
            "rules: [{name: q, match: {action: question}, verdict: ask, editable: [a]}]",
            "editable means nothing",
        ),
        ("questions: {approvers: [finanze]}\n" + FINANCE, "there is no group finanze: did you mean finance"),
        ("questions: {per_hour: 0}", "per_hour"),
        ("questions: {expires_in: 31d}", "write a time from 1s to 30d"),
        ("questions: {aprovers: U0ANA}", "did you mean approvers"),
    ],
)
def test_what_means_nothing_is_refused_with_its_line(text: str, told: str) -> None:
    with pytest.raises(PolicyError) as refused:
        policy(text)
    assert any(told in line for line in refused.value.faults), refused.value.faults


def test_a_rule_about_questions_is_not_held_to_be_shadowed_by_what_says_nothing_of_them() -> None:
    rules = b"[{name: all, verdict: notify}, {name: q, match: {action: question}, verdict: ask}]"
    text = b"version: 1\nrules: " + rules
    assert not [line for line in parse(text, "p.yml").warnings if "never decide" in line]
    doubted = parse(b"version: 1\nnever_ask: [question]\n", "p.yml")
    assert "a question is always asked or blocked" in doubted.warnings[0]


def test_explain_and_examples_know_questions() -> None:
    text = "rules: [{name: all, verdict: allow}, {name: q, match: {action: question}, verdict: ask}]"
    agent, request = example({"kind": "question"})
    found = explain(request, agent, policy(text))
    assert (found.verdict.rule, found.facts) == ("q", None)
    assert [(rule.name, why[:10]) for rule, why in found.passed] == [("all", "a question")]


def test_replay_judges_questions_as_such(tmp_path: Any) -> None:
    request = a_request("question", ASKED, kind="question")
    file = tmp_path / "p.yml"
    file.write_text("version: 1\nautonomy: full_auto\nblock: [question]\n", encoding="utf-8")
    past = Past("1", "bot", "question", "ask", "answered", request)
    report = replay(load_all(file).policy, [past])
    assert (report.then["ask"], report.now["block"], report.changed) == (1, 1, 1)
