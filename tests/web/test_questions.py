"""Questions by HTTP: asked and answered as requests are, and never an approval of anything, by no door."""

from __future__ import annotations

import json
from typing import Any

import pytest
from sqlalchemy import text
from support import eventually
from web.conftest import Door
from web.waiting import callers, wait_for_waits

from signoff import receipts
from signoff.errors import NotVerified
from signoff.models.messages import Response
from signoff.models.questions import GivenAnswer
from signoff.signatures import verify_keys
from signoff.web.aap.submission import AAP
from signoff.web.authzen.tuples import RESOURCE, SUBJECT

SMITH: dict[str, Any] = {
    "question": "Which Smith do you mean?", "why": "ambiguous", "free_text": True, "default": "a",
    "options": [{"id": "a", "text": "Ann Smith, Berlin"}, {"id": "b", "text": "Al Smith", "about": "Bonn"}],
}  # fmt: skip
ASKED: dict[str, Any] = {"kind": "question", "payload": SMITH}


def answer(door: Door, request_id: str, **said: Any) -> None:
    door.core.approvals.questions.answer(request_id, 1, "U0ANA", GivenAnswer(**said))


def test_a_bare_caller_asks_a_person_and_is_given_a_signed_answer(door: Door) -> None:
    door.core.follow("")
    with door.client() as agent:
        asks = {"json": ASKED, "headers": {"Prefer": "wait=30", "Idempotency-Key": "q-1"}}
        with callers() as calls:
            waits = calls.call(agent, "POST", "/v1/requests", **asks)
            eventually(lambda: door.core.changed)
            answer(door, door.core.changed[-1], choice=("b",))
            found = waits.result(30).json()
        again = agent.post("/v1/requests", **asks).json()
        assert (found["status"], found["kind"], found["action"]) == ("answered", "question", "question")
        assert found["answer"]["choice"] == ["b"] and not found["answer"]["default"]
        assert "payload" not in found and again == found
        keys = verify_keys(door.core.signer.verify_key)
        told = Response(status="answered", receipt=found["receipt"])
        receipt = receipts.accept(told, keys, agent="billing-bot", request_id=found["id"])
        assert receipt.answer == {"choice": ["b"]} and receipt.decided_by and receipt.decided_by.id == "U0ANA"
        with pytest.raises(NotVerified, match="approves nothing"):
            receipts.bind(receipt, action="question", payload=SMITH)
        for path, body in (("spend", {"by": "process-of-mine-1"}), ("outcome", {"succeeded": True})):
            refused = agent.post(f"/v1/requests/{found['id']}/{path}", json=body)
            assert refused.status_code == 409 and "It is no approval" in refused.json()["detail"]
        arrived = agent.get("/v1/decisions?group=q&wait=10").json()["decisions"]
        assert [(one["id"], one["status"], one["answer"]) for one in arrived] == [
            (found["id"], "answered", found["answer"])
        ]
        done = {"group": "q", "entries": [arrived[0]["entry"]]}
        assert agent.post("/v1/decisions/ack", json=done).status_code == 204
    with door.client(door.add("other-bot")) as other, door.client(door.add("billing-bot", "hook")) as hook:
        assert other.get(f"/v1/requests/{found['id']}").status_code == 404
        assert hook.post("/v1/requests", json=ASKED).status_code == 403


def test_the_guard_of_an_executor_takes_no_answer_for_an_approval(door: Door) -> None:
    with door.client() as agent, door.client(door.add("executor", "spend:billing-bot:*")) as executor:
        asked = agent.post("/v1/requests", json=ASKED).json()
        answer(door, asked["id"], default=True)
        found = agent.get(f"/v1/requests/{asked['id']}").json()
        spend = {"receipt": found["receipt"], "action": "question", "payload": SMITH}
        said = executor.post("/v1/receipts/spend", json=spend)
    assert found["answer"]["default"] and said.status_code == 422
    assert said.json()["type"].endswith("#not-verified")


