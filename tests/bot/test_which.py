"""Which request it is: values in quotes that they cannot close, the telling ones first, cut in sight."""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from signoff.bot.blocks import check_view
from signoff.bot.cards.card import card
from signoff.bot.cards.question import question
from signoff.bot.forms.difference_view import difference_view
from signoff.bot.forms.modals import note_view
from signoff.bot.text.quotes import FSI, PDI
from signoff.bot.text.text import actual, hides, length, visible
from signoff.bot.text.which import Which, title, titles, value_lines, values
from signoff.models.approval import Approval
from signoff.payload import glimpse
from signoff.sandbox.remote import nodes

Make = Callable[..., Approval]
HOSTILE = st.text(st.sampled_from("ab1,: “”\"„'‘’\n\r\t→\u202e\u200b\u2068\u2069א<>&*_`@"), max_size=60)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(10**6), 10**6) | HOSTILE,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(HOSTILE, inner, max_size=4),
    max_leaves=20,
)
PAYLOADS = st.dictionaries(HOSTILE, JSON, max_size=30)


@settings(max_examples=200, deadline=None)
@given(PAYLOADS, st.integers(60, 300))
def test_a_question_stays_in_its_room_and_counts_what_it_leaves_out(payload: Any, room: int) -> None:
    lines = value_lines(None, payload, room)
    assert length(lines) <= room
    shown = lines.split("\n") if lines else []
    left_out = re.fullmatch(r"… and ([0-9,]+) more", shown[-1]) if shown else None
    told = shown[:-1] if left_out else shown
    assert len(told) + (int(left_out[1].replace(",", "")) if left_out else 0) == glimpse.count(payload)


@settings(max_examples=200, deadline=None)
@given(HOSTILE, HOSTILE)
@example("<<'''" + "\u200b" * 4, "<'''" + "\u200b" * 4 + "\n")  # cut in the middle, and a line follows
def test_no_value_imitates_a_field(name: str, value: str) -> None:
    for text in (
        value_lines(None, {name: value}, 250),
        values(glimpse.glimpse(None, {name: value}).leaves),
    ):
        assert "\n" not in text and "\u202e" not in text
        outside = re.sub("“[^“”]*”", "“”", text)
        told = ("“”", "“” …", "“” … “”", "“” … “” …")
        assert outside in (f"{first} {rest}" for first in ("“”", name) for rest in told)


def test_a_vendor_that_imitates_fields_is_one_line_and_one_value(make: Make) -> None:
    payload = {"vendor": "ACME, amount 5, currency EUR", "amount": 12_000, "currency": "USD"}
    lines = question(make(payload, reversibility="irreversible"))["text"]["text"].split("\n")
    assert sorted(lines[1:]) == ["amount “12000”", "currency “USD”", "vendor “ACME, amount 5, currency EUR”"]
    assert question(make(payload))["style"] == "danger"


def test_where_not_all_fit_sums_and_recipients_are_kept(make: Make) -> None:
    payload = {f"note_{n}": "x" * 30 for n in range(40)} | {"bcc": ["eve@example.org"], "amount": 12_000}
    asked = question(make(payload, reversibility="irreversible"))["text"]["text"]
    assert "bcc “eve@example.org”" in asked and "amount “12000”" in asked
    assert re.search(r"\n… and 3[0-9] more\Z", asked) and len(asked) <= 300


def test_fields_stand_in_the_schemas_order_and_long_ones_last() -> None:
    schema = {"properties": {"body": {}, "to": {}, "amount": {}, "zone": {}, "area": {}}}
    payload = {"area": 1, "zone": 2, "body": "a\nb", "amount": 3, "to": ["a@b.c", "d@e.f", "g", "h", "i"]}
    assert value_lines(schema, payload, 250).split("\n") == [
        "to “a@b.c”, “d@e.f”, “g” and 2 more",
        "amount “3”",
        "zone “2”",
        "area “1”",
        "body “a” …",
    ]
    first = values(glimpse.glimpse(schema, payload).leaves)
    assert first.startswith("amount “3”, to “a@b.c”")


@settings(max_examples=100, deadline=None)
@given(PAYLOADS)
def test_what_a_row_keeps_is_small_and_is_read_back(payload: Any) -> None:
    kept = glimpse.glimpse(None, payload)
    text = glimpse.written(kept)
    assert glimpse.read(text) == kept
    assert len(kept.leaves) + kept.more == glimpse.count(payload)


