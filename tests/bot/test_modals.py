"""Forms: what they show, what is read back from them, and that they show everything before they approve."""

import base64
import json
from collections.abc import Callable
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.approvals.errors import UnknownApproval
from signoff.bot.blocks import check_message, check_view
from signoff.bot.forms.difference_view import difference_view, is_shown
from signoff.bot.forms.edit_form import EditForm, can_edit
from signoff.bot.forms.modals import (
    checking_view,
    details_view,
    message_blocks,
    message_view,
    note_view,
    read_note,
    read_reject,
    refused_view,
    reject_view,
)
from signoff.bot.forms.review import read_page, review_view
from signoff.bot.text.quotes import FSI, PDI
from signoff.bot.text.text import hides, mention, visible
from signoff.bot.text.views import target
from signoff.bot.text.words import admin as admin_words
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.bot.text.words import replies as replies_words
from signoff.errors import Invalid
from signoff.models.approval import Approval
from signoff.payload.canonical import canonical, digest

Make = Callable[..., Approval]
View = dict[str, Any]
HOSTILE = "<!channel> <@U0EVIL> *bold* <https://evil.example|x> \u202e\u200bx"
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=30)
LEAF = (
    st.none()
    | st.booleans()
    | st.integers(-(2**50), 2**50)
    | st.floats(-1e15, 1e15)
    | TEXT
    | st.just(HOSTILE)
)
VALUE = st.recursive(
    LEAF, lambda v: st.lists(v, max_size=4) | st.dictionaries(TEXT, v, max_size=4), max_leaves=10
)
PAYLOAD = st.dictionaries(TEXT, VALUE, max_size=10)
SCHEMA: dict[str, Any] = {
    "type": "object",
    "required": ["customer", "amount"],
    "properties": {
        "customer": {"type": "string", "description": "Whom *to* pay", "maxLength": 40},
        "amount": {"type": "number", "minimum": 0, "maximum": 500},
        "count": {"type": "integer"},
        "currency": {"enum": ["EUR", "USD"]},
        "notify": {"type": "boolean"},
        "when": {"type": "string", "format": "date"},
        "mail": {"type": "string", "format": "email"},
        "site": {"type": "string", "format": "uri"},
        "memo": {"type": "string"},
        "cc": {"anyOf": [{"type": "string"}, {"type": "null"}]},
        "lines": {"type": "array"},
        "data": {},
    },
}
FULL: dict[str, Any] = {
    "customer": "cus_42",
    "amount": 120.5,
    "count": 3,
    "currency": "EUR",
    "notify": True,
    "when": "2026-11-22",
    "mail": "ana@example.com",
    "site": "https://example.com/a",
    "memo": "two\nlines",
    "cc": None,
    "lines": [{"sku": 7}],
}


def state_of(view: View) -> dict[str, Any]:
    """What Slack sends when nothing is touched."""
    values = {}
    for block in view["blocks"]:
        if block["type"] != "input":
            continue
        element = block["element"]
        given = {
            "static_select": {"selected_option": element.get("initial_option")},
            "radio_buttons": {"selected_option": element.get("initial_option")},
            "checkboxes": {"selected_options": element.get("initial_options", [])},
            "datepicker": {"selected_date": element.get("initial_date")},
        }.get(element["type"], {"value": element.get("initial_value")})
        values[block["block_id"]] = {element["action_id"]: {"type": element["type"], **given}}
    return values


def block_of(view: View, label: str) -> dict[str, Any]:
    """The input of a field; an amount's label says its currency too."""
    return next(
        b
        for b in view["blocks"]
        if b["type"] == "input" and b["label"]["text"].removesuffix(" (EUR)") == label
    )


def way(asked: Approval, label: str, text: str) -> dict[str, Any]:
    """The option of a field that reads so."""
    options = block_of(EditForm(asked).view(), label)["element"]["options"]
    return next(dict(option) for option in options if option["text"]["text"] == text)


