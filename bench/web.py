"""The doors by HTTP, beside the same by hand: a request, a guard's spend, a decision, and crowds that wait.

    python -m bench.web listener|crowd SETTINGS.json

What waits is this module, started anew; whoever started it asks and decides. The role `web` runs by itself.
"""

from __future__ import annotations

import asyncio
import json
import os
import random
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import ExitStack, closing, contextmanager
from functools import partial
from pathlib import Path
from typing import IO, Any

from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from bench.decisions import APPROVER, PAYLOAD, approvals_on
from bench.raw import Reader, Resp, connect, read_http
from bench.stage import until
from bench.table import Row, verdict
from bench.timer import Rounds, median, percentile
from signoff import AsyncSignoff
from signoff.approvals.service import Approvals
from signoff.client.ask import build_request
from signoff.models import migrate, tokens
from signoff.models.engine import open_engine
from signoff.models.messages import Response
from signoff.models.store import Store
from signoff.queue import stream
from signoff.receipts import Signer, accept, verify_keys
from signoff.server import own_redis, processes

JSON = dict[str, Any]
AGENT = "bench"
ASK_RATIO, SPEND_RATIO, WAKE_RATIO, KILOBYTES, WAKE_MS = 3.0, 2.0, 2.0, 30.0, 20.0
"""Targets: against the floor, against Python's client, KB a waiter, and ms of one that is woken by itself."""
CROWDS = (1_000, 5_000)
OF_ONE = 500
"""Waits of one agent: as many as may."""
SINGLY = 200
WARM, WARM_WAITERS = 10, 200


class Caller:
    """One connection that is kept, as an agent's or an executor's is."""

    def __init__(self, port: int, token: str) -> None:
        self._source = Reader(connect("127.0.0.1", port))
        self._head = f"Host: x\r\nAuthorization: Bearer {token}\r\nContent-Type: application/json\r\n"

    def call(self, method: str, path: str, body: bytes = b"") -> JSON:
        """A call's answer; raises RuntimeError for what is no 200."""
        head = f"{method} {path} HTTP/1.1\r\n{self._head}Content-Length: {len(body)}\r\n\r\n"
        self._source.socket.sendall(head.encode() + body)
        first, said = read_http(self._source)
        if b" 200 " not in first:
            raise RuntimeError(f"{first.decode()}: {said[:300].decode()}")
        found: JSON = json.loads(said)
        return found

    def timed(self, method: str, path: str, body: bytes) -> float:
        """ms that a call takes."""
        start = time.perf_counter()
        self.call(method, path, body)
        return (time.perf_counter() - start) * 1000

    def close(self) -> None:
        """Close the connection."""
        self._source.close()


