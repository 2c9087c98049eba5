"""What people ask an agent, by HTTP: signed, heard once, answered once, and nothing is decided by it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest
from support import eventually
from web.conftest import Door, opened
from web.waiting import ask, callers, wait_for_waits

from signoff import Pending, Signoff, receipts
from signoff.models import tokens
from signoff.models.messages import moment
from signoff.models.talks import Message
from signoff.signatures import verify_keys
from signoff.web.v1 import messages
from signoff.web.v1.state import timestamp

ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


def question(door: Door, request_id: str, text: str = "Which invoice is it for?") -> Any:
    return door.core.approvals.talks.ask(request_id, 1, "U0ANA", text)


def python_agent(door: Door, redis_url: str) -> Signoff:
    """The same agent, by Redis."""
    return Signoff(redis_url=redis_url, agent="billing-bot", verify_key=door.core.signer.verify_key)


def test_an_agent_hears_a_signed_question_and_answers_it_once(door: Door) -> None:
    with door.client() as agent, door.client(door.add("other-bot")) as other, callers() as calls:
        request_id = ask(agent)
        waits = calls.get(agent, "/v1/messages?wait=30")
        wait_for_waits(door, 1)
        assert door.core.approvals.publisher.listens("billing-bot")
        talk = question(door, request_id)
        assert talk.state == "asked"
        [told] = waits.result(30).json()["messages"]
        assert (told["id"], told["request"], told["by"], told["version"]) == (talk.id, request_id, "ana", 1)
        keys = verify_keys(door.core.signer.verify_key)
        message = Message(id=told["id"], token=told["token"], text=told["text"])
        inquiry = receipts.accept_inquiry(message, keys, agent="billing-bot", talk_id=told["id"])
        assert (inquiry.request_id, inquiry.text, inquiry.by_id) == (request_id, told["text"], "U0ANA")
        known = agent.get(f"/v1/messages?known={talk.id}")
        assert known.json() == {"messages": []} and known.headers["cache-control"] == "no-store"
        assert other.get("/v1/messages").json() == {"messages": []}
        where = f"/v1/messages/{talk.id}/reply"
        assert other.post(where, json={"text": "Mine!"}).status_code == 404
        assert agent.post(where, json={"text": "x" * 3001}).status_code == 422
        assert agent.post(where, json={"text": "Invoice 7."}).json() == {"id": talk.id, "state": "answered"}
        again = agent.post(where, json={"text": "Another."})
        assert again.status_code == 409 and again.json()["type"].endswith("#answered")
        assert agent.get("/v1/messages").json() == {"messages": []}
        stands = door.core.approvals.get(request_id)
        said = [(one.state, one.answer) for one in stands.talks]
        assert stands.pending and said == [("answered", "Invoice 7.")]
        assert agent.get(f"/v1/requests/{request_id}").json()["status"] == "pending"


@ONE
def test_a_question_that_gives_more_time_is_told_to_all_that_look(door: Door, redis_url: str) -> None:
    door.core.follow("rules: [{name: talk, match: {}, verdict: ask, talk: +10m, expires_in: 5m}]")
    with door.client() as agent, python_agent(door, redis_url) as python:
        request_id = ask(agent)
        door.core.approvals.tell(door.core.approvals.get(request_id))
        before = python.get(request_id)
        with agent.stream("GET", f"/v1/requests/{request_id}/events") as events:
            told = (json.loads(line[6:]) for line in events.iter_lines() if line.startswith("data: "))
            assert next(told)["expires_at"] == timestamp(
                moment(door.core.approvals.get(request_id).expires_at)
            )
            question(door, request_id)
            later = next(told)["expires_at"]
        after, state = python.get(request_id), agent.get(f"/v1/requests/{request_id}").json()
        waited = agent.get(f"/v1/requests/{request_id}?wait=1").json()
    assert isinstance(before, Pending) and isinstance(after, Pending)
    assert after.expires_at is not None and before.expires_at is not None
    assert after.expires_at - before.expires_at == timedelta(minutes=10)
    assert state["expires_at"] == waited["expires_at"] == later == timestamp(after.expires_at)


@ONE
def test_notes_stand_beside_the_decision(door: Door) -> None:
    with door.client() as agent:
        request_id = ask(agent)
        door.core.approvals.talks.note(request_id, "U0ANA", "Next time with the invoice, please.")
        assert "notes" not in agent.get(f"/v1/requests/{request_id}").json()
        door.core.approvals.decide(request_id, 1, "U0ANA", "approve")
        [note] = agent.get(f"/v1/requests/{request_id}").json()["notes"]
    assert (note["by"], note["text"]) == ("ana", "Next time with the invoice, please.")


@ONE
def test_what_waits_no_more_is_not_told_and_its_answer_is_refused(door: Door) -> None:
    with door.client() as agent:
        request_id = ask(agent)
        first, second = question(door, request_id), question(door, request_id, "And who asked for it?")
        assert not agent.get(f"/v1/messages?known={second.id}").json()["messages"][1:]
        assert agent.post(f"/v1/messages/{first.id}/reply", json={"unable": True}).json()["state"] == "unable"
        agent.post(f"/v1/requests/{request_id}/cancel")
        assert agent.get("/v1/messages").json() == {"messages": []}
        late = agent.post(f"/v1/messages/{second.id}/reply", json={"text": "Ann."})
        assert late.status_code == 409
        for named in ("nonsense", "0" * 8 + "-0000-7000-8000-" + "0" * 12):
            assert agent.post(f"/v1/messages/{named}/reply", json={"text": "x"}).status_code == 404
        for known in ("x", f"{first.id};{second.id}", ",".join([first.id] * 101)):
            assert agent.get("/v1/messages", params={"known": known}).status_code == 422


@ONE
def test_a_stream_tells_each_question_once_and_ends_with_its_token(core: Any, redis_url: str) -> None:
    with opened(core, redis_url, heartbeat_seconds=0.05) as door, callers() as calls:
        text = door.add("billing-bot")
        with door.client() as agent, door.client(text) as revoked:
            request_id = ask(agent)
            first = question(door, request_id)
            stream = calls.get(revoked, "/v1/messages/events")
            wait_for_waits(door, 1)
            eventually(lambda: door.core.approvals.publisher.listens("billing-bot"))
            second = question(door, request_id, "And when?")
            tokens.revoke(door.core.store, text.split("_")[1])
            lines = stream.result(30).text.splitlines()
    found = [json.loads(line[6:])["id"] for line in lines if line.startswith("data: ")]
    assert found in ([first.id], [first.id, second.id]) and ":" in lines
    assert messages.LISTENS_SECONDS < 15
