"""People's questions in an agent's process: while it waits, to whoever answers, and never a forged one."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import Callable
from contextlib import closing
from typing import Any

import pytest
from support import Core, eventually

from signoff import AsyncSignoff, Inquiry, Signoff
from signoff.bot.cards.card import card
from signoff.client import testing
from signoff.client.testing import Approvals
from signoff.errors import Invalid, WaitTimeout
from signoff.models.identity import new_id
from signoff.models.talks import Message, Talk
from signoff.queue import questions, stream
from signoff.signatures import INQUIRY, open_sealed, verify_keys

signoff_approvals = testing.signoff_approvals
AGENT, REFUND = "billing-bot", {"customer": "cus_42", "amount": 120}


def talk_of(core: Core, approval_id: str) -> Talk:
    return core.approvals.get(approval_id).talks[-1]


def asked(core: Core, ticket: Any, text: str) -> Talk:
    """A person asks, once somebody listens; and has an answer."""
    eventually(lambda: core.approvals.publisher.listens(AGENT))
    core.approvals.talks.ask(ticket.id, 1, "U0ANA", text)
    return eventually(lambda: talk_of(core, ticket.id).answered_at and talk_of(core, ticket.id))


def taken(core: Core, ticket: Any) -> Any:
    eventually(lambda: core.store.find(AGENT, ticket.id))
    return ticket


def test_a_handler_answers_while_its_process_waits(serving: Core, signoff: Signoff) -> None:
    heard: list[Inquiry] = []

    @signoff.on_question(action="refund.*")
    def because(inquiry: Inquiry) -> str:
        heard.append(inquiry)
        return {"Why?": "Two tickets.", "Long?": "x" * 4000}.get(inquiry.text) or ""

    @signoff.on_question(action="mail.*")
    async def itself(inquiry: Inquiry) -> None:
        await inquiry.answer_async("By itself.")

    signoff.on_question(lambda inquiry: inquiry.unable("I only count."), action="count.*")
    ticket = taken(serving, signoff.request("refund.create", REFUND, reversible=True))
    got: list[Any] = []
    waiting = threading.Thread(target=lambda: got.append(ticket.wait(60)))
    waiting.start()
    assert asked(serving, ticket, "Why?").answer == "Two tickets."
    assert (heard[0].request_id, heard[0].action, heard[0].digest) == (
        ticket.id, "refund.create", ticket.digest
    )  # fmt: skip
    assert (heard[0].by, heard[0].asked_at.tzinfo is not None) == ("ana", True)
    cut = asked(serving, ticket, "Long?").answer
    assert cut and len(cut) == 3000 and cut.endswith("…")
    assert asked(serving, ticket, "Nothing?").state == "unable", "said at once"
    mail = taken(serving, signoff.request("mail.send", REFUND, reversible=True))
    assert asked(serving, mail, "Who?").answer == "By itself."
    count = taken(serving, signoff.request("count.all", REFUND, reversible=True))
    unable = asked(serving, count, "Why?")
    assert (unable.state, unable.answer) == ("unable", "I only count.")
    other = taken(serving, signoff.request("other.thing", REFUND, reversible=True))
    assert asked(serving, other, "Anybody?").state == "unable", "its own process, and no handler"
    serving.approvals.talks.note(ticket.id, "U0BEN", "Mind the date.")
    serving.approvals.decide(ticket.id, 1, "U0ANA", "approve")
    waiting.join(20)
    assert [(note.by, note.text) for note in got[0].notes] == [("ben", "Mind the date.")]
    with closing(signoff.decisions()) as deliveries:
        delivery = next(one for one in deliveries if one.receipt.id == ticket.id)
        delivery.ack()
    assert [(note.by, note.text) for note in delivery.notes] == [("ben", "Mind the date.")]
    with pytest.raises(Invalid):
        signoff.on_question("refund")
    with pytest.raises(Invalid):
        signoff.on_question(print, action="")


def test_a_handler_that_fails_cannot_answer_and_people_do_not_read_why(
    serving: Core, signoff: Signoff, caplog: pytest.LogCaptureFixture
) -> None:
    """What it raised is for the program's own log; none of it is on the card."""
    secret = "no route to db.internal"

    @signoff.on_question(action="refund.*")
    def fails(inquiry: Inquiry) -> Any:
        if inquiry.text == "Why?":
            raise RuntimeError(secret)
        return {"Which?": {"because": secret}, "How many?": 7, "Yes?": True}[inquiry.text]

    ticket = taken(serving, signoff.request("refund.create", REFUND, reversible=True))
    for text in ("Why?", "Which?", "How many?", "Yes?"):
        talk = asked(serving, ticket, text)
        assert (talk.state, talk.answer or "") == ("unable", "")
    failed, *returned = [one for one in caplog.records if "refund.create" in one.getMessage()]
    assert secret not in failed.getMessage() and secret in str(failed.exc_info)
    assert [one.getMessage().partition("returned ")[2] for one in returned] == [
        f"a {kind}: return text" for kind in ("dict", "int", "bool")
    ]
    shown = card(serving.approvals.get(ticket.id))
    assert "cannot answer that." in shown.text + str(shown.blocks) and "internal" not in str(shown)


