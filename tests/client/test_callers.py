"""A call whose caller gave up never runs, and leaves no request behind; those that wait hold up nobody."""

from __future__ import annotations

import asyncio
import concurrent.futures
import contextlib
import threading
import time
import uuid
from collections.abc import Awaitable, Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor, as_completed
from functools import partial
from typing import Any

import anyio
import anyio.to_thread
import pytest
from sqlalchemy import text
from support import Core

from signoff.adapters.calls import Call, Calls, Stop
from signoff.client import callers, client, spare, testing
from signoff.client.asked import GAVE_UP
from signoff.client.client import AsyncSignoff
from signoff.client.face import Signoff
from signoff.client.testing import Approvals
from signoff.errors import Cancelled, WaitTimeout

signoff_approvals = testing.signoff_approvals
SOON = 20.0
"""Seconds after which a test gives up."""


class Waiting:
    """The scripted exchange, which waits as the real one does, and says what it was sent."""

    def __init__(self, scripted: Any) -> None:
        self.scripted = scripted
        self.sent: list[tuple[str, str]] = []
        self.waiting = 0
        self.spends = threading.Event()
        self.may_spend = threading.Event()
        self.may_spend.set()

    def __getattr__(self, name: str) -> Any:
        return getattr(self.scripted, name)

    async def send(self, kind: str, request_id: str, body: str) -> None:
        await self.scripted.send(kind, request_id, body)
        self.sent.append((kind, request_id))

    async def wait(self, request_id: str, timeout: float | None, body: str | None = None) -> Any:
        self.waiting += 1
        try:
            async with asyncio.timeout(timeout):
                while (response := await self.scripted.lookup(request_id)).status == "pending":
                    await asyncio.sleep(0.005)
                return response
        finally:
            self.waiting -= 1

    async def spend(self, request_id: str, body: str, timeout: float | None) -> Any:
        response = await self.scripted.spend(request_id, body, timeout)
        self.spends.set()
        while not self.may_spend.is_set():
            await asyncio.sleep(0.005)
        return response

    def kinds(self) -> list[str]:
        return [kind for kind, _ in self.sent]


@pytest.fixture
def waiting(signoff_approvals: Approvals, monkeypatch: pytest.MonkeyPatch) -> Waiting:
    assert client.substitute is not None
    exchange: Any = Waiting(client.substitute.exchange)
    given = client.substitute
    substitute = client.Substitute(exchange, given.agent, given.verify_keys, given.deployment)
    monkeypatch.setattr(client, "substitute", substitute)
    signoff_approvals.leave_pending()
    return exchange  # type: ignore[no-any-return]


@pytest.fixture
def signoff() -> Iterator[Signoff]:
    with Signoff() as found:
        yield found


class Tool:
    """A gated function: what ran, and how its calls ended."""

    def __init__(self, signoff: Signoff, **options: Any) -> None:
        self.ran: list[int] = []
        self.ends: list[str] = []

        @signoff.require_approval(reversible=True, **options)
        def pay(amount: int) -> str:
            self.ran.append(amount)
            return "paid"

        self._pay = pay

    def __call__(self, amount: int = 5) -> str:
        try:
            result = self._pay(amount)
        except BaseException as error:
            self.ends.append(type(error).__name__)
            raise
        self.ends.append("returned")
        return result


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(SOON):
        while not holds():
            await asyncio.sleep(0.005)


def until_now(holds: Callable[[], bool]) -> None:
    asyncio.run(until(holds))


async def in_pool(call: Callable[[], Any]) -> Any:
    return await asyncio.get_running_loop().run_in_executor(None, call)


async def in_anyio(call: Callable[[], Any]) -> Any:
    return await anyio.to_thread.run_sync(call)


async def abandoned(call: Callable[[], Any]) -> Any:
    return await anyio.to_thread.run_sync(call, abandon_on_cancel=True)


THREADS = pytest.mark.parametrize("thread", [asyncio.to_thread, in_pool, in_anyio, abandoned])


async def cancelled(work: Awaitable[Any], waits: Callable[[], bool]) -> None:
    task = asyncio.ensure_future(work)
    await until(waits)
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task


async def timed_out(work: Awaitable[Any], waits: Callable[[], bool]) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(work, 0.1)


async def scope_left(work: Awaitable[Any], waits: Callable[[], bool]) -> None:
    with anyio.move_on_after(0.1), contextlib.suppress(Cancelled):
        await work


