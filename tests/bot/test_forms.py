"""Forms for any payload: nested objects, lists, moments, long enums, pages; and what changed, by line."""

import json
import random
from collections.abc import Callable
from typing import Any, get_args

import pytest
from bot.filling import KEY, element, filled, inputs, state_of, typed
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bot.blocks import check_view
from signoff.bot.cards.card import card
from signoff.bot.forms.choices import Choice
from signoff.bot.forms.conflict import again_view, as_sent, lost_view
from signoff.bot.forms.difference_view import difference_view
from signoff.bot.forms.edit_form import EditForm
from signoff.bot.text.difference import by_line
from signoff.bot.text.text import Trusted
from signoff.bot.text.views import draft_of
from signoff.bot.text.words import card as card_words
from signoff.bot.text.words import forms as forms_words
from signoff.models.approval import Approval, End
from signoff.payload.canonical import canonical

Make = Callable[..., Approval]
View = dict[str, Any]
ORDER: dict[str, Any] = {
    "type": "object",
    "required": ["customer"],
    "properties": {
        "customer": {"type": "string"},
        "shipping": {
            "type": "object",
            "required": ["street"],
            "properties": {
                "street": {"type": "string"},
                "floor": {"type": ["integer", "null"]},
                "geo": {
                    "type": "object",
                    "properties": {"at": {"$ref": "#/$defs/point"}},
                    "required": ["at"],
                },
            },
        },
        "billing": {"type": ["object", "null"], "properties": {"city": {"type": "string"}}},
    },
    "$defs": {"point": {"type": "object", "properties": {"lat": {"type": "number", "maximum": 90}}}},
}
ORDERED: dict[str, Any] = {
    "customer": "cus_42",
    "shipping": {"street": "Hauptstr. 1", "floor": 2, "geo": {"at": {"lat": 52.5}}},
    "billing": {"city": "Berlin"},
}


def test_nested_objects_are_fields_at_any_depth(make: Make) -> None:
    asked = make(ORDERED, schema=ORDER)
    view = EditForm(asked).view()
    assert check_view(view) == []
    assert list(inputs(view)) == [
        "customer", "shipping", "shipping › street", "shipping › floor", "shipping › geo",
        "shipping › geo › at › lat", "billing", "billing › city",
    ]  # fmt: skip
    assert "divider" in [block["type"] for block in view["blocks"]]
    assert element(asked, "shipping › geo › at › lat")["type"] == "number_input"
    new = {"shipping › street": "Nebenstr. 2", "shipping › floor": "3", "shipping › geo › at › lat": "1"}
    payload, errors = typed(asked, new)
    assert errors == {}
    assert payload == ORDERED | {"shipping": {"street": "Nebenstr. 2", "floor": 3, "geo": {"at": {"lat": 1}}}}


def test_a_field_however_deep_has_its_input_and_its_own_name(make: Make) -> None:
    payload: dict[str, Any] = {"note": "two\nlines", "n": 7}
    for level in range(20, 0, -1):
        payload = {f"level-{level}": payload} if level % 3 else {"list": [payload]}
    view = EditForm(make(payload)).view()
    names = [label for label in inputs(view) if label.endswith(("› note", "› n"))]
    assert len(names) == 2 and all(len(name) <= 150 for name in names) and check_view(view) == []
    assert inputs(view)[names[0]]["element"]["multiline"]
    assert typed(make(payload), {names[1]: "8"})[0] == json.loads(json.dumps(payload).replace("7}", "8}"))


def test_an_object_can_be_left_out_or_set_to_null_where_that_is_allowed(make: Make) -> None:
    asked = make(ORDERED, schema=ORDER)
    ways = [option["text"]["text"] for option in element(asked, "shipping")["options"]]
    assert ways == [forms_words.KEEP, forms_words.LEAVE_OUT]
    ways = [option["text"]["text"] for option in element(asked, "billing")["options"]]
    assert ways == [forms_words.KEEP, forms_words.LEAVE_OUT, forms_words.MAKE_NULL]
    payload, errors = typed(asked, {"shipping": "Leave all of this out", "billing": forms_words.MAKE_NULL})
    assert errors == {} and payload == {"customer": "cus_42", "billing": None}
    chosen = {"shipping": forms_words.LEAVE_OUT, "shipping › street": "Nebenstr. 2"}
    assert "shipping" not in typed(asked, chosen)[0]


