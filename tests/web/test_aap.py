"""The door of the Agent Approval Protocol, with its own client and gates, unchanged."""

from __future__ import annotations

import asyncio
import json
import threading
import time
import uuid
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from agentapprovalprotocol import AsyncClient, AsyncGate, Call, Client, Gate, Pending, Receiver
from agentapprovalprotocol._client import AAPError, ConflictError, CredentialRefused, NotFound, ProvisionError
from support import eventually
from web.conftest import Door

CALL = Call(
    key="run-1:call-1", tool="refund.create",
    arguments={"customer": "cus_42", "amount": 120.5, "list": [1, 1.0]},
    reasoning="The customer was charged twice.",
    context={"framework": "tests"}, resume={"framework": "tests"},
)  # fmt: skip
BODY: dict[str, Any] = {"tool": "refund.create", "arguments": {"amount": 120}, "timeout": "10m"}


@pytest.fixture
def client(door: Door) -> Iterator[Client]:
    with httpx.Client(timeout=40, trust_env=False) as http:
        yield Client(f"{door.url}/aap", door.token, http=http, retry_budget=0)


def waiting(door: Door) -> list[str]:
    return door.core.approvals.waiting_for("U0ANA")


def decided(door: Door, vote: Any, **more: Any) -> threading.Thread:
    """Ana decides on the one request, once it waits."""

    def decide() -> None:
        (approval_id,) = eventually(lambda: waiting(door))
        door.core.approvals.decide(approval_id, 1, "U0ANA", vote, **more)

    deciding = threading.Thread(target=decide)
    deciding.start()
    return deciding


def test_a_gate_runs_what_was_approved_once(door: Door, client: Client) -> None:
    gate, deciding, ran = Gate(client), decided(door, "approve"), []
    for _ in range(2):
        with gate.guard(CALL) as verdict:
            ran.append(bool(verdict))
    deciding.join(30)
    assert ran == [True, False] and verdict.status == "consumed"
    (approval,) = [door.core.store.find("billing-bot", verdict.request_id)]
    assert approval.outcome.succeeded and approval.spent_by.startswith("aap-")
    assert approval.payload == CALL.arguments and approval.request.reason == CALL.reasoning
    assert approval.editable is False


def test_of_many_at_once_under_one_key_one_has_made_the_request(door: Door) -> None:
    begin = threading.Barrier(16)

    def submit(_: int) -> tuple[int, str]:
        with door.client() as agent:
            begin.wait(30)
            found = agent.post("/aap/v1/requests", json=BODY, headers={"Idempotency-Key": "k"})
            return found.status_code, found.json()["id"]

    with ThreadPoolExecutor(16) as pool:
        answers = list(pool.map(submit, range(16)))
    assert sorted(status for status, _ in answers) == [200] * 15 + [201]
    assert len({named for _, named in answers}) == 1
    with door.client() as agent:
        where = f"/aap/v1/requests/{answers[0][1]}"
        for wait in ("١s", "1２s", "²"):
            assert agent.get(where, params={"wait": wait}).status_code == 400, wait
        more = httpx.Headers([("Idempotency-Key", "a"), ("Idempotency-Key", "a")])
        for body in (BODY, {**BODY, "timeout": "١٠m"}):
            assert agent.post("/aap/v1/requests", json=body, headers=more).status_code == 400
            more = httpx.Headers({"Idempotency-Key": "b"})


def test_a_gate_denies_what_was_rejected_blocked_or_too_late(door: Door, client: Client) -> None:
    gate, deciding = Gate(client), decided(door, "reject", reason="Not this one.")
    verdict = gate.check(CALL)
    deciding.join(30)
    assert verdict.status == "denied" and "Not this one." in verdict.reason
    door.core.follow("rules:\n  - {name: x, match: {action: github/drop}, verdict: block, reason: Never.}\n")
    blocked = gate.check(Call(key="k", tool="drop", server="github", arguments={}))
    assert blocked.status == "denied" and "Never." in blocked.reason
    with pytest.raises(ConflictError, match="not_approved"):
        client.consume(blocked.request_id, "k")
    late = Gate(client, wait_limit=0.5).check(Call(key="late", tool="a", arguments={}))
    assert late.status == "expired" and waiting(door) == []


def test_an_asynchronous_gate_pauses_and_is_woken_by_a_receiver(door: Door) -> None:
    async def scenario() -> list[Any]:
        async with httpx.AsyncClient(timeout=40, trust_env=False) as http:
            client = AsyncClient(f"{door.url}/aap", door.token, http=http)
            gate, found = AsyncGate(client, mode="async"), list[Any]()
            paused = await gate.check(CALL)
            assert isinstance(paused, Pending)
            (approval_id,) = waiting(door)
            door.core.approvals.decide(approval_id, 1, "U0ANA", "approve")

            async def resume(handle: Any, request: Any) -> None:
                found.append((handle, request.status, await gate.check(CALL)))

            assert await Receiver(resumers={"tests": resume}, client=client).wake(paused.request_id)
            await found[0][2].report("failed", "The bank said no.")
            return found

    ((handle, status, verdict),) = asyncio.run(scenario())
    assert handle == CALL.resume and status == "approved" and bool(verdict)
    outcome = door.core.store.find("billing-bot", verdict.request_id).outcome
    assert not outcome.succeeded and outcome.note == "The bank said no."


def test_what_was_changed_does_not_run(door: Door, client: Client) -> None:
    """Nobody is offered to; and a request of another door, of the same agent, is not to be had here."""
    made = client.create(BODY, "k-1")
    (approval_id,) = waiting(door)
    with pytest.raises(Exception, match="does not let anyone change"):
        door.core.approvals.decide(approval_id, 1, "U0ANA", "approve", payload={"amount": 1})
    assert client.get(made.id).status == "pending"
    with door.client() as agent:
        other = agent.post("/v1/requests", json={"action": "refund.create", "payload": {"amount": 7}}).json()
    with pytest.raises(NotFound):
        client.get(other["id"])