class Place:
    """The role `web`, its Redis and database, the floor, and whoever decides, which is this process."""

    def __init__(self, folder: Path, ends: ExitStack) -> None:
        self._folder, self._ends = folder, ends
        self.redis_url = ends.enter_context(own_redis.running(folder)).admin_url
        database = f"sqlite:///{folder / 'signoff.db'}"
        self.signer = Signer.generate()
        self.approvals: Approvals = ends.enter_context(approvals_on(database, self.redis_url, self.signer))
        self.token = tokens.add(self.approvals.store, AGENT, ("ask", f"spend:{AGENT}:*"))
        self.published = 0.0
        self._note_publications()
        self.web = self._start_web(database)
        self.port = self._port()
        self.floor_port = self._start_floor()

    def ask(self, number: int = 0, agent: str = AGENT) -> str:
        """A request that is pending → its id."""
        request = build_request(agent, "refund.create", {**PAYLOAD, "n": number}, {})[0]
        return self.approvals.submit(agent, request).id

    def decide(self, approval_id: str) -> float:
        """Approve → when that was begun, in Unix seconds; `published` is when its answer was."""
        start = time.time()
        self.approvals.decide(approval_id, 1, APPROVER, "approve")
        return start

    def waits(self, number: int) -> None:
        """Until so many requests are waited for."""
        with closing(Resp(self.redis_url)) as redis:
            until(lambda: len(redis.call("PUBSUB", "CHANNELS", f"{stream.NOTIFICATIONS}*")) >= number, 120)

    @contextmanager
    def process(self, name: str, **settings: Any) -> Iterator[subprocess.Popen[bytes]]:
        """This module once more, as one that waits."""
        file = self._folder / f"{name}.json"
        file.write_text(json.dumps(settings))
        found = processes.start(
            processes.python("bench.web", name, str(file)), env=_environment(), stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )  # fmt: skip
        try:
            yield found
        finally:
            processes.stop([found], 5)
            for pipe in (found.stdin, found.stdout):
                assert pipe
                pipe.close()

    def _note_publications(self) -> None:
        publish = self.approvals.publisher.publish

        def noted(*values: Any) -> None:
            self.published = time.time()
            publish(*values)

        self.approvals.publisher.publish = noted  # type: ignore[method-assign, assignment]

    def _start_web(self, database: str) -> subprocess.Popen[bytes]:
        settings = {
            "SIGNOFF_DATA": str(self._folder / "data"), "SIGNOFF_REDIS_URL": self.redis_url,
            "SIGNOFF_DATABASE_URL": database, "SIGNOFF_SIGNING_KEY": self.signer.private_text(),
            "SIGNOFF_WEB_BIND": "127.0.0.1:0", "SIGNOFF_HEALTH_BIND": "127.0.0.1:0",
            "SIGNOFF_APPROVERS": APPROVER, "SIGNOFF_CHANNEL": "C0APPROVE1", "SIGNOFF_POLICY": "",
            "SLACK_BOT_TOKEN": "xoxb-1-bench", "SLACK_APP_TOKEN": "xapp-1-bench",
        }  # fmt: skip
        self._log = self._folder / "web.log"
        output = self._ends.enter_context(self._log.open("wb"))
        return self._started(processes.python("signoff", "web"), _environment() | settings, output)

    def _start_floor(self) -> int:
        engine = open_engine(f"sqlite:///{self._folder / 'floor.db'}")
        migrate.upgrade(engine)
        self.floor_token = tokens.add(Store(engine), AGENT, ("ask",))
        engine.dispose()
        (key,) = verify_keys(self.signer.verify_key).values()
        file = self._folder / "floor.json"
        file.write_text(json.dumps({
            "database": str(self._folder / "floor.db"), "redis": self.redis_url,
            "key": key.public_bytes(Encoding.Raw, PublicFormat.Raw).hex(),
        }))  # fmt: skip
        command = processes.python("bench.web_floor", str(file))
        found = processes.start(command, env=_environment(), stdout=subprocess.PIPE)
        self._ends.callback(processes.stop, [found], 15)
        assert found.stdout
        self._ends.callback(found.stdout.close)
        return int(found.stdout.readline())

    def _started(
        self, command: list[str], environment: dict[str, str], output: IO[bytes]
    ) -> subprocess.Popen[bytes]:
        found = processes.start(command, env=environment, cwd=self._folder, stdout=output, stderr=output)
        self._ends.callback(processes.stop, [found], 15)
        return found

    def _port(self) -> int:
        def said() -> int | None:
            text = self._log.read_text()
            if self.web.poll() is not None:
                raise RuntimeError(f"signoff web does not start:\n{text[-3000:]}")
            _, found, rest = text.partition("listens at http://127.0.0.1:")
            digits = rest.split()[0].rstrip(",") if found and rest.split() else ""
            return int(digits) if digits.isdigit() else None

        return until(said)


def _environment() -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(("SIGNOFF_", "SLACK_"))}
    return kept | {"PYTHONPATH": str(Path(__file__).parents[1])}


def _asked(place: Place, rounds: int) -> Rounds:
    """Request → 200 pending, and the same at the floor."""
    with (
        closing(Caller(place.port, place.token)) as ours,
        closing(Caller(place.floor_port, place.floor_token)) as floor,
    ):
        found = Rounds()
        for number in range(WARM + rounds):
            request = build_request(AGENT, "refund.create", {**PAYLOAD, "n": -number}, {})[0]
            said = request.model_dump(mode="json", by_alias=True, exclude_defaults=True)
            body = json.dumps(said).encode()
            both = _in_any_order(
                partial(ours.timed, "POST", "/v1/requests", body),
                partial(floor.timed, "POST", "/v1/requests", body),
            )
            if number >= WARM:
                found.add(*both)
        return found


