"""`signoff question`: what it sends, prints and exits with; and what its sisters say of an answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from signoff.cli import main
from signoff.testing import Approvals

OPTIONS = ("--option", "a=Ann Smith, Berlin", "--option", "b=Al Smith", "--about", "b=of Bonn")


def run(capsys: pytest.CaptureFixture[str], *words: str) -> tuple[int, str, str]:
    code = main.main(words)
    said = capsys.readouterr()
    return code, said.out, said.err


def test_it_asks_and_prints_the_answer(
    signoff_approvals: Approvals, capsys: pytest.CaptureFixture[str]
) -> None:
    signoff_approvals.answer("b", text="the younger")
    asked = (
        "question",
        "Which?",
        *OPTIONS,
        "--text",
        "--why",
        "conflict",
        "--source",
        "CRM=x",
        "--source",
        "Mail=y",
    )
    code, out, _ = run(capsys, *asked, "--wait")
    assert code == 0 and out.splitlines()[0].startswith("Answered by Test reviewer (U0TEST)")
    assert out.splitlines()[1:] == ["Chosen: b", "Text: the younger"]
    code, out, _ = run(capsys, *asked, "--wait", "--json", "--key", "k")
    shown = json.loads(out)
    assert (code, shown["status"], shown["payload"]) == (0, "answered", None)
    assert shown["answer"] == {"choice": ["b"], "text": "the younger"}
    payload = signoff_approvals.requests[0].payload
    assert payload["options"][1] == {"id": "b", "text": "Al Smith", "about": "of Bonn"}
    assert [one["name"] for one in payload["sources"]] == ["CRM", "Mail"]
    for words in (("wait", "--key", "k"), ("status", "--key", "k")):
        code, out, _ = run(capsys, *words, "--json")
        assert (code, json.loads(out)["answer"]["choice"]) == (11, ["b"])


def test_without_wait_it_prints_the_id(
    signoff_approvals: Approvals, capsys: pytest.CaptureFixture[str]
) -> None:
    signoff_approvals.leave_pending()
    code, out, _ = run(capsys, "question", "Which?", "--option", "Yes", "--option", "No")
    assert (code, out.strip()) == (6, str(signoff_approvals.requests[0].id))
    assert [one["id"] for one in signoff_approvals.requests[0].payload["options"]] == ["Yes", "No"]


@pytest.mark.parametrize(("say", "code"), [("expire", 4), ("block", 9), ("leave_pending", 6)])
def test_what_is_no_answer_has_its_own_exit_code(
    signoff_approvals: Approvals, capsys: pytest.CaptureFixture[str], say: str, code: int
) -> None:
    getattr(signoff_approvals, say)()
    found, out, _ = run(
        capsys, "question", "Which?", *OPTIONS, "--default", "a", "--wait", "--timeout", "5", "--json"
    )
    assert found == code and json.loads(out)["answer"] is None


@pytest.mark.parametrize(
    ("words", "told"),
    [
        (("--option", "a=x", "--option", "y"), "give each option an id"),
        (("--option", "a=x", "--option", "a=y"), "the same id"),
        (("--option", "a=x", "--about", "b=y"), "there is no option"),
        (("--source", "CRM"), "write NAME=TEXT"),
        (("--option", "a=x", "--default", "c"), "none of the options"),
    ],
)
def test_mistakes_are_told_before_anything_is_sent(
    signoff_approvals: Approvals, capsys: pytest.CaptureFixture[str], words: Any, told: str
) -> None:
    code, _, err = run(capsys, "question", "Which?", *words)
    assert code == 2 and told in err and signoff_approvals.requests == []