def typed(asked: Approval, **given: Any) -> tuple[dict[str, Any], dict[str, str]]:
    """Fill the form for `asked` and read it back; `amount` may stand with its currency."""
    view = EditForm(asked).view()
    values = state_of(view)
    for label, value in given.items():
        block = block_of(view, label)
        name = {
            "static_select": "selected_option",
            "radio_buttons": "selected_option",
            "datepicker": "selected_date",
        }.get(block["element"]["type"], "value")
        values[block["block_id"]][block["element"]["action_id"]][name] = value
    form = EditForm(asked).enter(values)
    labels = {b["block_id"]: b["label"]["text"] for b in view["blocks"] if b["type"] == "input"}
    labels = {block_id: label.removesuffix(" (EUR)") for block_id, label in labels.items()}
    return form.payload, {labels[block_id]: text for block_id, text in form.errors.items()}


def test_each_field_gets_the_input_that_fits_it(make: Make) -> None:
    view = EditForm(make(FULL, schema=SCHEMA)).view()
    assert check_view(view) == []
    assert (view["callback_id"], view["title"]["text"], view["submit"]["text"]) == (
        "edit",
        "refund.create",
        "Show changes",
    )
    kinds = {b["label"]["text"]: b["element"]["type"] for b in view["blocks"] if b["type"] == "input"}
    assert kinds == {
        "customer": "plain_text_input",
        "amount (EUR)": "number_input",
        "count": "number_input",
        "currency": "static_select",
        "notify": "radio_buttons",
        "when": "datepicker",
        "mail": "email_text_input",
        "site": "url_text_input",
        "memo": "plain_text_input",
        "cc": "plain_text_input",
        "lines": "radio_buttons",
        "lines › 1": "radio_buttons",
        "lines › 1 › sku": "number_input",
        "lines › 2 › sku": "number_input",
        "data": "plain_text_input",
    }
    amount = block_of(view, "amount")["element"]
    assert (amount["min_value"], amount["max_value"], amount["initial_value"]) == ("0", "500", "120.5")
    assert amount["is_decimal_allowed"] and not block_of(view, "count")["element"]["is_decimal_allowed"]
    assert block_of(view, "memo")["element"]["multiline"]
    assert "agent" in block_of(view, "customer")["hint"]["text"]
    assert "JSON" in block_of(view, "data")["hint"]["text"]


def test_what_is_typed_becomes_the_payload_with_its_types(make: Make) -> None:
    asked = make(FULL, schema=SCHEMA)
    view = EditForm(asked).view()
    usd = block_of(view, "currency")["element"]["options"][1]
    payload, errors = typed(
        asked,
        customer="cus_7",
        amount="80",
        currency=usd,
        notify=way(asked, "notify", "No"),
        when="2026-12-01",
        data='[{"sku": 8}]',
        **{"lines › 1 › sku": "8", "lines › 2 › sku": "9"},
    )
    assert errors == {}
    changed = {"customer": "cus_7", "amount": 80, "currency": "USD", "notify": False, "when": "2026-12-01"}
    assert payload == FULL | changed | {"lines": [{"sku": 8}, {"sku": 9}], "data": [{"sku": 8}]}
    assert isinstance(payload["amount"], int) and payload["notify"] is False


def test_errors_stand_at_their_fields(make: Make) -> None:
    _, errors = typed(make(FULL, schema=SCHEMA), amount="501", data="[1,", customer="x" * 41)
    assert set(errors) == {"data"}
    _, errors = typed(make(FULL, schema=SCHEMA), amount="501", mail="nobody")
    assert errors == {"amount": "Must be at most 500", "mail": "Must be an e-mail address"}
    _, errors = typed(make({"a": 1, "b": "x"}), a="one")
    assert "number" in errors["a"]


