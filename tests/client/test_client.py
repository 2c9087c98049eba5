"""The agent's client, against a real Redis and a real intake."""

from __future__ import annotations

import asyncio
import json
import logging
import os
import subprocess
import sys
import threading
import time
import warnings
from concurrent.futures import CancelledError, ThreadPoolExecutor
from typing import Any

import pytest
import redis
from support import Core, RedisServer, eventually, free_port, send_entry

from signoff import (
    AsyncSignoff,
    Cancelled,
    ConfigError,
    Duplicate,
    Expired,
    Invalid,
    NotApproved,
    NotVerified,
    Pending,
    Rejected,
    Signoff,
    Unreachable,
    WaitTimeout,
)
from signoff.client import exchange, resend
from signoff.client.ask import build_request
from signoff.models.messages import Response
from signoff.queue import notifications, stream
from signoff.receipts import Signer

PAYLOAD = {"customer": "cus_42", "amount": 120}


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """These tests are about the client: one database will do."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


def decide(core: Core, request_id: str, answer: Any = "approve", **said: Any) -> None:
    """A person decides, as soon as the request has arrived."""
    approval = eventually(lambda: core.store.find("billing-bot", request_id))
    core.approvals.decide(approval.id, 1, "U0ANA", answer, **said)


def test_an_approved_request_gives_a_verified_receipt_with_what_to_run(
    serving: Core, signoff: Signoff
) -> None:
    ticket = signoff.request("refund.create", PAYLOAD, reason="Duplicate charge", reversible=False)
    deciding = threading.Thread(target=decide, args=(serving, ticket.id))
    deciding.start()
    receipt = ticket.wait(timeout=60)
    deciding.join(60)  # it goes on after the answer is out
    assert receipt.approved and receipt.payload == PAYLOAD and not receipt.edited
    assert receipt.id == ticket.id and receipt.digest_sent == ticket.digest
    assert receipt.decided_by is not None and receipt.decided_by.name == "ana"


def test_a_request_is_heard_of_at_once_also_while_a_quiet_connection_is_tried(
    serving: Core, signoff: Signoff, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(notifications, "PING_SECONDS", 0.05)
    monkeypatch.setattr(notifications, "PONG_SECONDS", 60)
    monkeypatch.setattr(resend, "RESEND_SECONDS", (60,))

    def pings() -> int:
        return int(serving.redis.info("commandstats").get("cmdstat_ping", {"calls": 0})["calls"])

    before = pings()
    first = signoff.request("refund.create", PAYLOAD, reversible=True)
    eventually(lambda: pings() > before)
    second = signoff.request("refund.create", {**PAYLOAD, "amount": 121}, reversible=True)
    for ticket in (second, first):
        decide(serving, ticket.id)
        assert ticket.wait(60).approved


def test_an_edit_is_what_runs(serving: Core, signoff: Signoff) -> None:
    ticket = signoff.request("refund.create", PAYLOAD, reversible=True)
    decide(serving, ticket.id, payload={"customer": "cus_42", "amount": 80})
    receipt = ticket.wait(60)
    assert receipt.edited and receipt.payload == {"customer": "cus_42", "amount": 80}


def test_not_approved_is_an_exception_that_says_who_and_why(serving: Core, signoff: Signoff) -> None:
    ticket = signoff.request("refund.create", PAYLOAD, reversible=True)
    decide(serving, ticket.id, "reject", reason="Wrong customer", resubmit=True)
    with pytest.raises(Rejected, match="ana: Wrong customer") as caught:
        ticket.wait(60)
    assert caught.value.receipt is not None and caught.value.receipt.resubmit


def test_a_timeout_leaves_the_request_pending_and_it_can_be_waited_for_again(
    serving: Core, signoff: Signoff
) -> None:
    ticket = signoff.request("refund.create", PAYLOAD, reversible=True)
    with pytest.raises(WaitTimeout):
        ticket.wait(timeout=0.3)
    eventually(lambda: isinstance(ticket.get(), Pending))
    decide(serving, ticket.id)
    assert ticket.wait(60).approved


def test_an_unanswered_request_expires_and_that_is_no_rejection(serving: Core, signoff: Signoff) -> None:
    ticket = signoff.request("refund.create", PAYLOAD, reversible=True, expires_in=1)
    approval = eventually(lambda: serving.store.find("billing-bot", ticket.id))
    eventually(lambda: serving.approvals.expire(approval.id))
    with pytest.raises(Expired) as caught:
        ticket.wait(60)
    assert not isinstance(caught.value, Rejected)


def test_cancelling_ends_the_wait(serving: Core, signoff: Signoff) -> None:
    ticket = signoff.request("refund.create", PAYLOAD, reversible=True)
    assert ticket.cancel("no need").status == "cancelled"
    with pytest.raises(Cancelled):
        ticket.wait(60)


def test_closing_ends_the_waits_of_other_threads(serving: Core, redis_url: str) -> None:
    key = serving.signer.verify_key
    with ThreadPoolExecutor(1) as pool:
        with Signoff(redis_url=redis_url, agent="billing-bot", verify_key=key) as signoff:
            ticket = signoff.request("refund.create", PAYLOAD, reversible=True)
            channel = stream.notification("billing-bot", ticket.id)
            wait = pool.submit(ticket.wait)
            eventually(lambda: signoff.received(ticket.id, 1))
            eventually(lambda: serving.redis.pubsub_numsub(channel)[0][1])
        with pytest.raises(CancelledError):
            wait.result(60)


def test_a_notice_that_comes_while_it_closes_starts_nothing(redis_url: str) -> None:
    async def main() -> int:
        closing = exchange.RedisExchange(redis_url, "billing-bot")
        wait = asyncio.create_task(closing.wait("an-id", 60))
        while not closing._notifications.connected:
            await asyncio.sleep(0.001)
        let_go = closing._notifications.close

        async def hear_of_it_first() -> None:
            closing._look((stream.notification("billing-bot", "an-id"),))
            await let_go()

        closing._notifications.close = hear_of_it_first  # type: ignore[method-assign]
        await closing.close()
        left = len(closing._tasks)
        wait.cancel()
        return left

    assert asyncio.run(main()) == 0


def test_a_client_that_is_let_go_unclosed_says_nothing_over_any_number_of_loops(
    serving: Core, redis_url: str
) -> None:
    program = (
        "import asyncio, sys, uuid\n"
        "from signoff import AsyncSignoff\n"
        "client = AsyncSignoff(redis_url=sys.argv[1], agent='billing-bot', verify_key=sys.argv[2])\n"
        "async def ask(): print(await client.get(str(uuid.uuid4())))\n"
        "asyncio.run(ask()); asyncio.run(ask())"
    )
    command = [sys.executable, "-c", program, redis_url, serving.signer.verify_key]
    run = subprocess.run(command, capture_output=True, text=True, timeout=60, check=True)
    assert (run.stdout, run.stderr) == ("None\nNone\n", "")


def test_another_process_resumes_by_id(serving: Core, signoff: Signoff, redis_url: str) -> None:
    ticket = signoff.request("refund.create", PAYLOAD, reversible=True)
    decide(serving, ticket.id)
    with Signoff(redis_url=redis_url, agent="billing-bot", verify_key=serving.signer.verify_key) as later:
        assert later.resume(ticket.id, ticket.digest).wait(60).payload == PAYLOAD
        with pytest.raises(NotVerified, match="another payload"):
            later.resume(ticket.id, "0" * 64).wait(60)
        assert later.get(ticket.id).status == "approved"  # type: ignore[union-attr]


def test_the_same_key_attaches_to_the_first_request(serving: Core, signoff: Signoff) -> None:
    first = signoff.request("refund.create", PAYLOAD, reversible=True, key="order-7")
    again = signoff.request(
        "refund.create", {"amount": 120.0, "customer": "cus_42"}, reversible=True, key="order-7"
    )
    assert first.id == again.id
    decide(serving, first.id)
    assert first.wait(60).nonce == again.wait(60).nonce
    other = signoff.request("refund.create", {"amount": 1}, reversible=True, key="order-7")
    with pytest.raises(Invalid, match="with other content"):
        other.wait(60)


def test_a_report_reaches_the_row(serving: Core, signoff: Signoff) -> None:
    ticket = signoff.request("refund.create", PAYLOAD, reversible=True)
    decide(serving, ticket.id)
    signoff.report(ticket.wait(60).id, succeeded=True, note="re_991")
    eventually(lambda: serving.store.find("billing-bot", ticket.id).outcome)  # type: ignore[union-attr]


def test_one_client_serves_many_threads(serving: Core, signoff: Signoff) -> None:
    def one(number: int) -> Any:
        ticket = signoff.request("refund.create", {"number": number}, reversible=True)
        decide(serving, ticket.id)
        return ticket.wait(60).payload

    with ThreadPoolExecutor(20) as pool:
        assert sorted(p["number"] for p in pool.map(one, range(40))) == list(range(40))
    clients = [c for c in serving.redis.client_list() if c["cmd"] in ("subscribe", "unsubscribe")]
    assert len([c for c in clients if "t" not in c["flags"]]) == 1  # the intake has one, and is told of keys


def test_it_works_in_a_forked_child_and_the_parent_goes_on(serving: Core, signoff: Signoff) -> None:
    ticket = signoff.request("refund.create", PAYLOAD, reversible=True)
    decide(serving, ticket.id)
    assert ticket.wait(60).approved
    with warnings.catch_warnings():
        warnings.simplefilter("ignore", DeprecationWarning)  # forking beside threads is the point here
        child = os.fork()
    if child == 0:
        status = 1
        try:
            status = 0 if ticket.wait(30).payload == PAYLOAD and signoff.get(ticket.id) else 1
        finally:
            os._exit(status)
    assert os.waitpid(child, 0)[1] == 0
    second = signoff.request("refund.create", PAYLOAD, reversible=True)
    decide(serving, second.id)
    assert second.wait(60).approved


def test_it_works_in_a_thread_beside_a_running_loop(serving: Core, signoff: Signoff) -> None:
    async def main() -> Any:
        ticket = await asyncio.to_thread(signoff.request, "refund.create", PAYLOAD, reversible=True)
        await asyncio.to_thread(decide, serving, ticket.id)
        blocking = await asyncio.to_thread(ticket.wait, 60)
        return blocking, await signoff.ask_async("other.action", {}, reversible=True, timeout=0.2)

    with pytest.raises(WaitTimeout):
        asyncio.run(main())


def test_the_async_client_waits_for_many_at_once(serving: Core, redis_url: str) -> None:
    async def main() -> list[Any]:
        key = serving.signer.verify_key
        async with AsyncSignoff(redis_url=redis_url, agent="billing-bot", verify_key=key) as signoff:
            tickets = [await signoff.request("a", {"n": n}, reversible=True) for n in range(50)]
            waits = [asyncio.create_task(ticket.wait(60)) for ticket in tickets]
            await asyncio.to_thread(lambda: [decide(serving, ticket.id) for ticket in tickets])
            return [(await wait).payload for wait in waits]

    assert asyncio.run(main()) == [{"n": n} for n in range(50)]


def test_redis_going_away_while_waiting_is_survived(core: Core, own_redis: RedisServer) -> None:
    signer = Signer.generate()
    with Signoff(redis_url=own_redis.url, agent="billing-bot", verify_key=signer.verify_key) as signoff:
        ticket = signoff.request("refund.create", PAYLOAD, reversible=True)
        result: list[Any] = []
        waiter = threading.Thread(target=lambda: result.append(ticket.wait(60)))
        waiter.start()
        client = redis.Redis(port=own_redis.port)
        eventually(lambda: client.pubsub_numsub(stream.notification("billing-bot", ticket.id))[0][1])
        own_redis.stop(kill=True)
        own_redis.start()
        answer = signed(core, signer, ticket.id, nonce=json.loads(ticket._body or "")["nonce"])
        client.set(stream.decision("billing-bot", ticket.id), answer.encode())  # and nobody publishes
        waiter.join(timeout=60)
        client.close()
    assert result and result[0].approved


def signed(core: Core, signer: Signer, request_id: str, **changes: Any) -> Response:
    """An answer that `signer` signed for PAYLOAD, in a request that the database may know."""
    from datetime import UTC, datetime, timedelta

    from signoff.models.receipt import Receipt
    from signoff.payload.canonical import canonical, digest
    from signoff.receipts import new_jti, sign

    text = canonical(PAYLOAD)
    now = datetime.now(UTC)
    known = core.store.find("billing-bot", request_id)
    values: dict[str, Any] = {
        "id": request_id,
        "agent": "billing-bot",
        "action": "refund.create",
        "status": "approved",
        "version": 1,
        "digest_sent": digest(text),
        "digest": digest(text),
        "jti": new_jti(),
        "nonce": known.request.nonce if known else "",
        "issued_at": now,
        "not_after": now + timedelta(hours=1),
    }
    receipt = Receipt.model_validate({**values, **changes})
    return Response(status=receipt.status, receipt=sign(signer, receipt), payload=text)


def test_what_does_not_verify_is_never_run(serving: Core, signoff: Signoff) -> None:
    ticket = signoff.request("refund.create", PAYLOAD, reversible=True)
    eventually(lambda: serving.store.find("billing-bot", ticket.id))
    good = signed(serving, serving.signer, ticket.id)
    asked = build_request("billing-bot", "refund.create", PAYLOAD, {})[0]
    other = signed(serving, serving.signer, str(asked.id), nonce=asked.nonce)
    header, claims, signature = (good.receipt or "").split(".")
    forged = {
        "another key": signed(serving, Signer.generate(), ticket.id),
        "another request": other,
        "another agent": signed(serving, serving.signer, ticket.id, agent="other-bot"),
        "another payload": good.model_copy(update={"payload": '{"amount":999,"customer":"cus_42"}'}),
        "no payload": good.model_copy(update={"payload": None}),
        "not canonical": good.model_copy(update={"payload": ' {"amount":120,"customer":"cus_42"}'}),
        "another nonce": signed(serving, serving.signer, ticket.id, nonce="0" * 32),
        "another action": signed(serving, serving.signer, ticket.id, action="refund.other"),
        "another kind": signed(serving, serving.signer, ticket.id, kind="question"),
        "another deployment": signed(serving, serving.signer, ticket.id, issuer="staging"),
        "no digest as sent": signed(serving, serving.signer, ticket.id, digest_sent=None),
        "another spelling": good.model_copy(update={"receipt": f"{good.receipt}=="}),
        "another digest as sent": signed(serving, serving.signer, ticket.id, digest_sent="0" * 64),
        "a rejection called approved": signed(
            serving, serving.signer, ticket.id, status="rejected"
        ).model_copy(update={"status": "approved"}),
        "a changed claim": good.model_copy(update={"receipt": f"{header}.{claims[:-4]}AAAA.{signature}"}),
        "no signature": good.model_copy(update={"receipt": f"{header}.{claims}."}),
        "not a token": good.model_copy(update={"receipt": "x"}),
        "no receipt": good.model_copy(update={"receipt": None}),
        "over": signed(serving, serving.signer, ticket.id, not_after="2020-01-01T00:00:00Z"),
    }
    for name, answer in forged.items():
        serving.redis.set(stream.decision("billing-bot", ticket.id), answer.encode())
        with pytest.raises(NotVerified):
            print(name, ticket.wait(10))
    serving.redis.set(stream.decision("billing-bot", ticket.id), "not json")
    with pytest.raises(NotVerified):
        ticket.wait(10)
    serving.redis.set(stream.decision("billing-bot", ticket.id), good.encode())
    assert ticket.wait(10).approved


def test_an_unreachable_redis_is_said_so_and_nothing_is_approved() -> None:
    url = f"redis://127.0.0.1:{free_port()}"
    with Signoff(redis_url=url, agent="a", verify_key=Signer.generate().verify_key) as signoff:
        with pytest.raises(Unreachable, match="SIGNOFF_REDIS_URL"):
            signoff.request("refund.create", PAYLOAD, reversible=True)
        with pytest.raises(Unreachable):
            signoff.get("0192b1de-0000-7000-8000-000000000000")
        started = time.monotonic()
        with pytest.raises(Unreachable) as caught:
            signoff.resume("0192b1de-0000-7000-8000-000000000000").wait(60)
        assert time.monotonic() - started < 40
        assert not isinstance(caught.value, NotApproved)


def test_a_request_that_nobody_picks_up_is_sent_again_and_said_so(
    core: Core, redis_url: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    monkeypatch.setattr(resend, "RESEND_SECONDS", (0.05,))
    monkeypatch.setattr(resend, "NOBODY_SECONDS", 0.2)
    key = core.signer.verify_key
    caplog.set_level(logging.WARNING, "signoff")
    with Signoff(redis_url=redis_url, agent="billing-bot", verify_key=key) as signoff:
        ticket = signoff.request("refund.create", PAYLOAD, reversible=True)
        eventually(lambda: "signoff serve" in caplog.text)
        assert core.redis.xlen(stream.requests("billing-bot")) == 1, "what stands unread is not sent again"
        core.redis.flushall()  # all that was sent is lost
        eventually(lambda: core.redis.xlen(stream.requests("billing-bot")) > 0)
        sent = core.redis.xrange(stream.requests("billing-bot"))[0][1]
        assert sent[b"id"].decode() == ticket.id
        assert json.loads(core.redis.get(stream.body("billing-bot", ticket.id)))["payload"] == PAYLOAD


@pytest.mark.parametrize(
    ("payload", "says"),
    [
        ([], "has to be an object"),
        ("text", "has to be an object"),
        ({"a": float("nan")}, "NaN"),
        ({"a": float("inf")}, "infinite"),
        ({"a": 2**53}, r"2\^53"),
        ({"a": "\x00"}, "NUL"),
        ({"a": "\ud800"}, "surrogate"),
        ({"a": object()}, "JSON does not have"),
        ({1: "a"}, "not text"),
        ({"a": "x" * 262_144}, "at most 262,144"),
    ],
)
def test_a_payload_that_cannot_travel_is_refused_before_it_is_sent(
    signoff: Signoff, payload: Any, says: str
) -> None:
    with pytest.raises(Invalid, match=says):
        signoff.request("refund.create", payload, reversible=True)


def test_a_payload_nested_too_deep_is_refused(signoff: Signoff) -> None:
    payload: Any = {}
    for _ in range(32):
        payload = {"a": payload}
    with pytest.raises(Invalid, match="32 levels"):
        signoff.request("refund.create", payload, reversible=True)


@pytest.mark.parametrize(
    ("ask", "says"),
    [
        ({"reversible": "perhaps"}, "reversible"),
        ({"risk": "huge"}, "risk"),
        ({"reason": "x" * 100_000}, "4000"),
        ({"expires_in": 0}, "expires_in"),
        ({"expires_in": -1}, "expires_in"),
        ({"expires_in": 0.5}, "expires_in"),
        ({"expires_in": float("nan")}, "expires_in"),
        ({"expires_in": 31 * 24 * 3600}, "expires_in"),
        ({"surprise": 1}, "no field surprise"),
        ({"schema": {"type": "object", "properties": {"amount": {"maximum": 5}}}}, "amount"),
        ({"tags": ["Not A Tag"]}, "tags"),
        ({"confidence": 1.5}, "confidence"),
    ],
)
def test_what_the_server_would_refuse_is_refused_at_once(signoff: Signoff, ask: Any, says: str) -> None:
    with pytest.raises(Invalid, match=says):
        signoff.request("refund.create", PAYLOAD, **{"reversible": True, **ask})


def test_saying_nothing_about_reversibility_warns_once(signoff: Signoff) -> None:
    with pytest.warns(UserWarning, match="irreversible"):
        signoff.request("refund.create", PAYLOAD)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        signoff.request("refund.create", PAYLOAD)


def test_settings_that_are_missing_or_wrong_are_named(monkeypatch: pytest.MonkeyPatch, tmp_path: Any) -> None:
    for name in ("SIGNOFF_REDIS_URL", "SIGNOFF_AGENT", "SIGNOFF_VERIFY_KEY"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("SIGNOFF_DATA", str(tmp_path))
    key = Signer.generate().verify_key
    for given, says in (
        ({}, "signoff serve"),
        ({"redis_url": "redis://x"}, "SIGNOFF_VERIFY_KEY is not set"),
        ({"verify_key": key}, "SIGNOFF_REDIS_URL is not set"),
        ({"redis_url": "redis://x", "verify_key": key}, "SIGNOFF_AGENT is not set"),
        ({"redis_url": "redis://x", "verify_key": "hunter2", "agent": "a"}, "no public key"),
        ({"redis_url": "redis://x", "verify_key": key, "agent": "Not Valid"}, "a-z, 0-9"),
    ):
        with pytest.raises(ConfigError, match=says) as caught:
            Signoff(**given).request("a", {}, reversible=True)
        assert "hunter2" not in str(caught.value)
    (tmp_path / "agent.env").write_text(f"SIGNOFF_REDIS_URL=redis://h\nSIGNOFF_VERIFY_KEY={key}\n")
    assert Signoff().agent == "local"


def test_decisions_arrive_until_acknowledged(serving: Core, signoff: Signoff) -> None:
    tickets = [signoff.request("a", {"n": n}, reversible=True) for n in range(3)]
    for ticket in tickets[:2]:
        decide(serving, ticket.id)
    decide(serving, tickets[2].id, "reject", reason="no")
    arrivals = signoff.decisions()
    first, second, third = next(arrivals), next(arrivals), next(arrivals)
    assert [d.receipt.id for d in (first, second, third)] == [ticket.id for ticket in tickets]
    assert [d.receipt.approved for d in (first, second, third)] == [True, True, False]
    first.ack()
    arrivals.close()
    pending = serving.redis.xpending(stream.decisions("billing-bot"), "default")
    assert pending["pending"] == 2


def test_unacknowledged_decisions_come_again_and_duplicates_are_dropped(
    serving: Core, signoff: Signoff, monkeypatch: pytest.MonkeyPatch
) -> None:
    from signoff.client import inbox

    monkeypatch.setattr(inbox, "IDLE_MS", 1)
    one, two = (signoff.request("a", {"n": n}, reversible=True) for n in range(2))
    decide(serving, one.id)
    arrivals = signoff.decisions()
    assert next(arrivals).receipt.id == one.id
    arrivals.close()  # crashed before the ack
    for _ in range(2):
        serving.redis.xadd(stream.decisions("billing-bot"), {"id": one.id})
    decide(serving, two.id)
    again = signoff.decisions()
    found = next(again)
    assert found.receipt.id == one.id
    found.ack()
    assert next(again).receipt.id == two.id
    again.close()


def test_a_duplicate_request_says_so(serving: Core, signoff: Signoff) -> None:
    from support import a_request

    first = signoff.request("refund.create", PAYLOAD, reversible=True, key="k")
    eventually(lambda: serving.store.find("billing-bot", first.id))
    other = a_request(payload=PAYLOAD, key="k", nonce="0" * 32)
    send_entry(serving.redis, "billing-bot", "request", str(other.id), other.encode())
    with pytest.raises(Duplicate, match=first.id):
        signoff.resume(str(other.id)).wait(60)
