"""A request by its key: what a restarted process knows of its tool call is that call's id."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

import pytest
from support import Core, eventually

from signoff import AsyncSignoff, Cancelled, Invalid, NotVerified, Pending, Signoff
from signoff.approvals import sweep
from signoff.models.identity import keyed_nonce
from signoff.queue import stream

PAYLOAD = {"customer": "cus_42", "amount": 120}
AGENT = "billing-bot"


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """These tests are about the client: one database will do."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


def decide(core: Core, request_id: str, answer: Any = "approve", **said: Any) -> None:
    approval = eventually(lambda: core.store.find(AGENT, request_id))
    core.approvals.decide(approval.id, 1, "U0ANA", answer, **said)


def pointer(key: str) -> str:
    return stream.keyed(AGENT, keyed_nonce(key, None))


def test_a_key_is_enough_to_look_wait_report_and_cancel(
    serving: Core, signoff: Signoff, redis_url: str
) -> None:
    asked = signoff.request("refund.create", PAYLOAD, key="call_1", reversible=False)
    assert signoff.received(asked.id, 60)
    other = Signoff(redis_url=redis_url, agent=AGENT, verify_key=serving.signer.verify_key)
    with other:
        found = other.get(key="call_1")
        assert isinstance(found, Pending) and found.id == asked.id
        ticket = other.resume(key="call_1")
        assert ticket.id == asked.id
        decide(serving, asked.id, payload=PAYLOAD | {"amount": 80})
        assert ticket.wait(60).payload == PAYLOAD | {"amount": 80}
        other.report(key="call_1", succeeded=True, note="done")
        approval = serving.store.find(AGENT, asked.id)
        assert approval is not None
        assert eventually(lambda: serving.approvals.get(approval.id).outcome).note == "done"
        gone = signoff.request("refund.create", PAYLOAD, key="call_2", reversible=False)
        assert signoff.received(gone.id, 60)
        assert other.cancel(key="call_2", reason="not needed").status == "cancelled"
        with pytest.raises(Cancelled, match="not needed"):
            other.resume(key="call_2").wait(60)
    lives = [serving.redis.ttl(stream.decision(AGENT, one.id)) for one in (asked, gone)]
    assert all(
        abs(serving.redis.ttl(pointer(key)) - life) < 60
        for key, life in zip(("call_1", "call_2"), lives, strict=True)
    )


def test_either_client_is_asked_with_the_same_names(serving: Core, signoff: Signoff, redis_url: str) -> None:
    """`Signoff` in a loop of the program's own, `AsyncSignoff` in its own loop."""

    async def work(client: Any, key: str) -> None:
        ticket = await client.request_async("refund.create", PAYLOAD, key=key, reversible=False)
        assert await client.received_async(ticket.id, 60)
        assert isinstance(await ticket.get_async(), Pending)
        assert isinstance(await client.get_async(key=key), Pending)
        waiting = asyncio.create_task(client.resume(ticket.id, ticket.digest).wait_async())
        left = asyncio.create_task(ticket.wait_async())
        await asyncio.sleep(0)
        left.cancel()
        with pytest.raises(asyncio.CancelledError):
            await left
        await asyncio.to_thread(decide, serving, ticket.id)
        receipt = await waiting
        await client.spend_async(receipt, 60)
        await client.report_async(key=key, succeeded=True)
        again = await client.resume_async(key=key)
        assert again.id == ticket.id
        arrivals = client.decisions_async(key)
        async for delivery in arrivals:
            if delivery.receipt.id == ticket.id:
                await delivery.ack()
                break
        await arrivals.aclose()
        other = await client.request_async("refund.create", PAYLOAD | {"amount": 1}, reversible=False)
        assert (await other.cancel_async("no")).status == "cancelled"
        assert (await client.cancel_async(other.id)).status == "cancelled"

    async def main() -> None:
        given = {"redis_url": redis_url, "agent": AGENT, "verify_key": serving.signer.verify_key}
        async with AsyncSignoff(**given) as client:
            await work(client, "call_1")
            late = client.resume(key="call_1")
            assert late.id == "" and (await late.get()) is not None
        await work(signoff, "call_2")

    asyncio.run(main())


def test_a_coroutine_that_is_cancelled_ends_what_it_waited_for(signoff: Signoff) -> None:
    async def main() -> None:
        ticket = await signoff.request_async("refund.create", PAYLOAD, reversible=False)
        waits = [asyncio.create_task(ticket.wait_async()) for _ in range(3)]
        exchange = signoff._async._link._exchange
        assert exchange is not None
        await asyncio.to_thread(eventually, lambda: len(exchange._waiters.get(ticket.id, ())) >= 3)
        for wait in waits:
            wait.cancel()
        found = await asyncio.gather(*waits, return_exceptions=True)
        assert all(isinstance(each, asyncio.CancelledError) for each in found)
        await asyncio.to_thread(eventually, lambda: not exchange._waiters.get(ticket.id))
        assert isinstance(await ticket.get_async(), Pending), "the request stays as it is"

    asyncio.run(main())