def test_it_is_told_as_it_changes_and_nobody_answers_by_silence(door: Door) -> None:
    with door.client() as agent:
        first, second, third = (
            agent.post("/v1/requests", json={**ASKED, "expires_in": 60 + number}).json()["id"]
            for number in range(3)
        )
        with callers() as calls:
            stream = calls.get(agent, f"/v1/requests/{first}/events")
            wait_for_waits(door, 1)
            answer(door, first, none=True, text="It is Jo Smith.")
            told = [
                json.loads(line[6:])
                for line in stream.result(30).text.splitlines()
                if line.startswith("data: ")
            ]
        assert [one["status"] for one in told] == ["pending", "answered"] and told[-1]["answer"]["none"]
        assert agent.post(f"/v1/requests/{second}/cancel").json()["status"] == "cancelled"
        with door.core.store.transaction() as connection:
            connection.execute(text("UPDATE approval SET expires_at = 1 WHERE id = :id"), {"id": third})
        assert door.core.approvals.expire(third)
        late = agent.get(f"/v1/requests/{third}").json()
    assert late["status"] == "expired" and "answer" not in late


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_nobody_could_answer_is_refused_as_what_it_is(door: Door) -> None:
    options = [{"id": f"o{number}", "text": "x"} for number in range(11)]
    cases: list[tuple[dict[str, Any], str]] = [
        ({"question": " \u200b"}, "ask"), ({"more": 1}, "more"), ({"default": "z"}, "default"),
        ({"options": options}, "options"), ({"options": SMITH["options"] * 2}, "same id"),
        ({"why": "conflict"}, "two sources"), ({"why": "whim"}, "why"), ({"several": "yes"}, "several"),
    ]  # fmt: skip
    bodies = [({**ASKED, "payload": SMITH | more}, named) for more, named in cases]
    bodies += [
        ({**ASKED, "payload": {}}, "question"), ({**ASKED, "payload": {"question": "Well?"}}, "answer"),
        ({**ASKED, "kind": "questions"}, "kind"), ({**ASKED, "action": "refund.create"}, "question"),
    ]  # fmt: skip
    with door.client() as agent:
        for body, named in bodies:
            said = agent.post("/v1/requests", json={"action": "question", **body})
            assert said.status_code == 422 and said.json()["type"].endswith("#invalid"), body
            assert named in said.json()["detail"], (named, said.json()["detail"])
    assert not door.core.changed


def test_the_standards_doors_know_no_questions(door: Door) -> None:
    """Not by an id, and not by a context or a payload that looks like theirs."""
    context = {AAP: {"timeout": "10m"}}
    with door.client() as agent:
        asked = agent.post("/v1/requests", json={**ASKED, "context": context}).json()["id"]
        plain = {"action": "refund.create", "payload": {SUBJECT: {}, RESOURCE: {}}, "context": context}
        ours = agent.post("/v1/requests", json=plain).json()["id"]
        for _ in range(2):  # pending, then answered
            for method, path in (
                ("GET", "/aap/v1/requests/{}"), ("DELETE", "/aap/v1/requests/{}"),
                ("POST", "/aap/v1/requests/{}/consume"), ("POST", "/aap/v1/requests/{}/outcome"),
                ("GET", "/access/v1/requests/{}"), ("POST", "/access/v1/requests/{}/cancel"),
            ):  # fmt: skip
                body = {"status": "succeeded"} if path.endswith("outcome") else {}
                said = agent.request(method, path.format(asked), json=body, headers={"Idempotency-Key": "k"})
                assert said.status_code == 404, (method, path, said.text)
            if door.core.approvals.get(asked).pending:
                answer(door, asked, choice=("a",))
        assert door.core.approvals.get(asked).status == "answered"
        tuple_ = {
            "subject": {"type": "user", "id": "a"}, "action": {"name": "question", "properties": SMITH},
            "resource": {"type": "x", "id": "1"}, "context": {"approval": {"id": asked}},
        }  # fmt: skip
        decided = agent.post("/access/v1/evaluation", json=tuple_).json()
        assert decided["decision"] is False and decided["context"]["reason"] == "approval_unverifiable"
        assert agent.get(f"/aap/v1/requests/{ours}").status_code == 200