def test_a_form_that_changes_nothing_says_so(make: Make) -> None:
    asked = make(FULL, schema=SCHEMA)
    assert typed(asked)[1] == {"customer": forms_words.NOTHING_CHANGED}


def test_emptied_fields_become_null_or_are_left_out(make: Make) -> None:
    asked = make(FULL | {"cc": "ben@example.com"}, schema=SCHEMA)
    payload, errors = typed(asked, cc=None, memo=None, count=None)
    assert errors == {}
    assert payload["cc"] is None and "memo" not in payload and "count" not in payload
    _, errors = typed(asked, amount=None)
    assert set(errors) == {"amount"}


def test_a_missing_field_stays_missing_until_it_is_filled(make: Make) -> None:
    asked = make({"customer": "c", "amount": 1}, schema=SCHEMA)
    assert typed(asked, amount="2")[0] == {"customer": "c", "amount": 2}
    payload = typed(asked, memo="hello", notify=way(asked, "notify", "Yes"))[0]
    assert payload == {"customer": "c", "amount": 1, "memo": "hello", "notify": True}


def test_what_may_not_be_edited_stands_as_text_and_cannot_be_smuggled_in(make: Make, seen: Any) -> None:
    asked = make({"customer": "cus_42", "amount": 120}, editable=("amount",))
    view = EditForm(asked).view()
    assert [b["label"]["text"] for b in view["blocks"] if b["type"] == "input"] == ["amount"]
    assert "cus_42" in seen(view) and forms_words.NOT_EDITABLE in seen(view)
    smuggled = {"value": {"type": "plain_text_input", "value": "cus_evil"}}
    fixed = view["blocks"][0]["block_id"]
    form = EditForm(asked).enter(state_of(view) | {fixed: smuggled})
    assert form.payload["customer"] == "cus_42"


def test_a_text_over_three_thousand_characters_says_that_it_stays(make: Make, seen: Any) -> None:
    asked = make({"body": "x" * 3001, "to": "ana"})
    view = EditForm(asked).view()
    assert check_view(view) == [] and forms_words.TOO_LONG_TO_EDIT in seen(view)
    assert typed(asked, to="ben")[0] == {"body": "x" * 3001, "to": "ben"}


def test_bytes_stay_as_they_are(make: Make, seen: Any) -> None:
    schema = {"type": "object", "properties": {"f": {"type": "string", "contentEncoding": "base64"}}}
    view = EditForm(
        make({"f": base64.b64encode(b"%PDF-1.7\n1 0 ob").decode(), "x": "y"}, schema=schema)
    ).view()
    assert "PDF, 15 bytes" in seen(view) and forms_words.BYTES_STAY in seen(view)


def test_hidden_characters_stand_as_escapes_in_an_input_and_come_back(make: Make) -> None:
    asked = make({"to": "ana\u202e@x", "n": "Café ❤️"})
    element = block_of(EditForm(asked).view(), "to")["element"]
    assert element["initial_value"] == "ana\\u{202e}@x"
    assert typed(asked, to="ana\\u{202e}@y")[0]["to"] == "ana\u202e@y"
    assert typed(asked, to="ana@x")[0] == {"to": "ana@x", "n": "Café ❤️"}


def test_errors_given_to_the_form_stand_above_their_fields(make: Make, seen: Any) -> None:
    asked = make({"a": 1})
    form = EditForm(asked)
    view = form.view(errors={block_of(form.view(), "a")["block_id"]: "Must be at most 5"})
    assert check_view(view) == [] and "Must be at most 5" in seen(view)


