"""Numbers and JSON as phones type them."""

import json
import sys
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from signoff.errors import Invalid
from signoff.payload.fields import coerce
from signoff.payload.keyboard import straightened

NUMBER = {"type": "number"}
QUOTES = ["“”", "„“", "”“", "««", "»«", "‘’", "''", "＂＂", '""']


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("–5", -5), ("−5.5", -5.5), ("—5", -5), ("- 5", -5), ("－５", -5), ("\u00a0120\u00a0", 120),
        ("\u200e120\u200f", 120), ("１２０", 120), ("９９．５", 99.5), ("1 234", 1234),
        ("1\u00a0234\u00a0567", 1234567),
        ("1\u202f234,50", 1234.5), ("1\u2009234.50", 1234.5), ("1'234.50", 1234.5), ("1’234’567", 1234567),
        ("1,234,567", 1234567), ("1,234.50", 1234.5), ("1.234,50", 1234.5), ("1.234.567,5", 1234567.5),
        ("99,5", 99.5), ("99,50", 99.5), ("0,125", 0.125), ("1234,567", 1234.567), ("+7", 7),
        ("1.234", 1.234),
    ],
)  # fmt: skip
def test_a_number_that_can_be_read_in_one_way_only_is_read(text: str, value: float) -> None:
    found = coerce(NUMBER, text)
    assert found == value and type(found) is type(value)


@pytest.mark.parametrize("text", ["1,000", "-12,500", "１，０００"])
@pytest.mark.parametrize("kind", ["number", "integer"])
def test_a_comma_that_may_mean_two_things_is_asked_about(text: str, kind: str) -> None:
    with pytest.raises(Invalid, match="two numbers"):
        coerce({"type": kind}, text)


@pytest.mark.parametrize(
    "text",
    [
        "1 2",
        "12 34",
        "1'23",
        "1,23,4",
        "1.2.3",
        "1,2,3",
        "5-",
        "--5",
        "€ 5",
        "5 EUR",
        "½",
        "²",
        "",
        "1 234 56",
    ],
)
def test_a_number_that_cannot_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match=r"[Ww]rite a number"):
        coerce(NUMBER, text)


@pytest.mark.parametrize(
    ("text", "value"),
    [
        ("{“note”: “He said ‘hi’”}", {"note": "He said ‘hi’"}),
        ("{“note”: “it’s \"here\"”}", {"note": 'it’s "here"'}),
        ('{"note": "“quoted”"}', {"note": "“quoted”"}),
        ('{“a”: "“b”", "c": “d”}', {"a": "“b”", "c": "d"}),
        ("{‘a’: ‘it’s’}", {"a": "it’s"}),
        ("{'a': 'b'}", {"a": "b"}),
        ("„a“", "a"),
        ("{“a”:\u00a0–1,\u00a0“b”: [１２, true]}", {"a": -1, "b": [12, True]}),
        ("｛“a”：“b”，“c”：１｝", {"a": "b", "c": 1}),
        ("{“a”: “x: –1, １”}", {"a": "x: –1, １"}),
        (r"{“a”: “line\nend \”, more”}", {"a": "line\nend ”, more"}),
        ("[“”, “a”]", ["", "a"]),
        ('["a“, “b"]', ["a“, “b"]),
    ],
)  # fmt: skip
def test_json_with_a_phones_quotes_is_read_and_quotes_in_its_texts_stay(text: str, value: Any) -> None:
    text = text.replace(r"\”", r"\u201d")
    assert coerce({}, text) == value


@pytest.mark.parametrize(
    "text", ["{“a: 1}", '{"a”: 1, "b": 2}', "{“a”: 1, “a”: 2}", "{a: 1}", "‘", "[“a” “b]"]
)
def test_json_that_stays_unclear_is_refused_with_a_hint(text: str) -> None:
    with pytest.raises(Invalid, match="double quotes"):
        coerce({}, text)


WORDS = st.text(st.sampled_from("ab “”‘’\"'\\1-–é\n:,]}"), max_size=12)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-999, 999) | WORDS,
    lambda value: st.lists(value, max_size=4) | st.dictionaries(WORDS, value, max_size=4),
)


@settings(max_examples=300, deadline=None)
@given(JSON)
def test_json_as_it_is_written_reads_as_before(value: Any) -> None:
    for shown in (json.dumps(value, ensure_ascii=False), json.dumps(value, indent=2)):
        assert straightened(shown) == shown
        assert coerce({}, shown) == value


SIMPLE = st.text(st.sampled_from("ab 1-–é:'"), max_size=12)


@settings(max_examples=300, deadline=None)
@given(
    st.dictionaries(SIMPLE, st.lists(SIMPLE | st.integers(-9, 9), max_size=3), max_size=4),
    st.sampled_from(QUOTES[:3]),
)
def test_json_in_curly_quotes_reads_like_json(value: Any, quotes: str) -> None:
    def written(part: Any) -> str:
        if isinstance(part, dict):
            return "{" + ", ".join(f"{written(name)}: {written(item)}" for name, item in part.items()) + "}"
        if isinstance(part, list):
            return "[" + ",\u00a0".join(map(written, part)) + "]"
        return f"{quotes[0]}{part}{quotes[1]}" if isinstance(part, str) else str(part).replace("-", "–")

    assert coerce({}, written(value)) == value


@settings(max_examples=300, deadline=None)
@given(st.text(st.sampled_from("{}[]:,\"“”‘’'\\ a1–１\u00a0"), max_size=60))
def test_whatever_is_typed_is_read_strictly_or_refused(text: str) -> None:
    try:
        found = coerce({}, text)
    except Invalid as error:
        assert error.detail
    else:
        assert json.loads(json.dumps(found)) == found


@pytest.mark.parametrize("part", ["“", "“a", "“ ", "“” ", '"', '"a', "'", "\\", "“\\"])
def test_the_work_is_linear(part: str) -> None:
    taken = []
    for count in (1000, 2000):
        steps = 0

        def step(frame: Any, event: str, arg: Any) -> Any:
            nonlocal steps
            steps += 1
            return step

        sys.settrace(step)
        straightened(part * count)
        sys.settrace(None)
        taken.append(steps)
    assert taken[1] < 3 * taken[0]
