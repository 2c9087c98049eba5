"""The agent's side of undoing: what runs, how often, and what does not, over a real Redis."""

from __future__ import annotations

import asyncio
import base64
import json
import threading
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

import pytest
from sqlalchemy import text
from support import Core, eventually, intake_of

from signoff.approvals.sweep import Sweep
from signoff.bot.text.undone import undone_line
from signoff.client import undo as undos
from signoff.client import undo_arrivals
from signoff.client.client import AsyncSignoff
from signoff.client.exchange import RedisExchange
from signoff.client.face import Signoff
from signoff.client.inbox import Inbox
from signoff.errors import Unreachable
from signoff.models.messages import Outcome
from signoff.models.receipt import Receipt
from signoff.queue import stream
from signoff.receipts import Signer, sign_undo_test

POLICY = """agents: {billing-bot: {owner: U0MIA}}
rules:
  - name: refunds
    match: {action: refund.create}
    verdict: notify
    approvers: U0ANA
    undo_for: 1h
    undo: {action: refund.cancel, payload: {id: $result.id, lines: $payload.lines}}
"""


@dataclass(frozen=True)
class Line:
    """One line of a refund."""

    amount: int


@pytest.fixture(autouse=True)
def ended(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The threads of a test end with it: the next one's Redis may be the same, and they are of its group."""
    running, serve = list[tuple[asyncio.AbstractEventLoop, Any, threading.Event]](), undos.serve

    async def kept(client: Any, undo: undos.Undo) -> None:
        over = threading.Event()
        running.append((asyncio.get_running_loop(), asyncio.current_task(), over))
        try:
            with suppress(asyncio.CancelledError):
                await serve(client, undo)
        finally:
            over.set()

    monkeypatch.setattr(undos, "serve", kept)
    yield
    for loop, task, over in running:
        if not over.is_set():
            loop.call_soon_threadsafe(task.cancel)
            assert over.wait(30)


@pytest.fixture
def client(core: Core, redis_url: str) -> Iterator[Signoff]:
    with Signoff(redis_url=redis_url, agent="billing-bot", verify_key=core.signer.verify_key) as client:
        yield client


def let_run(core: Core, number: int = 7) -> Any:
    core.follow(POLICY)
    one = core.submit(payload={"lines": [{"amount": 5}], "number": number})
    core.approvals.report(one.agent, one.request_id, Outcome(succeeded=True, result={"id": f"re_{number}"}))
    return core.approvals.get(one.id)


def undone(core: Core, first: Any) -> Any:
    return core.approvals.get(first.id).undo.done


def outcome(core: Core, first: Any) -> Callable[[], bool]:
    return lambda: undone(core, first).succeeded is not None


def test_a_worker_takes_runs_once_and_reports(core: Core, client: Signoff, redis_url: str) -> None:
    """With exactly the receipt's payload, by its annotations; two workers share the work."""
    first, called = let_run(core), list[tuple[str, list[Line], str]]()

    def cancel(id: str, lines: list[Line]) -> None:
        called.append((id, lines, threading.current_thread().name))

    client.undo("refund.cancel")(cancel)
    other = Signoff(redis_url=redis_url, agent="billing-bot", verify_key=core.signer.verify_key)
    other.undo("refund.cancel")(cancel)
    with intake_of(core, redis_url, "billing-bot"):
        eventually(lambda: core.approvals.get(first.id).undo.known)
        pressed = core.approvals.undo.ask(first.id, "U0ANA")
        eventually(outcome(core, first))
        assert [one[:2] for one in called] == [("re_7", [Line(5)])]
        assert undone(core, first).succeeded and undone(core, first).spent_at
        # Replayed: the same entry comes once more, and nothing runs.
        core.redis.xadd(stream.decisions("billing-bot"), {"id": pressed.request_id})
        second = let_run(core, 8)
        core.approvals.undo.ask(second.id, "U0ANA")
        eventually(outcome(core, second))
        assert [one[0] for one in called] == ["re_7", "re_8"]


def test_nothing_but_an_undo_of_its_own_is_run(core: Core, client: Signoff, redis_url: str) -> None:
    """An ordinary approval of that very action, another agent's undo, and a forged receipt."""
    first, called = let_run(core), list[str]()

    @client.undo("refund.cancel")
    def cancel(id: str, lines: list[Line]) -> None:
        called.append(id)

    with intake_of(core, redis_url, "billing-bot", "other-bot"):
        payload = {"id": "re_9", "lines": []}
        plain = core.submit(action="refund.cancel", payload=payload)
        core.approvals.decide(plain.id, 1, core_approver(core), "approve")
        theirs = core.submit("other-bot", payload={"lines": [], "number": 1})
        core.approvals.report("other-bot", theirs.request_id, Outcome(succeeded=True, result={"id": "re_1"}))
        pressed = core.approvals.undo.ask(theirs.id, "U0ANA")
        told = stream.response(core.redis, "other-bot", pressed.request_id)
        assert told is not None
        core.redis.set(stream.decision("billing-bot", pressed.request_id), told.encode())
        core.redis.xadd(stream.decisions("billing-bot"), {"id": pressed.request_id})
        core.approvals.undo.ask(first.id, "U0ANA")
        eventually(outcome(core, first))
    assert called == ["re_7"]
    assert core.approvals.get(plain.id).spent_at is None


def core_approver(core: Core) -> str:
    """Somebody who may decide by default."""
    core.people.groups["S0FIN"] = {"U0BEN"}
    return "U0BEN"


def test_what_it_raises_and_what_does_not_fit_is_reported(
    core: Core, client: Signoff, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """By its kind alone; the program's own log says all of it."""
    first = let_run(core)

    @client.undo("refund.cancel")
    def cancel(id: int, lines: list[Line]) -> None:
        raise AssertionError("never called: re_7 is no number")

    with intake_of(core, redis_url, "billing-bot"):
        pressed = core.approvals.undo.ask(first.id, "U0ANA")
        eventually(outcome(core, first))
        assert undone(core, first).succeeded is False
        reported = core.approvals.get(pressed.id).outcome
        assert reported is not None and reported.note == "Invalid" and "re_7" not in str(reported)
    assert "does not fit" in caplog.text and "cancel()" in caplog.text and ": id: " in caplog.text


def test_redis_going_away_around_the_spend_loses_no_undo(
    core: Core, client: Signoff, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its server has spent it, and the answer is lost; it is ours, and is not acknowledged: it runs, once."""
    faults, called = dict[str, int](), list[str]()

    def lossy(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        async def once(*args: Any) -> Any:
            found = await real(*args)
            if faults.setdefault(name, 0) == 0:
                faults[name] += 1
                raise Unreachable("gone")
            return found

        monkeypatch.setattr(owner, name, once)

    lossy(RedisExchange, "spend")
    lossy(Inbox, "ack")
    first = let_run(core)

    @client.undo("refund.cancel")
    def cancel(id: str, lines: list[Line]) -> None:
        called.append(id)

    with intake_of(core, redis_url, "billing-bot"):
        core.approvals.undo.ask(first.id, "U0ANA")
        eventually(outcome(core, first))
    assert faults == {"spend": 1, "ack": 1}
    assert called == ["re_7"] and undone(core, first).succeeded


def test_its_own_test_is_run_when_the_server_asks_and_for_nobody_else(
    core: Core, client: Signoff, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    first, tried, works = let_run(core), list[int](), [False]

    def try_it() -> None:
        tried.append(1)
        if not works[0]:
            raise ConnectionError("secret detail")

    client.undo("refund.cancel", test=try_it)(lambda id, lines: None)
    with intake_of(core, redis_url, "billing-bot"):
        eventually(lambda: core.approvals.get(first.id).undo.known)
        core.approvals.undoers.test("billing-bot", "refund.cancel")
        eventually(lambda: core.approvals.undoers.listed()[0].tested_at is not None)
        [one] = core.approvals.undoers.listed()
        assert (one.passed, one.fault) == (False, "ConnectionError") and len(tried) == 1
        assert "secret detail" in caplog.text, "the program's own log"
        forged = sign_undo_test(
            Signer.generate(), "billing-bot", "test:x", "refund.cancel", "signoff", datetime.now(UTC)
        )
        answer = f'{{"v":1,"status":"test","receipt":"{forged}"}}'
        core.redis.set(stream.decision("billing-bot", "test:x"), answer)
        core.redis.xadd(stream.decisions("billing-bot"), {"id": "test:x"})
        works[0] = True
        core.approvals.undoers.test("billing-bot", "refund.cancel")
        eventually(lambda: core.approvals.undoers.listed()[0].passed)
        assert len(tried) == 2 and core.approvals.get(first.id).undo.tried


def test_asyncio_runs_it_in_the_programs_own_loop(core: Core, redis_url: str) -> None:
    asyncio.run(in_its_loop(core, redis_url))


async def in_its_loop(core: Core, redis_url: str) -> None:
    first, called = let_run(core), list[str]()
    loop = asyncio.get_running_loop()
    async with AsyncSignoff(
        redis_url=redis_url, agent="billing-bot", verify_key=core.signer.verify_key
    ) as client:

        @client.undo("refund.cancel")
        async def cancel(id: str, lines: list[Line]) -> None:
            assert asyncio.get_running_loop() is loop
            called.append(id)

        serving = asyncio.ensure_future(client.serve_undos())
        with intake_of(core, redis_url, "billing-bot"):
            await asyncio.to_thread(core.approvals.undo.ask, first.id, "U0ANA")
            async with asyncio.timeout(30):
                while not outcome(core, first)():
                    await asyncio.sleep(0.02)
        serving.cancel()
    assert called == ["re_7"]


def test_a_gated_function_names_what_undoes_it(core: Core, client: Signoff) -> None:
    started = list[undos.Undo]()

    @client.require_approval(action="refund.create", reversible=True)
    def refund(amount: int) -> None: ...

    class Kept:
        """A client that only notes what it is asked."""

        def undo(self, action: str | None, **more: Any) -> Callable[[Any], Any]:
            return lambda function: started.append(undos.registered(action, function, **more)) or function

    gate: Any = refund
    gate.undo.func(Kept(), action="refund.cancel")(lambda id: None)

    def refund_cancel(id: str) -> None: ...

    gate.undo.func(Kept(), refund_cancel)
    assert [one.action for one in started] == ["refund.cancel", "refund_cancel"]


@pytest.mark.parametrize(
    ("function", "more", "said"),
    [
        (lambda x: (yield x), {}, "generator"),
        (lambda x: x, {"action": "no good"}, "undo()"),
        (lambda x: x, {"test": lambda needed: None}, "without arguments"),
    ],
)
def test_what_cannot_undo_is_told_when_it_registers(function: Any, more: Any, said: str) -> None:
    with pytest.raises(TypeError, match=said.replace("(", r"\(").replace(")", r"\)")):
        undos.registered(**{"action": "a", "function": function, **more})


def test_a_receipt_says_what_it_undoes(core: Core, client: Signoff, redis_url: str) -> None:
    first = let_run(core)
    pressed = core.approvals.undo.ask(first.id, "U0ANA")
    found = client.get(pressed.request_id)
    assert isinstance(found, Receipt) and found.approved and found.undoes == first.id


def test_a_worker_with_an_outdated_key_leaves_an_undo_to_others(
    core: Core, client: Signoff, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """It takes nothing and says what to do; after 30 s the card says that nobody took it."""
    first, called = let_run(core), list[str]()
    outdated = Signoff(redis_url=redis_url, agent="billing-bot", verify_key=Signer.generate().verify_key)
    outdated.undo("refund.cancel", test=lambda: called.append("test"))(lambda id, lines: called.append("old"))
    group = undo_arrivals.GROUP + "refund.cancel"
    with intake_of(core, redis_url, "billing-bot"):
        eventually(lambda: core.approvals.get(first.id).undo.known)
        core.approvals.undoers.test("billing-bot", "refund.cancel")
        pressed = core.approvals.undo.ask(first.id, "U0ANA")
        eventually(lambda: caplog.text.count("SIGNOFF_VERIFY_KEY to what `signoff keys public` prints") == 2)
        assert pressed.request_id in caplog.text and "Traceback" not in caplog.text
        left = core.redis.xpending(stream.decisions("billing-bot"), group)
        assert left["pending"] == 2 and not called and undone(core, first).spent_at is None
        age(core, first, pressed)
        assert core.approvals.get(first.id).undo.done.untaken(core.store.clock())
        assert "Nobody took the undo" in str(undone_line(core.approvals.get(first.id), core.store.clock()))
        assert replies(core, first) == ["undo_untaken"]

        @client.undo("refund.cancel", test=lambda: called.append("good"))
        def cancel(id: str, lines: list[Line]) -> None:
            called.append(id)

        eventually(outcome(core, first), 60)
        eventually(lambda: core.approvals.undoers.listed()[0].passed)
    assert sorted(called) == ["good", "re_7"] and undone(core, first).succeeded
    assert core.redis.xpending(stream.decisions("billing-bot"), group)["pending"] == 0


def age(core: Core, first: Any, pressed: Any) -> None:
    """31 s pass, and a sweep."""
    with core.store.transaction() as connection:
        for column, one in (("undo_at", first), ("ended_at", pressed)):
            statement = f"UPDATE approval SET {column} = {column} - 31000000 WHERE id = :id"
            connection.execute(text(statement), {"id": one.id})
    Sweep(core.approvals).step()


def replies(core: Core, one: Any) -> list[str]:
    """What is said in its card's thread."""
    with core.store.reading() as connection:
        query = text("SELECT kind FROM card_reply WHERE approval_id = :id ORDER BY id")
        return list(connection.execute(query, {"id": one.id}).scalars())


def test_what_nobody_can_verify_is_given_up_once_it_is_over(
    core: Core, client: Signoff, redis_url: str, caplog: pytest.LogCaptureFixture
) -> None:
    """An old undo, and what somebody made up: they are acknowledged, and said once."""
    first, called = let_run(core), list[str]()
    pressed = core.approvals.undo.ask(first.id, "U0ANA")
    told = stream.response(core.redis, "billing-bot", pressed.request_id)
    assert told is not None and told.receipt
    head, claims, signature = told.receipt.split(".")
    said = json.loads(base64.urlsafe_b64decode(claims + "=="))
    over = base64.urlsafe_b64encode(json.dumps(said | {"exp": 1}).encode()).decode().rstrip("=")
    ids = [pressed.request_id, "made-up-1", "made-up-2"]
    for arrived, receipt in zip(ids, (f"{head}.{over}.{signature}", "no token", None), strict=True):
        answer = told.model_copy(update={"receipt": receipt}).encode()
        core.redis.set(stream.decision("billing-bot", arrived), answer)
        core.redis.xadd(stream.decisions("billing-bot"), {"id": arrived})
    client.undo("refund.cancel")(lambda id, lines: called.append(id))
    eventually(lambda: caplog.text.count("not verified") == 3)
    eventually(lambda: _read_all(core, undo_arrivals.GROUP + "refund.cancel"))
    assert not called


def _read_all(core: Core, group: str) -> bool:
    """Whether a group has read and acknowledged all of the stream."""
    with suppress(Exception):
        groups: Any = core.redis.xinfo_groups(stream.decisions("billing-bot"))
        [mine] = [one for one in groups if one["name"] == group.encode()]
        return mine["pending"] == 0 and mine["lag"] == 0
    return False


# Where a loop is torn down in the middle of something, its connections are left to the collector.
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("moment", ["spends", "runs", "reports"])
@pytest.mark.parametrize("how", ["cancelled", "the loop ends"])
def test_a_cancelled_task_ends_the_undo_that_it_has_taken(
    core: Core, redis_url: str, monkeypatch: pytest.MonkeyPatch, moment: str, how: str
) -> None:
    """What is spent runs to its end and is reported; where the loop itself ends, a coroutine may not."""
    first, begun, called = let_run(core), threading.Event(), list[str]()

    def late(owner: Any, name: str) -> None:
        real = getattr(owner, name)

        async def slow(*args: Any, **more: Any) -> Any:
            found = await real(*args, **more)
            begun.set()
            await asyncio.sleep(0.3)
            return found

        monkeypatch.setattr(owner, name, slow)

    if moment == "spends":
        late(RedisExchange, "spend")
    if moment == "reports":
        late(AsyncSignoff, "report")

    async def cancel(id: str, lines: list[Line]) -> None:
        if moment == "runs":
            begun.set()
            await asyncio.sleep(0.3)
        called.append(id)

    async def main() -> None:
        given = {"redis_url": redis_url, "agent": "billing-bot", "verify_key": core.signer.verify_key}
        async with AsyncSignoff(**given) as client:
            client.undo("refund.cancel")(cancel)
            serving = asyncio.create_task(client.serve_undos())
            await asyncio.to_thread(begun.wait, 30)
            if how == "cancelled":
                serving.cancel()
                with suppress(asyncio.CancelledError):
                    await serving

    with intake_of(core, redis_url, "billing-bot"):
        core.approvals.undo.ask(first.id, "U0ANA")
        asyncio.run(main())
        eventually(outcome(core, first))
    stopped = moment == "runs" and how == "the loop ends"
    assert called == ([] if stopped else ["re_7"])
    assert undone(core, first).succeeded is not stopped