@settings(max_examples=150, deadline=None)
@given(payload=PAYLOAD, description=TEXT, data=st.data())
def test_an_untouched_form_changes_no_byte(make: Make, payload: Any, description: str, data: Any) -> None:
    kinds = [{}, {"type": "string"}, {"type": ["string", "null"]}, {"type": "boolean"}, {"type": "integer"}]
    kinds += [
        {"enum": [1, "1", True, None, "x"]},
        {"contentEncoding": "base64"},
        {"type": "string", "format": "date"},
    ]
    kinds += [{"type": "string", "format": "uri"}, {"type": "number", "minimum": 0}, {"type": "array"}]
    properties = {n: data.draw(st.sampled_from(kinds)) | {"description": description} for n in payload}
    schema = {"type": "object", "properties": properties | {"extra": {"type": "string"}}}
    asked = make(payload, schema=data.draw(st.sampled_from([None, schema])))
    view = EditForm(asked).view()
    assert [p for p in check_view(view) if "submit" not in p.message] == []
    assert canonical(EditForm(asked).enter(state_of(view)).payload) == asked.payload_text


def test_the_difference_of_a_folded_card_shows_old_and_new_and_then_everything(make: Make, seen: Any) -> None:
    log = "\n".join(f"line {n}" for n in range(40))
    asked = make({"amount": 120, "memo": "a\nb", "customer": "cus_42", "log": log})
    view = difference_view(asked, {"amount": 80, "customer": "cus_42", "log": log, "new": "x\ny"})
    text = seen(view)
    assert check_view(view) == []
    assert view["submit"]["text"] == "Approve these changes"
    for part in (
        "amount  120 → 80",
        "memo",
        "(not given)",
        "x\ny",
        "Approve with these changes?",
        "customer  cus_42",
    ):
        assert part in text
    assert "line 39" in text
    assert digest(canonical({"amount": 80, "customer": "cus_42", "log": log, "new": "x\ny"})) not in text
    assert is_shown({"amount": 80, "customer": "cus_42", "log": log, "new": "x\ny"}, view, asked)
    assert "Nobody said whether this can be undone." in text


def test_a_long_new_text_is_among_the_changes_to_its_end(make: Make, seen: Any) -> None:
    view = difference_view(make({"memo": "old " * 600}), {"memo": "new " * 700 + "END"})
    parts = [b for b in view["blocks"] if b.get("block_id", "").startswith("change:")]
    assert "new new END" in seen(parts) and "old old" in seen(parts) and check_view(view) == []


@settings(max_examples=150, deadline=None)
@given(old=PAYLOAD, new=PAYLOAD)
def test_a_difference_is_about_the_edited_payload_alone(make: Make, seen: Any, old: Any, new: Any) -> None:
    asked = make(old)
    try:
        view = difference_view(asked, new)
    except Invalid as error:
        assert error.detail == forms_words.CHANGES_TOO_LARGE
        return
    assert check_view(view) == []
    assert is_shown(new, view, asked)
    assert is_shown(old, view, asked) == (canonical(old) == canonical(new))


def test_long_changes_are_shown_and_too_long_ones_are_refused_at_the_field(make: Make, seen: Any) -> None:
    asked = make({"a": "x", "b": "y"})
    long = {"a": "word " * 590, "b": "other " * 490}
    assert typed(asked, **long) == (long, {})
    view = difference_view(asked, long)
    assert check_view(view) == [] and is_shown(long, view, asked)
    shown = seen([block for block in view["blocks"] if block.get("block_id", "").startswith("change:")])
    assert (shown.count("word"), shown.count("other")) == (590, 490)
    wide = {name: "\u00e9" * 2990 for name in "abcdefghijklmn"}
    _, errors = typed(make(dict.fromkeys(wide, "x")), **wide)
    assert set(errors) == {"a"} and errors["a"].startswith("These changes are too long")


