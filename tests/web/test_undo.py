"""Undoing by HTTP: an agent says what it can undo, and an undo comes as any other decision does."""

from __future__ import annotations

import pytest
from web.conftest import Door

from signoff import receipts
from signoff.models.messages import Response
from signoff.signatures import verify_keys

RULE = """rules:
  - name: refunds
    match: {action: refund.create}
    verdict: notify
    approvers: U0ANA
    undo_for: 1h
    undo: {action: refund.cancel, payload: {id: $result.id}}
"""
ASKED = {"action": "refund.create", "payload": {"amount": 120}, "reversible": True}


def test_an_undo_arrives_bound_to_what_it_undoes(door: Door) -> None:
    door.core.follow(RULE)
    with door.client() as agent, door.client(door.add("other-bot")) as other:
        first = agent.post("/v1/requests", json=ASKED).json()
        assert first["status"] == "approved"
        tested = {"action": "refund.cancel", "passed": True}
        assert agent.put("/v1/undo", json={"actions": ["refund.cancel"], "tested": tested}).status_code == 204
        [undoer] = door.core.approvals.undoers.listed()  # of a test that nobody asked for: its bare word
        assert (undoer.agent, undoer.action, undoer.passed) == ("billing-bot", "refund.cancel", False)
        tested["id"] = door.core.approvals.undoers.test("billing-bot", "refund.cancel")
        assert agent.put("/v1/undo", json={"actions": ["refund.cancel"], "tested": tested}).status_code == 204
        assert door.core.approvals.undoers.listed()[0].passed
        outcome = {"succeeded": True, "result": {"id": "re_1"}}
        agent.post(f"/v1/requests/{first['id']}/outcome", json=outcome)
        undo = door.core.approvals.undo.ask(door.core.approvals.find("billing-bot", first["id"]).id, "U0ANA")
        arrived = agent.get("/v1/decisions?group=undo&wait=10").json()["decisions"]
        assert "refund.cancel" not in [
            one["action"] for one in other.get("/v1/decisions").json()["decisions"]
        ]
    [one] = [one for one in arrived if one["action"] == "refund.cancel"]
    told = Response(status=one["status"], receipt=one["receipt"], payload=one["payload"])
    keys = verify_keys(door.core.signer.verify_key)
    receipt = receipts.accept(told, keys, agent="billing-bot", request_id=one["id"])
    assert receipt.approved and receipt.undoes == first["id"] and receipt.payload == {"id": "re_1"}
    assert one["id"] == undo.request_id


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_no_registration_is_refused(door: Door) -> None:
    with door.client() as agent, door.client(door.add("billing-bot", "hook")) as hook:
        for wrong in (
            {},
            {"actions": []},
            {"actions": ["no such name!"]},
            {"actions": ["a"] * 1000},
            {"more": 1},
        ):
            assert agent.put("/v1/undo", json=wrong).status_code == 422
        large = {"actions": ["a"], "tested": {"action": "a", "passed": False, "fault": "x" * 301}}
        assert agent.put("/v1/undo", json=large).status_code == 422
        assert hook.put("/v1/undo", json={"actions": ["a"]}).status_code == 403
    assert door.core.approvals.undoers.listed() == []