def test_create_consume_and_outcome_are_each_the_same_again(door: Door, client: Client) -> None:
    made, again = client.create(BODY, "k-1"), client.create(BODY, "k-1")
    assert made == again and made.timeout == "10m"
    assert (made.deadline_at - made.created_at).total_seconds() == 600
    for change in ({"timeout": "11m"}, {"arguments": {"amount": 120, "a": None}}, {"context": {"a": 1}}):
        with pytest.raises(ConflictError, match="idempotency_conflict"):
            client.create({**BODY, **change}, "k-1")
    with pytest.raises(ConflictError, match="not_approved"):
        client.consume(made.id, "c-1")
    with pytest.raises(ConflictError, match="not_consumed"):
        client.report_outcome(made.id, "succeeded")
    (approval_id,) = waiting(door)
    door.core.approvals.decide(approval_id, 1, "U0ANA", "approve")
    with pytest.raises(ConflictError, match="already_terminal"):
        client.cancel(made.id)
    first, second = client.consume(made.id, "c-1"), client.consume(made.id, "c-1")
    assert first == second and first.consumption is not None
    with pytest.raises(ConflictError, match="already_consumed"):
        client.consume(made.id, "c-2")
    told = client.report_outcome(made.id, "failed", "no")
    assert told == client.report_outcome(made.id, "failed", "no") == client.get(made.id)
    for status, note in (("succeeded", "no"), ("failed", None)):
        with pytest.raises(ConflictError, match="outcome_conflict"):
            client.report_outcome(made.id, status, note)
    with door.client() as agent:
        spent = agent.post(f"/v1/requests/{made.id}/spend", json={"by": "process-of-mine-1"})
    assert spent.status_code == 409


def test_a_client_waits_on_one_call_and_is_woken(door: Door, client: Client) -> None:
    made, started = client.create(BODY, "k-1"), time.monotonic()
    assert client.get(made.id, wait=1).status == "pending" and time.monotonic() - started >= 1
    got: list[Any] = []
    asking = threading.Thread(target=lambda: got.append(client.get(made.id, wait=25)))
    asking.start()
    eventually(lambda: door.doors.hub.waits == 1)
    (approval_id,) = waiting(door)
    door.core.approvals.decide(approval_id, 1, "U0ANA", "approve")
    asking.join(20)
    assert got[0].status == "approved" and door.doors.hub.waits == 0


def test_it_is_withdrawn_and_what_ended_stays_so(door: Door, client: Client) -> None:
    made = client.create(BODY, "k-1")
    assert client.cancel(made.id) == client.cancel(made.id)
    assert client.get(made.id).status == "cancelled" and waiting(door) == []
    door.core.follow("rules: []\n")
    client.create(BODY, "k-2")
    with pytest.raises(ConflictError, match="already_pending"):
        client.create(BODY, "k-3")


def test_what_does_not_fit_is_refused_in_the_protocols_shape(door: Door, client: Client) -> None:
    made, other = client.create(BODY, "k-1"), door.add("other-bot")
    for token, expected in (
        (other, NotFound),
        ("sgt_x", CredentialRefused),
        (door.add("x", "hook"), CredentialRefused),
    ):
        with httpx.Client(trust_env=False) as http:
            theirs = Client(f"{door.url}/aap", token, http=http, retry_budget=0)
            for call in (theirs.get, theirs.cancel, lambda one, by=theirs: by.consume(one, "k")):
                with pytest.raises(expected):
                    call(made.id)
    for named in ("x", str(uuid.uuid4()), "0" * 4000):
        with pytest.raises(NotFound):
            client.get(named)
    wrong: list[Any] = [
        {}, [], {**BODY, "more": 1}, {**BODY, "tool": ""}, {**BODY, "tool": {}}, {**BODY, "arguments": []},
        {**BODY, "server": "a/b"}, {**BODY, "context": None}, {**BODY, "agent_reasoning": 7},
        *({**BODY, "timeout": one} for one in ("", "x", "0s", "31d", "9" * 400 + "s", "10", "1s1h", 9)),
    ]  # fmt: skip
    with door.client() as agent:
        for body in wrong:
            found = agent.post("/aap/v1/requests", content=json.dumps(body), headers={
                "Idempotency-Key": "k", "Content-Type": "application/json",
            })  # fmt: skip
            assert found.status_code == 400 and found.json()["error"]["code"], body
        for headers in ({}, {"Idempotency-Key": ""}, {"Idempotency-Key": "x" * 256}):
            found = agent.post("/aap/v1/requests", json=BODY, headers=headers)
            assert found.json()["error"]["code"] == "missing_idempotency_key"
        for wait in ("x", "-1s", "1m", ""):
            assert agent.get(f"/aap/v1/requests/{made.id}?wait={wait}").status_code == 400
        for said in ({"status": "maybe"}, {"status": []}, {"status": "failed", "note": 1}, {}):
            assert agent.post(f"/aap/v1/requests/{made.id}/outcome", json=said).status_code == 400
    with pytest.raises(AAPError):
        client.create({**BODY, "arguments": {"n": 2**60}}, "k-9")
    with pytest.raises(ProvisionError) as refused:
        asyncio.run(
            Receiver(resumers={}).provision(
                provider_url=f"{door.url}/aap",
                provisioner_token=door.token,
                url="https://agent.example.com/e",
            )
        )
    assert refused.value.code == "provisioning_not_supported"
    assert len(waiting(door)) == 1
