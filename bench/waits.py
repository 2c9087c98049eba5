"""Many waits in one process: what they hold in memory, and how soon a burst of decisions wakes them.

    python -m bench.waits WAITERS WOKEN

The agent's process is this module, started anew for each measurement; whoever started it decides.
"""

from __future__ import annotations

import asyncio
import gc
import json
import os
import random
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any

from bench.raw import Resp
from bench.table import Row, verdict
from bench.timer import median, percentile
from signoff import AsyncSignoff
from signoff.client.exchange import RedisExchange
from signoff.models.identity import new_id, new_nonce
from signoff.models.identity import request_id as id_of
from signoff.models.messages import Response, moment
from signoff.models.receipt import Receipt
from signoff.payload.canonical import canonical, digest
from signoff.queue import stream
from signoff.receipts import Signer, new_jti, sign
from signoff.server import own_redis, processes

AGENT = "bench"
PAYLOAD = canonical({"customer": "cus_42", "amount": 120, "currency": "EUR", "ticket": "991"})
SCALES = ((1, 1), (1_000, 1_000), (10_000, 1_000))
"""(Waits that stand, of which so many are decided at once.)"""
MEMORY_MB, BURST_MS, WAKE_MS = 40.0, 50.0, 0.3
"""Targets: for 10,000 waits, for 1,000 that are woken at once, and for those woken singly, p50."""
SINGLY = 200
"""Waits besides that are woken one after the other, and requests that are looked up one after the other."""


def _id_of(nonce: str) -> str:
    """The id of a request of this benchmark."""
    return str(id_of("approval", AGENT, "refund.create", digest(PAYLOAD), nonce))


async def _wait_all(waiters: int, woken: int, verified: bool) -> None:
    """The agent's side: says what it holds and which are to be decided, then when each of those was awake."""
    agent = AsyncSignoff()
    exchange = agent._link.exchange()
    assert isinstance(exchange, RedisExchange)
    ids = [new_nonce() for _ in range(waiters)]
    awake: list[float] = []

    async def wait(nonce: str) -> None:
        request_id = _id_of(nonce)
        if verified:
            await agent.resume(request_id, digest(PAYLOAD)).wait()
        else:
            await exchange.wait(request_id, None)
        awake.append(time.time())

    first = asyncio.create_task(wait(new_nonce()))  # connections and imports are not what waits cost
    await asyncio.sleep(0.5)
    trips = [await _round_trip(exchange) for _ in range(SINGLY)]
    gc.collect()
    before = _resident_mb()
    tasks = [asyncio.create_task(wait(nonce)) for nonce in ids]
    await _stand(waiters + 1)
    gc.collect()
    held = _resident_mb() - before
    singles = [new_nonce() for _ in range(SINGLY)]
    alone = [asyncio.create_task(wait(request_id)) for request_id in singles]
    await _stand(waiters + 1 + SINGLY)
    _say({"mb": held, "trips": trips, "singles": singles, "ids": random.sample(ids, woken)})
    for task in alone:
        await task
        _say({"awake": awake.pop()})
    while len(awake) < woken:
        await asyncio.sleep(0.05)
    _say({"awake": sorted(awake)})
    for task in (first, *tasks):
        task.cancel()
    await asyncio.gather(first, *tasks, return_exceptions=True)
    await agent.close()


async def _round_trip(exchange: RedisExchange) -> float:
    """Seconds that one request to Redis takes, as the client asks it."""
    start = time.perf_counter()
    await exchange.lookup(str(new_id()))
    return time.perf_counter() - start


async def _stand(count: int) -> None:
    """Until all are subscribed to, and the looks that follow are over."""
    redis = Resp(os.environ["SIGNOFF_REDIS_URL"])
    while len(redis.call("PUBSUB", "CHANNELS", f"{stream.NOTIFICATIONS}*")) < count:
        await asyncio.sleep(0.1)
    calls = -1
    while calls != (now := _looks(redis)):
        calls = now
        await asyncio.sleep(0.3)
    redis.close()


def _looks(redis: Resp) -> int:
    stats = redis.call("INFO", "commandstats").decode().split()
    found = [line for line in stats if line.startswith(("cmdstat_get:", "cmdstat_mget:"))]
    return sum(int(line.split("calls=")[1].split(",")[0]) for line in found)