def test_a_glimpse_of_the_largest_payload_is_small() -> None:
    wide = {f"{n}{'x' * 90}": "y" * 120 for n in range(1000)}
    deep: Any = "z" * 10_000
    for _ in range(60):
        deep = {"k" * 100: deep}
    for payload in (wide, deep, {"a": "q" * 250_000}, {"a": ["b" * 1000] * 200}):
        assert len(glimpse.written(glimpse.glimpse(None, payload))) < 16_000


def test_two_isolates_never_cross_values() -> None:
    line = values(glimpse.glimpse(None, {"שם": "אב", "amount": 5}).leaves)
    assert line.count(FSI) == line.count(PDI) >= 1
    assert "אב" in actual(line)


@pytest.mark.parametrize("amount", [12, 120, 12_000])
def test_a_question_is_read_with_its_card(make: Make, amount: int) -> None:
    drawn = json.dumps(card(make({"amount": amount, "customer": "cus_42"})).blocks, ensure_ascii=False)
    assert f"amount “{amount}”" in drawn


def approving(approval: Approval) -> dict[str, Any]:
    """Every form with a submit that approves, by its name."""
    return {
        "note": note_view(approval),
        "difference": difference_view(approval, approval.payload | {"amount": 80}),
    }


@pytest.mark.parametrize("form", ["note", "difference"])
def test_wherever_somebody_approves_they_see_who_asks_and_why_and_can_say_no(
    make: Make, seen: Any, form: str
) -> None:
    asked = make(
        {"amount": 120, "customer": "cus_42"},
        reason="Duplicate charge",
        impact="one customer",
        undo="charge again",
        alternatives=("leave it as credit",),
        reversibility="costly",
    )
    view = approving(asked)[form]
    text = seen(view)
    assert check_view(view) == []
    for part in (
        "billing-bot asks <@U0ANA>, <!subteam^S0FINANCE>",
        "Duplicate charge",
        "Touches: one customer",
        "To undo: charge again",
        "Instead: leave it as credit",
        "Costly to undo (the agent says so)* · risk not rated",
        "This is costly to undo. Approve runs refund.create with exactly this:\namount “",
        "customer “cus_42”",
    ):
        assert part in text, part
    buttons = {element["action_id"] for element in nodes(view) if element.get("type") == "button"}
    assert "reject" in buttons
    assert ("edit" in buttons) == (form == "note")  # Back leads from a difference to what was edited
    assert not re.search("[0-9a-f]{40}", text)


@pytest.mark.parametrize("form", ["note", "difference"])
def test_a_form_says_that_no_reason_was_given(make: Make, seen: Any, form: str) -> None:
    assert "billing-bot gave no reason." in seen(approving(make({"amount": 1}, reason=""))[form])


def test_the_agents_words_of_any_length_fit_a_form(make: Make) -> None:
    words = {"reason": "&" * 4000, "impact": "é" * 4000, "undo": "\u202e" * 4000}
    for view in approving(make({"amount": 1}, **words, alternatives=["x\n" * 2000] * 10)).values():
        assert check_view(view) == []


def named(action: str, headline: str, payload: dict[str, Any]) -> Which:
    return Which(action, headline, glimpse.glimpse(None, payload))


def test_three_refunds_are_told_apart_on_a_lock_screen(make: Make) -> None:
    firsts = {
        card(make({"customer": "cus_42", "amount": n})).text.splitlines()[0][:60] for n in (12, 120, 12_000)
    }
    assert len(firsts) == 3
    assert all(first.startswith("refund.create: amount “12") for first in firsts)


def test_a_headline_that_names_no_value_is_followed_by_the_first_ones() -> None:
    payload = {"amount": 120, "customer": "cus_42"}
    assert title(named("refund.create", "Refund 120 to cus_42", payload)) == "Refund 120 to cus_42"
    assert title(named("refund.create", "Refund a customer", payload)) == (
        "Refund a customer: amount “120”, customer “cus_42”"
    )
    assert title(named("cache.clear", "Clear the cache", {})) == "Clear the cache"
    assert title(named("cache.clear", "", {})) == "cache.clear"


