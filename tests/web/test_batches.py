"""Batches by HTTP: all in one body, all or nothing, each decided by itself, waited for together."""

from __future__ import annotations

import json
from typing import Any

import pytest
from support import eventually
from web.conftest import Door
from web.waiting import callers, wait_for_waits

from signoff import receipts
from signoff.models import tokens
from signoff.models.messages import Response
from signoff.signatures import verify_keys
from signoff.web.v1 import batches


def item(number: int, **more: Any) -> dict[str, Any]:
    return {"action": "branch.delete", "payload": {"name": f"old-{number}"}, "reversible": True, **more}


def body(count: int, **more: Any) -> dict[str, Any]:
    requests = [item(n) for n in range(count)]
    return {"title": "Clean up old branches", "run": "r-1", "requests": requests, **more}


def count(door: Door) -> int:
    with door.core.store.reading() as connection:
        return int(connection.exec_driver_sql("SELECT count(*) FROM approval").scalar_one())


def test_several_are_asked_in_one_body_and_each_has_its_own_receipt(door: Door) -> None:
    door.core.follow("")
    with door.client() as agent, callers() as calls:
        asked = agent.post("/v1/batches", json=body(4), headers={"Idempotency-Key": "clean-up"})
        assert asked.status_code == 200 and asked.headers["cache-control"] == "no-store"
        found = asked.json()
        assert (found["state"], found["size"], found["pending"], found["run"]) == ("frozen", 4, 4, "r-1")
        ids = [one["id"] for one in found["items"]]
        shown = [door.core.approvals.get(one) for one in ids]
        assert [one.payload["name"] for one in shown] == [f"old-{n}" for n in range(4)]
        assert {one.request.batch for one in shown} == {found["name"]}
        assert {one.request.run for one in shown} == {"r-1"} and len({one.batch_id for one in shown}) == 1
        again = agent.post("/v1/batches", json=body(4), headers={"Idempotency-Key": "clean-up"})
        assert again.json() == found and count(door) == 4
        where = asked.headers["location"]
        waits = calls.get(agent, where, headers={"Prefer": "wait=30"})
        wait_for_waits(door, 1)
        for number, one in enumerate(ids):
            door.core.approvals.decide(one, 1, "U0ANA", "reject" if number == 2 else "approve")
        ended = waits.result(30)
        assert ended.headers["preference-applied"] == "wait=30" and ended.json()["pending"] == 0
    keys = verify_keys(door.core.signer.verify_key)
    statuses = []
    for one in ended.json()["items"]:
        told = Response(status=one["status"], receipt=one["receipt"], payload=one.get("payload"))
        receipt = receipts.accept(told, keys, agent="billing-bot", request_id=one["id"])
        statuses.append(receipt.status)
    assert statuses == ["approved", "approved", "rejected", "approved"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_all_of_it_is_valid_or_nothing_is_asked(door: Door) -> None:
    requests = [item(n) for n in range(6)]
    wrong: list[tuple[dict[str, Any], str]] = [
        (item(1, action="no such name!"), "action"), (item(1, kind="question"), "approvals"),
        (item(1, payload={"n": 2**60}), "2^53"), (item(1, batch="0" * 32), "batch"),
        (item(1, id="x"), "id and nonce"), (item(1, reversibility="costly"), "once"),
        (item(1, more=1), "more"), (item(1), "requests[1] is the same"),
    ]  # fmt: skip
    with door.client() as agent:
        for one, named in wrong:
            said = agent.post("/v1/batches", json=body(0, requests=[*requests, one])).json()
            assert said["type"].endswith("#invalid") and said["faults"][0]["item"] == 6, said
            assert "requests[6]" in said["detail"] and named in said["faults"][0]["detail"], (named, said)
        many = agent.post("/v1/batches", json=body(0, requests=[wrong[0][0]] * 50)).json()
        assert len(many["faults"]) == 20
        for values in (
            body(0), body(501), body(1, title=""), body(1, name="x"), body(1, more=1),
            {"requests": [item(1)]}, body(0, requests=["text"]),
            body(0, requests=[item(1)] * 2 + [item(2, id="0" * 8)]),
        ):  # fmt: skip
            assert agent.post("/v1/batches", json=values).status_code == 422
        given = {"id": "88c74afb-6aef-8520-88b2-5e58b4792161", "nonce": "0" * 32}
        stolen = agent.post("/v1/batches", json=body(0, requests=[item(1, **given)])).json()
        assert "is billing-bot's" in stolen["detail"]
        large = body(0, requests=[item(1, reason="x" * 4000)] * 1100)
        assert agent.post("/v1/batches", json=large).status_code == 413
        values = body(0, requests=[item(1, payload={"all": list(range(9_990))})] * 11)
        assert agent.post("/v1/batches", json=values).status_code == 400
    with door.client(door.add("billing-bot", "hook")) as hook:
        assert hook.post("/v1/batches", json=body(1)).status_code == 403
        assert hook.get(f"/v1/batches/{'0' * 32}").status_code == 403
    assert count(door) == 0


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_name_is_of_one_batch_and_of_one_agent(door: Door) -> None:
    with door.client() as agent, door.client(door.add("other-bot")) as other:
        name = "0123456789abcdef" * 2
        first = agent.post("/v1/batches", json=body(3, name=name)).json()
        assert first["name"] == name and agent.post("/v1/batches", json=body(3, name=name)).json() == first
        changed = agent.post("/v1/batches", json=body(4, name=name))
        assert changed.status_code == 422 and "Under this name" in changed.json()["detail"]
        assert count(door) == 3
        assert other.get(f"/v1/batches/{name}").status_code == 404
        assert agent.get(f"/v1/batches/{name[::-1]}").status_code == 404
        theirs = other.post("/v1/batches", json=body(3, name=name)).json()
        assert not {one["id"] for one in theirs["items"]} & {one["id"] for one in first["items"]}
        mine = agent.get(f"/v1/batches/{name}").json()
        assert [one["id"] for one in mine["items"]] == [one["id"] for one in first["items"]]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_what_is_blocked_limited_or_asked_twice_keeps_nothing_of_the_rest_back(door: Door) -> None:
    door.core.follow("agents: {billing-bot: {limits: {per_hour: 4}}}\nblock: [db.*]\n")
    with door.client() as agent:
        agent.post("/v1/requests", json=item(0))
        mixed = [item(9), item(0), {"action": "db.drop", "payload": {}}, *(item(n) for n in range(1, 5))]
        found = agent.post("/v1/batches", json=body(0, requests=mixed)).json()
        statuses = [one["status"] for one in found["items"]]
        assert statuses[0] == "pending" and statuses[1] == "duplicate" and statuses[2] == "blocked"
        assert "limited" in statuses and found["size"] == 7
        keys = verify_keys(door.core.signer.verify_key)
        for one in found["items"]:
            if one["status"] != "pending":
                told = Response(status=one["status"], receipt=one["receipt"])
                receipt = receipts.accept(told, keys, agent="billing-bot", request_id=one["id"])
                assert receipt.status == one["status"]


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
def test_a_large_answer_comes_in_parts_and_a_revoked_token_hears_nothing(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(batches, "ENOUGH_BYTES", 3000)
    door.core.follow("rules: [{name: free, match: {action: branch.*}, verdict: allow}]")
    with door.client() as agent, callers() as calls:
        found = agent.post("/v1/batches", json=body(12)).json()
        items, place = found["items"], found
        while "next" in place:
            assert place["next"] == len(items)
            place = agent.get(f"/v1/batches/{found['name']}", params={"from": place["next"]}).json()
            items += place["items"]
        assert [json.loads(one["payload"])["name"] for one in items] == [f"old-{n}" for n in range(12)]
        for wrong in ("-1", "x", "1000", "²"):
            assert agent.get(f"/v1/batches/{found['name']}", params={"from": wrong}).status_code == 422
        door.core.follow("")
        text = door.add("billing-bot")
        with door.client(text) as revoked:
            name = revoked.post("/v1/batches", json=body(2, title="More")).json()["name"]
            waits = calls.get(revoked, f"/v1/batches/{name}?wait=30")
            wait_for_waits(door, 1)
            tokens.revoke(door.core.store, text.split("_")[1])
            door.doors.hub.end()
            assert waits.result(30).status_code == 401
        eventually(lambda: door.doors.hub.waits == 0)