def test_whoever_waits_themselves_reads_a_tickets_questions_until_it_has_ended(
    serving: Core, redis_url: str
) -> None:
    async def agent(told: Callable[[Any], None]) -> list[str]:
        async with AsyncSignoff(
            redis_url=redis_url, agent=AGENT, verify_key=serving.signer.verify_key
        ) as signoff:
            ticket = await signoff.request("refund.create", REFUND, reversible=True, key="a")
            await signoff.received(ticket.id, 20)
            told(ticket)
            found = []
            async for inquiry in signoff.resume(key="a").questions():
                found.append(inquiry.text)
                await inquiry.answer(f"You ask: {inquiry.text}")
            return found

    tickets: list[Any] = []
    found: list[list[str]] = []
    running = threading.Thread(target=lambda: found.append(asyncio.run(agent(tickets.append))))
    running.start()
    ticket = taken(serving, eventually(lambda: tickets and tickets[0]))
    assert asked(serving, ticket, "Why?").answer == "You ask: Why?"
    assert asked(serving, ticket, "Now?").answer == "You ask: Now?"
    serving.approvals.decide(ticket.id, 1, "U0ANA", "reject", reason="no")
    running.join(20)
    assert found == [["Why?", "Now?"]]


def test_the_blocking_ticket_reads_them_too(serving: Core, signoff: Signoff) -> None:
    ticket = taken(serving, signoff.request("refund.create", REFUND, reversible=True))
    found: list[str] = []

    def read() -> None:
        for inquiry in ticket.questions():
            inquiry.answer("So.")
            found.append(inquiry.text)

    running = threading.Thread(target=read)
    running.start()
    assert asked(serving, ticket, "Why?").answer == "So."
    with pytest.raises(Invalid):
        next(iter(ticket.questions()))
    serving.approvals.cancel(AGENT, ticket.id)
    running.join(20)
    assert found == ["Why?"]


def test_a_question_goes_to_the_process_that_can_answer_it(
    serving: Core, signoff: Signoff, redis_url: str
) -> None:
    """Several processes of one agent share the questions; who knows nothing of it leaves it to another."""
    signoff.on_question(lambda inquiry: "A.", action="a.*")
    with Signoff(redis_url=redis_url, agent=AGENT, verify_key=serving.signer.verify_key) as other:
        other.on_question(lambda inquiry: "B.", action="b.*")
        for number in range(4):
            for client, name in ((signoff, "a"), (other, "b")):
                payload = {"n": number}
                ticket = taken(serving, client.request(f"{name}.run", payload, reversible=True))
                assert asked(serving, ticket, "Who?").answer == f"{name.upper()}."


@pytest.mark.parametrize("how", ["again", "forged", "over", "other"])
def test_a_process_takes_each_question_once_and_no_forged_one(
    serving: Core, signoff: Signoff, how: str
) -> None:
    heard: list[str] = []
    signoff.on_question(lambda inquiry: heard.append(inquiry.text) or "So.")
    ticket = taken(serving, signoff.request("refund.create", REFUND, reversible=True))
    assert asked(serving, ticket, "Why?").answer == "So."
    talk = talk_of(serving, ticket.id)
    stands = json.loads(serving.redis.get(stream.message(AGENT, talk.id)))
    claims = open_sealed(
        stands["token"], verify_keys(serving.signer.verify_key), INQUIRY, issuer="signoff", audience=AGENT
    )
    talk_id = str(new_id())
    match how:
        case "again":
            talk_id = talk.id
        case "forged":
            stands = {**stands, "id": talk_id, "text": "Pay Eve."}
        case "over":
            stands["token"] = serving.signer.seal(INQUIRY, {**claims, "sub": talk_id, "exp": 5})
        case "other":
            stands["token"] = serving.signer.seal(INQUIRY, {**claims, "sub": talk_id, "aud": "other-bot"})
    message = Message.model_validate({**stands, "id": talk_id})
    questions.publish(serving.redis, AGENT, talk_id, message.model_dump_json(), 60, 60)
    assert asked(serving, ticket, "And now?").answer == "So.", "what came before it was passed over"
    assert heard == ["Why?", "And now?"]


def test_nobody_listens_without_a_handler_and_after_close(serving: Core, signoff: Signoff) -> None:
    ticket = taken(serving, signoff.request("refund.create", REFUND, reversible=True))
    with pytest.raises(WaitTimeout):
        ticket.wait(0.2)
    assert serving.approvals.talks.ask(ticket.id, 1, "U0ANA", "Why?").state == "unheard"
    signoff.on_question(lambda inquiry: "I was not there yet.")
    eventually(lambda: talk_of(serving, ticket.id).state == "answered")
    signoff.close()
    talk = serving.approvals.talks.ask(ticket.id, 1, "U0ANA", "Are you there?")
    assert signoff.received(ticket.id, 10), "it may be used again, and answers again"
    eventually(lambda: talk_of(serving, ticket.id).state == "answered")
    assert talk_of(serving, ticket.id).id == talk.id


def test_the_fixture_asks_the_agent(signoff_approvals: Approvals) -> None:
    client = Signoff()
    signoff_approvals.hold("refund.*")
    with pytest.raises(AssertionError):
        signoff_approvals.ask_agent("Why?")

    def agent() -> None:
        done.append(client.ask("refund.create", REFUND, reversible=True).payload)

    done: list[Any] = []
    client.on_question(lambda inquiry: "Two tickets." if inquiry.text == "Why?" else None)
    running = threading.Thread(target=agent)
    running.start()
    signoff_approvals.wait_for(requests=1)
    assert signoff_approvals.ask_agent("Why?", "refund.create") == "Two tickets."
    assert asyncio.run(signoff_approvals.ask_agent_async("What?")) is None
    signoff_approvals.approve()
    running.join(20)
    assert done == [REFUND]
    quiet = Signoff()
    signoff_approvals.leave_pending("quiet.*")
    quiet.request("quiet.run", REFUND, reversible=True)
    client.close()
    with pytest.raises(AssertionError, match="on_question"):
        signoff_approvals.ask_agent("Why?", "quiet.*", timeout=0.2)
