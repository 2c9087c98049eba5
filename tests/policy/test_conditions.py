"""Conditions fail closed, and are as quick as they have to be."""

from __future__ import annotations

import time
from contextlib import suppress
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy.policies import judged, policy
from support import a_request

from signoff.policy.conditions import MOST_VALUES, Condition
from signoff.policy.evaluate import evaluate
from signoff.policy.expression import shape


def rule(when: str, verdict: str) -> str:
    head = "autonomy: full_auto\nrules:\n - name: one\n   match: {action: x.*}\n"
    return f"{head}   verdict: {verdict}\n   when: |\n     {when}"


def decides(when: str, payload: Any, verdict: str, **claims: Any) -> bool:
    return judged(rule(when, verdict), "x.y", payload, **claims).rule == "one"


NOT_EVALUABLE = [
    ("payload.amount <= 50", {}),
    ("payload.amount <= 50", {"amount": "49"}),
    ("payload.amount <= 50", {"amount": None}),
    ("payload.amount <= 50", {"amount": True}),
    ("payload.amount <= 50", {"amount": [49]}),
    ("payload.amount <= 50", {"amount": {"value": 49}}),
    ("payload.a.b <= 50", {"a": 1}),
    ("payload.amount", {"amount": 49}),
    ("payload.amount / 0 == 1", {"amount": 49}),
    ("payload.amount + 9223372036854775807 > 0", {"amount": 49}),
    ("double(payload.amount) > 1.0", {"amount": []}),
    ("timestamp(payload.at) > timestamp('2026-01-01T00:00:00Z')", {"at": "soon"}),
    ("cost > 5.0", {}),
    ("host_in(payload.url, ['api.example.com'])", {"url": "https://api.example.com@evil.test/"}),
    ("!host_in(payload.url, ['api.example.com'])", {"url": 7}),
    ("any_glob(payload.name, ['a*'])", {"name": ["a"]}),
    ("is_external(payload.to)", {"to": None}),
    ("is_external(payload.to)", {"to": []}),
    ("!is_external(payload.to)", {"to": ""}),
    ("payload.rows.all(row, row > 0)", {"rows": [1, "x"]}),
    ("payload.rows.all(row, row > 0)", {"rows": [1] * (MOST_VALUES + 1)}),
    ("payload.rows.exists(row, row > 0)", {"rows": {"a": None}}),
]  # fmt: skip


@pytest.mark.parametrize(("when", "payload"), NOT_EVALUABLE)
def test_a_condition_without_an_answer_never_frees_and_always_asks(when: str, payload: Any) -> None:
    assert not decides(when, payload, "allow")
    assert not decides(when, payload, "notify")
    assert decides(when, payload, "ask")
    assert decides(when, payload, "block")


@pytest.mark.parametrize(
    ("when", "payload", "holds"),
    [
        ("payload.amount <= 50", {"amount": 49}, True),
        ("payload.amount <= 50", {"amount": 49.5}, True),
        ("payload.amount <= 50", {"amount": 50.0}, True),
        ("payload.amount <= 50", {"amount": 50.01}, False),
        ("payload.amount <= 49.5", {"amount": 49}, True),
        ("payload.amount == 50", {"amount": 50.0}, True),
        ("payload.amount * 2 == 100", {"amount": 50.0}, True),
        ("payload.lines[0].qty % 2 == 0", {"lines": [{"qty": 4.0}]}, True),
        ("payload.amount in [50, 60]", {"amount": 60.0}, True),
        ("has(payload.cc) && payload.cc.size() > 2", {}, False),
        ("has(payload.cc)", {"cc": None}, True),
        ("payload.lines.exists(line, line.qty > 5)", {"lines": [{"qty": 2}, {"qty": 6}]}, True),
        ("payload.lines.all(line, line.qty > 5)", {"lines": []}, True),
        ("payload.name.matches('^(a+)+$')", {"name": "aaab"}, False),
        ("payload['odd name'] == 'x'", {"odd name": "x"}, True),
        ("action == 'x.y' && agent == 'some-bot'", {}, True),
        ("risk == 'high' && reversibility == 'irreversible'", {}, True),
        ("cost == null && confidence == null && attempts == null && run == null && tags == []", {}, True),
        ("any_glob(payload.path, ['/tmp/*', '/var/tmp/*'])", {"path": "/tmp/x/../../etc"}, True),
        ("any_glob(payload.name, ['A?'])", {"name": "ab"}, True),
        ("host_in(payload.url, ['*.example.com'])", {"url": "https://API.example.com:8443/x?y#z"}, True),
        ("host_in(payload.url, ['example.com'])", {"url": "https://example.com.evil.test"}, False),
        ("is_external([payload.to, 'ana@example.com'])", {"to": "eve@evil.test"}, True),
    ],
)
def test_a_condition_holds_or_does_not(when: str, payload: Any, holds: bool) -> None:
    for verdict in ("block", "allow"):  # without an answer it would match in the first alone
        text = rule(when, verdict) + "\ninternal_domains: [example.com]"
        assert (judged(text, "x.y", payload).rule == "one") is holds


def test_claims_can_be_asked_about() -> None:
    said = {"cost": 12.5, "confidence": 0.9, "attempts": 2, "run": "night", "tags": ("mine",)}
    when = "cost > 10 && confidence > 0.5 && attempts == 2 && run == 'night' && 'mine' in tags"
    assert decides(when, {}, "block", **said)