def test_what_differs_stands_first_where_two_would_read_the_same() -> None:
    long = {f"a{n}": "x" * 30 for n in range(6)}
    found = titles([named("deploy", "", {**long, "zone": zone}) for zone in ("one", "two")])
    assert [text.split(",")[0] for text in found] == ["deploy: zone “one”", "deploy: zone “two”"]
    same = {"amount": 120}
    told = titles([named("refund", "Refund 120", {**same, "to": who}) for who in ("ana", "eve")])
    assert told == ["Refund 120: to “ana”, amount “120”", "Refund 120: to “eve”, amount “120”"]
    assert titles([named("a", "", same), named("a", "", same)]) == ["a: amount “120”"] * 2


@settings(max_examples=100, deadline=None)
@given(st.lists(PAYLOADS, max_size=4), HOSTILE)
def test_a_title_is_one_line_and_moves_nothing(payloads: list[Any], headline: str) -> None:
    for text in titles([named("a.b", visible(headline), one) for one in payloads]):
        assert len(text.splitlines()) <= 1 and not hides(text.replace(FSI, "").replace(PDI, ""))
        assert text.count(FSI) == text.count(PDI)


ADDRESS = "https://github.com/acme-corp/infrastructure-live/"
LATE = {
    "address": [{"url": f"{ADDRESS}pull/{number}"} for number in (1841, 1842)],
    "path": [{"path": f"clusters/eu-central-1/payments/environments/{name}.yaml"} for name in ("a1", "b2")],
    "statement": [
        {"sql": f"UPDATE service_configuration SET flag = true WHERE env='{env}' AND region='eu-central-1'"}
        for env in ("staging", "production")
    ],
    "lines": [{"sql": f"UPDATE service_configuration\nSET flag = true\nWHERE env='{env}'"} for env in "ab"],
    "middle": [{"note": f"{'x' * 90}{name}{'y' * 55}"} for name in ("one", "two")],
    "end": [{"note": f"{'x ' * 400}{name}"} for name in ("one", "two")],
    "near the end": [{"note": f"{'x ' * 400}{name}{' y' * 20}"} for name in ("one", "two")],
    "an entry": [{"urls": [ADDRESS * 2, f"{ADDRESS * 2}{name}"]} for name in "ab"],
    "beside others": [
        {"to": "ana@example.org", "amount": 5, "url": f"{ADDRESS * 2}{name}/x"} for name in ("one", "two")
    ],
    "in steps": [
        {"url": f"{'x' * at}{name}{'x' * (150 - at)}"} for at, name in ((20, "a"), (90, "b"), (90, "c"))
    ],
    "another script": [{"note": f"{'שלום עולם ' * 14}{name}"} for name in ("אב", "גד")],
}


@pytest.mark.parametrize("payloads", LATE.values(), ids=LATE)
@pytest.mark.parametrize("headline", ["", "Change something"])
def test_requests_that_differ_late_are_told_apart(payloads: list[Any], headline: str) -> None:
    kept = [glimpse.read(glimpse.written(glimpse.glimpse(None, one))) for one in payloads]
    told = titles([Which("change", headline, one) for one in kept])
    assert len(set(told)) == len(payloads), told
    assert all(length(line) <= 160 for line in told)


@pytest.mark.parametrize("kind", ["address", "path", "statement", "end"])
def test_one_line_by_itself_keeps_how_a_value_begins_and_ends(kind: str) -> None:
    told = [title(named("change", "", one)) for one in LATE[kind]]
    assert len(set(told)) == len(told), told
    assert all(next(iter(one.values()))[:9] in line for one, line in zip(LATE[kind], told, strict=True))


@settings(max_examples=200, deadline=None)
@given(HOSTILE, HOSTILE, HOSTILE)
def test_a_value_cut_in_the_middle_hides_nothing_and_stays_in_its_quotes(a: str, b: str, c: str) -> None:
    found = [{"note": f"{a}{'x' * 50}{one}{'y' * 50}{a}"} for one in (b, c)]
    for line in titles([named("do", "", one) for one in found]):
        assert length(line) <= 130 and not hides(line.replace(FSI, "").replace(PDI, ""))
        assert re.sub("“[^“”]*”", "“”", line) in {
            f"do: note {shown}" for shown in ("“”", "“” …", "“” … “”", "… “”", "… “” …", "… “” … “”")
        }


def test_a_row_of_an_earlier_version_is_read() -> None:
    assert glimpse.read('[[[["to"],["ana"],0,false,false]],2]').leaves == (glimpse.Leaf(("to",), ("ana",)),)
