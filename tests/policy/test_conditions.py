"""Conditions fail closed, are as quick as they have to be, and are not fooled by addresses."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from policy_support import judged, policy
from support import a_request

from signoff.policy import evaluate
from signoff.policy.addresses import Domains, NotUnderstood, any_glob, host_in, host_of
from signoff.policy.conditions import MOST_VALUES
from signoff.policy.expression import shape

OURS = Domains(("example.com", "*.corp.example.com"))


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
    text = rule(when, "block") + "\ninternal_domains: [example.com]"
    assert (judged(text, "x.y", payload).answer == "block") is holds


def test_claims_can_be_asked_about() -> None:
    said = {"cost": 12.5, "confidence": 0.9, "attempts": 2, "run": "night", "tags": ("mine",)}
    when = "cost > 10 && confidence > 0.5 && attempts == 2 && run == 'night' && 'mine' in tags"
    assert decides(when, {}, "block", **said)


OUTSIDE = [
    "eve@evil.test",
    "ana@example.com, eve@evil.test",
    "ana@example.com;eve@evil.test",
    "ana@example.com eve@evil.test",
    "ana@example.com\neve@evil.test",
    "Ana <ana@example.com>",
    '"ana@example.com" <eve@evil.test>',
    "ana@example.com <eve@evil.test>",
    "eve@evil.test@example.com",
    "eve%evil.test@example.com@x",
    "ana@mail.example.com",
    "ana@example.com.evil.test",
    "ana@notexample.com",
    "ana@example.com.",
    "ana@.example.com",
    "ana@exаmple.com",  # a Cyrillic а
    "ana@example。com",
    "ana@xn--exmple-4nf.com",
    "ana@corp.example.com",
    "ana@example.com\u200b",
    "ana@\u202eexample.com",
    "mailto:ana@example.com",
    "@example.com",
    "ana@",
    "ana",
    "example.com",
    "#general",
    "ana@[127.0.0.1]",
    "https://evil.test",
    "https://example.com@evil.test",
    "https://example.com\\@evil.test",
    {"email": "eve@evil.test"},
    {"email": "eve@evil.test", "name": "ana@example.com"},
    ["ana@example.com", "eve@evil.test"],
    ["ana@example.com", ["eve@evil.test"]],
    ["ana@example.com"] * 1001,
]  # fmt: skip
INSIDE = [
    "ana@example.com",
    "ANA@EXAMPLE.COM",
    " ana@example.com ",
    "ana.b+c@example.com",
    "ana@mail.corp.example.com",
    "https://example.com/x",
    ["ana@example.com", "ben@example.com"],
    {"email": "ana@example.com", "name": "Ana"},
    [{"email": "ana@example.com"}, {"address": "ben@x.corp.example.com"}],
]  # fmt: skip


@pytest.mark.parametrize("address", OUTSIDE, ids=repr)
def test_what_is_not_surely_ours_is_external(address: Any) -> None:
    assert OURS.is_external(address)


@pytest.mark.parametrize("address", INSIDE, ids=repr)
def test_our_own_addresses_are_not(address: Any) -> None:
    assert not OURS.is_external(address)


@pytest.mark.parametrize(
    "address",
    ["", "  ", None, [], {}, 7, True, {"email": None}, {"email": ["a"]}, {"email": "a", "address": "b"},
                ["ana@example.com", None], {"to": "ana@example.com"}], ids=repr
)  # fmt: skip
def test_where_there_is_no_address_nobody_knows(address: Any) -> None:
    with pytest.raises(NotUnderstood):
        OURS.is_external(address)


@pytest.mark.parametrize(
    ("url", "host"),
    [
        ("https://api.example.com/x", "api.example.com"),
        ("HTTP://API.Example.COM:8443", "api.example.com"),
        ("api.example.com", "api.example.com"),
        ("api.example.com:443/x", "api.example.com"),
        ("https://127.0.0.1/", "127.0.0.1"),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example"),
        ("wss://api.example.com", "api.example.com"),
    ],
)
def test_a_plain_url_has_a_host(url: str, host: str) -> None:
    assert host_of(url) == host


@pytest.mark.parametrize(
    "url",
    ["https://good.test@evil.test/", "https://evil.test\\@good.test", "https://good.test%2f@evil.test", "https://[::1]/",
     "https://gооd.test/", "https://good.test./", "https:///good.test", "https://good.test:99999/",
     "https://good.test:x/",
     "https://good.test:", "https://0x7f.1/", "https://2130706433/", "https://127.1/", "https://0177.0.0.1/",
     "javascript:alert(1)", "file://good.test/etc", "ftp://good.test", "https://good\t.test",
     "https://good.test\n",
     " https://good.test", "", "//", "https://", "https://-good.test", "https://go_od.test", 7, None,
     ["https://good.test"],
     "https://good%2etest/", "https://" + "a." * 200 + "test"], ids=repr
)  # fmt: skip
def test_a_url_that_is_not_plain_has_none(url: Any) -> None:
    with pytest.raises(NotUnderstood):
        host_of(url)
    with pytest.raises(NotUnderstood):
        host_in(url, ["*"])


def test_globs_have_to_be_texts() -> None:
    for wrong in ("a", [1], None):
        with pytest.raises(NotUnderstood):
            any_glob("a", wrong)  # type: ignore[arg-type]
        with pytest.raises(NotUnderstood):
            host_in("a.test", wrong)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    ("payload", "inside"),
    [
        ({"to": "ana@example.com", "subject": "to eve@evil.test", "body": "eve@evil.test"}, True),
        ({"to": ["ana@example.com"], "cc": [{"email": "ben@example.com"}]}, True),
        ({"to": "ana@example.com", "cc": "eve@evil.test"}, False),
        ({"to": "ana@example.com", "bcc": ["eve@evil.test"]}, False),
        ({"to": "ana@example.com", "bcc": "everybody"}, False),
        ({"to": "ana@example.com", "headers": {"Reply-To": "eve@evil.test"}}, False),
        ({"to": "ana@example.com", "more": [{"eve@evil.test": 1}]}, False),
        ({"to": "ana@example.com", "cc": None}, False),
        ({"subject": "x"}, False),
        ({}, False),
    ],
)
def test_a_message_stays_inside_only_where_all_its_receivers_do(payload: Any, inside: bool) -> None:
    assert OURS.stays_inside(payload) is inside
    text = "autonomy: full_auto\ninternal_domains: [example.com]"
    assert (judged(text, "send_email", payload).answer == "allow") is inside


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
     "payload.a.matches('a' + payload.b)",
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
    assert judged(STRANGE, "x.y", {"x": x, "y": y}).answer == "ask"
    assert judged(STRANGE, "x.y", {"x": x}).answer == "ask"