@pytest.mark.parametrize(
    ("source", "bound"),
    [
        ("payload.a.all(b, b > 1) && payload.c.exists(d, d == ')')", {"b", "d"}),
        ("payload.x == '.map(' // .filter(", set()),
        ("payload.exists > 1", set()),
        ("has(payload.all)", set()),
        ("payload.a.all(b, (b > 1)) && (payload.c.exists_one(d, d == 1))", {"b", "d"}),
        ("payload.name.matches(r'^a\\.b(c|d)$')", set()),
    ],
)
def test_the_shape_of_a_condition(source: str, bound: set[str]) -> None:
    assert shape(source).bound == bound


@pytest.mark.parametrize(
    "source",
    ["payload.a . map(b, b)", "payload.a.filter(b, true).size() > 1",
     "payload.a.all(b, payload.c.all(d, true))",
     "payload.a.all(b, b.x.exists(c, c))", "payload.a.matches(payload.b)",
     "payload.a.matches('a' + payload.b)", "payload.a.all(b, b.matches('a'))",
     "payload.a.all(b, matches(b, 'a'))",
     "matches(payload.a, payload.b)", "payload.a.\nmap\n(b, b)", "x" * 2001],
)  # fmt: skip
def test_what_a_payload_could_make_slow_is_refused(source: str) -> None:
    with pytest.raises(ValueError):
        shape(source)


def test_a_payload_that_is_no_json_has_no_answer_either() -> None:
    """Nothing like it gets past the wire."""
    for value in ("\ud800", object()):
        request = a_request("x.y").model_copy(update={"payload": {"amount": value}})
        for verdict, decided in (("allow", ""), ("ask", "one")):
            found = policy(rule("payload.amount <= 50", verdict))
            assert evaluate(request, "some-bot", found).rule == decided


SLOW = [
    ("payload.rows.all(row, row.a > payload.rows[0].a)", {"rows": [{"a": 1, "b": "x" * 20}] * 5000}),
    ("payload.rows.all(row, row >= payload.rows[0])", {"rows": list(range(MOST_VALUES - 2))}),
    ("payload.text.matches('^(a|a)*$')", {"text": "a" * 250_000 + "b"}),
    ("payload.text.matches('(x+x+)+y')", {"text": "x" * 250_000}),
    ("any_glob(payload.text, ['*a*a*a*a*b'])", {"text": "a" * 250_000}),
    ("any_glob(payload.text, ['*?*?*?*b'])", {"text": "a" * 250_000}),
    ("host_in(payload.text, ['*a*a*a*b'])", {"text": "a." * 120_000}),
    ("is_external(payload.text)", {"text": "a" * 250_000 + "@"}),
    ("is_external(payload.text)", {"text": "a@" + "a-" * 120_000}),
    ("is_external(payload.rows)", {"rows": ["ana@example.com"] * 12_000}),
    ("payload == payload", {"rows": [[[1]] * 3] * 10_000}),
]  # fmt: skip


@pytest.mark.parametrize(("when", "payload"), SLOW, ids=[when for when, _ in SLOW])
def test_no_payload_makes_a_condition_slow(when: str, payload: Any) -> None:
    """A tenth of a second on a quiet machine; without the bounds these take minutes."""
    found = policy(rule(when, "ask"))
    start = time.process_time()
    judged(found, "x.y", payload)
    assert time.process_time() - start < 3


PIECES = st.sampled_from(
    ["payload", ".x", "['a']", "(", ")", "[", "]", "{", "}", ",", ":", "'a'", "'('", "r'b'", "1", "1.5", "0",
     "true", "null", "==", "&&", "||", "!", "-", "/", "?", " in ", "is_external", "host_in", "any_glob",
     ".matches", "matches", ".all", ".exists", "r", "r,", "has", "size", "int", "timestamp", "duration", "//",
     " ", '"', "'", "`"]
)  # fmt: skip


@settings(max_examples=150, deadline=None)
@given(st.lists(PIECES, max_size=12).map("".join))
def test_no_text_of_a_condition_makes_it_stumble(text: str) -> None:
    with suppress(ValueError):
        Condition(text)


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53) + 1, 2**53 - 1)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=5), inner, max_size=4),
    max_leaves=8,
)  # fmt: skip
STRANGE = policy(
    "extends: none\nautonomy: full_auto\ninternal_domains: [example.com]\nrules:\n"
    + "".join(
        f" - {{name: r{number}, match: {{action: x.*}}, verdict: block, when: \"{when} && false\"}}\n"
        for number, when in enumerate(
            ["payload.x > 1", "is_external(payload.x)", "host_in(payload.x, ['a'])",
             "any_glob(payload.x, ['a'])",
             "payload.x.exists(y, y == 1)", "payload.x[0] == payload.y", "payload.x.size() > 1",
             "string(payload.x) == ''",
             "int(payload.x) > 1", "duration(payload.x) > duration('1s')", "payload.x.matches('a')",
             "payload.x in payload.y",
             "timestamp(payload.x) == timestamp(payload.y)", "payload.x + payload.y == 1", "-payload.x > 1"]
        )
    )
)  # fmt: skip


@settings(max_examples=80, deadline=None)
@given(JSON, JSON)
def test_no_payload_makes_a_condition_stumble(x: Any, y: Any) -> None:
    """`… && false` is false also where the rest has no answer: the rules below are reached."""
    assert judged(STRANGE, "x.y", {"x": x, "y": y}).effect == "ask"
    assert judged(STRANGE, "x.y", {"x": x}).effect == "ask"
