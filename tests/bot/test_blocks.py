"""Slack's limits: what is refused, where, and that no input makes the checker fail."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bot import blocks
from signoff.bot.blocks import Problem, check_message, check_metadata, check_options, check_view, total_length

JSON = dict[str, Any]


def plain(text: str = "x") -> JSON:
    return {"type": "plain_text", "text": text, "emoji": False}


def mrkdwn(text: str = "x") -> JSON:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def option(value: str = "v", text: str = "x", **more: Any) -> JSON:
    return {"text": plain(text), "value": value, **more}


def options(count: int) -> list[JSON]:
    return [option(str(number)) for number in range(count)]


def section(**more: Any) -> JSON:
    return {"type": "section", "text": mrkdwn()} | more


def button(**more: Any) -> JSON:
    return {"type": "button", "text": plain(), "action_id": "b", **more}


def actions(*elements: JSON) -> JSON:
    return {"type": "actions", "elements": list(elements)}


def field(element: JSON, **more: Any) -> JSON:
    return {"type": "input", "label": plain(), "element": element, **more}


def menu(**more: Any) -> JSON:
    return {"type": "static_select", "action_id": "m", "options": options(2), **more}


def confirm(**more: Any) -> JSON:
    return {"title": plain(), "text": mrkdwn(), "confirm": plain(), "deny": plain(), **more}


def rich(*parts: JSON) -> JSON:
    return {"type": "rich_text", "elements": list(parts)}


def part(kind: str, *inside: JSON, **more: Any) -> JSON:
    return {"type": kind, "elements": list(inside), **more}


def words(text: str = "x", **style: bool) -> JSON:
    return {"type": "text", "text": text} | ({"style": style} if style else {})


def table(rows: int, columns: int) -> JSON:
    return {"type": "table", "rows": [[{"type": "raw_text", "text": "x"}] * columns] * rows}


def data_table(rows: int = 2, columns: int = 2, text: str = "x", **more: Any) -> JSON:
    cells = [[{"type": "raw_text", "text": text}] * columns for _ in range(rows)]
    return {"type": "data_table", "caption": "x", "rows": cells} | more


def modal(*inside: JSON, **more: Any) -> JSON:
    return {"type": "modal", "title": plain(), "submit": plain(), "blocks": list(inside), **more}


NUMBER: JSON = {"type": "number_input", "is_decimal_allowed": True}
TEXT: JSON = {"type": "plain_text_input"}
IMAGE: JSON = {"type": "image", "image_url": "https://example.com/a.png", "alt_text": "a"}
CHOICES: JSON = {"type": "checkboxes", "action_id": "c"}

VALID: list[JSON] = [
    section(),
    section(text=plain("x" * 3000), block_id="b" * 255, expand=True),
    {"type": "section", "fields": [mrkdwn("x" * 2000)] * 4},
    section(accessory=IMAGE),
    section(
        accessory=button(value="x" * 2000, url="https://example.com", style="primary", confirm=confirm())
    ),
    {"type": "header", "text": plain("x" * 150)},
    {"type": "context", "elements": [mrkdwn(), plain(), IMAGE]},
    {"type": "divider"},
    {**IMAGE, "title": plain()},
    {"type": "image", "slack_file": {"id": "F1"}, "alt_text": "a"},
    actions(*[button(action_id=str(number)) for number in range(25)]),
    actions(menu(initial_option=option("1")), {"type": "overflow", "options": options(5)}),
    actions({**CHOICES, "options": [{"text": mrkdwn(), "value": "1"}], "initial_options": []})
    | {"elements": [{**CHOICES, "options": [{"text": mrkdwn("*a*"), "value": "1"}]}]},
    actions(
        {"type": "datepicker", "initial_date": "2026-02-28"}, {"type": "timepicker", "initial_time": "23:59"}
    ),
    actions({"type": "static_select", "option_groups": [{"label": plain(), "options": options(100)}]}),
    actions({"type": "multi_users_select", "initial_users": ["U1"], "max_selected_items": 2}),
    field(
        {**TEXT, "min_length": 1, "max_length": 3000, "initial_value": "x", "multiline": True}, hint=plain()
    ),
    field({**NUMBER, "min_value": "-1.5", "max_value": "10", "initial_value": "0"}),
    rich(
        part("rich_text_section", words("a", bold=True), {"type": "user", "user_id": "U1"}),
        part("rich_text_list", part("rich_text_section", words()), style="bullet", indent=1),
        part("rich_text_preformatted", words("code")),
        part("rich_text_quote", {"type": "link", "url": "https://example.com", "text": "x"}),
        part("rich_text_section", {"type": "date", "timestamp": 1_700_000_000, "format": "{date}"}),
    ),
    {"type": "markdown", "text": "x" * 12_000},
    table(100, 20),
    table(1, 1) | {"column_settings": [{"align": "right"}, None]},
    data_table(101, 20, page_size=100, row_header_column_index=1),
    data_table(101, 2, "x" * 99),
    data_table()
    | dict(rows=[[{"type": "raw_text", "text": "a"}], [rich(part("rich_text_section", words()))]]),
    {"type": "context_actions", "elements": [{"type": "icon_button", "icon": "trash", "text": plain()}]},
    {"type": "card", "title": mrkdwn("x" * 150), "actions": [button()]},
    {"type": "carousel", "elements": [{"type": "card", "body": mrkdwn()}]},
    {"type": "container", "title": plain(), "child_blocks": [section()]},
]

INVALID: list[tuple[JSON, str]] = [
    (section(text=mrkdwn("x" * 3001)), "/text/text"),
    (section(text=mrkdwn("")), "/text/text"),
    (section(text="x"), "/text"),
    (section(text={"type": "mrkdwn", "text": "x", "emoji": True}), "/text"),
    (section(text={"type": "plain_text", "text": "x", "verbatim": True}), "/text"),
    (section(text={"type": "plain_text", "text": "x", "emoji": 1}), "/text/emoji"),
    ({"type": "section"}, ""),
    ({"type": "section", "fields": []}, ""),
    ({"type": "section", "fields": [plain()] * 11}, "/fields"),
    ({"type": "section", "fields": [plain("x" * 2001)]}, "/fields/0/text"),
    (section(block_id="b" * 256), "/block_id"),
    (section(colour="red"), ""),
    (section(accessory=TEXT), "/accessory/type"),
    (section(accessory={"type": "datetimepicker"}), "/accessory/type"),
    ({"type": "header", "text": plain("x" * 151)}, "/text/text"),
    ({"type": "header", "text": mrkdwn()}, "/text"),
    ({"type": "header"}, ""),
    ({"type": "context", "elements": []}, "/elements"),
    ({"type": "context", "elements": [plain()] * 11}, "/elements"),
    ({"type": "context", "elements": [button()]}, "/elements/0/type"),
    ({**IMAGE, "alt_text": "x" * 2001}, "/alt_text"),
    ({**IMAGE, "image_url": "javascript:alert(1)"}, "/image_url"),
    ({**IMAGE, "image_url": "https://example.com/" + "x" * 3000}, "/image_url"),
    ({"type": "image", "alt_text": "x"}, ""),
    (actions(), "/elements"),
    (actions(*[button(action_id=str(number)) for number in range(26)]), "/elements"),
    (actions(button(), button()), "/elements/1/action_id"),
    (actions(button(action_id="a" * 256)), "/elements/0/action_id"),
    (actions(button(text=plain("x" * 76))), "/elements/0/text/text"),
    (actions(button(text=mrkdwn())), "/elements/0/text"),
    (actions(button(value="x" * 2001)), "/elements/0/value"),
    (actions(button(style="default")), "/elements/0/style"),
    (actions(button(url="not a url")), "/elements/0/url"),
    (actions(button(accessibility_label="x" * 76)), "/elements/0/accessibility_label"),
    (actions(button(confirm=confirm(title=plain("x" * 101)))), "/elements/0/confirm/title/text"),
    (actions(button(confirm=confirm(text=plain("x" * 301)))), "/elements/0/confirm/text/text"),
    (actions(button(confirm=confirm(deny=plain("x" * 31)))), "/elements/0/confirm/deny/text"),
    (actions(button(confirm={"title": plain()})), "/elements/0/confirm"),
    (actions({"type": "overflow", "options": options(6)}), "/elements/0/options"),
    (actions({"type": "overflow", "options": []}), "/elements/0/options"),
    (actions(menu(options=options(101))), "/elements/0/options"),
    (actions(menu(options=[option(text="x" * 76)])), "/elements/0/options/0/text/text"),
    (actions(menu(options=[option("v" * 151)])), "/elements/0/options/0/value"),
    (actions(menu(options=[{"text": mrkdwn(), "value": "1"}])), "/elements/0/options/0/text"),
    (actions(menu(options=[option(url="https://example.com")])), "/elements/0/options/0"),
    (actions(menu(initial_option=option("none"))), "/elements/0/initial_option"),
    (actions(menu(option_groups=[{"label": plain(), "options": options(1)}])), "/elements/0"),
    (actions({"type": "static_select"}), "/elements/0"),
    (actions(menu(placeholder=plain("x" * 151))), "/elements/0/placeholder/text"),
    (actions({**CHOICES, "options": options(11)}), "/elements/0/options"),
    (actions({"type": "datepicker", "initial_date": "2026-13-01"}), "/elements/0/initial_date"),
    (actions({"type": "timepicker", "initial_time": "24:00"}), "/elements/0/initial_time"),
    (actions({"type": "datetimepicker", "initial_date_time": "1700000000"}), "/elements/0/initial_date_time"),
    (actions(TEXT), "/elements/0/type"),
    (field(button()), "/element/type"),
    (field(TEXT, label=plain("x" * 2001)), "/label/text"),
    (field({**TEXT, "max_length": 3001}), "/element/max_length"),
    (field({**TEXT, "min_length": 5, "max_length": 4}), "/element/min_length"),
    (field({**TEXT, "max_length": 1, "initial_value": "xx"}), "/element/initial_value"),
    (field({**TEXT, "initial_value": "x" * 3001}), "/element/initial_value"),
    (field({"type": "number_input"}), "/element"),
    (field({**NUMBER, "min_value": 1}), "/element/min_value"),
    (field({**NUMBER, "min_value": "2", "max_value": "1"}), "/element/min_value"),
    (field({**NUMBER, "max_value": "1", "initial_value": "2"}), "/element/initial_value"),
    (field({"type": "file_input"}), "/element"),
    (rich(), "/elements"),
    (rich(part("rich_text_section")), "/elements/0/elements"),
    (rich(part("rich_text_section", words(""))), "/elements/0/elements/0/text"),
    (rich(part("rich_text_section", words("x", big=True))), "/elements/0/elements/0/style"),
    (rich(part("rich_text_preformatted", {"type": "user", "user_id": "U1"})), "/elements/0/elements/0/type"),
    (rich(part("rich_text_list", words(), style="bullet")), "/elements/0/elements/0/type"),
    (rich(part("rich_text_list", part("rich_text_section", words()))), "/elements/0"),
    ({"type": "markdown", "text": "x" * 12_001}, "/text"),
    (table(101, 1), "/rows"),
    (table(1, 21), "/rows/0"),
    (data_table(102), "/rows"),
    (data_table(1), "/rows"),
    (data_table(2, 21), "/rows/0"),
    (data_table(101, 20, "x" * 10), "/rows"),
    (data_table(caption=""), "/caption"),
    (data_table(page_size=101), "/page_size"),
    (data_table() | dict(rows=[[{"type": "raw_text", "text": "a"}], []]), "/rows"),
    (data_table() | dict(rows=[[rich(part("rich_text_section", words()))]] * 2), "/rows/0/0/type"),
    ({"type": "data_table", "rows": data_table()["rows"]}, ""),
    ({"type": "layout", "elements": [section()], "fallback": [section()]}, "/type"),
    ({"type": "alert", "text": mrkdwn()}, ""),
    ({"type": "card"}, ""),
    ({"type": "container", "title": plain(), "child_blocks": []}, "/child_blocks"),
    ({"type": "file", "external_id": "x", "source": "remote"}, "/type"),
    ({"type": "nonsense"}, "/type"),
    ({"type": ["section"]}, "/type"),
    ({}, "/type"),
]


@pytest.mark.parametrize("block", VALID, ids=lambda block: block["type"])
def test_a_good_block_has_no_problems(block: JSON) -> None:
    assert check_message([block], "text") == []


@pytest.mark.parametrize(("block", "place"), INVALID, ids=[f"{i}-{p}" for i, (_, p) in enumerate(INVALID)])
def test_a_bad_block_is_named_by_its_pointer(block: JSON, place: str) -> None:
    assert f"/blocks/1{place}" in {problem.pointer for problem in check_message([section(), block], "text")}
    assert len(check_message([section(), block])) <= 3


@pytest.mark.parametrize("block", VALID, ids=lambda block: block["type"])
def test_every_string_of_a_good_block_is_limited(block: JSON) -> None:
    """Growing any string beyond all limits is refused, and so is a field that nobody knows."""

    def places(value: Any) -> list[tuple[Any, Any]]:
        found = []
        for key, item in value.items() if isinstance(value, dict) else enumerate(value):
            if isinstance(item, str):
                found.append((value, key))
            elif isinstance(item, (dict, list)):
                found += places(item)
        return found

    for number in range(min(len(places(block)), 60)):
        grown = copy.deepcopy(block)
        holder, key = places(grown)[number]
        holder[key] = "x" * 20_000
        assert check_message([grown]), key
    assert check_message([block | {"unknown": 1}])


def test_a_message_needs_text_or_blocks_and_holds_fifty() -> None:
    assert check_message([], None) == check_message(None) != []
    assert check_message([], "text") == []
    assert check_message([{"type": "divider"}] * blocks.MESSAGE_BLOCKS) == []
    too_many = [{"type": "divider"}] * (blocks.MESSAGE_BLOCKS + 1)
    assert check_message(too_many) == [Problem("/blocks", "no more than 50 items allowed")]


def test_figures_that_no_block_shows_are_slacks_own() -> None:
    assert (blocks.MESSAGE_TEXT, blocks.POSTED_TEXT) == (4_000, 40_000)
    assert (blocks.VIEW_BYTES, blocks.VIEW_STACK) == (250_000, 3)
    assert (blocks.MESSAGE_TOTAL, blocks.MESSAGE_TOTAL_REFUSED) == (10_000, 11_000)


def test_text_is_held_to_what_an_update_takes() -> None:
    assert check_message([], "x" * blocks.MESSAGE_TEXT) == []
    assert [p.pointer for p in check_message([], "x" * (blocks.MESSAGE_TEXT + 1))] == ["/text"]
    assert check_message([], "漢" * 1_333) == []
    assert [p.pointer for p in check_message([], "漢" * 1_334)] == ["/text"], "4,002 bytes"


def test_all_blocks_together_are_limited() -> None:
    long = section(text=plain("x" * 2_900))
    assert check_message([long] * 3) == []
    assert [p.pointer for p in check_message([long] * 4)] == ["/blocks"]
    assert check_message([section(text=plain("x" * 2_750))] * 3 + [section(text=plain("x" * 2_749))]) == []
    assert check_message([section(text=plain("x" * 2_750))] * 4), "from 11,000 on"
    assert total_length([section(text=mrkdwn("four"), block_id="not counted")]) == 4
    assert total_length([actions(button(text=plain("ab"), value="cde", url="a:b"))]) == 8
    assert total_length([{"type": "header", "text": plain("four")}]) == 104
    assert check_message([{"type": "header", "text": plain("x")}] * 50) == []
    headers = [{"type": "header", "text": plain("x" * 130)}] * 48
    assert [p.pointer for p in check_message(headers)] == ["/blocks"], "6,240 characters, and 48 headers"


def test_block_ids_are_unique_in_a_message_and_action_ids_in_a_block() -> None:
    twice = [section(block_id="same"), section(block_id="same")]
    assert [p.pointer for p in check_message(twice)] == ["/blocks/1/block_id"]
    assert check_message([actions(button()), actions(button())]) == []


def test_markdown_is_counted_over_all_blocks_and_only_one_table_stands() -> None:
    half = {"type": "markdown", "text": "x" * 6_001}
    assert [p.pointer for p in check_message([half, half])] == ["/blocks/1/text"]
    assert [p.pointer for p in check_message([table(1, 1), table(1, 1)])] == ["/blocks/1"]


def test_a_good_modal_and_a_good_home_have_no_problems() -> None:
    assert check_view(modal(field(TEXT), field({"type": "file_input"}), private_metadata="x" * 3000)) == []
    assert check_view(modal(*[{"type": "divider"}] * 100)) == []
    assert check_view(modal({"type": "alert", "text": mrkdwn(), "level": "info"})) == []
    assert check_view({"type": "home", "blocks": [section()], "callback_id": "home"}) == []
    assert check_view({"type": "home", "blocks": [data_table()]}) == []
    assert [p.pointer for p in check_view(modal(data_table()))] == ["/blocks/0"]
    assert [p.pointer for p in check_view(modal(table(1, 1)))] == ["/blocks/0"]
    for level in ("default", "info", "warning", "error", "success"):
        assert check_view(modal({"type": "alert", "text": mrkdwn("x" * 200), "level": level})) == []
    assert check_view(modal({"type": "alert", "text": mrkdwn("x" * 201)}))
    assert check_view(modal({"type": "alert", "text": mrkdwn(), "level": "danger"}))


@pytest.mark.parametrize(
    ("view", "place"),
    [
        (modal(section(), title=plain("x" * 25)), "/title/text"),
        (modal(section(), title=mrkdwn()), "/title"),
        (modal(section(), submit=plain("x" * 25)), "/submit/text"),
        (modal(section(), close=plain("x" * 25)), "/close/text"),
        (modal(section(), private_metadata="x" * 3001), "/private_metadata"),
        (modal(section(), callback_id="x" * 256), "/callback_id"),
        (modal(section(), external_id="x" * 256), "/external_id"),
        (modal(section(), notify_on_close="yes"), "/notify_on_close"),
        (modal(field(TEXT), submit=None), ""),
        (modal(section(), title=None), ""),
        (modal(*[{"type": "divider"}] * 101), "/blocks"),
        (modal(), "/blocks"),
        (modal(blocks="x"), "/blocks"),
        (modal({"type": "markdown", "text": "x"}), "/blocks/0"),
        (modal(table(1, 1)), "/blocks/0"),
        (
            modal(field({**TEXT, "focus_on_load": True}), field({**TEXT, "focus_on_load": True})),
            "/blocks/1/element/focus_on_load",
        ),
        ({"type": "home", "blocks": [section()], "submit": plain()}, ""),
        ({"type": "home", "blocks": [field({"type": "file_input"})]}, "/blocks/0/element"),
        ({"type": "workflow_step", "blocks": []}, "/type"),
        ({"type": ["modal"]}, "/type"),
        ("modal", "/type"),
        (modal(*[section(text=plain("ü" * 3000))] * 50), ""),
    ],
)
def test_a_bad_view_is_named_by_its_pointer(view: Any, place: str) -> None:
    assert [problem.pointer for problem in check_view(view)] == [place]


@pytest.mark.parametrize(
    ("metadata", "places"),
    [
        ({"event_type": "a", "event_payload": {"id": "1", "list": [1, None], "map": {"b": True}}}, []),
        ({"event_type": "a", "event_payload": {"a": {"b": {}}}}, ["/metadata/event_payload/a"]),
        ({"event_type": "a", "event_payload": []}, ["/metadata/event_payload"]),
        ({"event_payload": {}}, ["/metadata"]),
        ({"event_type": "a", "event_payload": {"a": "x" * 16_000}}, ["/metadata"]),
        ([], ["/metadata"]),
    ],
)
def test_metadata_is_flat(metadata: Any, places: list[str]) -> None:
    assert [problem.pointer for problem in check_metadata(metadata)] == places
    assert [problem.pointer for problem in check_message([section()], metadata=metadata)] == places


KEYS = st.sampled_from(
    sorted(
        {key for block in VALID for key in block} | {"element", "options", "option_groups", "initial_option"}
    )
)
TYPES = st.sampled_from(
    [*(block["type"] for block in VALID), "plain_text", "mrkdwn", "input", "overflow", "modal"]
)
ANYTHING = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=5) | TYPES,
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.dictionaries(KEYS | st.just("type"), inner, max_size=5)
        | st.builds(
            lambda fields, kind: {**fields, "type": kind}, st.dictionaries(KEYS, inner, max_size=5), TYPES
        )
    ),
    max_leaves=20,
)


@settings(max_examples=300, deadline=None)
@given(st.lists(ANYTHING, max_size=4), ANYTHING)
def test_whatever_is_checked_there_is_an_answer(found: list[Any], view: Any) -> None:
    problems = check_message(found, metadata=view) + check_view(view) + check_options(view)
    assert all(problem.pointer == "" or problem.pointer.startswith("/") for problem in problems)


@settings(max_examples=200, deadline=None)
@given(st.sampled_from(VALID), st.data())
def test_a_good_block_with_one_thing_replaced_is_checked_too(block: JSON, data: st.DataObject) -> None:
    changed = copy.deepcopy(block)
    holder: Any = changed
    while True:
        keys = list(holder) if isinstance(holder, dict) else list(range(len(holder)))
        if not keys:
            break
        key = data.draw(st.sampled_from(keys))
        if isinstance(holder[key], (dict, list)) and data.draw(st.booleans()):
            holder = holder[key]
            continue
        holder[key] = data.draw(ANYTHING)
        break
    for problem in check_message([changed]):
        assert problem.message and json.dumps(problem.pointer)