def test_a_difference_of_another_version_or_none_is_refused(make: Make) -> None:
    asked = make({"a": 1})
    view = difference_view(asked, {"a": 2})
    other = make({"a": 1})
    assert is_shown({"a": 2}, view, asked)
    assert not is_shown({"a": 2}, view, other)
    assert not is_shown({"a": 2}, view, replace(asked, version=2))
    kept = json.loads(view["private_metadata"])
    for bad in ("", "[]", "{}"):
        with pytest.raises(UnknownApproval):
            is_shown({"a": 2}, view | {"private_metadata": bad}, asked)
    for bad in (kept | {"digest": 1}, kept | {"digest": digest(canonical({"a": 3}))}):
        assert not is_shown({"a": 2}, view | {"private_metadata": json.dumps(bad)}, asked)
    assert not is_shown({"a": 2}, reject_view(asked), asked)


@settings(max_examples=100, deadline=None)
@given(data=st.data())
def test_the_pages_of_a_review_show_everything_and_only_the_last_approves(
    make: Make, seen: Any, data: Any
) -> None:
    count = iter(range(10_000))
    pad = st.text(st.sampled_from("ab \n\u200b😀<"), max_size=40) | st.integers(0, 9000).map("x".__mul__)
    mark = st.tuples(pad, pad).map(lambda pads: f"{pads[0]}¤MARK{next(count):05}{pads[1]}")
    values = st.recursive(
        mark, lambda v: st.lists(v, max_size=8) | st.dictionaries(TEXT, v, max_size=4), max_leaves=20
    )
    payload = data.draw(st.dictionaries(TEXT, values, max_size=5))
    properties = {n: {"contentEncoding": data.draw(st.sampled_from(["base64", "none"]))} for n in payload}
    asked = make(payload, schema={"type": "object", "properties": properties})
    text, page, pages = "", 0, 1
    while page < pages:
        view = review_view(asked, page + 1)
        page, pages = read_page(view)
        assert check_view(view) == []
        assert len(json.dumps(view)) < 240_000
        assert view["callback_id"] == "review"
        assert view["submit"]["text"] == ("Next" if page < pages else "Approve")
        assert (
            "'page'" in str([e for b in view["blocks"] if b["type"] == "actions" for e in b["elements"]])
        ) == (page > 1)
        parts = [b for b in view["blocks"] if b.get("block_id", "").startswith("page:")]
        text += seen(parts)
    flat = json.dumps(payload, ensure_ascii=False)
    for number in range(next(count)):
        marker = f"¤MARK{number:05}"
        assert marker in text or marker not in flat


def test_a_long_text_is_paged_without_losing_a_character(make: Make, walk: Any) -> None:
    body = "".join(f"line {n} \u202e{'wide ' * (n % 30)}end\n" for n in range(2000))
    asked = make({"body": body})
    pages = read_page(review_view(asked))[1]
    shown = ""
    for page in range(1, pages + 1):
        for part in walk(review_view(asked, page)["blocks"]):
            if part.get("type") == "rich_text_preformatted":
                shown += part["elements"][0]["text"]
    assert pages == 2
    assert shown == visible(body, keep="\n\t")


@pytest.mark.parametrize(
    "payload", [{"a": "x\n" * 5000}, {f"f{n}": n for n in range(3000)}, {"l": list(range(3000))}]
)
def test_a_page_holds_as_much_as_a_view_can(make: Make, payload: dict[str, Any]) -> None:
    view = review_view(make(payload))
    assert read_page(view) <= (1, 3)
    assert check_view(view) == [] and len(json.dumps(view)) < 245_000


def test_a_plan_of_a_hundred_kilobytes_is_few_pages(make: Make) -> None:
    change = {"before": {"ami": "ami-1", "size": "t3.micro"}, "after": None, "note": "one\ntwo"}
    plan = {"changes": [{"address": f"aws_instance.web[{n}]", **change} for n in range(300)]}
    assert read_page(review_view(make(plan))) <= (1, 3)


