"""A fold hides nothing that decides: one-line fields stand first and whole, long values are cut in place."""

import base64
import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from signoff.bot.text.fold import CHARACTERS, LINES, ONE_LINERS, fold
from signoff.bot.text.payload import rows, values
from signoff.bot.text.quotes import quoted
from signoff.bot.text.row import Row

LONG = "\n".join(f"line {number} of a long text" for number in range(80))


def shown(payload: dict[str, Any], schema: dict[str, Any] | None = None) -> tuple[list[Row], bool]:
    folded = fold(values(schema, payload), CHARACTERS, LINES, ONE_LINERS)
    return list(folded.rows), folded.whole


def named(rows: list[Row]) -> list[str]:
    return [" › ".join(row.path) for row in rows if row.path]


@pytest.mark.parametrize(
    "payload",
    [
        {"content": LONG, "path": "/etc/passwd", "repo": "shop", "owner": "acme"},
        {"body": LONG, "to": ["ana@example.org"], "bcc": ["eve@example.net"], "subject": "Invoice"},
        {"manifest": LONG, "namespace": "prod", "dryRun": False, "privileged": True},
        {"plan": {"text": LONG, "workspace": "prod"}, "steps": [{"run": LONG, "user": "root"}]},
    ],
)
def test_one_line_fields_stand_before_what_is_long(payload: dict[str, Any]) -> None:
    rows, whole = shown(payload)
    assert not whole
    first_box = next(at for at, row in enumerate(rows) if row.form == "code")
    text = json.dumps([row.text for row in rows[:first_box]])
    for value in (
        "/etc/passwd",
        "shop",
        "ana@example.org",
        "eve@example.net",
        "Invoice",
        "prod",
        "true",
        "root",
    ):
        assert (value in text) == (value in json.dumps(payload).replace(LONG, ""))


def test_without_a_schema_fields_stand_as_they_were_sent() -> None:
    assert named(shown({"to": "a", "cc": "b", "bcc": "c", "amount": 3})[0]) == ["to", "cc", "bcc", "amount"]


def test_a_schema_orders_them() -> None:
    schema = {"properties": {"bcc": {}, "to": {}}}
    assert named(shown({"to": "a", "note": "n", "bcc": "c"}, schema)[0]) == ["bcc", "to", "note"]


def test_each_long_value_is_cut_in_its_place_with_its_own_size() -> None:
    rows, _ = shown({"first": LONG, "second": LONG.upper(), "line": "x" * 5000})
    names = [at for at, row in enumerate(rows) if row.path]
    assert [rows[at].path[0] for at in names] == ["first", "second", "line"]
    notices = [rows[at + 1].text for at in names]
    assert all("more line" in notice and "KB" in notice for notice in notices[:2])
    assert "more characters" in notices[2]


def test_where_six_hundred_fields_do_not_fit_the_others_are_counted_and_named() -> None:
    rows, whole = shown({f"field_{number}": f"value {number}" for number in range(600)})
    lines = [row for row in rows if row.path]
    assert not whole and len(lines) > 150
    assert f"{600 - len(lines)} more fields: field_{len(lines)}" in rows[-1].text


def test_nothing_is_folded_that_is_smaller_than_the_notice_about_it() -> None:
    rows, whole = shown({"text": "\n".join(["a line"] * (LINES + 3)), "note": "short"})
    assert whole and "more line" not in rows[-1].text


def test_texts_below_the_second_level_and_in_lists_are_blocks_of_their_own() -> None:
    rows, whole = shown({"a": {"b": {"c": {"d": "one\ntwo", "e": 5}}}, "list": [{"t": "x\ny", "n": [1, {}]}]})
    assert whole
    by_name = {" › ".join(row.path): row for row in rows}
    assert by_name["a › b › c › d"].form == "code" and by_name["a › b › c › d"].text == "one\ntwo"
    assert by_name["a › b › c › e"].text == "5"
    assert by_name["list › 1 › t"].text == "x\ny"
    assert by_name["list › 1 › n › 1"].text == "1" and by_name["list › 1 › n › 2"].text == "{}"


def test_a_name_of_digits_is_told_from_a_place_in_a_list() -> None:
    items = {"run": {"a": "b", "c": {"d": "x\ny"}}}
    assert named(shown({"at": {"1": items}})[0]) != named(shown({"at": [items]})[0])


def test_money_stands_with_its_currency_and_a_number_with_what_its_schema_claims() -> None:
    schema = {"properties": {"amount": {"type": "integer", "description": "In cents."}}}
    rows, _ = shown({"amount": 129900, "currency": "EUR", "note": "n"}, schema)
    assert named(rows) == ["amount", "currency", "note"]
    assert rows[0].text == "129900  (the agent says “In cents.”: 1,299.00 EUR)"
    rows, _ = shown({"amount": 1299, "currency": "EUR", "note": "n"})
    assert named(rows) == ["amount", "note"]
    assert rows[0].text == "1299 EUR" and "currency" in rows[0].mark