@THREADS
@pytest.mark.parametrize("give_up", [cancelled, timed_out, scope_left])
@pytest.mark.parametrize(
    "options",
    [{}, {"key": lambda amount: f"k{amount}"}, {"on_reject": "explain"}, {"fallback": lambda: "no"}],
)
def test_a_call_whose_caller_gave_up_never_runs(
    signoff: Signoff,
    signoff_approvals: Approvals,
    waiting: Waiting,
    thread: Any,
    give_up: Any,
    options: dict[str, Any],
) -> None:
    tool = Tool(signoff, **options)

    async def main() -> None:
        await give_up(thread(partial(tool, 1)), lambda: waiting.waiting == 1)
        signoff_approvals.approve()  # in the very moment: too late
        await until(lambda: len(tool.ends) == 1)
        await until(lambda: waiting.waiting == 0)
        signoff_approvals.leave_pending()
        waiting.sent.clear()
        await give_up(thread(partial(tool, 2)), lambda: waiting.waiting == 1)
        await until(lambda: len(tool.ends) == 2)
        await until(lambda: waiting.waiting == 0)

    asyncio.run(main())
    assert tool.ends == ["GaveUp"] * 2
    assert tool.ran == []
    [request_id] = [request_id for kind, request_id in waiting.sent if kind == "request"]
    if "key" not in options:
        until_now(lambda: ("cancel", request_id) in waiting.sent)
    signoff_approvals.approve()
    if "key" in options:
        assert ("cancel", request_id) not in waiting.sent
        assert tool(2) == "paid"  # who asks again attaches to it
        assert waiting.sent[-1] == ("outcome", request_id)


@THREADS
def test_an_approval_spent_for_nobody_is_reported_as_not_succeeded(
    signoff: Signoff, signoff_approvals: Approvals, waiting: Waiting, thread: Any
) -> None:
    tool = Tool(signoff, key="k")
    signoff_approvals.approve()
    waiting.may_spend.clear()

    async def main() -> None:
        await cancelled(thread(tool), waiting.spends.is_set)
        await until(lambda: tool.ends != [])
        waiting.may_spend.set()
        await until(lambda: signoff_approvals.outcomes != {})

    asyncio.run(main())
    assert (tool.ran, tool.ends) == ([], ["GaveUp"])
    [outcome] = signoff_approvals.outcomes.values()
    assert (outcome.succeeded, outcome.note) == (False, GAVE_UP)


@pytest.mark.parametrize("on", ["Signoff", "AsyncSignoff"])
@pytest.mark.parametrize("give_up", [cancelled, timed_out, scope_left])
def test_a_coroutine_that_is_cancelled_withdraws_what_nobody_can_attach_to(
    signoff: Signoff, signoff_approvals: Approvals, waiting: Waiting, on: str, give_up: Any
) -> None:
    asked: Any = signoff if on == "Signoff" else AsyncSignoff()
    ran: list[int] = []

    async def pay(amount: int) -> None:
        ran.append(amount)

    async def main() -> None:
        gated = asked.require_approval(reversible=True)(pay)
        await give_up(gated(1), lambda: waiting.waiting == 1)
        await until(lambda: waiting.kinds() == ["request", "cancel"])
        keyed = asked.require_approval(reversible=True, key="k")(pay)
        await give_up(keyed(2), lambda: waiting.waiting == 1)
        await until(lambda: waiting.waiting == 0)
        signoff_approvals.approve()
        assert ran == []
        await keyed(2)
        waiting.spends.clear()
        waiting.may_spend.clear()
        await cancelled(gated(3), waiting.spends.is_set)
        waiting.may_spend.set()
        await until(lambda: len(signoff_approvals.outcomes) == 2)

    asyncio.run(main())
    assert ran == [2]
    assert waiting.kinds().count("cancel") == 1
    assert [o.note for o in signoff_approvals.outcomes.values() if not o.succeeded] == [GAVE_UP]


def test_a_result_that_comes_as_its_caller_leaves_is_not_lost(
    signoff: Signoff, signoff_approvals: Approvals, waiting: Waiting
) -> None:
    """Many calls, cancelled at every moment of theirs: each that was spent has run, or is reported."""
    signoff_approvals.approve()
    ran: list[int] = []

    @signoff.require_approval(reversible=True)
    async def pay(amount: int) -> None:
        ran.append(amount)

    @signoff.require_approval(reversible=True)
    def pay_in_thread(amount: int) -> None:
        ran.append(amount)

    async def one(amount: int) -> None:
        work = pay(amount) if amount % 2 else asyncio.to_thread(pay_in_thread, amount)
        task = asyncio.ensure_future(work)
        await asyncio.sleep(amount / 20_000)
        task.cancel()
        with contextlib.suppress(asyncio.CancelledError):
            await task

    async def main() -> None:
        for amount in range(100):
            await one(amount)
        spent = waiting.scripted._spent
        await until(lambda: spent.keys() <= signoff_approvals.outcomes.keys())

    asyncio.run(main())
    succeeded = [o for o in signoff_approvals.outcomes.values() if o.succeeded]
    assert len(succeeded) == len(ran)