def _spent(place: Place, rounds: int) -> Rounds:
    """A guard's spend, and the same at the floor."""
    with (
        closing(Caller(place.port, place.token)) as ours,
        closing(Caller(place.floor_port, place.floor_token)) as floor,
    ):
        found = Rounds()
        for number in range(WARM + rounds):
            one = place.ask(number)
            place.decide(one)
            approval = place.approvals.get(one)
            said = {"receipt": approval.receipt, "action": approval.action, "payload": approval.payload,
                    "by": f"bench-{number:016}"}  # fmt: skip
            body = json.dumps(said).encode()
            both = _in_any_order(
                partial(ours.timed, "POST", "/v1/receipts/spend", body),
                partial(floor.timed, "POST", "/v1/receipts/spend", body),
            )
            if number >= WARM:
                found.add(*both)
        return found


def _in_any_order(ours: Callable[[], float], theirs: Callable[[], float]) -> tuple[float, float]:
    if random.random() < 0.5:
        first = ours()
        return first, theirs()
    second = theirs()
    return ours(), second


def _decided(place: Place, rounds: int) -> tuple[Rounds, Rounds]:
    """A decision → who polls has it, and Python's client has it; and the same from its publication on."""
    whole, part = Rounds(), Rounds()
    with place.process(
        "listener", port=place.port, token=place.token, redis=place.redis_url, key=place.signer.verify_key
    ) as listener:
        for number in range(WARM + rounds):
            times = {}
            for how in random.sample(("http", "redis"), 2):
                one = place.ask(number)
                _say(listener.stdin, {"how": how, "id": one, "digest": place.approvals.get(one).digest_sent})
                place.waits(1)
                time.sleep(0.02)
                began = place.decide(one)
                awake = _heard(listener.stdout)["awake"]
                times[how] = ((awake - began) * 1000, (awake - place.published) * 1000)
            if number >= WARM:
                whole.add(times["http"][0], times["redis"][0])
                part.add(times["http"][1], times["redis"][1])
    return whole, part


def _crowd(place: Place, waiters: int) -> tuple[float, list[float]]:
    """KB that each of so many holds in the role, and ms from the publication until one of them has it."""
    with _standing(place, WARM_WAITERS):  # threads and the database's connections are not what waits cost
        pass
    before = _resident(place.web.pid)
    with _standing(place, waiters) as (crowd, ids):
        held = (_resident(place.web.pid) - before) / waiters / 1000
        singly = []
        for one in random.sample(ids, min(SINGLY, waiters)):
            place.decide(one)
            awake = _heard(crowd.stdout)
            assert awake["id"] == one
            singly.append((awake["awake"] - place.published) * 1000)
    return held, singly


