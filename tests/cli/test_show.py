"""`signoff show CODE`: what the server knows of one request, and by which rule it was decided."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from support import Core

Signoff = Callable[..., tuple[int, str, str]]


def test_one_that_waits_is_told_by_its_code_its_id_and_however_it_is_typed(
    core: Core, signoff: Signoff
) -> None:
    approval = core.submit(reason="Ticket 991", requested_by="Ana Lee")
    for asked in (approval.code, approval.code.lower(), approval.request_id, approval.request_id[:8]):
        code, out, err = signoff("show", asked)
        assert (code, err) == (0, "")
        assert out.startswith(f"{approval.code}  {approval.action}: ")
        for words in (
            "pending, until 20",
            "Ticket 991",
            "Ana Lee",
            f"{approval.agent} asked 20",
            approval.request_id,
        ):
            assert words in out
        assert json.loads(out[out.index("\n{") :]) == approval.payload


def test_of_one_that_was_decided_it_says_by_whom_and_why(core: Core, signoff: Signoff) -> None:
    approval = core.submit()
    core.approvals.decide(approval.id, 1, "U0ANA", "reject", reason="Wrong customer")
    _, out, _ = signoff("show", approval.code)
    assert "rejected by ana (U0ANA), 20" in out and "Wrong customer" in out
    told = json.loads(signoff("show", approval.code, "--json")[1])
    assert (told["status"], told["decided_by"], told["reason"]) == ("rejected", "U0ANA", "Wrong customer")


def test_of_one_that_nobody_was_asked_about_it_says_by_which_rule(core: Core, signoff: Signoff) -> None:
    core.follow("rules: [{name: small things, match: {action: '**'}, verdict: allow}]\n")
    approval = core.submit()
    assert approval.status == "approved"
    _, out, _ = signoff("show", approval.code)
    assert "the rule “small things” (allow)" in out and "approved, 20" in out
    assert json.loads(signoff("show", approval.code, "--json")[1])["rule"] == "small things"


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ("K7Q2MX", "there is no request 'K7Q2MX': `signoff pending` lists what waits."),
        ("U!", "'U!' is neither a code, such as 7F3K2Q, nor an id."),
        ("", "'' is neither a code"),
    ],
)
def test_what_is_none_is_2_and_a_sentence(core: Core, signoff: Signoff, asked: str, words: str) -> None:
    code, out, err = signoff("show", asked)
    assert (code, out) == (2, "") and words in err


def test_a_command_that_is_none_says_which_was_meant(signoff: Signoff) -> None:
    assert signoff("shwo", "x") == (2, "", "signoff: there is no command shwo: did you mean show?\n")
    assert signoff("agent", "ad") == (2, "", "signoff: there is no command ad: did you mean add?\n")