def _resident_mb() -> float:
    return int(Path("/proc/self/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") / 1e6


def _say(what: Any) -> None:
    print(json.dumps(what), flush=True)


@dataclass(frozen=True)
class Waits:
    """What one process had: MB that its waits hold; ms of each round trip, of each wake by itself, and from
    the first publish of a burst until each was awake."""

    megabytes: float
    trips: list[float]
    singly: list[float]
    burst: list[float]


class Server:
    """Whoever decides: signs in advance, so that a burst is as quick as Redis takes it."""

    def __init__(self, folder: Path) -> None:
        self._redis_server = own_redis.EmbeddedRedis(folder)
        self._redis_server.start()
        self._signer = Signer.generate()
        self._redis = Resp(self._redis_server.admin_url)

    def close(self) -> None:
        """End its Redis."""
        self._redis.close()
        self._redis_server.stop()

    def once(self, waiters: int, woken: int, verified: bool) -> Waits:
        """One process that waits, from its start to its end."""
        self._redis.call("FLUSHALL")
        self._redis.call("CONFIG", "RESETSTAT")
        with self._agent(waiters, woken, verified) as process:
            assert process.stdout
            ready = json.loads(process.stdout.readline())
            singly = [self._wake(request_id, process.stdout) for request_id in ready["singles"]]
            commands = [command for request_id in ready["ids"] for command in self._decision(request_id)]
            time.sleep(0.1)
            start = time.time()
            self._redis.pipeline(*commands)
            awake = json.loads(process.stdout.readline())["awake"]
        trips = [seconds * 1000 for seconds in ready["trips"]]
        return Waits(ready["mb"], trips, singly, [(at - start) * 1000 for at in awake])

    def _wake(self, request_id: str, said: IO[bytes]) -> float:
        """ms from the publish until the one wait was awake."""
        decision = self._decision(request_id)
        start = time.time()
        self._redis.pipeline(*decision)
        return float((json.loads(said.readline())["awake"] - start) * 1000)

    def _decision(self, nonce: str) -> list[tuple[Any, ...]]:
        request_id = _id_of(nonce)
        now = int(time.time() * 1_000_000)
        receipt = Receipt(
            id=request_id, nonce=nonce, agent=AGENT, action="refund.create", status="approved", version=1,
            digest_sent=digest(PAYLOAD), digest=digest(PAYLOAD), jti=new_jti(), issued_at=moment(now),
            not_after=moment(now + 86_400_000_000),
        )  # fmt: skip
        answer = Response(status="approved", receipt=sign(self._signer, receipt), payload=PAYLOAD)
        return [
            ("SET", stream.decision(AGENT, request_id), answer.encode(), "EX", 86_400),
            ("PUBLISH", stream.notification(AGENT, request_id), "1"),
        ]

    @contextmanager
    def _agent(self, waiters: int, woken: int, verified: bool) -> Iterator[subprocess.Popen[bytes]]:
        settings = {
            "SIGNOFF_REDIS_URL": self._redis_server.admin_url, "SIGNOFF_AGENT": AGENT,
            "SIGNOFF_VERIFY_KEY": self._signer.verify_key, "PYTHONPATH": str(Path(__file__).parents[1]),
        }  # fmt: skip
        process = processes.start(
            processes.python("bench.waits", str(waiters), str(woken), "verified" if verified else "raw"),
            env={**os.environ, **settings}, stdout=subprocess.PIPE,
        )  # fmt: skip
        try:
            yield process
            process.wait(30)
        finally:
            processes.stop([process], 5)
            if process.stdout:
                process.stdout.close()


def run(rounds: int, scales: tuple[tuple[int, int], ...] = SCALES) -> list[Row]:
    """A row for memory and two for waking, for each number of waits."""
    rows = []
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name:
        server = Server(Path(name))
        try:
            for waiters, woken in scales:
                bare = [server.once(waiters, woken, False) for _ in range(rounds)]
                full = [server.once(waiters, woken, True) for _ in range(rounds)]
                rows += _rows(waiters, woken, bare, full)
        finally:
            server.close()
    return rows


def _rows(waiters: int, woken: int, bare: list[Waits], full: list[Waits]) -> list[Row]:
    megabytes = median([waits.megabytes for waits in bare + full])
    last, verified = [waits.burst[-1] for waits in bare], [waits.burst[-1] for waits in full]
    singly = [ms for waits in bare for ms in waits.singly]
    trips = [ms for waits in bare + full for ms in waits.trips]
    large, many = waiters >= 10_000, woken >= 1000
    return [
        Row(
            f"{waiters:,} waits: memory", f"{megabytes:.1f} MB",
            target=f"< {MEMORY_MB:g} MB" if large else "",
            verdict=verdict(megabytes < MEMORY_MB) if large else "",
        ),
        Row(
            f"{waiters:,} waits: woken singly, answers there", _spread(singly),
            target=f"p50 ≤ {WAKE_MS:g} ms", verdict=verdict(median(singly) <= WAKE_MS),
        ),
        Row(f"{waiters:,} waits: one request to Redis", _spread(trips)),
        Row(
            f"{waiters:,} waits: {woken:,} woken, answers there", _last(last),
            target=f"≤ {BURST_MS:g} ms" if many else "",
            verdict=verdict(median(last) <= BURST_MS) if many else "",
        ),
        Row(f"{waiters:,} waits: {woken:,} woken, receipts verified", _last(verified)),
    ]  # fmt: skip


def _spread(samples: list[float]) -> str:
    return f"p50 {median(samples):.2f} ms, p99 {percentile(samples, 99):.2f} ms"


def _last(samples: list[float]) -> str:
    return (
        f"last after {median(samples):.1f} ms (best {min(samples):.1f}, worst {percentile(samples, 100):.1f})"
    )


if __name__ == "__main__":
    asyncio.run(_wait_all(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3] == "verified"))