def test_an_error_inside_an_object_stands_at_its_field(make: Make) -> None:
    _, errors = typed(make(ORDERED, schema=ORDER), {"shipping › geo › at › lat": "91"})
    assert (
        list(errors) == ["shipping › geo › at › lat"] and "at most 90" in errors["shipping › geo › at › lat"]
    )
    _, errors = typed(make(ORDERED, schema=ORDER), {"shipping › floor": "2.5"})
    assert errors == {"shipping › floor": "Write a whole number, such as 120."}


def test_an_error_below_a_field_names_its_place_as_it_is_spelled(make: Make) -> None:
    schema = {"type": "object", "properties": {"rows": {"items": {"items": {"type": "integer"}}}}}
    _, errors = typed(make({}, schema=schema), {"rows": '[["x"]]'})
    assert errors == {"rows": "rows[0][0] must be a whole number"}


@pytest.mark.parametrize(
    ("schema", "kind", "typed_text", "value"),
    [
        ({"allOf": [{"$ref": "#/$defs/tone"}], "title": "Tone"}, "static_select", None, None),
        ({"allOf": [{"type": "string", "minLength": 1}]}, "plain_text_input", "loud", "loud"),
        ({"oneOf": [{"const": "calm", "title": "Calm"}, {"const": "loud"}]}, "static_select", None, None),
        ({"enum": ["calm", "l" * 80]}, "plain_text_input", f'"{"l" * 80}"', "l" * 80),
        ({"enum": ["calm", "l" * 80]}, "plain_text_input", "l" * 80, "l" * 80),
        ({"enum": ["calm", {"k": 1, "l": 2}]}, "plain_text_input", '{"l": 2,\n"k": 1}', {"k": 1, "l": 2}),
    ],
)
def test_one_way_of_saying_what_a_value_may_be_is_as_good_as_another(
    make: Make, schema: dict[str, Any], kind: str, typed_text: str | None, value: Any
) -> None:
    tone = {"type": "string", "enum": ["calm", "loud"]}
    asked = make(
        {"tone": "calm"}, schema={"type": "object", "properties": {"tone": schema}, "$defs": {"tone": tone}}
    )
    found = element(asked, "tone")
    assert found["type"] == kind
    if kind == "static_select":
        assert [option["text"]["text"] for option in found["options"]] == ["calm", "loud"]
        assert typed(asked, {"tone": found["options"][1]})[0] == {"tone": "loud"}
    else:
        assert typed(asked, {"tone": typed_text}) == ({"tone": value}, {})


def test_a_whole_number_has_no_bounds_with_decimals(make: Make) -> None:
    schema = {"type": "integer", "minimum": 0.5, "maximum": 10}
    asked = make({"n": 1}, schema={"type": "object", "properties": {"n": schema}})
    assert "min_value" not in element(asked, "n") and element(asked, "n")["max_value"] == "10"
    assert typed(asked, {"n": "0"})[1] == {"n": "Must be at least 0.5"}


def test_a_list_of_scalars_is_edited_one_a_line(make: Make) -> None:
    asked = make({"to": ["ana@x", "ben@x"], "counts": [1, 2.5], "flags": [True]})
    assert element(asked, "to")["initial_value"] == "ana@x\nben@x"
    assert element(asked, "flags")["initial_value"] == "true"
    payload, errors = typed(
        asked, {"to": "ana@x\n\n  mia@x \n", "counts": "1\n99.99\n3", "flags": "No\ntrue"}
    )
    assert errors == {} and payload["to"] == ["ana@x", "mia@x"] and payload["counts"] == [1, 99.99, 3]
    assert payload["flags"] == [False, True]
    _, errors = typed(asked, {"counts": "1\ntwo"})
    assert errors == {"counts": "Line 2: Write a number, such as 120 or 99.5."}


def test_an_empty_list_may_be_filled_and_a_full_one_emptied(make: Make) -> None:
    schema = {"type": "object", "required": ["to", "bcc"], "properties": {
        "to": {"type": "array", "items": {"type": "string"}},
        "bcc": {"type": "array", "items": {"type": "string"}},
        "cc": {"type": ["array", "null"], "items": {"type": "string"}},
        "ids": {"type": "array", "items": {"type": "integer"}},
        "tags": {"type": "array", "items": {"type": "string"}},
    }}  # fmt: skip
    asked = make({"to": ["a"], "bcc": [], "cc": ["b"], "tags": []}, schema=schema)
    given = {"to": "[]", "cc": "", "ids": "7\n8", "tags": ""}
    payload, errors = typed(asked, given)
    assert errors == {} and payload == {"to": [], "bcc": [], "cc": None, "ids": [7, 8]}
    assert (element(asked, "tags")["initial_value"], inputs(EditForm(asked).view())["bcc"]["optional"]) == (
        "[]",
        False,
    )


