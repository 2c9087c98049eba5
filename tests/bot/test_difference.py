"""What an edit changes: values, not how they are written; lists item by item; texts in them by line."""

import json
import sys
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.bot.blocks import check_view
from signoff.bot.forms.difference_view import difference_view
from signoff.bot.text.difference import Change, changes, elements
from signoff.bot.text.differing import COMPARED, NOTHING, differing
from signoff.models.approval import Approval
from signoff.payload.canonical import canonical

Make = Callable[..., Approval]
ITEMS = [{"sku": f"S-{n}", "qty": n, "note": f"line {n}\nsecond"} for n in range(6)]


@pytest.mark.parametrize(
    ("old", "new"),
    [
        ({"a": 120.0}, {"a": 120}),
        ({"a": {"x": 1, "y": 2}}, {"a": {"y": 2, "x": 1}}),
        ({"a": "\u00e9"}, json.loads('{"a": "\\u00e9"}')),
        ({"a": [1.0, {"b": 1e2}]}, {"a": [1, {"b": 100}]}),
        ({"a": -0.0}, {"a": 0}),
    ],
)
def test_values_are_compared_and_not_how_they_are_written(old: dict[str, Any], new: dict[str, Any]) -> None:
    assert changes(old, new) == []


def test_what_python_calls_equal_may_be_another_value() -> None:
    assert changes({"a": [1, 0]}, {"a": [True, 0]}) == [Change(("a", "1"), "1", "true")]
    assert changes({"a": {"b": False}}, {"a": {"b": 0}}) == [Change(("a", "b"), "false", "0")]


@pytest.mark.parametrize("at", range(7))
def test_an_item_more_or_less_is_one_change(at: int) -> None:
    more = [*ITEMS[:at], {"sku": "new"}, *ITEMS[at:]]
    added = Change(("items", str(at + 1)), None, '{\n  "sku": "new"\n}')
    assert changes({"items": ITEMS}, {"items": more}) == [added]
    assert changes({"items": more}, {"items": ITEMS}) == [Change(added.path, added.new, None)]


def test_an_item_that_came_beside_a_changed_one_is_told_from_it() -> None:
    changed = ITEMS[2] | {"qty": 99}
    new = [*ITEMS[:2], {"sku": "new", "qty": 1}, changed, *ITEMS[3:5]]
    found = list(differing({"items": ITEMS}, {"items": new}))
    assert found == [
        (("items", 2), NOTHING, {"sku": "new", "qty": 1}),
        (("items", 3, "qty"), 2, 99),
        (("items", 5), ITEMS[5], NOTHING),
    ]


def test_texts_in_lists_are_compared_by_line(make: Make, seen: Any) -> None:
    old = {"items": [{"body": "Dear Ana,\nfirst\nBye"}, {"deep": [["x", "one\ntwo"]]}]}
    new = {"items": [{"body": "Dear Ana,\nother\nBye"}, {"deep": [["x", "one\nthree"]]}]}
    view = difference_view(make(old), new)
    assert check_view(view) == []
    text = seen(view)
    assert "items › 1 › body" in text and "  Dear Ana,\n- first\n+ other\n  Bye" in text
    assert "items › 2 › deep › 1 › 2" in text and "  one\n- two\n+ three" in text


def test_line_ends_are_no_noise_and_a_changed_one_is_seen(seen: Any) -> None:
    def told(old: str, new: str) -> str:
        return str(seen(elements(changes({"a": old}, {"a": new}), 10_000)[0]))

    assert told("a\r\nb\r\nc", "a\r\nB\r\nc") == "a  a\n- b\n+ B\n  c"
    assert "\\u{d}" in told("a\r\nb", "a\nb")
    assert told("a\r\nb\nc", "a\nb\nC") == "a- a\\u{d}\n+ a\n  b\n- c\n+ C"
    assert "\r" not in told("a\r\nb", "c\r\nb\r\nd")


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 3) | st.sampled_from(["", "a", "a\nb", 0.5]),
    lambda value: st.lists(value, max_size=5) | st.dictionaries(st.sampled_from("abc"), value, max_size=3),
    max_leaves=15,
)
OBJECTS = st.dictionaries(st.sampled_from("abcd"), JSON, max_size=4)


@settings(max_examples=400, deadline=None)
@given(OBJECTS, OBJECTS)
def test_two_payloads_differ_where_their_values_do_and_nowhere_else(old: Any, new: Any) -> None:
    found = list(differing(old, new))
    assert (not found) == (canonical(old) == canonical(new))
    assert len({(place, after is NOTHING) for place, _, after in found}) == len(found)
    for place, before, after in found:
        assert before is NOTHING or after is NOTHING or canonical(before) != canonical(after)
        if after is not NOTHING:
            assert canonical(at(new, place)) == canonical(after)


def at(value: Any, place: tuple[str | int, ...]) -> Any:
    """What stands at a place."""
    for part in place:
        value = value[part]
    return value


@settings(max_examples=200, deadline=None)
@given(st.lists(st.integers(0, 50), unique=True, max_size=12), st.data())
def test_removed_and_added_items_are_just_those(items: list[int], data: Any) -> None:
    kept = [n for n in items if data.draw(st.booleans())]
    found = list(differing({"l": [{"id": n} for n in items]}, {"l": [{"id": n} for n in kept]}))
    if kept:
        assert [before for _, before, _ in found] == [{"id": n} for n in items if n not in kept]
        assert all(after is NOTHING for _, _, after in found)


def test_long_lists_are_compared_in_linear_time() -> None:
    taken = []
    for count in (4 * COMPARED, 8 * COMPARED):
        steps = 0

        def step(frame: Any, event: str, arg: Any) -> Any:
            nonlocal steps
            steps += 1
            return step

        old, new = [{"a": n} for n in range(count)], [{"a": n, "b": n} for n in range(count, 0, -1)]
        sys.settrace(step)
        assert len(list(differing({"l": old}, {"l": new}))) >= count
        sys.settrace(None)
        taken.append(steps)
    assert taken[1] < 3 * taken[0]
