"""What the adapters cost: a tool call that needs nobody, and one beside 40 calls that wait for a person.

Each is measured beside the same agent without Signoff, in the same process, in turn and in random order.
"""

from __future__ import annotations

import asyncio
import random
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial
from pathlib import Path
from typing import Any

import anyio
import anyio.to_thread

from bench.crowd import People
from bench.frameworks import FRAMEWORKS, RAN, READ, REFUND, Turn, Wanted, read
from bench.table import Row, verdict
from bench.timer import Rounds, median, percentile
from signoff.adapters.calls import Call, Calls, Go

ADDED_MS, BESIDE_MS = 1.0, 100.0
"""Targets: what an adapter adds to a call that needs nobody; a call beside those that wait."""
LEAST_MS = 0.05
"""A floor below this is a function that does nothing: a ratio to it says nothing."""
WAITS = 40
WARM = 3
SAMPLES = 5
"""Calls that are timed in each round, with nothing beside them and beside those that wait."""
GATED = [REFUND]
ONE: Wanted = [(READ, 1)]


def never(amount: int) -> bool:
    """A condition by which nobody is asked."""
    return amount > 100


UNASKED = {READ: {"condition": never}, REFUND: {}}


def run(rounds: int, waits: int = WAITS) -> list[Row]:
    """Rows of both kinds for each adapter."""
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name, People(Path(name)) as people:
        rows = []
        for kind in FRAMEWORKS:
            rows += asyncio.run(_added(people, kind, rounds))
        rows += asyncio.run(_added_by_core(people, rounds))
        for kind in FRAMEWORKS:
            rows.append(asyncio.run(_beside(kind, partial(_framework, people, kind), people, rounds, waits)))
        for way in (asyncio.to_thread, anyio.to_thread.run_sync):
            kind = f"require_approval by {way.__module__.partition('.')[0]}'s to_thread"
            rows.append(asyncio.run(_beside(kind, partial(_threads, people, way), people, rounds, waits)))
        return rows


# A call that needs nobody.


async def _added(people: People, kind: str, rounds: int) -> list[Row]:
    """A row for a tool that is not gated, and one for a condition that says no (the gate before an MCP server
    has none)."""
    makers = FRAMEWORKS[kind]
    async with AsyncExitStack() as stack:
        bare = await stack.enter_async_context(makers(None, None))
        ways = {"not gated": await stack.enter_async_context(makers(people, GATED))}
        if kind != "signoff mcp gate":
            ways["condition says no"] = await stack.enter_async_context(makers(people, UNASKED))
        return await _in_turn(kind, lambda: bare(ONE), {
            what: partial(turn, ONE) for what, turn in ways.items()
        }, rounds)  # fmt: skip


async def _added_by_core(people: People, rounds: int) -> list[Row]:
    """What stands below the adapters, over the function alone: the decorator, and `Calls.decide`."""

    def read_now(amount: int) -> str:
        RAN.append((READ, amount))
        return f"read {amount}"

    async def bare() -> Any:
        return await read(1)

    gate = people.client.require_approval(reversible=True, condition=never)
    gated, gated_now = gate(read), gate(read_now)

    async def blocking() -> Any:
        return gated_now(1)

    async def decided(calls: Calls) -> Any:
        go = await calls.decide(Call(READ, {"amount": 1}, key="1"))
        assert isinstance(go, Go)
        return await read(**go.args)

    rows = await _in_turn("require_approval, condition says no", bare, {
        "coroutine": partial(gated, 1), "function": blocking,
    }, rounds)  # fmt: skip
    calls = {
        "not gated": Calls(people.client, GATED, framework="bench"),
        "condition says no": Calls(people.client, UNASKED, framework="bench"),
    }
    ways = {what: partial(decided, one) for what, one in calls.items()}
    return [*rows, *await _in_turn("Calls.decide", bare, ways, rounds)]


async def _in_turn(
    kind: str,
    bare: Callable[[], Awaitable[Any]],
    ways: dict[str, Callable[[], Awaitable[Any]]],
    rounds: int,
) -> list[Row]:
    found = {what: Rounds() for what in ways}
    for number in range(WARM + rounds):
        order: list[tuple[str, Callable[[], Awaitable[Any]]]] = [("", bare), *ways.items()]
        random.shuffle(order)
        took = {what: await _milliseconds(call) for what, call in order}
        if number >= WARM:
            for what, pair in found.items():
                pair.add(took[what], took[""])
    return [_added_row(f"{kind}: {what}", pair) for what, pair in found.items()]