def test_a_server_hears_that_nobody_waits_any_more(serving: Core, redis_url: str) -> None:
    """The same with Redis and an intake: both requests end, and neither call runs."""
    with Signoff(redis_url=redis_url, agent="billing-bot", verify_key=serving.signer.verify_key) as client:
        tool = Tool(client)
        ran: list[int] = []

        @client.require_approval(action="pay", reversible=True)
        async def pay(amount: int) -> None:
            ran.append(amount)

        def statuses() -> list[str]:
            with serving.store.reading() as connection:
                return sorted(connection.execute(text("SELECT status FROM approval")).scalars())

        async def main() -> None:
            tasks = [asyncio.ensure_future(work) for work in (asyncio.to_thread(tool), pay(6))]
            await until(lambda: statuses() == ["pending"] * 2)
            for task in tasks:
                task.cancel()
            await asyncio.gather(*tasks, return_exceptions=True)
            await until(lambda: statuses() == ["cancelled"] * 2)

        asyncio.run(main())
        assert (tool.ran, tool.ends, ran) == ([], ["GaveUp"], [])


def test_a_future_that_is_cancelled_while_it_runs_is_given_up(
    signoff: Signoff, signoff_approvals: Approvals, waiting: Waiting
) -> None:
    tool = Tool(signoff)
    with ThreadPoolExecutor(2) as pool:
        future: Future[str] = pool.submit(tool)
        until_now(lambda: waiting.waiting == 1)
        assert not future.cancel()  # it runs: concurrent.futures says so, and so does it now
        with pytest.raises(Cancelled):
            future.result(SOON)
    assert tool.ran == []


def test_a_caller_who_waits_gets_the_result_whatever_thread_it_is(
    signoff: Signoff, signoff_approvals: Approvals, waiting: Waiting
) -> None:
    tool = Tool(signoff)

    async def main() -> list[Any]:
        works = [thread(tool) for thread in (asyncio.to_thread, in_pool, in_anyio, abandoned)]
        tasks = [asyncio.ensure_future(work) for work in works]
        await until(lambda: waiting.waiting == 4)
        signoff_approvals.approve()
        return list(await asyncio.gather(*tasks))

    assert asyncio.run(main()) == ["paid"] * 4
    plain = threading.Thread(target=tool)
    plain.start()
    plain.join(SOON)
    assert tool.ends == ["returned"] * 5


