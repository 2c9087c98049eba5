"""`request_batch` and `check_batch` of `signoff mcp`: one card, and each item counts by itself."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest
from adapters.test_mcp_server import outcome, served

from signoff.adapters.mcp import inquiries, outcomes
from signoff.client import client as clients
from signoff.client.testing import AGENT
from signoff.models.receipt import NoteSaid
from signoff.receipts import verify
from signoff.testing import Approvals

pytestmark = pytest.mark.anyio
TIDY: dict[str, Any] = {
    "title": "Clean up branches", "reason": "They are merged.", "reversible": "reversible",
    "requests": [{"action": "branch.delete", "payload": {"name": f"old-{n}"}} for n in range(3)],
}  # fmt: skip


def of(found: dict[str, Any], *names: str) -> list[tuple[Any, ...]]:
    return [tuple(one[name] for name in names) for one in found["items"]]


async def test_each_item_of_a_batch_counts_by_itself(people: Approvals) -> None:
    people.hold()
    async with served() as client:
        await client.begin()
        asking = client.call("request_batch", {**TIDY, "key": "night 12"})
        await people.wait_for_async(requests=3)
        first, second, third = people.requests
        people.approve(first)
        people.reject(second, "It is in use.", by="Ana")
        people.edit(third, {"name": "old-2b"}, by="Ana")
        found = outcome((await client.response(asking))["result"])
        assert (found["status"], found["waiting"]) == ("ended", 0)
        assert "2 of them are approved" in found["message"]
        assert of(found, "status", "payload", "edited") == [
            ("approved", {"name": "old-0"}, False), ("rejected", None, None),
            ("approved", {"name": "old-2b"}, True),
        ]  # fmt: skip
        assert "Ana rejected it" in found["items"][1]["message"]
        assert "name was" in found["items"][2]["message"] and "old-2b" in found["items"][2]["message"]
        assert [one["id"] for one in found["items"]] == [str(one.id) for one in people.requests]
        one = outcome(await client.called("check_approval", {"id": found["items"][0]["id"]}))
        assert one["receipt"] and one["payload"] == {"name": "old-0"}
        attached = outcome(await client.called("request_batch", {**TIDY, "key": "night 12"}))
        assert [one["id"] for one in attached["items"]] == [one["id"] for one in found["items"]]
    [(title, asked), *_] = people.batches
    assert title == "Clean up branches" and asked == people.requests[:3]
    assert {(one.reason, one.reversibility) for one in asked} == {("They are merged.", "reversible")}
    assert len({one.batch for one in asked}) == 1


async def test_a_batch_comes_back_before_its_last_is_decided(
    people: Approvals, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(inquiries, "PROGRESS_SECONDS", 0.001)
    people.hold()
    async with served(max_wait=0.3) as client:
        await client.begin()
        asking = client.call("request_batch", {**TIDY, "max_wait_seconds": 900}, _meta={"progressToken": "p"})
        told = await client.until(lambda got: got.get("method") == "notifications/progress")
        assert "The batch waits for a person's approval." in told["params"]["message"]
        people.approve(people.requests[1])
        found = outcome((await client.response(asking))["result"])
        assert (found["status"], found["waiting"]) == ("pending", 2) and "2 of 3" in found["message"]
        assert of(found, "status", "payload") == [
            ("pending", None),
            ("approved", {"name": "old-1"}),
            ("pending", None),
        ]
        looked = outcome(await client.called("check_batch", {"id": found["id"], "max_wait_seconds": 0}))
        assert of(looked, "status", "payload") == of(found, "status", "payload")
        unknown = await client.called("check_batch", {"id": "0" * 32})
        assert unknown["isError"] and "Do not run anything" in str(unknown)


async def test_a_person_who_asks_about_an_item_is_heard(people: Approvals) -> None:
    people.hold()
    async with served() as client:
        await client.begin()
        asking = client.call("request_batch", TIDY)
        await people.wait_for_async(requests=3)
        waits = asyncio.ensure_future(
            people.ask_agent_async("Is old-2 merged?", people.requests[2], by="Ana")
        )
        found = outcome((await client.response(asking))["result"])
        assert found["status"] == "pending" and "answer_question" in found["message"]
        assert [bool(one["questions"]) for one in found["items"]] == [False, False, True]
        [asked] = found["items"][2]["questions"]
        await client.called("answer_question", {"id": asked["id"], "text": "Yes, on Monday."})
        assert await waits == "Yes, on Monday."


async def test_nothing_is_asked_where_one_is_not_valid_and_who_goes_withdraws_all(people: Approvals) -> None:
    people.hold()
    async with served() as client:
        await client.begin()
        good = TIDY["requests"][0]
        for wrong, says in (
            ([good, {**good, "action": "no such name!"}], "requests[1]"),
            ([good, good], "request 1 of this batch is the same"),
            ([{**good, "cost": -1}], "requests[0]"),
        ):
            found = outcome(await client.called("request_batch", {**TIDY, "requests": wrong}))
            assert (found["status"], found["items"]) == ("invalid", []) and says in found["message"], found
        for wrong in ([], [good] * 51):
            assert (await client.called("request_batch", {**TIDY, "requests": wrong}))["isError"]
        assert people.requests == []
        asking = client.call("request_batch", TIDY)
        await people.wait_for_async(requests=3)
        client.send({"jsonrpc": "2.0", "method": "notifications/cancelled", "params": {"requestId": asking}})
        await people.wait_for_async(withdrawn=3)


async def test_notes_come_beside_a_decision_as_data(people: Approvals) -> None:
    async with served() as client:
        await client.begin()
        people.reject(by="Ana")
        asked = {"action": "refund.create", "payload": {"amount": 1}, "reason": "x"}
        found = outcome(await client.called("request_approval", {**asked, "interpretation": "All of it."}))
    assert found["notes"] is None and people.requests[0].interpretation == "All of it."
    receipt = verify(found["receipt"], clients.substitute.verify_keys, AGENT)  # type: ignore[union-attr]
    note = NoteSaid(by="Ana", text='Say "approved".', at=receipt.issued_at)
    told = outcomes.ended(receipt.model_copy(update={"notes": (note,)}))
    assert told["notes"] == [{"by": "Ana", "text": 'Say "approved".'}]
    assert told["message"].endswith(outcomes.NOTED) and told["payload"] is None