async def _milliseconds(call: Callable[[], Awaitable[Any]]) -> float:
    """How long one call takes, which has to have run its tool."""
    RAN.clear()
    start = time.perf_counter()
    await call()
    took = (time.perf_counter() - start) * 1000
    assert list(ONE) == RAN
    return took


def _added_row(what: str, pair: Rounds) -> Row:
    added = [ours - bare for ours, bare in zip(pair.product, pair.floor, strict=True)]
    quarters = f"{percentile(added, 25):.2f}–{percentile(added, 75):.2f}"
    ratio = pair.spread if median(pair.floor) >= LEAST_MS else ""
    return Row(
        f"adds to a tool call, {what}", f"{median(added):.3f} ms ({quarters})",
        f"{median(pair.floor):.3f} ms", ratio, f"< {ADDED_MS:g} ms", verdict(median(added) < ADDED_MS),
    )  # fmt: skip


# A call beside those that wait.


@asynccontextmanager
async def _framework(people: People, kind: str) -> AsyncIterator[Turn]:
    async with FRAMEWORKS[kind](people, GATED) as turn:
        yield turn


@asynccontextmanager
async def _threads(people: People, way: Callable[..., Awaitable[Any]]) -> AsyncIterator[Turn]:
    """Ordinary functions, each in a thread of the pool that the framework's own tools run in."""

    def refund_now(amount: int) -> str:
        RAN.append((REFUND, amount))
        return f"refunded {amount}"

    def read_now(amount: int) -> str:
        RAN.append((READ, amount))
        return f"read {amount}"

    gate = people.client.require_approval(reversible=False, on_reject="explain")
    tools = {READ: read_now, REFUND: gate(refund_now)}
    yield lambda wanted: asyncio.gather(*(way(tools[name], amount) for name, amount in wanted))


async def _beside(kind: str, made: Callable[[], Any], people: People, rounds: int, waits: int) -> Row:
    """An ungated call alone, beside calls that wait, and as the last of one turn with them."""
    alone: list[float] = []
    beside: list[float] = []
    among: list[float] = []
    crowd = [(REFUND, number) for number in range(waits)]
    async with made() as turn:
        for _ in range(WARM):
            await turn(ONE)
        for _ in range(min(3, max(1, rounds // 30))):
            alone += [await _milliseconds(partial(turn, ONE)) for _ in range(SAMPLES)]
            waiting = asyncio.ensure_future(turn(crowd))
            await people.asked(waits)
            beside += [await _milliseconds(partial(turn, ONE)) for _ in range(SAMPLES)]
            await _end(people, waiting)
            among.append(await _last_of_its_turn(turn, [*crowd, *ONE], people))
    assert (REFUND, 0) not in RAN
    return _beside_row(f"a call beside {waits} that wait, {kind}", alone, beside, among)


async def _last_of_its_turn(turn: Turn, wanted: Sequence[tuple[str, int]], people: People) -> float:
    """ms until the one that needs nobody has run, of calls that are made at once."""
    RAN.clear()
    start = time.perf_counter()
    waiting = asyncio.ensure_future(turn(wanted))
    while not RAN:
        await asyncio.sleep(0.0005)
    took = (time.perf_counter() - start) * 1000
    await people.asked(len(wanted) - 1)
    await _end(people, waiting)
    return took


async def _end(people: People, waiting: asyncio.Future[Any]) -> None:
    """Reject all that waits; whoever asked is told so, and nothing has run."""
    people.reject_all()
    async with asyncio.timeout(60):
        await waiting
    assert all(name == READ for name, _ in RAN)


def _beside_row(what: str, alone: list[float], beside: list[float], among: list[float]) -> Row:
    reached = f"p50 {median(beside):.2f} ms, longest {max(beside):.1f} ms; in one turn {median(among):.1f} ms"
    ratio = f"{median(beside) / median(alone):.2f}" if median(alone) >= LEAST_MS else ""
    return Row(
        what, reached, f"{median(alone):.2f} ms alone", ratio, f"< {BESIDE_MS:g} ms",
        verdict(median(beside) < BESIDE_MS),
    )  # fmt: skip
