"""What an agent's code says when it asks a person something: what is sent, comes back, is refused."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from typing import Any

import pytest

from signoff import (
    Answer,
    AsyncSignoff,
    Blocked,
    Cancelled,
    Expired,
    Invalid,
    NotVerified,
    Signoff,
    WaitTimeout,
)
from signoff.client.question import read
from signoff.models.questions import Question
from signoff.testing import Approvals

SMITHS = {"a": "Ann Smith, Berlin", "b": ("Al Smith", "of Bonn")}


def test_a_person_answers_and_the_answer_says_who_and_when(signoff_approvals: Approvals) -> None:
    signoff_approvals.answer("a", text="The one of last week")
    answer = Signoff().ask_person(
        "Which Smith do you mean?", options=SMITHS, free_text=True, why="ambiguous", context={"run": 1}
    )
    assert (answer.choice, answer.choices, answer.text) == ("a", ("a",), "The one of last week")
    assert (answer.default, answer.none, answer.date, answer.by) == (False, False, None, "Test reviewer")
    assert (answer.receipt.status, answer.receipt.kind, answer.receipt.approved) == (
        "answered",
        "question",
        False,
    )
    assert answer.at == answer.receipt.decided_by.at  # type: ignore[union-attr]
    [request] = signoff_approvals.requests
    assert (request.kind, request.action, request.context) == ("question", "question", {"run": 1})
    assert request.payload == {
        "question": "Which Smith do you mean?",
        "options": [
            {"id": "a", "text": "Ann Smith, Berlin"},
            {"id": "b", "text": "Al Smith", "about": "of Bonn"},
        ],
        "free_text": True,
        "why": "ambiguous",
    }


def test_options_are_said_in_any_of_these_ways(signoff_approvals: Approvals) -> None:
    listed = [{"id": "a", "text": "Ann Smith"}, {"id": "b", "text": "Al Smith", "about": "of Bonn"}]
    for said, ids in (
        ({"a": "Ann Smith", "b": ("Al Smith", "of Bonn")}, ["a", "b"]),
        (listed, ["a", "b"]),
        (["Ann Smith", ("Al Smith", "of Bonn")], ["1", "2"]),
        (["Ann Smith", {"text": "Al Smith", "about": "of Bonn"}], ["1", "2"]),
    ):
        found, _ = read("Which?", {"options": said, "default": "Al Smith"})
        assert [(one.id, one.text, one.about) for one in found.options] == [
            (ids[0], "Ann Smith", ""), (ids[1], "Al Smith", "of Bonn"),
        ]  # fmt: skip
        assert found.default == ids[1]
    for wrong in ([{"id": "a"}], [{"id": "a", "text": "Ann", "more": 1}], [{"id": 7, "text": "Ann"}]):
        with pytest.raises(Invalid):
            read("Which?", {"options": wrong})


def test_each_way_of_answering(signoff_approvals: Approvals) -> None:
    signoff = Signoff()
    signoff_approvals.answer(["green", "red"])
    several = signoff.ask_person("Which?", options=["red", "green", "blue"], several=True)
    assert (several.choices, several.choice) == (("red", "green"), "red")  # in the question's order
    signoff_approvals.answer(date=date(2026, 12, 1))
    assert signoff.ask_person("When?", date=True).date == date(2026, 12, 1)
    signoff_approvals.answer(none=True, text="Cara Smith")
    none = signoff.ask_person("Which?", options=["Ann Smith", "Al Smith"])
    assert (none.none, none.choice, none.text) == (True, None, "Cara Smith")
    signoff_approvals.answer(default=True)
    left = signoff.ask_person("Which?", options=["Ann Smith", "Al Smith"], default="Al Smith")
    assert (left.default, left.choice) == (True, "2")
    assert signoff.ask_person("How?", default="Kindly").text == "Kindly"
    signoff_approvals.answer(text="Kindly")
    said = signoff.ask_person("How?", default="Kindly")
    assert (said.default, said.text) == (False, "Kindly")


def test_a_question_is_taken_up_by_its_id_or_its_key(signoff_approvals: Approvals) -> None:
    signoff = Signoff()
    signoff_approvals.answer("b")
    asked = signoff.request_question("Which?", options=SMITHS, key="smith")
    for taken in (
        signoff.resume_question(asked.id),
        signoff.resume_question(asked.id, asked.digest),
        signoff.resume_question(key="smith"),
        asyncio.run(signoff.resume_question_async(key="smith")),
        asyncio.run(signoff.resume_question_async(asked.id)),
    ):
        assert (taken.id, taken.question, taken.wait().choice) == (asked.id, None, "b")
        assert taken.get().answer == {"choice": ["b"]}  # type: ignore[union-attr]
    for wrong in (signoff.resume(asked.id), signoff.resume(key="smith")):
        with pytest.raises(Invalid, match=r"It is a question, .*resume_question\(\)") as caught:
            wrong.wait()
        assert caught.value.receipt is not None
    with pytest.raises(NotVerified):  # it is another question's
        signoff.resume_question(asked.id, "0" * 64).wait()
    with pytest.raises(Invalid, match=r"request_question\(\) attaches"):
        signoff.resume_question(key="other")

    async def looks_it_up_when_used() -> None:
        taken = AsyncSignoff().resume_question(key="smith")
        assert (taken.id, (await taken.wait()).choice) == ("", "b")
        with pytest.raises(Invalid, match=r"request_question\(\) attaches"):
            await AsyncSignoff().resume_question(key="other").wait()

    asyncio.run(looks_it_up_when_used())
    signoff_approvals.approve("*")
    refund = signoff.request("refund.create", {"amount": 1}, reversible=True)
    with pytest.raises(Invalid, match=r"no question: resume\(\)"):
        signoff.resume_question(refund.id).wait()


def test_whoever_stops_waiting_is_told_what_waits_and_how_to_go_on(signoff_approvals: Approvals) -> None:
    signoff = Signoff()
    signoff_approvals.leave_pending()
    with pytest.raises(WaitTimeout) as caught:
        signoff.ask_person("Which?", options=SMITHS, timeout=0.01)
    assert "Nobody has answered yet" in str(caught.value) and " resume_question() " in str(caught.value)
    with pytest.raises(WaitTimeout) as caught:
        signoff.ask("refund.create", {"amount": 1}, reversible=True, timeout=0.01)
    assert "Nobody has decided yet" in str(caught.value) and " resume() " in str(caught.value)
    with signoff.batch("Two") as batch:
        for amount in (1, 2):
            batch.request("refund.create", {"amount": amount}, reversible=True)
    with pytest.raises(WaitTimeout, match=r"Not all is decided yet.* 2 of 2") as caught:
        batch.wait(timeout=0.01)
    assert "resume()" not in str(caught.value)


def test_what_is_no_answer_is_raised_and_gives_no_default(signoff_approvals: Approvals) -> None:
    signoff = Signoff()
    for say, error in (
        (signoff_approvals.expire, Expired),
        (signoff_approvals.block, Blocked),
        (signoff_approvals.leave_pending, WaitTimeout),
    ):
        say()
        with pytest.raises(error) as raised:
            signoff.ask_person("Which?", options=SMITHS, default="a", timeout=5)
        assert not hasattr(raised.value, "choice")
    ticket = signoff.request_question("Which?", options=SMITHS)
    assert ticket.cancel("never mind").status == "cancelled"
    with pytest.raises(Cancelled):
        ticket.wait(5)
    with pytest.raises(Cancelled):
        Answer.of(ticket.get())  # type: ignore[arg-type]


def test_an_approval_answers_nothing_and_an_answer_approves_nothing(signoff_approvals: Approvals) -> None:
    signoff = Signoff()
    signoff_approvals.approve()
    receipt = signoff.ask("refund.create", {"amount": 1}, reversible=True)
    with pytest.raises(NotVerified):
        Answer.of(receipt)
    signoff_approvals.answer("a")
    ticket = signoff.request_question("Which?", options=SMITHS)
    answer = ticket.wait()
    with pytest.raises(Invalid, match="It is a question"):
        signoff.resume(ticket.id).wait(5)
    with pytest.raises(NotVerified, match="approves nothing"):
        signoff.spend(answer.receipt)
    with pytest.raises(Invalid, match="nothing to report"):
        signoff.report(ticket.id, succeeded=True)
    signoff.report(receipt.id, succeeded=True)
    assert list(signoff_approvals.outcomes) == [receipt.id]
    with pytest.raises(NotVerified, match="another question"):
        Answer.of(answer.receipt, Question.of({"question": "Which?", "options": [{"id": "z", "text": "Z"}]}))


def test_it_blocks_nobody_and_decisions_bring_it(signoff_approvals: Approvals) -> None:
    signoff_approvals.hold()
    signoff = Signoff()
    tickets = [signoff.request_question(f"Which of {n}?", options=SMITHS, key=f"k{n}") for n in range(3)]
    again = signoff.request_question("Which of 0?", options=SMITHS, key="k0")
    assert again.id == tickets[0].id and len(signoff_approvals.requests) == 3
    with ThreadPoolExecutor(3) as pool:
        waits = [pool.submit(ticket.wait, 60) for ticket in tickets]
        signoff_approvals.approve("refund.*")
        assert signoff.ask("refund.create", {}, reversible=True).approved
        signoff_approvals.answer("b", question="Which of *")
        assert {wait.result(60).choice for wait in waits} == {"b"}
    found = {}
    for delivery in signoff.decisions():
        found[delivery.receipt.id] = delivery
        delivery.ack()
        if len(found) == 4:
            break
    answers = [one.answer for one in found.values() if one.receipt.status == "answered"]
    assert [one.choice for one in answers if one] == ["b", "b", "b"]
    assert [one.answer for one in found.values() if one.receipt.approved] == [None]


def test_coroutines_of_both_clients_ask_side_by_side(signoff_approvals: Approvals) -> None:
    signoff_approvals.answer("a")

    async def main() -> list[Answer]:
        blocking, own = Signoff(), AsyncSignoff()
        ticket = await blocking.request_question_async("Which?", options=SMITHS)
        other = await own.request_question("Which?", options=SMITHS)
        return await asyncio.gather(
            blocking.ask_person_async("Which?", options=SMITHS),
            own.ask_person("Which?", options=SMITHS),
            ticket.wait_async(),
            other.wait(),
        )

    assert [answer.choice for answer in asyncio.run(main())] == ["a"] * 4


def test_who_gives_up_withdraws_a_question_without_a_key(signoff_approvals: Approvals) -> None:
    signoff_approvals.hold()

    async def main(key: str | None) -> None:
        asking = asyncio.create_task(AsyncSignoff().ask_person("Which?", options=SMITHS, key=key))
        await signoff_approvals.wait_for_async(requests=2 if key else 1)
        asking.cancel()
        with pytest.raises(asyncio.CancelledError):
            await asking

    asyncio.run(main(None))
    signoff_approvals.wait_for(withdrawn=1)
    asyncio.run(main("kept"))
    assert len(signoff_approvals.withdrawn) == 1


def test_a_test_that_says_what_nobody_could_is_told(signoff_approvals: Approvals) -> None:
    for say, told in (
        (lambda: signoff_approvals.answer("z"), "could not answer so"),
        (lambda: signoff_approvals.approve(), "has not said"),
    ):
        say()
        with pytest.raises(AssertionError, match=told):
            Signoff().ask_person(f"Which? {told}", options=SMITHS)
        signoff_approvals._scripts.clear()
    signoff_approvals._faults.clear()


MISTAKES: dict[str, tuple[Callable[[], Any], str]] = {
    "no text": (lambda: read(7, {}), "The question is an int: write text"),
    "blank": (lambda: read(" \u200b", {}), "says nothing"),
    "long": (lambda: read("x" * 1001, {}), "1,001 characters: at most 1,000"),
    "typo": (lambda: read("Which?", {"option": []}), "did you mean options"),
    "one text": (lambda: read("Which?", {"options": "Ann"}), "options is a str"),
    "a set": (lambda: read("Which?", {"options": {"Ann", "Al"}}), "options is a set"),
    "none": (lambda: read("Which?", {"options": []}), "options is empty"),
    "eleven": (lambda: read("Which?", {"options": list("abcdefghijk")}), "There are 11 options: at most 10"),
    "an id": (lambda: read("Which?", {"options": {"a b": "Ann"}}), "An option's id is 'a b'"),
    "an id of a number": (lambda: read("Which?", {"options": {1: "Ann"}}), "An option's id is an int"),
    "long option": (lambda: read("Which?", {"options": ["x" * 151]}), "151 characters: at most 150"),
    "odd option": (lambda: read("Which?", {"options": [("a", "b", "c")]}), "An option is a tuple"),
    "no answer": (lambda: read("Which?", {"free_text": False}), "nobody could answer it"),
    "truth": (lambda: read("Which?", {"free_text": "yes"}), "free_text is a str: write True or False"),
    "default": (lambda: read("Which?", {"options": SMITHS, "default": "c"}), "none of the options' ids"),
    "default of another kind": (lambda: read("Which?", {"default": 7}), "default is an int"),
    "why": (lambda: read("Which?", {"why": "ambigous"}), "did you mean ambiguous"),
    "one source": (lambda: read("Which?", {"why": "conflict", "sources": {"CRM": "x"}}), "two sources"),
    "sources": (lambda: read("Which?", {"sources": "CRM"}), "sources is a str"),
    "no try": (lambda: read("Which?", {"why": "failed"}), "at least one try"),
    "several of one": (lambda: read("Which?", {"options": ["Ann"], "several": True}), "two options and more"),
    "timeout": (lambda: Signoff().ask_person("Which?", timeout="1m"), "write seconds, timeout=60"),  # type: ignore[arg-type]
    "expires_in": (lambda: read("Which?", {"expires_in": "1h"}), "expires_in=3600"),
    "a claim of approvals": (lambda: read("Which?", {"risk": "low"}), "There is no risk"),
}


@pytest.mark.parametrize("mistake", MISTAKES)
def test_mistakes_are_told_before_anything_is_sent(signoff_approvals: Approvals, mistake: str) -> None:
    call, told = MISTAKES[mistake]
    with pytest.raises(Invalid, match=told):
        call()
    assert signoff_approvals.requests == []


def test_what_failed_may_be_exceptions_and_sources_stand_side_by_side() -> None:
    question, _ = read(
        "Go on?",
        {
            "why": "conflict",
            "sources": {"CRM": "Berlin", "Mail": "Bonn"},
            "tries": [("post", OSError("timed out")), {"what": "again", "error": "503"}],
        },
    )
    assert [(one.name, one.text) for one in question.sources] == [("CRM", "Berlin"), ("Mail", "Bonn")]
    assert [(one.what, one.error) for one in question.tries] == [
        ("post", "OSError: timed out"),
        ("again", "503"),
    ]


def test_threads_go_on_while_one_waits(signoff_approvals: Approvals) -> None:
    signoff_approvals.hold()
    signoff, done = Signoff(), threading.Event()
    waiting = threading.Thread(target=lambda: (signoff.ask_person("Which?", options=SMITHS), done.set()))
    waiting.start()
    signoff_approvals.wait_for(requests=1)
    assert signoff.received(str(signoff_approvals.requests[0].id), 5) and not done.is_set()
    signoff_approvals.answer("a")
    waiting.join(30)
    assert done.is_set()