@contextmanager
def _standing(place: Place, waiters: int) -> Iterator[tuple[subprocess.Popen[bytes], list[str]]]:
    """A crowd that waits, and for what."""
    agents = [f"{AGENT}-{number}" for number in range(-(-waiters // OF_ONE))]
    shown = {agent: tokens.add(place.approvals.store, agent, ("ask",)) for agent in agents}
    whose = [agents[number // OF_ONE] for number in range(waiters)]
    each = [(agent, place.ask(number, agent)) for number, agent in enumerate(whose)]
    with place.process("crowd", port=place.port, waits=[(shown[agent], one) for agent, one in each]) as crowd:
        place.waits(waiters)
        _heard(crowd.stdout)
        yield crowd, [one for _, one in each]
    until(lambda: _waiting(place) == 0)


def _waiting(place: Place) -> int:
    with closing(Resp(place.redis_url)) as redis:
        return len(redis.call("PUBSUB", "CHANNELS", f"{stream.NOTIFICATIONS}*"))


def _resident(pid: int) -> float:
    return int(Path(f"/proc/{pid}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _say(pipe: IO[bytes] | None, what: JSON) -> None:
    assert pipe
    pipe.write(json.dumps(what).encode() + b"\n")
    pipe.flush()


def _heard(pipe: IO[bytes] | None) -> JSON:
    assert pipe
    found: JSON = json.loads(pipe.readline())
    return found


async def _listener(port: int, token: str, redis: str, key: str) -> None:
    """Waits for one request after the other, by HTTP or by Redis; says when it had the verified receipt."""
    agent = AsyncSignoff(redis_url=redis, agent=AGENT, verify_key=key)
    keys = verify_keys(key)
    with closing(Caller(port, token)) as caller:
        while line := await asyncio.to_thread(sys.stdin.readline):
            said = json.loads(line)
            if said["how"] == "redis":
                await agent.resume(said["id"], said["digest"]).wait()
            else:
                found = caller.call("GET", f"/v1/requests/{said['id']}?wait=30")
                response = Response(**{name: found[name] for name in ("status", "receipt", "payload")})
                accept(response, keys, agent=AGENT, request_id=said["id"], digest_sent=said["digest"])
            print(json.dumps({"awake": time.time()}), flush=True)
    await agent.close()


async def _wait_all(port: int, waits: list[tuple[str, str]]) -> None:
    """A crowd: each on a connection of its own, asking again where it is told *pending*."""
    resource.setrlimit(resource.RLIMIT_NOFILE, (resource.getrlimit(resource.RLIMIT_NOFILE)[1],) * 2)
    turns, standing = asyncio.Semaphore(50), 0

    async def wait(token: str, request_id: str) -> None:
        nonlocal standing
        async with turns:
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
        head = f"GET /v1/requests/{request_id}?wait=30 HTTP/1.1\r\nHost: x\r\n"
        head += f"Authorization: Bearer {token}\r\n\r\n"
        for again in range(1000):
            writer.write(head.encode())
            if not again:
                standing += 1
            lines = (await reader.readuntil(b"\r\n\r\n")).lower().split(b"\r\n")
            size = next(int(line[15:]) for line in lines if line.startswith(b"content-length:"))
            found = json.loads(await reader.readexactly(size))
            if found["status"] != "pending":
                break
        print(json.dumps({"id": request_id, "awake": time.time()}), flush=True)
        writer.close()

    tasks = [asyncio.create_task(wait(*one)) for one in waits]
    while standing < len(waits):
        await asyncio.sleep(0.01)
    print("{}", flush=True)
    await asyncio.gather(*tasks)


def run(rounds: int, crowds: tuple[int, ...] = CROWDS) -> list[Row]:
    """A row a target."""
    with tempfile.TemporaryDirectory(prefix="signoff-bench-") as name, ExitStack() as ends:
        place = Place(Path(name), ends)
        rows = [
            _row("HTTP: a request → 200 pending", _asked(place, rounds), ASK_RATIO, "floor"),
            _row("HTTP: a guard's spend", _spent(place, rounds), SPEND_RATIO, "floor"),
        ]
        whole, part = _decided(place, max(1, rounds // 3))
        rows.append(_row("a decision → who polls by HTTP has it", whole, WAKE_RATIO, "Python's"))
        rows.append(_row("its publication → who polls has it", part, None, "Python's"))
        for waiters in crowds:
            held, singly = _crowd(place, waiters)
            p99 = percentile(singly, 99)
            rows.append(Row(
                f"{waiters:,} waits by HTTP: memory each", f"{held:.1f} KB", target=f"< {KILOBYTES:g} KB",
                verdict=verdict(held < KILOBYTES),
            ))  # fmt: skip
            rows.append(Row(
                f"{waiters:,} waits by HTTP: woken singly", f"p50 {median(singly):.2f} ms, p99 {p99:.2f} ms",
                target=f"p99 < {WAKE_MS:g} ms", verdict=verdict(p99 < WAKE_MS),
            ))  # fmt: skip
        return rows


def _row(what: str, rounds: Rounds, most: float | None, beside: str) -> Row:
    return Row(
        what, _spread(rounds.product), _spread(rounds.floor), f"{rounds.ratio:.2f}",
        f"≤ {most:g} × {beside}" if most else "", verdict(rounds.ratio <= most) if most else "",
    )  # fmt: skip


def _spread(samples: list[float]) -> str:
    return f"p50 {median(samples):.2f} ms, p99 {percentile(samples, 99):.2f} ms"


if __name__ == "__main__":
    given = json.loads(Path(sys.argv[2]).read_text())
    asyncio.run(_listener(**given) if sys.argv[1] == "listener" else _wait_all(**given))
