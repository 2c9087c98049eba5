"""What a question may be, and what answers it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from signoff.errors import Invalid
from signoff.models.questions import GivenAnswer, Question

OPTIONS = [{"id": "a", "text": "Ann"}, {"id": "b", "text": "Al", "about": "of Bonn"}]
JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-5, 5) | st.text(max_size=6),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=8,
)
FIELDS = [*Question.model_fields, *GivenAnswer.model_fields, "other"]
WRONG: dict[str, dict[str, Any]] = {
    "nothing": {},
    "blank": {"question": "\u200b ", "free_text": True},
    "long": {"question": "x" * 1001, "free_text": True},
    "unanswerable": {"question": "x"},
    "eleven options": {"question": "x", "options": [{"id": f"o{n}", "text": "x"} for n in range(11)]},
    "read the same": {"question": "x", "options": [OPTIONS[0], {**OPTIONS[0], "id": "z", "about": "else"}]},
    "the same id": {"question": "x", "options": [OPTIONS[0], OPTIONS[0]]},
    "an odd id": {"question": "x", "options": [{"id": "a\n", "text": "x"}]},
    "a long id": {"question": "x", "options": [{"id": "a" * 41, "text": "x"}]},
    "a blank option": {"question": "x", "options": [{"id": "a", "text": "\u3164"}]},
    "a long option": {"question": "x", "options": [{"id": "a", "text": "x" * 151}]},
    "a long about": {"question": "x", "options": [{"id": "a", "text": "x", "about": "x" * 301}]},
    "truth as text": {"question": "x", "free_text": "true"},
    "truth as number": {"question": "x", "free_text": 1},
    "several of one": {"question": "x", "options": OPTIONS[:1], "several": True},
    "a default that is no option": {"question": "x", "options": OPTIONS, "default": "c"},
    "a default of no date": {"question": "x", "date": True, "default": "soon"},
    "a blank default": {"question": "x", "free_text": True, "default": " "},
    "one source": {
        "question": "x",
        "free_text": True,
        "why": "conflict",
        "sources": [{"name": "a", "text": "b"}],
    },
    "no try": {"question": "x", "free_text": True, "why": "failed"},
    "a why": {"question": "x", "free_text": True, "why": "bored"},
    "six sources": {"question": "x", "free_text": True, "sources": [{"name": "a", "text": "b"}] * 6},
    "a long source": {"question": "x", "free_text": True, "sources": [{"name": "a", "text": "b" * 4001}]},
    "eleven tries": {"question": "x", "free_text": True, "tries": [{"what": "a"}] * 11},
    "NUL": {"question": "x\x00", "free_text": True},
    "half a surrogate": {"question": "x\ud800", "free_text": True},
    "a field": {"question": "x", "free_text": True, "html": "<b>"},
}


@pytest.mark.parametrize("name", WRONG)
def test_what_is_no_question_is_refused_and_not_repeated(name: str) -> None:
    with pytest.raises(Invalid) as refused:
        Question.of(WRONG[name])
    assert len(refused.value.detail) < 400


def test_bounds_are_taken_to_their_last_character() -> None:
    whole = {
        "question": "x" * 1000,
        "options": [{"id": f"o{n}" + "_" * 38, "text": str(n) * 150, "about": "y" * 300} for n in range(10)],
        "several": True, "date": True, "free_text": True, "default": "o0" + "_" * 38, "why": "conflict",
        "sources": [{"name": "n" * 150, "text": "t" * 4000}] * 5,
        "tries": [{"what": "w" * 300, "error": "e" * 1000}] * 10,
    }  # fmt: skip
    assert Question.of(whole).payload() == whole


@given(
    st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=8), st.dictionaries(st.sampled_from(FIELDS), JSON)
)
def test_whatever_comes_is_a_question_or_refused(payload: dict[str, Any], said: dict[str, Any]) -> None:
    """And so is an answer; what is recorded of one answers again, just so."""
    try:
        question = Question.of({"question": "Which?", "options": OPTIONS, **payload})
    except Invalid:
        question = Question.of({"question": "Which?", "options": OPTIONS, "free_text": True, "default": "a"})
    try:
        found = GivenAnswer.of(said).check(question)
    except Invalid:
        return
    assert found.choice or found.text or found.date
    assert GivenAnswer.of(found.said()).check(question) == found
    assert not found.default or question.default is not None
    assert set(found.choice) <= {option.id for option in question.options}


@pytest.mark.parametrize(
    "day", ["2026-02-30", "2026-1-1", "20261128", "2026-W01-1", "28.11.2026", "٢٠٢٦-١١-٢٨", ""]
)
def test_only_a_day_of_the_calendar_is_a_date(day: str) -> None:
    question = Question.of({"question": "When?", "date": True})
    with pytest.raises(Invalid):
        GivenAnswer(date=day).check(question)
    assert GivenAnswer(date="2028-02-29").check(question).said() == {"date": "2028-02-29"}


def test_what_is_left_to_the_agent_has_its_default_beside_it() -> None:
    left = GivenAnswer(default=True)
    assert left.check(Question.of({"question": "x", "date": True, "default": "2026-11-28"})).said() == {
        "default": True, "date": "2026-11-28",
    }  # fmt: skip
    kind = Question.of({"question": "x", "free_text": True, "default": "Kindly"})
    assert left.check(kind).said() == {"default": True, "text": "Kindly"}
    with pytest.raises(Invalid):
        GivenAnswer(default=True, text="Rudely").check(kind)