def test_numbers_stay_exact(make: Make) -> None:
    schema = {"type": "object", "properties": {"n": {"type": "integer"}, "d": {"type": "number"}}}
    asked = make({"n": 9007199254740991, "d": 0.1}, schema=schema)
    assert canonical(typed(asked, {"n": "9007199254740990"})[0]) == '{"d":0.1,"n":9007199254740990}'
    assert typed(asked, {"d": "0.30"})[0]["d"] == 0.3
    assert "digits" in typed(asked, {"d": "0.1234567890123456789"})[1]["d"]


MOMENTS = {"type": "object", "required": ["at"], "properties": {
    "at": {"type": "string", "format": "date-time"},
    "end": {"type": ["string", "null"], "format": "date-time"},
}}  # fmt: skip


def test_a_moment_is_picked_in_the_persons_zone_and_keeps_its_offset(make: Make) -> None:
    asked = make({"at": "2026-11-21T14:02:30.250+02:00"}, schema=MOMENTS)
    at = element(asked, "at")
    assert at == {"type": "datetimepicker", "action_id": "value", "initial_date_time": 1_795_262_550}
    assert forms_words.YOUR_ZONE in inputs(EditForm(asked).view())["at"]["hint"]["text"]
    rounded = {"at": 1_795_262_520, "end": 1_795_262_520}  # Slack's picker knows minutes
    assert typed(asked, rounded)[0] == {**asked.payload, "end": "2026-11-21T12:02:00Z"}
    assert typed(asked, {"at": 1_795_266_120})[0]["at"] == "2026-11-21T15:02:00+02:00"
    assert typed(make({"at": "2026-11-21T14:02:00Z"}, schema=MOMENTS), {"at": None})[1] != {}
    both = make({"at": "2026-11-21T14:02:00Z", "end": "2026-11-21T15:02:00Z"}, schema=MOMENTS)
    assert typed(both, {"end": None})[0]["end"] is None


@pytest.mark.parametrize("text", ["2026-11-21t14:02:00z", "1969-07-20T20:17:40Z", "2026-12-31T23:59:60Z"])
def test_a_moment_that_the_picker_would_lose_is_edited_as_text(make: Make, text: str) -> None:
    schema = {"type": "object", "properties": {"at": {"type": "string", "format": "date-time"}}}
    base = make({"at": text}, schema=schema)
    assert element(base, "at")["initial_value"] == text


def test_an_enum_over_a_hundred_values_is_searched(make: Make) -> None:
    names = [f"region-{n:03}" for n in range(250)]
    asked = make(
        {"region": "region-120"}, schema={"type": "object", "properties": {"region": {"enum": names}}}
    )
    shown = element(asked, "region")
    assert (shown["type"], shown["min_query_length"]) == ("external_select", 0)
    assert shown["initial_option"]["text"]["text"] == "region-120"
    field = next(iter(EditForm(asked).inputs.values()))
    assert isinstance(field, Choice)
    assert [o["text"]["text"] for o in field.suggestions("ON-24")] == [f"region-{n}" for n in range(240, 250)]
    assert len(field.suggestions("")) == 100 and field.suggestions("nowhere") == []
    chosen = field.suggestions("region-249")[0]
    assert typed(asked, {"region": chosen})[0] == {"region": "region-249"}
    assert typed(asked, {"region": {"value": "900"}})[0] == asked.payload


def test_titles_and_formats_are_hints_of_the_agents_and_never_labels(make: Make) -> None:
    schema = {"type": "object", "properties": {
        "query": {"type": "string", "format": "sql", "title": "Harmless *report*", "description": "Reads"},
    }}  # fmt: skip
    view = EditForm(make({"query": "DROP TABLE users"}, schema=schema)).view()
    assert list(inputs(view)) == ["query"]
    said = inputs(view)["query"]["hint"]["text"]
    assert "The agent calls it “Harmless *report*”." in said and "(the agent calls it SQL)" in said