def test_what_is_left_to_defaults_is_said_in_one_line() -> None:
    schema = {"properties": {"dry_run": {"type": "boolean"}, "depth": {"type": "integer", "default": 30}}}
    rows, whole = shown({"repo": "shop"}, schema)
    assert whole and rows[-1].text == "Not given: dry_run; the agent's schema says depth 30"


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-9, 9) | st.text("ab\n é", max_size=400),
    lambda inner: (
        st.lists(inner, max_size=9) | st.dictionaries(st.text("abc1", max_size=90), inner, max_size=9)
    ),
    max_leaves=60,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(payload=st.dictionaries(st.text("abc", max_size=20), JSON, max_size=40))
def test_whatever_is_sent_what_is_not_shown_is_counted(payload: dict[str, Any]) -> None:
    every = [row for value in values(None, payload) for row in value.rows]
    rows, whole = shown(payload)
    if whole:
        assert rows == every
    else:
        assert any("more " in row.text and row.spans[0][1] == "italic" for row in rows)


@pytest.mark.parametrize("value", ["ACME · amount 5 · currency EUR", "a b", "x · y", "“x”", "• b"])
def test_a_value_in_a_bullet_imitates_no_field(value: str) -> None:
    told = [row.text for row in rows(None, {"lines": [{"vendor": value, "amount": 50_000}] * 2})]
    assert told == [f"vendor {quoted(value)} · amount 50000"] * 2
    plain = rows(None, {"lines": [{"vendor": "ACME", "amount": 5}] * 2})
    assert [row.text for row in plain] == ["vendor ACME · amount 5"] * 2


def test_html_is_read_as_text_however_short_it_is() -> None:
    html = '<p>Hi,</p><p><a href="https://shop.example/a">your order</a></p>'
    rows, whole = shown({"htmlBody": html})
    text = "\n".join(row.text for row in rows)
    assert whole and "Hi,\n" in text and "shop.example" in text and html in text


def test_a_values_own_lines_stand_after_its_summary_and_decide_as_any_other() -> None:
    manifest = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": {"hostPID": True}}
    rows, whole = shown({"manifest": manifest, "dry_run": False})
    names = named(rows)
    assert whole and names[:2] == ["dry_run", "manifest"]
    assert {"manifest › kind", "manifest › metadata › name", "manifest › spec › hostPID"} <= set(names)


def test_a_few_texts_that_do_not_fit_one_line_of_a_phone_stand_one_a_line() -> None:
    rows, _ = shown({"bcc": ["archive@acme.example", "somebody.else@mail.example"], "tags": ["a", "b"]})
    assert [row.text for row in rows] == [
        "archive@acme.example",
        "somebody.else@mail.example",
        "•\u00a0a •\u00a0b",
    ]


def test_an_amount_that_is_a_text_stands_with_its_currency_as_well() -> None:
    rows, _ = shown({"amount": {"value": "450.00", "currency_code": "EUR"}})
    assert named(rows) == ["amount › value"] and rows[0].text == '"450.00" EUR'


def test_once_it_is_decided_fields_are_counted_and_the_last_one_stands_there() -> None:
    def over(count: int) -> str:
        found = values(None, {f"field_{number}": number for number in range(count)})
        return fold(found, 600, 8).rows[-1].text

    assert over(9) == "8" and over(12) == "… 4 more fields"


def test_what_is_summed_up_hides_none_of_its_own_fields_and_says_how_much_else_there_is() -> None:
    named_like = {"apiVersion": "v1", "kind": "Payment", "amount": 1000000, "to": "DE99", "bcc": "z@evil.io"}
    rows, _ = shown({**named_like, **{f"k{number}": number for number in range(60)}})
    text = [row.text for row in rows]
    assert {"1000000", "DE99", "z@evil.io", "59"} <= set(text)
    changes = [
        {"address": f"a.b{n}", "change": {"actions": ["update"], "before": {"x": n}}} for n in range(40)
    ]
    plan = {"format_version": "1.2", "variables": {"env": {"value": "prod"}}, "resource_changes": changes}
    rows, whole = shown({"plan": plan})
    assert not whole and "prod" in [row.text for row in rows]
    assert any("more lines (" in row.text for row in rows), "what is not shown is counted"
    rows, whole = shown({"plan": {**plan, "resource_changes": changes[:1]}})
    assert whole and "prod" in [row.text for row in rows]


def test_an_email_in_base64_is_read_as_one() -> None:
    mail = (
        "To: a@x.io\nBcc: b@y.io\nSubject: Hi\nContent-Type: text/html; charset=utf-8\n"
        "Content-Transfer-Encoding: base64\n\n"
        + base64.b64encode(b"<p>Hello <a href='http://evil.io'>acme.io</a></p>" * 9).decode()
    )
    rows, _ = shown({"raw": base64.urlsafe_b64encode(mail.encode()).decode()})
    text = "\n".join(row.text for row in rows)
    assert "b@y.io" in text and "evil.io" in text and "Hello" in text


def test_a_few_short_values_are_not_counted_where_they_could_stand() -> None:
    rows, whole = shown({f"addr{number}": "a\nb" for number in range(16)})
    assert whole and named(rows)[-1] == "addr15"