def test_a_review_has_all_that_the_card_has_and_the_other_ways(make: Make, seen: Any, walk: Any) -> None:
    claims = {"reason": "Because of ticket 991", "impact": "one customer", "undo": "call them"}
    asked = make({"a": "x\n" * 90, "b": 1}, alternatives=("wait",), **claims)
    view = review_view(asked)
    text = seen(view["blocks"])
    assert all(said in text for said in (asked.agent, asked.action, "wait", *claims.values()))
    assert [part["action_id"] for part in walk(view) if part.get("type") == "button"] == [
        "reject",
        "edit",
        "ask",
    ]
    assert "SHA-256" not in text


def test_editing_is_not_offered_where_the_result_could_not_be_shown_whole(make: Make) -> None:
    assert can_edit(make({"a": "x" * 20_000, "b": 1}))
    assert not can_edit(make({f"f{n}": n for n in range(4000)}))
    assert not can_edit(make({"a": "\u202e" * 9_000, "b": 1}))


def test_a_review_says_plainly_what_approving_does(make: Make, seen: Any) -> None:
    sure = {"reversibility": "irreversible", "reversibility_from": "policy"}
    text = seen(review_view(make({"a": 1}, verdict=sure)))
    assert "This cannot be undone. Approve runs refund.create with exactly this:\na “1”" in text
    assert "submit" not in review_view(make({"a": 1}), may_decide=False)
    assert "submit" not in review_view(make({"a": 1}, status="expired"))
    assert target(review_view(make({"a": 1}, id="x"))) == ("x", 1)
    assert read_page(review_view(make({}), 99)) == (1, 1)


def test_rejecting_needs_a_reason_and_says_which_it_is(make: Make, seen: Any) -> None:
    view = reject_view(make({"a": 1}))
    assert check_view(view) == [] and view["callback_id"] == "reject" and view["submit"]["text"] == "Reject"
    assert (
        "Tell billing-bot" in seen(view) and "Don't do this" in seen(view) and "Come back with" in seen(view)
    )
    values = state_of(view)
    assert read_reject(values) == ("", False, {"reason": forms_words.REASON_MISSING})
    values["reason"]["value"]["value"] = "  Wrong customer \n"
    assert read_reject(values) == ("Wrong customer", False, {})
    options = next(b for b in view["blocks"] if b.get("block_id") == "which")["element"]["options"]
    values["which"]["value"]["selected_option"] = options[1]
    assert read_reject(values) == ("Wrong customer", True, {})
    assert read_reject({})[2] and read_reject({"reason": {"value": {"value": "x" * 3001}}})[2]


def test_approving_with_a_note_shows_the_payload_first(make: Make, seen: Any) -> None:
    view = note_view(make({"customer": "cus_42", "memo": "a\nb"}))
    assert check_view(view) == [] and view["submit"]["text"] == "Approve"
    assert "customer  cus_42" in seen(view) and "a\nb" in seen(view)
    assert read_note({"note": {"value": {"value": " by phone "}}}) == "by phone"


@settings(max_examples=60, deadline=None)
@given(payload=PAYLOAD, prose=TEXT, context=PAYLOAD)
def test_slack_takes_every_view_and_reads_no_markup_in_what_others_wrote(
    make: Make, markup: Any, walk: Any, payload: Any, prose: str, context: Any
) -> None:
    asked = make(
        payload, reason=HOSTILE + prose, title=prose, alternatives=(HOSTILE * 60,) * 10, context=context
    )
    views = [
        details_view(asked),
        note_view(asked),
        reject_view(asked),
        review_view(asked),
        refused_view(HOSTILE),
    ]
    views += [EditForm(asked).view()] if can_edit(asked) else []
    views += [difference_view(asked, {**payload, "added": HOSTILE})]
    for view in views:
        assert check_view(view) == []
        assert not any(word in markup(view) for word in ("channel", "evil", "EVIL", "bold"))
        for part in walk(view):
            text = part.get("text")
            assert not isinstance(text, str) or not hides(text.replace(FSI, "").replace(PDI, ""))


