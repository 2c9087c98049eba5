"""Requests that an agent asks together, against a real Redis and a real intake; and in a test of an agent."""

from __future__ import annotations

import asyncio
import threading
import time
from contextlib import closing
from typing import Any

import pytest
from support import Core, eventually

from signoff import AlreadySpent, AsyncSignoff, Duplicate, Invalid, Rejected, Signoff, WaitTimeout
from signoff.client.batch_face import Batch
from signoff.queue import stream


@pytest.fixture(params=["sqlite"])
def database_url(request: pytest.FixtureRequest, tmp_path: Any) -> str:
    """These tests are about the client: one database will do."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


def tidy(signoff: Signoff, count: int = 3, **said: Any) -> Batch:
    """A batch that was sent."""
    with signoff.batch("Clean up", **said) as batch:
        for n in range(count):
            batch.request("ticket.tidy", {"n": n}, reversible=True)
    return batch


def frozen(core: Core) -> Any:
    """The newest batch, once it is frozen with all that belongs to it."""
    found = core.approvals.batches.get(eventually(lambda: _newest(core)))
    return found if len(found.items) + len(found.apart) == found.size else None


def _newest(core: Core) -> int | None:
    with core.store.reading() as connection:
        row = connection.exec_driver_sql("SELECT max(id) FROM batch WHERE state = 'frozen'").scalar()
    return int(row) if row else None


def test_a_batch_is_sent_at_its_end_and_comes_back_in_order_whatever_became_of_it(
    serving: Core, signoff: Signoff
) -> None:
    with signoff.batch("Clean up", run="r7") as batch:
        tickets = [batch.request("ticket.tidy", {"n": n}, reversible=True) for n in range(4)]
        assert serving.redis.exists(stream.requests("billing-bot")) == 0 or not serving.store.waiting()
    found = eventually(lambda: frozen(serving))
    assert (found.title, found.run, found.size) == ("Clean up", "r7", 4)
    ids = [one.id for one in found.items]
    assert ids == [one.id for one in tickets]
    serving.approvals.decide(ids[2], 1, "U0ANA", "reject", reason="not this one")
    serving.approvals.decide(ids[0], 1, "U0ANA", "approve", payload={"n": 10})
    serving.approvals.decide(ids[3], 1, "U0ANA", "approve")
    with closing(batch.results(timeout=30)) as early:
        assert {next(early).status for _ in range(3)} == {"approved", "rejected"}
    with pytest.raises(WaitTimeout, match="1 of 4 requests wait still"):
        batch.wait(0.5)
    serving.approvals.cancel("billing-bot", ids[1])
    receipts = batch.wait(30)
    assert [one.status for one in receipts] == ["approved", "cancelled", "rejected", "approved"]
    assert [one.payload for one in receipts.approved] == [{"n": 10}, {"n": 3}]
    assert [one.status for one in receipts.others] == ["cancelled", "rejected"]
    assert serving.approvals.get(ids[0]).spent_by and serving.approvals.get(ids[3]).spent_by
    with pytest.raises(Duplicate, match="runs, or has run"):
        tickets[0].wait(10)
    with pytest.raises(Rejected, match="not this one"):
        tickets[2].wait(10)


def test_what_another_process_runs_comes_back_as_a_duplicate_and_unspent_only_where_that_is_said(
    serving: Core, signoff: Signoff
) -> None:
    batch = tidy(signoff, 2)
    found = eventually(lambda: frozen(serving))
    for one in found.items:
        serving.approvals.decide(one.id, 1, "U0ANA", "approve")
    kept = batch.wait(30, runs="at-least-once")
    assert all(one.approved for one in kept)
    assert not any(serving.approvals.get(one.id).spent_by for one in kept)
    serving.approvals.spend("billing-bot", kept[0].id, "another-process-0001")
    again = batch.wait(30)
    assert [one.status for one in again] == ["duplicate", "approved"]
    assert again[0].payload is None and "another-process-0001" in again[0].reason
    signoff.spend(again[1], 10)
    with pytest.raises(AlreadySpent):
        signoff.spend(again[1], 10)


def test_a_batch_with_a_key_attaches_to_the_first(serving: Core, signoff: Signoff) -> None:
    first, second = (tidy(signoff, 2, key="night 12") for _ in range(2))
    assert [one.id for one in first.tickets] == [one.id for one in second.tickets]
    eventually(lambda: frozen(serving))
    eventually(lambda: serving.redis.xlen(stream.requests("billing-bot")) == 0)
    for one in first.tickets:
        serving.approvals.decide(one.id, 1, "U0ANA", "approve")
    assert all(one.approved for one in second.wait(30))
    with serving.store.reading() as connection:
        assert connection.exec_driver_sql("SELECT count(*) FROM batch").scalar() == 1
    other = tidy(signoff, 3, key="night 12")
    with pytest.raises(Invalid, match="other requests"):
        other.wait(30)


def test_nothing_is_sent_where_the_block_raises_and_mistakes_are_told_at_once(
    serving: Core, signoff: Signoff
) -> None:
    with pytest.raises(ZeroDivisionError), signoff.batch("Clean up") as batch:
        batch.request("ticket.tidy", {}, reversible=True)
        raise ZeroDivisionError
    with pytest.raises(Invalid, match="was sent"):
        batch.wait(1)
    with pytest.raises(Invalid, match="once its"):
        batch.request("ticket.tidy", {}, reversible=True)
    with pytest.raises(Invalid, match="Nothing was asked"), signoff.batch("Empty"):
        pass
    with pytest.raises(Invalid, match="holds no other"), signoff.batch("One"), signoff.batch("Two"):
        pass
    with pytest.raises(Invalid, match="used once"), batch:
        pass
    with pytest.raises(Invalid, match="before"):
        signoff.batch("New").request("ticket.tidy", {})
    for title in ("", " ", "x" * 151, None):
        with pytest.raises(Invalid):
            signoff.batch(title)  # type: ignore[arg-type]
    with pytest.raises(Invalid):
        signoff.batch("t", run="x" * 101)
    with pytest.raises(Invalid):
        signoff.batch("t", key="x" * 241)
    with pytest.raises(Invalid, match="is the same"), signoff.batch("Twice") as twice:
        for _ in range(2):
            twice.request("ticket.tidy", {"n": 1}, reversible=True)
    with pytest.raises(Invalid, match="at most 500"), signoff.batch("Many") as many:
        for n in range(501):
            many.request("ticket.tidy", {"n": n}, reversible=True)
    with pytest.raises(Invalid, match="bytes"), signoff.batch("Large") as large:
        for n in range(200):
            large.request("ticket.tidy", {"n": n, "text": "x" * 200_000}, reversible=True)
    with pytest.raises(Invalid, match=r"NaN|finite|not"), signoff.batch("Wrong") as wrong:
        wrong.request("ticket.tidy", {"n": float("nan")}, reversible=True)
    with (
        pytest.warns(UserWarning, match="card of its own"),
        pytest.raises(ZeroDivisionError),
        signoff.batch("Unsaid") as unsaid,
    ):
        unsaid.request("ticket.tidy", {"n": 1})
        raise ZeroDivisionError
    assert serving.redis.xlen(stream.requests("billing-bot")) == 0
    assert serving.store.waiting() == []
    threads = [threading.Thread(target=tidy, args=(signoff, 1)) for _ in range(2)]
    for one in threads:
        one.start()
    for one in threads:
        one.join(30)


def test_batches_in_coroutines_of_both_clients(serving: Core, redis_url: str) -> None:
    settings = {
        "redis_url": redis_url, "agent": "billing-bot", "verify_key": serving.signer.verify_key,
    }  # fmt: skip

    def frozen(request_id: str) -> Any:
        found = serving.store.find("billing-bot", request_id)
        return found if found and not found.unseen else None

    async def ask(client: Any, title: str) -> list[str]:
        async with client.batch_async(title) as batch:
            for n in range(2):
                batch.request("ticket.tidy", {"title": title, "n": n}, reversible=True)
        for one in batch.tickets:
            approval = await asyncio.to_thread(eventually, lambda one=one: frozen(one.id))
            await asyncio.to_thread(serving.approvals.decide, approval.id, 1, "U0ANA", "approve")
        came = [one.status async for one in batch.results_async(30)]
        return [*came, *[one.status for one in await batch.wait_async(30)]]

    async def both() -> None:
        async with AsyncSignoff(**settings) as client:
            assert await ask(client, "one") == ["approved"] * 4
        with Signoff(**settings) as other:
            assert await ask(other, "two") == ["approved"] * 4

    asyncio.run(both())


def test_what_redis_lost_of_a_batch_is_sent_again(core: Core, redis_url: str) -> None:
    from support import intake_of

    settings = {"redis_url": redis_url, "agent": "billing-bot", "verify_key": core.signer.verify_key}
    with Signoff(**settings) as signoff:
        batch = tidy(signoff, 3)
        core.redis.flushdb()
        with intake_of(core, redis_url, "billing-bot"):
            found = eventually(lambda: frozen(core), 60)
            assert [one.id for one in found.items] == [one.id for one in batch.tickets]


def test_five_hundred_of_five_kilobytes_are_sent_in_moments(core: Core, redis_url: str) -> None:
    settings = {"redis_url": redis_url, "agent": "billing-bot", "verify_key": core.signer.verify_key}
    with Signoff(**settings) as signoff:
        began = time.process_time()
        with signoff.batch("Many") as batch:
            for n in range(500):
                batch.request("ticket.tidy", {"n": n, "text": "x" * 5000}, reversible=True)
        assert core.redis.xlen(stream.requests("billing-bot")) == 501
        assert time.process_time() - began < 20, "0.6 s on a quiet machine"
        assert len(batch.tickets) == 500


def test_a_test_of_an_agent_says_what_becomes_of_each(signoff_approvals: Any) -> None:
    signoff_approvals.approve()
    signoff_approvals.reject("ticket.lose", reason="never")
    with Signoff() as signoff:
        with signoff.batch("Clean up") as batch:
            batch.request("ticket.tidy", {"n": 1}, reversible=True)
            batch.request("ticket.lose", {"n": 2}, reversible=True)
            assert signoff_approvals.requests == []
        assert [one.status for one in batch.wait()] == ["approved", "rejected"]
    title, asked = signoff_approvals.batches[0]
    assert (title, [one.action for one in asked]) == ("Clean up", ["ticket.tidy", "ticket.lose"])
