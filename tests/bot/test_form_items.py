"""Lists in the form, item by item; what is not given; required and empty; line ends; money."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from bot.filling import View, element, filled, inputs, state_of, typed
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bot.blocks import check_view
from signoff.bot.forms.edit_form import EditForm, can_edit
from signoff.bot.forms.inputs import Input
from signoff.bot.text.words import forms as forms_words
from signoff.models.approval import Approval
from signoff.payload.canonical import canonical

Make = Callable[..., Approval]
ITEM = {
    "type": "object",
    "required": ["sku", "qty"],
    "properties": {
        "sku": {"type": "string", "minLength": 1},
        "qty": {"type": "integer", "minimum": 1},
        "note": {"type": "string"},
        "gift": {"type": "boolean", "default": False},
        "price": {
            "type": "object",
            "properties": {"amount": {"type": "number"}, "currency": {"type": "string"}},
        },
    },
}
ORDER = {"type": "object", "properties": {"items": {"type": "array", "items": {"$ref": "#/$defs/item"}}},
         "$defs": {"item": ITEM}}  # fmt: skip
ITEMS: list[dict[str, Any]] = [
    {"sku": "A-1", "qty": 1, "note": "two\nlines", "price": {"amount": 5, "currency": "EUR"}},
    {"sku": "B-2", "qty": 2, "gift": True},
    {"sku": "C-3", "qty": 3},
]


def labels(asked: Approval) -> dict[str, View]:
    return inputs(EditForm(asked).view())


def test_a_list_of_objects_is_edited_item_by_item(make: Make) -> None:
    asked = make({"items": ITEMS}, schema=ORDER)
    view = EditForm(asked).view()
    assert check_view(view) == [] and "JSON" not in json.dumps(view)
    assert [label for label in inputs(view) if label.startswith("items › 1")] == [
        "items › 1", "items › 1 › sku", "items › 1 › qty", "items › 1 › note", "items › 1 › gift",
        "items › 1 › price", "items › 1 › price › amount (EUR)", "items › 1 › price › currency",
    ]  # fmt: skip
    assert element(asked, "items › 1 › note")["multiline"]
    payload, errors = typed(asked, {"items › 2 › qty": "7", "items › 1 › note": "two\nother lines"})
    assert errors == {}
    assert payload["items"] == [ITEMS[0] | {"note": "two\nother lines"}, ITEMS[1] | {"qty": 7}, ITEMS[2]]


def test_an_item_can_be_removed_and_what_was_typed_in_others_stays_theirs(make: Make) -> None:
    asked = make({"items": ITEMS}, schema=ORDER)
    ways = [option["text"]["text"] for option in element(asked, "items › 1")["options"]]
    assert ways == [forms_words.KEEP, forms_words.REMOVE]
    assert labels(asked)["items › 1"]["optional"] is False
    removed = {"items › 1": "Remove", "items › 1 › sku": "Z", "items › 3 › qty": "9"}
    assert typed(asked, removed)[0]["items"] == [ITEMS[1], ITEMS[2] | {"qty": 9}]
    assert typed(asked, {f"items › {n}": "Remove" for n in (1, 2, 3)})[0] == {"items": []}


def test_an_item_can_be_added_at_the_end_by_filling_it_in(make: Make, seen: Any) -> None:
    asked = make({"items": ITEMS}, schema=ORDER)
    assert forms_words.adds_item("items › 4") in seen(EditForm(asked).view())
    added = {"items › 4 › sku": "D-4", "items › 4 › qty": "4", "items › 4 › price › amount": "2.50"}
    payload, errors = typed(asked, added | {"items › 1": "Remove"})
    assert errors == {}
    assert payload["items"] == [*ITEMS[1:], {"sku": "D-4", "qty": 4, "price": {"amount": 2.5}}]
    assert all(block["optional"] for label, block in labels(asked).items() if label == "items › 4 › sku")


def test_a_fault_in_an_item_stands_at_its_field_whatever_was_removed_before_it(make: Make) -> None:
    asked = make({"items": ITEMS}, schema=ORDER)
    _, errors = typed(asked, {"items › 1": "Remove", "items › 3 › qty": "0", "items › 4 › sku": "D"})
    assert errors == {"items › 3 › qty": "Must be at least 1", "items › 4 › qty": "Is required"}


def test_without_a_schema_an_item_is_added_in_the_shape_of_the_others(make: Make) -> None:
    asked = make({"rows": [{"a": 1, "b": ["x"], "c": {"d": True}}, {"a": 2, "e": "f"}]})
    new = [label for label in labels(asked) if label.startswith("rows › 3")]
    assert new == ["rows › 3 › a", "rows › 3 › b", "rows › 3 › c › d", "rows › 3 › e"]
    assert typed(asked, {"rows › 3 › b": "x\ny", "rows › 3 › c › d": "No"})[0]["rows"][2] == {
        "b": ["x", "y"], "c": {"d": False},
    }  # fmt: skip


def test_a_list_that_is_not_given_or_empty_can_get_its_first_item(make: Make) -> None:
    payloads: list[dict[str, Any]] = [{}, {"items": []}]
    for payload in payloads:
        asked = make(payload, schema=ORDER)
        assert typed(asked, {"items › 1 › sku": "A", "items › 1 › qty": "1"})[0] == {
            "items": [{"sku": "A", "qty": 1}]
        }


def test_texts_that_a_line_each_would_not_hold_are_items_with_inputs_of_their_own(make: Make) -> None:
    asked = make(
        {"notes": ["one\ntwo", "", " padded", "a\u202eb", "plain"], "mixed": ["a", 1, None, True, [2]]}
    )
    shown = {label: block["element"].get("initial_value") for label, block in labels(asked).items()}
    assert shown["notes › 1"] == "one\ntwo" and shown["notes › 2"] == '""'
    assert shown["notes › 4"] == "a\\u{202e}b" and shown["mixed › 5"] == "2"
    given = {
        "notes › 1": "one\nthree",
        "notes › 5": "",
        "notes › 6": "new",
        "mixed › 2": "",
        "mixed › 4": "No",
    }
    payload, errors = typed(asked, given)
    assert errors == {}
    assert payload == {
        "notes": ["one\nthree", "", " padded", "a\u202eb", "new"],
        "mixed": ["a", None, False, [2]],
    }


def test_a_long_list_goes_on_over_pages_and_says_what_stays(make: Make, seen: Any) -> None:
    asked = make({"rows": [{"a": n, "b": "x"} for n in range(150)], "after": 1})
    form, shown, words = EditForm(asked), dict[str, View](), ""
    while True:
        view = form.view(starts=form.starts)
        assert check_view(view) == []
        shown |= inputs(view)
        words += seen(view)
        form = EditForm.read(view | {"state": {"values": state_of(view)}}, asked, form.entered)
        if form.following is None:
            break
        form = EditForm(asked, "", form.entered, (*form.starts, form.following))
    assert "rows › 100 › a" in shown and "rows › 101 › a" not in shown and "rows › 151 › a" in shown
    assert "after" in shown and forms_words.MORE_ITEMS_STAY in words and "rows › 101 and 49 more" in words


def test_long_lists_of_scalars_are_items_too(make: Make) -> None:
    words = [f"{n:03} " + "word " * 10 + "end" for n in range(60)]
    asked = make({"words": words})
    assert typed(asked, {"words › 2": ""})[0] == {"words": [words[0], *words[2:]]}


# What is not given

GIVEN: dict[str, Any] = {
    "type": "object",
    "required": ["force", "name", "code"],
    "properties": {
        "dry_run": {"type": "boolean", "default": False},
        "verbose": {"type": "boolean"},
        "cached": {"anyOf": [{"type": "boolean"}, {"type": "null"}]},
        "force": {"type": "boolean"},
        "retries": {"type": "integer", "default": 3},
        "branch": {"type": "string", "default": "main"},
        "mode": {"enum": ["a", "b"], "default": "b"},
        "name": {"type": "string"},
        "code": {"type": "string", "minLength": 1},
        "mail": {"type": "string", "format": "email"},
        "tags": {"type": "array", "items": {"type": "string"}, "default": ["x"]},
    },
}
BASE = {"force": True, "name": "n", "code": "c"}


def test_a_boolean_is_not_given_yes_or_no_and_never_becomes_what_nobody_chose(make: Make) -> None:
    asked = make(BASE, schema=GIVEN)
    ways = {
        label: [option["text"]["text"] for option in block["element"]["options"]]
        for label, block in labels(asked).items() if block["element"]["type"] == "radio_buttons"
    }  # fmt: skip
    assert ways == {
        "dry_run": ["Yes", "No", "Not given (default: false, the agent's schema says)"],
        "verbose": ["Yes", "No", "Not given"],
        "cached": ["Yes", "No", "null (nothing)", "Not given"],
        "force": ["Yes", "No"],
    }
    chosen = {label: element(asked, label)["initial_option"]["text"]["text"] for label in ways}
    assert chosen["dry_run"].startswith("Not given") and chosen["force"] == "Yes"
    assert typed(asked, {"retries": "5"})[0] == BASE | {"retries": 5}
    assert typed(asked, {"dry_run": "No", "cached": "null (nothing)"})[0] == BASE | {
        "dry_run": False,
        "cached": None,
    }
    given = make(BASE | {"dry_run": True, "cached": None}, schema=GIVEN)
    assert element(given, "cached")["initial_option"]["text"]["text"] == "null (nothing)"
    left_out = typed(given, {"dry_run": ways["dry_run"][2], "cached": "Not given", "force": "No"})
    assert left_out == (BASE | {"force": False}, {})


def test_a_default_is_named_as_the_schemas_word(make: Make) -> None:
    shown = labels(make(BASE, schema=GIVEN))
    for label, default in (("retries", "3"), ("branch", "main"), ("mode", "b"), ("tags", '["x"]')):
        assert f"(default: {default}, the agent's schema says)" in shown[label]["hint"]["text"], label
        assert shown[label]["element"]["placeholder"]["text"] == f"Not given (default: {default})"
    given = labels(make(BASE | {"retries": 7}, schema=GIVEN))
    assert "hint" not in given["retries"]


def test_what_is_required_is_not_called_optional(make: Make) -> None:
    payload = BASE | {"name": "", "mail": "a@b.c", "tags": []}
    required = GIVEN | {"required": [*GIVEN["required"], "mail", "tags"]}
    shown = labels(make(payload, schema=required))
    assert {label for label, block in shown.items() if not block["optional"]} >= {
        "force", "name", "code", "mail", "tags", "dry_run", "verbose",
    }  # fmt: skip
    assert {label for label, block in shown.items() if block["optional"]} == {"retries", "branch", "mode"}


@pytest.mark.parametrize("typed_text", ['""', "“”", "„“", ' "" ', "‘’"])
def test_empty_text_is_written_with_two_quotes(make: Make, typed_text: str) -> None:
    asked = make(BASE, schema=GIVEN)
    assert typed(asked, {"name": typed_text, "branch": typed_text})[0] == BASE | {"name": "", "branch": ""}
    assert typed(asked, {"code": typed_text})[1] == {"code": "Must not be empty"}
    assert element(asked, "name")["placeholder"]["text"] == forms_words.EMPTY_TEXT_PLACE
    empty = make(BASE | {"name": "", "branch": typed_text}, schema=GIVEN)
    assert element(empty, "name")["initial_value"] == '""'
    assert forms_words.EMPTY_TEXT_HINT in labels(empty)["name"]["hint"]["text"]
    assert typed(empty, {"name": "x"})[0] == empty.payload | {"name": "x"}
    assert (
        typed(empty, {"branch": element(empty, "branch")["initial_value"] + "!"})[0]["branch"]
        == typed_text + "!"
    )


# Line ends


@pytest.mark.parametrize(
    ("old", "typed_text", "new"),
    [
        ("a\r\nb\r\nc", "a\nB\nc", "a\r\nB\r\nc"),
        ("a\r\nb", "a\nb\nc\n", "a\r\nb\r\nc\r\n"),
        ("a\nb", "a\nb\nc", "a\nb\nc"),
        ("a\r\nb\nc\r\nd", "a\nb\nC\nd", "a\r\nb\nC\r\nd"),
        ("a\r\nb\nc\r\nd", "a\nnew\nb\nc\nd", "a\r\nnew\r\nb\nc\r\nd"),
        ("a\r\nb\nc\r\nd", "b\nc\nd", "b\nc\r\nd"),
        ("a\r\nb\rc", "a\nB\\u{d}c", "a\r\nB\rc"),
        ("one line", "now\ntwo", "now\ntwo"),
    ],
)
def test_line_ends_are_kept_where_a_line_was_left_alone(
    make: Make, old: str, typed_text: str, new: str
) -> None:
    asked = make({"body": old, "x": 1})
    assert (
        "\\u{d}"
        not in element(make({"body": old.replace("\r\n", "\n").replace("\r", "")}), "body")["initial_value"]
    )
    assert typed(asked, {"body": typed_text}) == ({"body": new, "x": 1}, {})


LINES = st.lists(st.sampled_from(["a", "b", "", "\ra", "a\rb", "\u202e", "x y "]), min_size=1, max_size=8)
ENDS = st.lists(st.sampled_from(["\n", "\r\n"]), min_size=8, max_size=8)


@settings(max_examples=200, deadline=None)
@given(lines=LINES, ends=ENDS, at=st.integers(0, 7))
def test_a_text_with_any_line_ends_comes_back_and_one_edited_line_changes_that_line(
    make: Make, lines: list[str], ends: list[str], at: int
) -> None:
    text = "".join(line + end for line, end in zip(lines, ends, strict=False))
    asked = make({"body": text, "x": 1})
    view = EditForm(asked).view()
    assert canonical(EditForm(asked).enter(state_of(view)).payload) == asked.payload_text
    shown = inputs(view)["body"]["element"]["initial_value"].split("\n")
    if at >= len(lines):
        return
    shown[at] = "edited"
    payload = EditForm(asked).enter(filled(view, {"body": "\n".join(shown)})).payload
    lines[at] = "edited"
    assert payload["body"] == "".join(line + end for line, end in zip(lines, ends, strict=False))


# Money


def test_an_amount_says_its_currency_and_the_unit_is_the_agents_claim(make: Make) -> None:
    schema = {"type": "object", "properties": {
        "amount": {"type": "integer", "description": "In cents."}, "currency": {"type": "string"},
        "ttl": {"type": "integer", "x-unit": "seconds"},
    }}  # fmt: skip
    asked = make({"amount": 129900, "currency": "EUR", "ttl": 30}, schema=schema)
    shown = labels(asked)
    assert list(shown) == ["amount (EUR)", "currency", "ttl"]
    assert "The agent describes it so: “In cents.”" in shown["amount (EUR)"]["hint"]["text"]
    assert "The agent says “seconds”." in shown["ttl"]["hint"]["text"]
    form = EditForm(asked).enter(filled(EditForm(asked).view(), {"currency": "USD"}))
    assert list(inputs(form.view())) == ["amount (USD)", "currency", "ttl"]


# One edit


NAMES = st.sampled_from(["a", "b", "ä", "1", ""])
TEXT = st.sampled_from(
    ["", "x", "two\nlines", "crlf\r\nends", " pad", '""', "“”", "[]", "\u202e", "1", "true", "null"]
)
LEAF = st.none() | st.booleans() | st.integers(-9, 9) | st.sampled_from([0.5, 120.25]) | TEXT
VALUE = st.recursive(
    LEAF, lambda v: st.lists(v, max_size=4) | st.dictionaries(NAMES, v, max_size=3), max_leaves=12
)


def schema_of(value: Any, data: Any) -> Any:
    """A schema that the value satisfies, saying more or less about it."""
    detail = data.draw(st.sampled_from(["nothing", "type", "nullable", "all"]))
    if detail == "nothing":
        return {}
    if isinstance(value, dict):
        described = {name: schema_of(one, data) for name, one in value.items()}
        found: dict[str, Any] = {"type": "object", "properties": described | {"extra": {"type": "boolean"}}}
        found["required"] = list(value)[: data.draw(st.integers(0, len(value)))]
    elif isinstance(value, list):
        found = {"type": "array"}
        if value and all(isinstance(one, dict) for one in value):
            found["items"] = {
                "type": "object",
                "properties": {"a": {}, "k": {"type": "string", "default": "z"}},
            }
    else:
        kinds = {bool: "boolean", int: "integer", float: "number", str: "string", type(None): "null"}
        found = {"type": kinds[type(value)]}
    return found | {"type": [found["type"], "null"]} if detail == "nullable" else found


def leaves_of(value: Any, path: tuple[Any, ...] = ()) -> dict[tuple[Any, ...], Any]:
    """Every leaf by its place."""
    if isinstance(value, dict | list) and value:
        parts = value.items() if isinstance(value, dict) else enumerate(value)
        return {key: one for at, part in parts for key, one in leaves_of(part, (*path, at)).items()}
    return {path: canonical(value)}


@settings(max_examples=200, deadline=None)
@given(payload=st.dictionaries(NAMES, VALUE, max_size=4), data=st.data())
def test_untouched_changes_no_byte_and_one_edit_changes_one_leaf(make: Make, payload: Any, data: Any) -> None:
    asked = make(payload, schema=data.draw(st.sampled_from([None, schema_of(payload, data)])))
    view = EditForm(asked).view()
    assert [problem for problem in check_view(view) if "submit" not in problem.message] == []
    form = EditForm(asked).enter(state_of(view))
    assert form.entered == {} and canonical(form.payload) == asked.payload_text
    texts = [
        label for label, block in inputs(view).items()
        if block["element"]["type"] in ("plain_text_input", "number_input")
    ]  # fmt: skip
    if not texts or not can_edit(asked):
        return
    label = data.draw(st.sampled_from(texts))
    edited = EditForm(asked).enter(filled(view, {label: "7"}))
    if edited.unreadable:
        return
    before, after = leaves_of(asked.payload), leaves_of(edited.payload)
    changed = {place for place in before.keys() | after.keys() if before.get(place) != after.get(place)}
    place = edited.inputs[next(iter(edited.entered))].path if edited.entered else ()
    assert all(one[: len(place)] == place or place[: len(one)] == one for one in changed), (label, changed)


# Somebody else was faster


def test_what_was_typed_in_an_item_is_not_given_to_another(make: Make) -> None:
    asked = make({"items": ITEMS, "n": 1}, schema=ORDER)
    given = {"items › 2 › qty": "77", "items › 3": "Remove", "items › 4 › sku": "new", "n": "2"}
    form = EditForm(asked).enter(filled(EditForm(asked).view(), given))
    shorter = make({"items": ITEMS, "n": 1}, schema=ORDER, payload_now={"items": ITEMS[1:], "n": 1})
    assert form.on(shorter).payload == {"items": ITEMS[1:], "n": 2}
    other = [ITEMS[0] | {"qty": 5}, *ITEMS[1:]]
    changed = make({"items": ITEMS, "n": 1}, schema=ORDER, payload_now={"items": other, "n": 1})
    assert form.on(changed).payload["items"] == [other[0], ITEMS[1] | {"qty": 77}, {"sku": "new"}]


def test_a_choice_is_kept_only_where_it_says_the_same(make: Make) -> None:
    asked = make({"flag": True, "n": 1})
    form = EditForm(asked).enter(filled(EditForm(asked).view(), {"flag": "Not given"}))
    assert form.payload == {"n": 1}
    now = make({"flag": True, "n": 1}, payload_now={"flag": [{"a": 1}, {"a": 2}], "n": 1})
    assert form.on(now).payload == now.payload


# Several forms of one object


PAY = {"type": "object", "properties": {"pay": {
    "oneOf": [
        {"type": "object", "required": ["kind"], "properties": {
            "kind": {"const": "card"}, "number": {"type": "string", "description": "As printed"},
            "save": {"type": "boolean", "default": False}}},
        {"$ref": "#/$defs/sepa"},
    ]}},
    "$defs": {"sepa": {"allOf": [
        {"type": "object", "properties": {"kind": {"enum": ["sepa"]}}, "required": ["kind"]},
        {"properties": {"iban": {"type": "string"}, "days": {"type": "integer", "default": 3}}},
    ]}},
}  # fmt: skip


def test_of_several_forms_the_one_that_an_object_has_says_what_its_fields_are(make: Make) -> None:
    by_card = make({"pay": {"kind": "card", "number": "4242", "other": {"x": 1}}}, schema=PAY)
    assert [label for label in labels(by_card) if label != "pay"] == [
        "pay › kind", "pay › number", "pay › save", "pay › other", "pay › other › x",
    ]  # fmt: skip
    assert "As printed" in labels(by_card)["pay › number"]["hint"]["text"]
    assert typed(by_card, {"pay › save": "Yes"})[0]["pay"]["save"] is True
    unknown = make({"pay": {"kind": "cash", "sum": 5}}, schema=PAY)
    assert "pay › sum" in labels(unknown) and typed(unknown, {"pay › sum": "6"})[0]["pay"]["sum"] == 6


def test_what_may_not_be_changed_stands_as_one_text(make: Make, seen: Any) -> None:
    asked = make({"items": ITEMS, "n": 1}, editable=("n",))
    view = EditForm(asked).view()
    assert list(inputs(view)) == ["n"] and len(view["blocks"]) == 2
    assert "A-1" in seen(view) and forms_words.NOT_EDITABLE in seen(view)


def test_every_input_says_how_it_is_drawn_and_read() -> None:
    nothing_said: Any = type("Nothing", (Input,), {})
    with pytest.raises(TypeError, match=r"abstract methods? .*drawn"):
        nothing_said(None)
