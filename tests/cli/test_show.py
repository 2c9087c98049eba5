"""`signoff show CODE`: what the server knows of one request, and by which rule it was decided."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from support import Core

from signoff.models.messages import Freeze, Reply

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


def test_of_what_was_talked_about_it_says_who_asked_and_what_was_answered(
    core: Core, signoff: Signoff
) -> None:
    approval = core.submit()
    talk = core.approvals.talks.ask(approval.id, 1, "U0ANA", "Which invoice?\x1b[31m")
    core.approvals.talks.ask(approval.id, 1, "U0ANA", "And why?")
    core.approvals.talks.reply("billing-bot", talk.id, Reply(text="Invoice 7."))
    core.approvals.talks.note(approval.id, "U0ANA", "Book it on the old account.")
    out = signoff("show", approval.code)[1]
    assert "asked    ana (U0ANA) 20" in out and "Which invoice?\\u001b[31m" in out and "\x1b" not in out
    assert "billing-bot: Invoice 7." in out and "billing-bot was not listening" in out
    assert "noted    ana (U0ANA) 20" in out and "Book it on the old account." in out
    told = json.loads(signoff("show", approval.code, "--json")[1])
    assert [(one["question"], one["state"], one["answer"]) for one in told["talks"]] == [
        ("Which invoice?\x1b[31m", "answered", "Invoice 7."), ("And why?", "unheard", None),
    ]  # fmt: skip
    assert [(one["by"], one["text"]) for one in told["notes"]] == [("ana", "Book it on the old account.")]


def test_of_what_was_asked_together_and_of_questions_it_says_so(core: Core, signoff: Signoff) -> None:
    name, asked = "ab" * 16, []
    for number in range(3):
        said = "irreversible" if number == 2 else "reversible"
        asked.append(core.submit(action="ticket.tidy", payload={"n": number}, reversibility=said, batch=name))
    question = {"question": "Which one?", "free_text": True}
    which = core.submit(kind="question", action="question", payload=question)
    frozen = Freeze(title="Clean up", ids=tuple(one.request.id for one in asked))
    core.approvals.batches.freeze("billing-bot", name, frozen)
    lines = signoff("pending")[1].splitlines()
    assert len([line for line in lines if "one of 2 of “Clean up”" in line]) == 2
    assert len([line for line in lines if "a question · billing-bot asked 20" in line]) == 1
    shared, alone = (" ".join(signoff("show", asked[n].code)[1].split()) for n in (0, 2))
    assert f"batch “Clean up”: on one card with 1 other ({name})" in shared
    assert "it has a card of its own" in alone and name in alone
    kinds = {one["id"]: (one["kind"], one["batch"]) for one in json.loads(signoff("pending", "--json")[1])}
    assert kinds[which.request_id] == ("question", None) and kinds[asked[2].request_id] == ("approval", name)


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
