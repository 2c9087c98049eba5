"""A question on its whole road: an agent's client, Redis, an intake, the one writer, and back."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from sqlalchemy import text
from support import Core, eventually

from signoff import Blocked, Duplicate, Expired, Limited, Signoff
from signoff.models.questions import GivenAnswer

SMITHS = {"a": "Ann Smith, Berlin", "b": "Al Smith, Bonn"}


def taken(core: Core, request_id: str) -> str:
    found = eventually(lambda: core.store.find("billing-bot", request_id))
    return str(found.id)


def test_a_person_answers_and_the_agent_reads_it(serving: Core, signoff: Signoff) -> None:
    ticket = signoff.request_question(
        "Which Smith?", options=SMITHS, default="a", why="ambiguous", key="smith"
    )
    approval_id = taken(serving, ticket.id)
    with ThreadPoolExecutor(1) as pool:
        waits = pool.submit(ticket.wait, 60)
        assert eventually(ticket.get).status == "pending"
        serving.approvals.questions.answer(approval_id, 1, "U0ANA", GivenAnswer(choice=("b",)))
        answer = waits.result(60)
    assert (answer.choice, answer.default, answer.receipt.decided_by.id) == ("b", False, "U0ANA")  # type: ignore[union-attr]
    again = signoff.ask_person(
        "Which Smith?", options=SMITHS, default="a", why="ambiguous", key="smith", timeout=60
    )
    assert again.receipt == answer.receipt
    assert signoff.get(ticket.id) == answer.receipt
    for delivery in signoff.decisions():
        assert delivery.answer == answer
        delivery.ack()
        break


def test_what_is_no_answer_is_told_as_what_it_is(serving: Core, signoff: Signoff) -> None:
    ticket = signoff.request_question("Which Smith?", options=SMITHS, default="a")
    approval_id = taken(serving, ticket.id)
    with serving.store.transaction() as connection:
        connection.execute(text("UPDATE approval SET expires_at = created_at + 1"))
    serving.approvals.expire(approval_id)
    with pytest.raises(Expired) as expired:
        ticket.wait(60)
    assert expired.value.receipt is not None and expired.value.receipt.answer is None  # type: ignore[attr-defined]
    serving.follow("questions: {per_hour: 3}\nrules: [{name: r, match: {tags: noisy}, verdict: block}]")
    with pytest.raises(Blocked):
        signoff.ask_person("Which?", options=SMITHS, tags=["noisy"], timeout=60)
    taken(serving, signoff.request_question("Which?", options=SMITHS).id)
    with pytest.raises(Duplicate):
        signoff.ask_person("Which?", options=SMITHS, timeout=60)
    with pytest.raises(Limited):
        signoff.ask_person("And which else?", options=SMITHS, timeout=60)