def test_details_hold_the_claims_in_full_and_never_burst(make: Make, seen: Any) -> None:
    text = seen(details_view(make({}, reason="why " * 999 + "END", risk="low", tags=("money",), cost=1.5)))
    assert "END" in text and "Risk, claimed: low" in text and "money" in text
    big = details_view(make({}, alternatives=("\U0001f600" * 4000,) * 10, context={"x": "y" * 200_000}))
    assert check_view(big) == [] and card_words.TRUNCATED in seen(big)


def test_small_views_hold_our_words(make: Make, markup: Any) -> None:
    for view in (
        checking_view(),
        refused_view("a\u202e"),
        message_view("Too late", replies_words.NOT_RECORDED),
    ):
        assert check_view(view) == [] and "submit" not in view
    assert not markup(refused_view("<!channel>"))


def test_who_looks_at_an_old_payload_is_shown_what_changed_and_no_approve(make: Make, seen: Any) -> None:
    now = make({"amount": 120, "x": "<!here>"}, payload_now={"amount": 80})
    blocks = message_blocks(replies_words.edited_meanwhile("U0BEN"), now)
    assert check_message(blocks) == []
    assert check_view(message_view("Not possible", replies_words.edited_meanwhile("U0BEN"), now)) == []
    assert "<@U0BEN> changed this" in seen(blocks) and "amount  120 → 80" in seen(blocks)
    assert [(e["action_id"], e["value"]) for e in blocks[-1]["elements"]] == [("review", f"{now.id}:2")]


def test_an_admin_is_told_what_cannot_be_shown_without_markup(make: Make) -> None:
    text = admin_words.admin_cannot_show(make({}), "is_archived", "is_archived. <!channel> *Unarchive* it")
    assert text.startswith("billing-bot asks: refund.create, but Slack refuses")
    assert "is_archived. channel Unarchive it." in text


def test_bytes_too_long_for_a_card_stand_in_full_in_the_review(make: Make, seen: Any) -> None:
    encoded = base64.b64encode(bytes(range(256)) * 40).decode()
    asked = make(
        {"f": encoded}, schema={"type": "object", "properties": {"f": {"contentEncoding": "base64"}}}
    )
    pages = read_page(review_view(asked))[1]
    text = "".join(seen(review_view(asked, page)["blocks"][1:]) for page in range(1, pages + 1))
    assert "10,240 bytes, sha " in text and "SHA-256" not in text
    assert "10,240 bytes, SHA-256 " in seen(details_view(asked))
    shown = (
        text.replace(forms_words.continued(1), "")
        .replace(forms_words.read_on(), "")
        .replace(forms_words.BACK, "")
    )
    assert encoded in shown


def test_private_notes_say_what_happened_and_mention_by_id() -> None:
    at = 1_795_000_000_000_000
    late = replies_words.late_click("approved", "U0ANA", at, at + 3_000_000)
    when = "<!date^1795000000^{time}|11:06 UTC>"
    assert late.startswith(f"<@U0ANA> approved this at {when}, 3 seconds before you.")
    assert replies_words.late_click("rejected", "Ana <!channel>", 0, at).startswith("Somebody rejected this.")
    assert replies_words.late_click("expired", "", at, at).startswith("The time ran out at ")
    assert replies_words.not_an_approver(("S0FIN",)) == f"Only {mention('S0FIN')} can decide this."
    assert "any member" in replies_words.not_an_approver(("members",))
    assert replies_words.edited_meanwhile("U0BEN").startswith("<@U0BEN> changed this")
    assert replies_words.edited_meanwhile("<!here>").startswith("Somebody changed this")
    assert "can ask again" in replies_words.time_ran_out(at)
    spans = (0, 38, 61, 3_725, 90_000, 172_800)
    assert [card_words.duration(s * 1_000_000) for s in spans] == [
        "less than 1 s",
        "38 s",
        "1 min 1 s",
        "1 h 2 min",
        "1 day 1 h",
        "2 days",
    ]