@pytest.mark.parametrize("form", ["diff", "sql", "markdown", "code"])
def test_a_text_in_a_code_format_says_whose_word_that_is(make: Make, form: str, seen: Any) -> None:
    inner = {"type": "object", "properties": {"q": {"type": "string", "format": form}}}
    drawn = card(make({"a": {"q": '{"x": 1}'}}, schema={"type": "object", "properties": {"a": inner}}))
    parts = next(b for b in drawn.blocks if b.get("block_id") == "payload:1:0")["elements"]
    assert parts[1] == {"type": "rich_text_preformatted", "elements": [{"type": "text", "text": '{"x": 1}'}]}
    assert f"a › q  (the agent calls it {card_words.CODE_FORMATS[form]})" in seen(drawn.blocks)


def turned(asked: Approval, given: dict[str, str]) -> tuple[list[View], EditForm]:
    """Go through all pages, typing `given` where its field stands: (views, the form as it is at the end)."""
    views, kept = [EditForm(asked, "f").view()], dict[str, Any]()
    while True:
        view = views[-1]
        here = filled(view, {label: text for label, text in given.items() if label in inputs(view)})
        form = EditForm.read(view | {"state": {"values": here}}, asked, kept)
        assert form.unreadable == {} and form.draft_id == "f"
        if form.following is None:
            return views, form
        kept = json.loads(json.dumps(form.entered))
        views.append(form.view(starts=(*form.starts, form.following)))


def test_pages_hold_every_field_once_and_keep_what_was_typed(make: Make) -> None:
    asked = make({f"f{n:03}": n for n in range(250)})
    views, form = turned(asked, {"f000": "7", "f120": "8", "f249": "9"})
    labels = [label for view in views for label in inputs(view)]
    assert labels == list(asked.payload) and len(views) == 3
    assert [view["submit"]["text"] for view in views] == ["Next", "Next", "Show changes"]
    assert all(check_view(view) == [] for view in views)
    assert form.errors == {} and form.payload == asked.payload | {"f000": 7, "f120": 8, "f249": 9}
    again = EditForm(asked, "f", form.entered).view()
    assert inputs(again)["f000"]["element"]["initial_value"] == "7"


def test_what_is_wrong_is_kept_too_when_somebody_turns_back(make: Make) -> None:
    schema = {"type": "object", "properties": {
        "n": {"type": "integer", "maximum": 5}, "mail": {"type": "string", "format": "email"},
        "u": {"format": "uri", "type": "string"}, "short": {"type": "string", "maxLength": 5},
    }}  # fmt: skip
    asked = make({"n": 1, "mail": "a@b.c", "u": "https://a.b", "short": "x"}, schema=schema)
    wrong = {"n": "77", "mail": "nobody", "u": "nowhere", "short": "much too long"}
    view = EditForm(asked).enter(filled(EditForm(asked).view(), wrong)).view()
    assert check_view(view) == []
    shown = {label: block["element"]["initial_value"] for label, block in inputs(view).items()}
    assert shown == wrong
    assert set(EditForm(asked).enter(state_of(view)).errors) == set(state_of(view))


def test_a_number_with_decimals_is_shown_again_where_slack_takes_whole_ones_only(make: Make) -> None:
    asked = make({"n": 1}, schema={"type": "object", "properties": {"n": {"type": "integer"}}})
    form = EditForm(asked).enter(filled(EditForm(asked).view(), {"n": "2.5"}))
    shown = inputs(form.view())["n"]["element"]
    assert (shown["type"], shown["initial_value"]) == ("plain_text_input", "2.5")


def test_a_value_that_is_typed_back_is_no_change(make: Make) -> None:
    asked = make({"a": 1, "b": ["x"]})
    form = EditForm(asked).enter(filled(EditForm(asked).view(), {"a": "2"}))
    assert form.entered
    assert form.enter(filled(form.view(), {"a": "1"})).entered == {}


