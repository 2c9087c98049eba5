"""What people are told of a fault in what they sent: our words, and none of the library's that finds it."""

from __future__ import annotations

import re
from typing import Any

import pytest

from signoff.errors import Invalid
from signoff.models.lessons import Wanted
from signoff.models.messages import ApprovalRequest, Freeze, Outcome, Reply, build
from signoff.models.questions import GivenAnswer, Question

LIBRARY = re.compile(
    r"value error|input should|pydantic|field required|not permitted|instance of|tuple|dictionary|\[type|"
    r"http|string should|after validation",
    re.IGNORECASE,
)
WRONG: tuple[Any, ...] = (
    None, "canary", 7, -1, 1e300, True, [], ["canary"], [{}] * 11, [7] * 600, {}, {"canary": 1}, "x" * 200_000
)  # fmt: skip


@pytest.mark.parametrize("kind", [ApprovalRequest, Question, GivenAnswer, Outcome, Reply, Freeze, Wanted])
def test_no_fault_of_any_member_is_told_in_a_librarys_words(kind: Any) -> None:
    names = [*kind.model_fields, "canary"]
    told = [fault(kind, values) for name in names for values in [{name: wrong} for wrong in WRONG]]
    told += [fault(kind, wrong) for wrong in WRONG]
    assert sum(map(bool, told)) > len(names)
    assert [one for one in told if LIBRARY.search(one) or "x" * 9 in one] == []


@pytest.mark.parametrize(
    ("said", "says"),
    [
        ({"why": "conflict"}, "a conflict is between two sources at least: give both."),
        ({"options": "Ann"}, "options: it has to be a list."),
        ({"options": [{"id": "a", "text": 7}]}, "options.0.text: it has to be a text."),
        ({"several": "yes"}, "several: it has to be true or false."),
        ({"colour": "red"}, "colour: it is not known here: leave it out."),
        ({"why": "dunno"}, "why: it has to be 'ambiguous', 'conflict', "),
        ({"question": "x" * 1001}, "question: it has at most 1000 characters (it has 1,001)."),
        (
            {"options": [{"id": str(n), "text": str(n)} for n in range(11)]},
            "options: it has at most 10 items, and not 11.",
        ),
        ({"default": ""}, "default: it may not be empty."),
    ],
)
def test_each_says_what_to_do(said: dict[str, Any], says: str) -> None:
    assert says in fault(Question, {"question": "Which?", "free_text": True, **said})


def fault(kind: Any, values: Any) -> str:
    try:
        build(kind, values)
    except Invalid as error:
        return error.detail
    return ""
