"""What holds for any policy and any request."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st
from support import a_request

from signoff.models.messages import ApprovalRequest
from signoff.models.verdict import EFFECTS, REVERSIBILITIES, RISKS
from signoff.policy.conditions import Condition
from signoff.policy.evaluate import evaluate, evaluate_edit
from signoff.policy.globs import Globs
from signoff.policy.policy import Policy
from signoff.policy.rules import LEVELS, Contents, Match, Names, Rule

ACTIONS = [
    "files.read",
    "files.edit",
    "send_email",
    "refund.create",
    "deploy.production",
    "x.y",
    "X.z",
    "run_command",
    "send_delete_notice",
]
GLOBS = [*ACTIONS, "*", "x.*", "files.*", "*.create", "refund.*", "x.?"]
ENTRIES = [*GLOBS, "@money", "@message-outside", "@file-edit"]
CONDITIONS = [
    "payload.amount <= 50", "payload.amount > 50", "is_external(payload.to)", "!is_external(payload.to)",
    "cost < 10.0",
    "'harmless' in tags", "confidence > 0.9", "attempts == 0", "run == 'night'", "risk == 'low'", "true",
    "false",
    "reversibility != 'reversible'", "payload.missing == 1", "has(payload.amount)",
    "payload.rows.all(r, r > 1)",
]  # fmt: skip
COMPILED = {source: Condition(source) for source in CONDITIONS}


def some(values: Any, **limits: Any) -> Any:
    return st.lists(st.sampled_from(values), unique=True, **limits)


MATCHES = st.builds(
    Match,
    action=st.none() | some(GLOBS, min_size=1, max_size=2).map(lambda found: Globs(tuple(found))),
    agent=st.none() | some(["a*", "bot"], min_size=1).map(lambda found: Globs(tuple(found))),
    action_class=st.none() | some(["money", "file-edit", "message-outside"], min_size=1).map(frozenset),
    tags=st.none() | some(["money", "external", "harmless"], min_size=1).map(frozenset),
    risk=st.none() | some(RISKS, min_size=1).map(frozenset),
    reversibility=st.none() | some(REVERSIBILITIES, min_size=1).map(frozenset),
)
RULES = st.builds(
    Rule,
    name=st.uuids().map(str),
    verdict=st.sampled_from(EFFECTS),
    match=MATCHES,
    when=st.none() | st.sampled_from(CONDITIONS).map(COMPILED.__getitem__),
    approvers=some(["U0FIN", "members"]).map(tuple),
    conversation=st.none() | st.just("C0RULE"),
    require=some(["reason", "impact"]).map(tuple),
    editable=st.none() | some(["amount", "to"]).map(tuple),
    expires_in=st.none() | st.integers(60, 9000),
)
NAMES = some(ENTRIES, max_size=2).map(lambda found: Names(tuple(found)))
CONTENTS = st.builds(
    Contents,
    autonomy=st.sampled_from(LEVELS),
    always_ask=NAMES,
    never_ask=NAMES,
    block=NAMES,
    risk=st.lists(st.tuples(NAMES, st.sampled_from(RISKS)), max_size=2).map(tuple),
    reversibility=st.lists(st.tuples(NAMES, st.sampled_from(REVERSIBILITIES)), max_size=2).map(tuple),
    rules=st.lists(RULES, max_size=5).map(tuple),
)
VALUES = st.sampled_from(
    [0, 49.5, 51, -1, 1e300, "49", None, True, [], {}, [2, 3], "ana@example.com", "eve@evil.test"]
)
PAYLOADS = st.dictionaries(st.sampled_from(["amount", "to", "rows", "other"]), VALUES, max_size=4)
CLAIMS: dict[str, Any] = {
    "risk": st.sampled_from(RISKS),
    "reversibility": st.sampled_from(REVERSIBILITIES),
    "tags": some(["money", "harmless", "external", "mine"]).map(tuple),
    "cost": st.sampled_from([0, 5.0, 50]),
    "confidence": st.sampled_from([0, 0.4, 0.95, 1]),
    "attempts": st.integers(0, 5),
    "run": st.sampled_from(["night", "day"]),
    "expires_in": st.integers(1, 90_000),
    "conversation": st.just("C0OTHER"),
    "title": st.just("harmless"),
}
BARE = st.builds(a_request, st.sampled_from(ACTIONS), PAYLOADS)
REQUESTS = st.builds(
    lambda bare, claims: bare.model_copy(update=claims), BARE, st.fixed_dictionaries({}, optional=CLAIMS)
)


def strictness(request: ApprovalRequest, contents: Contents) -> int:
    return EFFECTS.index(evaluate(request, "bot", in_force(contents)).effect)


def in_force(contents: Contents) -> Policy:
    return Policy(("U0ANA",), "C0APPROVE", contents, "text")


FREE = EFFECTS.index("notify")
many = settings(max_examples=60, deadline=None)


@many
@given(CONTENTS, REQUESTS, st.sampled_from(ENTRIES))
def test_adding_to_block_never_frees_anything(
    contents: Contents, request: ApprovalRequest, entry: str
) -> None:
    more = replace(contents, block=Names((*contents.block.entries, entry)))
    assert strictness(request, more) >= strictness(request, contents)


@many
@given(CONTENTS, REQUESTS, RULES, st.integers(0, 5))
def test_adding_a_rule_that_blocks_never_frees_anything(
    contents: Contents, request: ApprovalRequest, rule: Rule, place: int
) -> None:
    rules = (*contents.rules[:place], replace(rule, verdict="block"), *contents.rules[place:])
    assert strictness(request, replace(contents, rules=rules)) >= strictness(request, contents)


@many
@given(CONTENTS, REQUESTS, RULES)
def test_adding_a_rule_that_asks_at_the_top_never_frees_anything(
    contents: Contents, request: ApprovalRequest, rule: Rule
) -> None:
    more = replace(contents, rules=(replace(rule, verdict="ask"), *contents.rules))
    before, after = strictness(request, contents), strictness(request, more)
    assert after > FREE or after >= before


@many
@given(CONTENTS, REQUESTS, st.sampled_from(ENTRIES))
def test_adding_to_always_ask_never_frees_anything(
    contents: Contents, request: ApprovalRequest, entry: str
) -> None:
    more = replace(contents, always_ask=Names((*contents.always_ask.entries, entry)))
    assert strictness(request, more) >= strictness(request, contents)


@many
@given(CONTENTS, BARE, st.fixed_dictionaries({}, optional=CLAIMS))
def test_what_an_agent_claims_never_frees_anything(
    contents: Contents, bare: ApprovalRequest, claims: dict[str, Any]
) -> None:
    claimed = bare.model_copy(update=claims)
    before, after = (evaluate(one, "bot", in_force(contents)) for one in (bare, claimed))
    assert EFFECTS.index(after.effect) >= EFFECTS.index(before.effect)
    assert RISKS.index(after.risk) >= RISKS.index(before.risk)
    assert REVERSIBILITIES.index(after.reversibility) >= REVERSIBILITIES.index(before.reversibility)


@many
@given(CONTENTS, PAYLOADS, st.fixed_dictionaries({}, optional=CLAIMS))
def test_what_no_list_no_rule_and_no_class_knows_is_never_let_run(
    contents: Contents, payload: dict[str, Any], claims: dict[str, Any]
) -> None:
    nothing = replace(contents, rules=(), never_ask=Names(), risk=(), reversibility=())
    request = a_request("frobnicate", payload, **claims)
    assert strictness(request, nothing) > FREE


@many
@given(CONTENTS, REQUESTS)
def test_the_same_request_is_judged_the_same(contents: Contents, request: ApprovalRequest) -> None:
    found = in_force(contents)
    assert (
        evaluate(request, "bot", found)
        == evaluate(request, "bot", found)
        == evaluate(request, "bot", in_force(contents))
    )


@many
@given(CONTENTS, REQUESTS, PAYLOADS)
def test_an_edit_never_frees_anything(
    contents: Contents, request: ApprovalRequest, payload: dict[str, Any]
) -> None:
    found = in_force(contents)
    first = evaluate(request, "bot", found)
    if first.effect != "ask":
        return
    second = evaluate_edit(found, request, "bot", payload, first)
    assert EFFECTS.index(second.effect) >= EFFECTS.index("ask")
    assert RISKS.index(second.risk) >= RISKS.index(first.risk)
    assert REVERSIBILITIES.index(second.reversibility) >= REVERSIBILITIES.index(first.reversibility)
    assert second.expires_in <= first.expires_in
    assert first.editable is None or set(second.editable or ()) <= set(first.editable)
    new = evaluate(request.model_copy(update={"payload": payload}), "bot", found)
    assert (second.effect == "block") is (new.effect == "block")
    rule = found.rule(new.rule) if new.effect == "ask" and new.rule != first.rule else None
    if second.effect == "ask":
        assert second.rule == (rule.name if rule else first.rule)
        assert second.approvers == (new if rule and rule.approvers else first).approvers
        where = rule.conversation if rule and rule.conversation else first.conversation
        assert second.conversation == where
        assert set(second.require) >= set(rule.require if rule else first.require)


@many
@given(CONTENTS, REQUESTS)
def test_supervised_lets_run_only_what_a_rule_allows(contents: Contents, request: ApprovalRequest) -> None:
    verdict = evaluate(request, "bot", in_force(replace(contents, autonomy="supervised")))
    assert verdict.rule or verdict.effect in ("ask", "block")