SCHEMAS: list[dict[str, Any]] = [
    {}, {"type": "string"}, {"type": ["string", "null"]}, {"type": "boolean"}, {"type": ["boolean", "null"]},
    {"type": "integer"}, {"type": "number", "minimum": 0}, {"type": "array"}, {"type": "object"},
    {"type": "array", "items": {"type": "string"}}, {"type": "array", "items": {"type": "integer"}},
    {"type": "string", "format": "date-time"}, {"type": "string", "format": "date"}, {"format": "sql"},
    {"type": "string", "format": "diff"}, {"contentEncoding": "base64"}, {"enum": [*range(150), None, "x"]},
    {"type": ["object", "null"], "properties": {"a": {"type": "string"}, "b": {"enum": [1, "1"]}}},
]  # fmt: skip
TEXT = st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), max_size=20)
LEAF = st.none() | st.booleans() | st.integers(-(2**50), 2**50) | st.floats(-1e15, 1e15) | TEXT
LEAF |= st.sampled_from(["2026-11-21T14:02:00Z", "2026-11-21T14:02:00.5+02:00", "a\r\nb", "\u202e", "QUJD"])
VALUE = st.recursive(
    LEAF, lambda v: st.lists(v, max_size=4) | st.dictionaries(TEXT | st.sampled_from("ab"), v, max_size=4)
)


@settings(max_examples=150, deadline=None)
@given(payload=st.dictionaries(TEXT, VALUE, max_size=8), data=st.data())
def test_an_untouched_form_of_any_payload_changes_no_byte(make: Make, payload: Any, data: Any) -> None:
    properties = {name: data.draw(st.sampled_from(SCHEMAS)) for name in payload}
    extra = {"extra": data.draw(st.sampled_from(SCHEMAS))}
    asked = make(payload, schema=data.draw(st.sampled_from([None, {"properties": properties | extra}])))
    view = EditForm(asked).view()
    assert [problem for problem in check_view(view) if "submit" not in problem.message] == []
    form = EditForm(asked).enter(state_of(view))
    assert canonical(form.payload) == asked.payload_text
    assert form.entered == {}
    refilled = form.view()
    assert [problem for problem in check_view(refilled) if "submit" not in problem.message] == []
    assert canonical(EditForm(asked).enter(state_of(refilled)).payload) == asked.payload_text


@settings(max_examples=100, deadline=None)
@given(payload=st.dictionaries(TEXT, VALUE, max_size=6), given=st.lists(TEXT, max_size=30), data=st.data())
def test_whatever_is_typed_is_read_or_refused_and_shown_again(
    make: Make, payload: Any, given: list[str], data: Any
) -> None:
    properties = {name: data.draw(st.sampled_from(SCHEMAS)) for name in payload}
    asked = make(payload, schema={"properties": properties})
    values = state_of(EditForm(asked).view())
    for actions, text in zip(values.values(), given, strict=False):
        state = actions["value"]
        name = KEY.get(state["type"], ("value", ""))[0]
        state[name] = ({"value": "value", "selected_option": {"value": text}}.get(name) and text) or None
        if name == "selected_option":
            state[name] = {"value": text}
    form = EditForm(asked).enter(values)
    kept = json.loads(json.dumps(form.entered))
    again = EditForm(asked, "", kept).view()
    assert [problem for problem in check_view(again) if "submit" not in problem.message] == []
    assert set(form.errors) <= {*form.inputs, "field:0"}
    if not form.errors:
        assert check_view(form.difference) == []


def test_a_form_of_very_many_fields_is_bounded(make: Make) -> None:
    wide = {"type": "object", "properties": {f"p{n}": {"type": "string"} for n in range(300)}}
    schema = {
        "type": "object",
        "properties": {f"o{n}": {"$ref": "#/$defs/w"} for n in range(90)},
        "$defs": {"w": wide},
    }
    asked = make({f"o{n}": {"p0": "x"} for n in range(90)}, schema=schema)
    assert len(EditForm(asked).inputs) == 1000
    views, _ = turned(asked, {})
    assert forms_words.FIELDS_LEFT in json.dumps(views[-1], ensure_ascii=False)
    assert all(len(json.dumps(view)) < 250_000 for view in views)


def test_long_texts_differ_by_line_with_the_lines_around() -> None:
    old = "\n".join(f"line {n}" for n in range(30))
    new = old.replace("line 15", "line fifteen").replace("line 29", "line 29\nline 30")
    expected = [
        "… 13 lines unchanged", "  line 13", "  line 14", "- line 15", "+ line fifteen", "  line 16",
        "  line 17", "… 10 lines unchanged", "  line 28", "  line 29", "+ line 30",
    ]  # fmt: skip
    assert by_line(old, new) == "\n".join(expected)
    assert by_line("a\nb", "c\nd") is None