def test_a_caller_that_cannot_be_found_blocks_as_ever(
    signoff: Signoff, signoff_approvals: Approvals, waiting: Waiting, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Python's and anyio's private parts are looked for, and not counted on."""
    monkeypatch.setattr(callers, "_code", lambda module, name: None)
    monkeypatch.setattr(callers, "_scope_is_cancelled", lambda: None)
    monkeypatch.setattr(spare, "_fits", lambda pool: False)
    tool = Tool(signoff, timeout=0.3, on_reject="explain")

    async def main() -> list[Any]:
        return list(await asyncio.gather(asyncio.to_thread(tool), in_anyio(tool)))

    texts = asyncio.run(main())
    assert all("nobody has decided yet" in text for text in texts)
    with pytest.raises(WaitTimeout):
        Tool(signoff, timeout=0.01)()


# Those who wait hold up nobody


async def beside(thread: Any, tool: Tool, waits: Waiting, calls: int) -> tuple[float, list[Any]]:
    """Seconds that an ungated call takes beside that many gated ones."""
    tasks = [asyncio.ensure_future(thread(tool)) for _ in range(calls)]
    await until(lambda: waits.waiting == calls)
    started = time.monotonic()
    assert await asyncio.wait_for(thread(lambda: 1), SOON) == 1
    return time.monotonic() - started, tasks


@pytest.mark.parametrize("thread", [asyncio.to_thread, in_anyio, abandoned])
def test_forty_calls_that_wait_hold_up_no_other(
    signoff: Signoff, signoff_approvals: Approvals, waiting: Waiting, thread: Any
) -> None:
    tool = Tool(signoff)

    async def main() -> tuple[int, float, float]:
        loop = asyncio.get_running_loop()
        pool = ThreadPoolExecutor(6)
        loop.set_default_executor(pool)
        limiter = anyio.to_thread.current_default_thread_limiter()
        seconds, tasks = await beside(thread, tool, waiting, 41)
        signoff_approvals.approve()
        assert await asyncio.gather(*tasks) == ["paid"] * 41
        assert seconds < 2  # 1 ms, where it does not wait for people
        await until(lambda: pool._max_workers == 6 and limiter.total_tokens == 40)
        return len(pool._threads), seconds, limiter.total_tokens

    threads, _, _ = asyncio.run(main())
    assert threads <= 6
    assert len(tool.ran) == 41


def test_a_pool_that_was_busy_before_gets_its_thread_too_and_one_of_a_single_thread_stays_so(
    signoff: Signoff, signoff_approvals: Approvals, waiting: Waiting
) -> None:
    tool = Tool(signoff)
    prepared: list[str] = []

    def prepare() -> None:
        prepared.append(threading.current_thread().name)

    with ThreadPoolExecutor(2, initializer=prepare) as pool:
        list(pool.map(time.sleep, [0.001] * 50))  # Python counts idle threads that are none
        calls = [pool.submit(tool) for _ in range(2)]
        until_now(lambda: waiting.waiting == 2)
        name = pool.submit(lambda: threading.current_thread().name).result(SOON)
        assert name in prepared  # the thread more was made as the others were
        signoff_approvals.approve()
        assert [call.result(SOON) for call in calls] == ["paid"] * 2
        until_now(lambda: (pool._max_workers, len(pool._threads)) == (2, 2))
        signoff_approvals.leave_pending()
        last = pool.submit(tool)
        until_now(lambda: waiting.waiting == 1 and len(pool._threads) == 3)
        pool.shutdown(wait=False)
        signoff_approvals.approve()
        assert last.result(SOON) == "paid"
    signoff_approvals.leave_pending()
    with ThreadPoolExecutor(1) as single:
        first, second = single.submit(tool), single.submit(lambda: 1)
        until_now(lambda: waiting.waiting == 1)
        with pytest.raises(TimeoutError):
            second.result(0.2)
        signoff_approvals.approve()
        assert (first.result(SOON), second.result(SOON)) == ("paid", 1)


# Whoever waits for whoever waits


def in_another_pool(call: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(2) as pool:
        return list(pool.map(lambda _: call(), [1])).pop()


def in_three(call: Callable[[], Any]) -> Any:
    return in_another_pool(lambda: in_another_pool(lambda: in_another_pool(call)))


def waited(call: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(2) as pool:
        [future], _ = concurrent.futures.wait([pool.submit(call)])
    return future.result()


def completed(call: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(2) as pool:
        return [done.result() for done in as_completed([pool.submit(call), pool.submit(int)])][-1]


def shut_down(call: Callable[[], Any]) -> Any:
    with ThreadPoolExecutor(2) as pool:
        future = pool.submit(call)
    return future.result()


def joined(call: Callable[[], Any]) -> Any:
    results: list[Any] = []

    def keep() -> None:
        with contextlib.suppress(Cancelled):
            results.append(call())

    thread = threading.Thread(target=keep)
    thread.start()
    thread.join()
    return results[0]


def in_a_loop_of_its_own(call: Callable[[], Any]) -> Any:
    return asyncio.run(asyncio.to_thread(call))


def in_anyios_own_loop(call: Callable[[], Any]) -> Any:
    return anyio.run(anyio.to_thread.run_sync, call)


def tried_again(call: Callable[[], Any]) -> Any:
    """What is done about a timeout is waited for as anything else."""
    try:
        raise TimeoutError
    except TimeoutError:
        return in_another_pool(call)


NESTS: list[Callable[[Callable[[], Any]], Any]] = [
    in_another_pool, in_three, waited, completed, shut_down, joined, in_a_loop_of_its_own,
    in_anyios_own_loop, tried_again,
]  # fmt: skip


@pytest.fixture
def tools(signoff: Signoff) -> dict[str, Tool]:
    """A tool of each kind, called as an ordinary function: a coroutine in an event loop of its own."""

    def made(asked: Any) -> Tool:
        tool = Tool(signoff)

        async def pay(amount: int) -> str:
            tool.ran.append(amount)
            return "paid"

        gated = asked.require_approval(reversible=True)(pay)

        async def decided(amount: int) -> str:
            call = Call("pay", {"amount": amount}, key=str(uuid.uuid4()))
            go = await Calls(asked, framework="x", reversible=True).decide(call)
            if isinstance(go, Stop):
                raise go.error
            tool.ran.append(amount)
            return "paid"

        tool._pay = lambda amount: asyncio.run((gated if amount == 5 else decided)(amount))
        return tool

    return {"ordinary": Tool(signoff), "Signoff": made(signoff), "AsyncSignoff": made(AsyncSignoff())}


@pytest.mark.parametrize("kind", ["ordinary", "Signoff", "AsyncSignoff"])
@pytest.mark.parametrize("thread", [asyncio.to_thread, in_anyio, abandoned])
def test_whoever_waits_for_whoever_waits_may_give_up(
    tools: dict[str, Tool], signoff_approvals: Approvals, waiting: Waiting, thread: Any, kind: str
) -> None:
    """Pools in pools, event loops in threads: nothing runs for nobody, and what is waited for does."""
    tool = tools[kind]
    calls = [partial(nest, partial(tool, amount)) for nest in NESTS for amount in (5, 6)]

    async def main() -> None:
        signoff_approvals.leave_pending()
        tasks = [asyncio.ensure_future(thread(call)) for call in calls]
        await until(lambda: waiting.waiting == len(calls))
        await asyncio.sleep(2 * callers.LOOK_SECONDS)  # they are looked at meanwhile
        assert tool.ends == []
        signoff_approvals.approve()
        assert await asyncio.gather(*tasks) == ["paid"] * len(calls)
        signoff_approvals.leave_pending()
        tool.ran.clear()
        waiting.sent.clear()
        if thread is asyncio.to_thread:
            tasks = [asyncio.ensure_future(thread(call)) for call in calls]
            await until(lambda: waiting.waiting == len(calls))
            for task in tasks:
                task.cancel()
        else:
            with anyio.CancelScope() as scope:
                async with anyio.create_task_group() as group:
                    for call in calls:
                        group.start_soon(swallowed, thread, call)
                    await until(lambda: waiting.waiting == len(calls))
                    scope.cancel()
        await until(lambda: len(tool.ends) == 2 * len(calls))
        await until(lambda: waiting.kinds().count("cancel") == len(calls))
        signoff_approvals.approve()

    with ThreadPoolExecutor(64) as pool:

        async def with_threads() -> None:
            asyncio.get_running_loop().set_default_executor(pool)
            await main()

        asyncio.run(with_threads())
    assert (tool.ran, set(tool.ends[len(calls) :])) == ([], {"GaveUp"})


async def swallowed(thread: Any, call: Callable[[], Any]) -> None:
    with contextlib.suppress(Exception):
        await thread(call)


def test_a_pool_whose_caller_left_by_a_timeout_or_cancelled_the_outer_future(
    signoff: Signoff, signoff_approvals: Approvals, waiting: Waiting
) -> None:
    tool = Tool(signoff)
    with pytest.raises(TimeoutError), ThreadPoolExecutor(2) as pool:
        pool.submit(tool).result(0.3)
    with ThreadPoolExecutor(2) as pool:
        outer = pool.submit(in_three, tool)
        until_now(lambda: waiting.waiting == 1)
        time.sleep(2 * callers.LOOK_SECONDS)  # it is found at a look
        outer.cancel()
        with pytest.raises(Cancelled):
            outer.result(SOON)
    assert (tool.ran, tool.ends) == ([], ["GaveUp"] * 2)


def test_as_long_as_one_waits_it_is_not_given_up(
    signoff: Signoff, signoff_approvals: Approvals, waiting: Waiting
) -> None:
    tool = Tool(signoff)
    with ThreadPoolExecutor(2) as pool:
        future = pool.submit(tool)
        until_now(lambda: waiting.waiting == 1)
        other = threading.Thread(target=future.result)
        other.start()
        asyncio.run(in_time(asyncio.to_thread(future.result, 1.5), signoff_approvals))
        assert future.result(SOON) == "paid"
        other.join(SOON)


async def in_time(work: Awaitable[Any], approvals: Approvals) -> None:
    with contextlib.suppress(TimeoutError):
        await asyncio.wait_for(work, 0.3)
    await asyncio.sleep(2 * callers.LOOK_SECONDS)
    approvals.approve()