@pytest.mark.parametrize("call", ["resume", "report", "cancel"])
def test_a_key_that_no_server_knows_is_said_to_be_unknown(signoff: Signoff, call: str) -> None:
    calls: dict[str, Callable[[], Any]] = {
        "resume": lambda: signoff.resume(key="call_9"),
        "report": lambda: signoff.report(key="call_9", succeeded=True),
        "cancel": lambda: signoff.cancel(key="call_9"),
    }
    assert signoff.get(key="call_9") is None
    with pytest.raises(Invalid, match=r"No server knows a request of billing-bot with the key 'call_9'"):
        calls[call]()


def test_which_request_is_said_once(signoff: Signoff) -> None:
    ticket = signoff.request("refund.create", PAYLOAD, key="call_1", reversible=False)
    for call in (signoff.resume, signoff.get, signoff.cancel, signoff._async.resume):
        with pytest.raises(TypeError, match=r"its id, .* or its key="):
            call()
        with pytest.raises(TypeError, match="not both"):
            call(ticket.id, key="call_1")
        with pytest.raises(Invalid, match="key is an int: write text"):
            call(key=1)  # type: ignore[arg-type]
    with pytest.raises(TypeError, match="its key="):
        signoff.report(succeeded=True)
    assert isinstance(signoff.get(ticket.id), Pending | None)


def test_what_a_key_leads_to_has_to_be_of_that_key(serving: Core, signoff: Signoff) -> None:
    """Whoever writes to Redis points a key at another request that was approved, or at nothing of ours."""
    mine = signoff.request("refund.create", PAYLOAD, key="call_1", reversible=False)
    theirs = signoff.request("refund.create", PAYLOAD | {"amount": 1}, key="call_2", reversible=False)
    for ticket in (mine, theirs):
        decide(serving, ticket.id)
        assert ticket.wait(60).approved
    serving.redis.set(pointer("call_1"), theirs.id)
    for call in (
        lambda: signoff.resume(key="call_1").wait(60),
        lambda: signoff.get(key="call_1"),
        lambda: signoff.report(key="call_1", succeeded=True),
        lambda: signoff.cancel(key="call_1"),
    ):
        with pytest.raises(NotVerified, match="another key"):
            call()
    assert serving.approvals.get(serving.store.find(AGENT, theirs.id).id).outcome is None  # type: ignore[union-attr]
    serving.redis.set(pointer("call_1"), b"\xff no id")
    with pytest.raises(NotVerified, match="none of Signoff's"):
        signoff.get(key="call_1")
    serving.redis.delete(pointer("call_1"))
    serving.redis.rpush(pointer("call_1"), "x")
    with pytest.raises(NotVerified, match="none of Signoff's"):
        signoff.get(key="call_1")
    approval = serving.store.find(AGENT, mine.id)
    assert approval is not None
    serving.redis.delete(stream.decision(AGENT, mine.id))
    serving.approvals.tell(approval)
    assert signoff.resume(key="call_1").wait(60).approved, "what is published anew is put right"


def test_other_content_under_a_key_takes_nothing_from_the_first(serving: Core, signoff: Signoff) -> None:
    first = signoff.request("refund.create", PAYLOAD, key="call_1", reversible=False)
    assert signoff.received(first.id, 60)
    with pytest.raises(Invalid):
        signoff.request("refund.create", {"amount": 1}, key="call_1", reversible=False).wait(60)
    found = signoff.get(key="call_1")
    assert isinstance(found, Pending) and found.id == first.id


def test_a_secret_is_part_of_the_way_and_redis_is_told_no_key(
    serving: Core, signoff: Signoff, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SIGNOFF_AGENT_SECRET", "5" * 64)
    with Signoff(redis_url=redis_url, agent=AGENT, verify_key=serving.signer.verify_key) as client:
        asked = client.request("refund.create", PAYLOAD, key="the-tool-call", reversible=False)
        assert client.received(asked.id, 60)
        assert client.resume(key="the-tool-call").id == asked.id
    monkeypatch.delenv("SIGNOFF_AGENT_SECRET")
    assert signoff.get(key="the-tool-call") is None, "who has no secret finds nothing"
    assert not [key for key in serving.redis.keys("*") if b"the-tool-call" in key]


def test_a_redis_that_was_emptied_has_all_pointers_again(
    serving: Core, signoff: Signoff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sweep, "UNPUBLISHED_SECONDS", -1.0)
    waiting = signoff.request("refund.create", PAYLOAD, key="call_1", reversible=False)
    decided = signoff.request("refund.create", PAYLOAD, key="call_2", reversible=False)
    plain = signoff.request("refund.create", PAYLOAD, reversible=False)
    for ticket in (waiting, decided, plain):
        assert signoff.received(ticket.id, 60)
    decide(serving, decided.id)
    assert decided.wait(60).approved
    serving.redis.flushall()
    sweep.Sweep(serving.approvals).step()
    assert len(serving.redis.keys(stream.keyed(AGENT, "*"))) == 2, "who has no key needs none"
    assert signoff.resume(key="call_1").id == waiting.id
    assert signoff.resume(key="call_2").wait(60) == decided.wait(60)
    seen = {request_id for _, request_id in stream.responses(serving.redis)}
    assert {waiting.id, decided.id} <= seen and not any("key" in one for one in seen)
