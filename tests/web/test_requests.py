"""`/v1/requests`: what an agent asks by HTTP, and how it is answered."""

from __future__ import annotations

import json

import httpx
import pytest
from support import a_request
from web.conftest import Door

from signoff import receipts
from signoff.models.messages import Response
from signoff.signatures import verify_keys

ASKED = {"action": "refund.create", "payload": {"customer": "cus_42", "amount": 120}, "reversible": False}


def test_a_bare_caller_asks_and_is_given_a_receipt_that_verifies(door: Door) -> None:
    with door.client() as agent:
        asked = agent.post("/v1/requests", json=ASKED)
        assert asked.status_code == 200 and asked.json()["status"] == "pending"
        place = asked.headers["location"]
        door.core.approvals.decide(asked.json()["id"], 1, "U0ANA", "approve")
        found = agent.get(place).json()
    assert found["status"] == "approved" and json.loads(found["payload"]) == ASKED["payload"]
    receipt = receipts.accept(
        Response(status="approved", receipt=found["receipt"], payload=found["payload"]),
        verify_keys(door.core.signer.verify_key), agent="billing-bot", request_id=found["id"],
    )  # fmt: skip
    assert receipt.approved and receipt.payload == ASKED["payload"]


def test_one_request_is_one_however_often_it_is_sent(door: Door) -> None:
    sent = a_request().model_dump(mode="json", by_alias=True, exclude_defaults=True)
    with door.client() as agent:
        first, second = (agent.post("/v1/requests", json=sent).json() for _ in range(2))
        keyed = [
            agent.post("/v1/requests", json=ASKED, headers={"Idempotency-Key": '"k-1"'}) for _ in range(2)
        ]
        other = agent.post("/v1/requests", json={**ASKED, "payload": {}}, headers={"Idempotency-Key": "k-1"})
    assert first == second and first["id"] == sent["id"]
    assert keyed[0].json()["id"] == keyed[1].json()["id"] and other.status_code == 422


def test_a_key_is_enough_to_find_and_report_what_was_asked(door: Door) -> None:
    """A process that was started anew knows its tool call's id, and neither request nor payload."""
    key = "call_1/ü&= #2"
    with door.client() as agent, door.client(door.add("other-bot")) as other:
        first = agent.post("/v1/requests", json={**ASKED, "key": key}).json()["id"]
        agent.post("/v1/requests", json={**ASKED, "key": "another"})
        found = agent.get("/v1/requests", params={"key": key})
        assert found.status_code == 200 and (found.json()["id"], found.json()["status"]) == (first, "pending")
        assert found.headers["cache-control"] == "no-store"
        door.core.approvals.decide(first, 1, "U0ANA", "approve")
        waited = agent.get("/v1/requests", params={"key": key, "wait": "30"})
        assert waited.json()["status"] == "approved" and waited.headers["preference-applied"] == "wait=30"
        assert agent.post(f"/v1/requests/{first}/outcome", json={"succeeded": True}).status_code == 200
        for one, asked in ((other, key), (agent, "unknown"), (agent, "a\0b")):
            gone = one.get("/v1/requests", params={"key": asked})
            assert gone.status_code == 404 and key not in gone.text
        for wrong in ({}, {"key": ""}, {"key": "x" * 256}, {"key": ["a", "b"]}):
            said = agent.get("/v1/requests", params=wrong)
            assert said.status_code == 422 and "?key=" in said.json()["detail"]
        assert httpx.get(f"{agent.base_url}/v1/requests", params={"key": key}).status_code == 401


@pytest.mark.parametrize("path", ["", "/cancel", "/outcome", "/spend"])
def test_what_is_anothers_is_not_there(door: Door, path: str) -> None:
    with door.client() as agent, door.client(door.add("other-bot")) as other:
        request_id = agent.post("/v1/requests", json=ASKED).json()["id"]
        where = f"/v1/requests/{request_id}{path}"
        method = "POST" if path else "GET"
        theirs = other.request(method, where)
        nobodys = other.request(method, where.replace(request_id[:8], "00000000"))
    assert theirs.status_code == nobodys.status_code == 404
    assert theirs.json() == nobodys.json()
    assert theirs.headers["content-type"] == "application/problem+json"


def test_it_is_cancelled_spent_and_reported(door: Door) -> None:
    with door.client() as agent:
        first = agent.post("/v1/requests", json=ASKED).json()["id"]
        assert agent.post(f"/v1/requests/{first}/cancel").json()["status"] == "cancelled"
        second = agent.post("/v1/requests", json=ASKED).json()["id"]
        door.core.approvals.decide(second, 1, "U0ANA", "approve")
        spend = f"/v1/requests/{second}/spend"
        mine = [agent.post(spend, json={"by": "process-of-mine-1"}) for _ in range(2)]
        theirs = agent.post(spend, json={"by": "process-of-mine-2"})
        reported = agent.post(f"/v1/requests/{second}/outcome", json={"succeeded": True, "note": "done"})
    assert [one.status_code for one in mine] == [200, 200]
    assert theirs.status_code == 409 and theirs.json()["by"] == "process-of-mine-1"
    assert (reported.json()["status"], reported.json()["outcome"]) == ("duplicate", "done")


def test_receipts_are_spent_for_executors(door: Door) -> None:
    with door.client() as agent, door.client(door.add("executor", "spend:billing-bot:refund.*")) as executor:
        request_id = agent.post("/v1/requests", json=ASKED).json()["id"]
        door.core.approvals.decide(request_id, 1, "U0ANA", "approve")
        receipt = agent.get(f"/v1/requests/{request_id}").json()["receipt"]
        said = {"receipt": receipt, "action": ASKED["action"], "payload": ASKED["payload"]}
        by = {"by": "try-number-0001-of-it"}
        spent = executor.post("/v1/receipts/spend", json=said | by)
        again = executor.post("/v1/receipts/spend", json=said | by)
        other = executor.post("/v1/receipts/spend", json=said)
        changed = executor.post("/v1/receipts/spend", json=said | {"payload": {"amount": 1}})
        beyond = executor.post("/v1/receipts/spend", json=said | {"action": "db.drop"})
        asks = executor.post("/v1/requests", json=ASKED)
        spends = agent.post("/v1/receipts/spend", json=said)
    assert spent.status_code == again.status_code == 200 and spent.json()["payload"] == ASKED["payload"]
    assert other.status_code == 409 and other.json()["type"].endswith("#already-spent")
    assert changed.status_code == 422 and beyond.status_code == asks.status_code == spends.status_code == 403


def test_the_keys_are_there_for_everybody(door: Door) -> None:
    with httpx.Client(base_url=door.url, trust_env=False) as anybody:
        (key,) = anybody.get("/.well-known/jwks.json").json()["keys"]
    assert key["kid"] == door.core.signer.kid and "alg" not in key and "d" not in key


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_not_approved_is_neither_run_nor_reported(door: Door) -> None:
    with door.client() as agent:
        waits, refused = (agent.post("/v1/requests", json=ASKED).json()["id"] for _ in range(2))
        door.core.approvals.decide(refused, 1, "U0ANA", "reject")
        for request_id in (waits, refused):
            for path, body in (("outcome", {"succeeded": True}), ("spend", {"by": "process-of-mine-1"})):
                said = agent.post(f"/v1/requests/{request_id}/{path}", json=body)
                assert said.status_code == 409 and said.json()["type"].endswith("#not-approved")
    assert door.core.approvals.get(waits).outcome is None