@settings(max_examples=200, deadline=None)
@given(st.lists(st.sampled_from("abcd"), max_size=30), st.lists(st.sampled_from("abcd"), max_size=30))
def test_a_difference_by_line_holds_all_that_is_new(old: list[str], new: list[str]) -> None:
    found = by_line("\n".join(old), "\n".join(new))
    if found is None or old == new:
        return
    rest = list("\n".join(old).split("\n"))
    built: list[str] = []
    for shown in found.split("\n"):
        if shown.startswith("…"):
            count = int(shown.split()[1])
            built += rest[:count]
            del rest[:count]
        elif shown.startswith("- "):
            assert rest.pop(0) == shown[2:]
        else:
            built.append(shown[2:])
            if shown.startswith("  "):
                assert rest.pop(0) == shown[2:]
    assert built == "\n".join(new).split("\n") and rest == []


def test_texts_that_differ_in_too_many_lines_are_not_compared() -> None:
    words_of = random.Random(7)
    one, other = ("\n".join(str(words_of.random()) for _ in range(5000)) for _ in range(2))
    assert by_line("x\n" + one, "x\n" + other) is None


def test_the_difference_of_a_card_that_shows_all_is_only_what_changed(make: Make, seen: Any) -> None:
    asked = make({"amount": 120, "customer": "cus_42"})
    text = seen(difference_view(asked, {"amount": 80, "customer": "cus_42"}))
    changes, _, question = text.partition("Nobody said whether this can be undone.")
    assert "amount  120 → 80" in changes and "cus_42" not in changes and forms_words.UNCHANGED_REST in changes
    assert "amount “80”\ncustomer “cus_42”" in question


def test_long_changes_stay_with_the_draft(make: Make) -> None:
    noise = random.Random(3)
    asked = make({name: "x" for name in "abc"})
    payload = {name: "".join(noise.choices("abcdefghijklmnopqrstuvwxyz0123456789", k=2900)) for name in "abc"}
    view = difference_view(asked, payload, "form-1")
    assert check_view(view) == [] and draft_of(view) == "form-1" and len(view["private_metadata"]) < 300


def test_a_form_overtaken_by_another_edit_keeps_what_was_typed(make: Make, seen: Any) -> None:
    asked = make({"amount": 120, "memo": "x"})
    form = EditForm(asked, "f").enter(filled(EditForm(asked).view(), {"memo": "as agreed"}))
    now = make({"amount": 120, "memo": "x"}, payload_now={"amount": 80, "memo": "x"})
    view = again_view(now, form)
    assert check_view(view) == [] and "amount  120 → 80" in seen(view)
    assert "What you typed is kept" in seen(view)
    assert inputs(view)["memo"]["element"]["initial_value"] == "as agreed"
    assert EditForm(now).enter(state_of(view)).payload == {"amount": 80, "memo": "as agreed"}


def test_a_form_overtaken_by_another_edit_shows_the_new_values_of_what_was_left_alone(make: Make) -> None:
    sent = {"amount": 120, "memo": "x", "list": ["a"]}
    given = {"memo": "as agreed", "list": "a\nb"}
    form = EditForm(make(sent)).enter(filled(EditForm(make(sent)).view(), given))
    view = again_view(make(sent, payload_now={"amount": 80, "memo": "x", "list": [["a"]]}), form)
    shown = {label: block["element"].get("initial_value") for label, block in inputs(view).items()}
    assert (shown["amount"], shown["memo"]) == ("80", "as agreed")
    assert (shown["list › 1"], "list" in shown) == ("a", False), "what was typed is of another list"


@pytest.mark.parametrize("status", get_args(End))
def test_whatever_a_request_has_become_what_had_been_typed_is_shown(
    make: Make, seen: Any, status: End
) -> None:
    done = make({"amount": 120}, payload_now={"amount": 80}, status=status)
    view = lost_view(Trusted("It has ended."), done, {"amount": 90})
    assert check_view(view) == []
    assert ("120 → 80" in seen(view)) == (status == "approved") and "120 → 90" in seen(view)


def test_a_form_overtaken_by_a_decision_shows_what_was_approved_and_what_had_been_typed(
    make: Make, seen: Any
) -> None:
    done = make({"amount": 120}, payload_now={"amount": 80}, status="approved")
    assert as_sent(done).payload == {"amount": 120}
    view = lost_view(Trusted("Ben approved this."), done, {"amount": 90})
    text = seen(view)
    assert check_view(view) == [] and "120 → 80" in text and forms_words.NOT_USED + "amount  120 → 90" in text
