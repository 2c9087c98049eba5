"""One agent leaves room for the others, whatever it sends; and whoever watches is told so meanwhile."""

from __future__ import annotations

import asyncio
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import httpx
import pytest
from anyio import to_thread
from prometheus_client import CollectorRegistry
from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route
from support import Core, eventually
from web.conftest import Door, opened

from signoff.models.messages import MOST_VALUES
from signoff.web.bodies import BODY, Bodies
from signoff.web.health import Watch, build_health
from signoff.web.problems import Problems
from signoff.web.rates import Rates
from signoff.web.turns import OF_ONE, Turns, by_turns

SOME = "/v1/requests/88c74afb-6aef-8520-88b2-5e58b4792161"
ONE = pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)


@ONE
def test_an_agent_has_a_part_of_the_threads_with_all_its_tokens(
    door: Door, monkeypatch: pytest.MonkeyPatch
) -> None:
    approvals, go, under_way, most = door.core.approvals, threading.Event(), [0], [0]
    find, lock = approvals.find, threading.Lock()

    def slow(agent: str, request_id: str) -> Any:
        if agent == "billing-bot":
            with lock:
                under_way[0] += 1
                most[0] = max(most[0], under_way[0])
            go.wait(60)
            with lock:
                under_way[0] -= 1
        return find(agent, request_id)

    with door.client() as one, door.client(door.add("billing-bot")) as two, ThreadPoolExecutor(60) as pool:
        for client in (one, two):
            assert client.get("/v1/decisions").status_code == 200  # from here on it is known whose they are
        monkeypatch.setattr(approvals, "find", slow)
        answers = [pool.submit(client.get, SOME) for client in (one, two) for _ in range(30)]
        eventually(lambda: under_way[0] == OF_ONE)
        with door.client(door.add("other-bot")) as other:
            assert [other.get(SOME).status_code for _ in range(3)] == [404] * 3
        go.set()
        assert {answer.result(60).status_code for answer in answers} == {404}
    assert most[0] == OF_ONE


def test_a_line_has_an_end_and_its_places_come_back() -> None:
    go = threading.Event()

    def blocked(_: Request) -> Response:
        go.wait(60)
        return PlainTextResponse("done")

    app = Starlette(
        routes=[by_turns(Route("/", blocked, methods=["POST"]))],
        middleware=[Middleware(Problems), Middleware(Bodies), Middleware(Turns, BODY, of_one=1, in_line=3)],
    )

    async def scenario() -> None:
        transport = httpx.ASGITransport(app)
        async with httpx.AsyncClient(transport=transport, base_url="http://test", timeout=60) as client:
            running = [asyncio.create_task(client.post("/", content=b"x" * 10)) for _ in range(3)]
            refused = await _until(client, 429)
            assert refused.headers["retry-after"] == "1" and refused.json()["type"].endswith("#limited")
            go.set()
            assert {(await one).status_code for one in running} == {200}
            assert (await client.post("/")).status_code == 200

    async def _until(client: httpx.AsyncClient, status: int) -> httpx.Response:
        async with asyncio.timeout(60):
            while True:
                answer = asyncio.create_task(client.post("/"))
                done, _ = await asyncio.wait({answer}, timeout=0.2)
                if done and (await answer).status_code == status:
                    return await answer
                answer.cancel()

    asyncio.run(scenario())


def test_health_is_told_while_every_thread_of_the_doors_is_busy() -> None:
    app = build_health(Watch({"redis": lambda: "works"}), CollectorRegistry())

    async def scenario() -> list[int]:
        limiter = to_thread.current_default_thread_limiter()
        for _ in range(int(limiter.total_tokens)):
            limiter.acquire_on_behalf_of_nowait(object())
        transport = httpx.ASGITransport(app)
        async with asyncio.timeout(60), httpx.AsyncClient(transport=transport, base_url="http://t") as client:
            return [(await client.get(path)).status_code for path in ("/healthz", "/readyz", "/metrics")]

    assert asyncio.run(scenario()) == [200, 200, 200]


@ONE
def test_evaluations_are_bounded_together_and_the_same_is_judged_once(
    core: Core, redis_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    judged = list[Any]()
    evaluate = core.approvals.judge.evaluate
    monkeypatch.setattr(
        core.approvals.judge, "evaluate", lambda *one: (judged.append(one), evaluate(*one))[1]
    )
    resource = {"type": "t", "id": "1"}
    shared = {"subject": {"type": "user", "id": "a"}, "action": {"name": "a.b"}, "resource": resource}
    large = {**shared, "action": {"name": "a.b", "properties": {"list": [{}] * (MOST_VALUES // 100)}}}
    with opened(core, redis_url, rates=Rates(per_minute=36)) as door, door.client() as agent:

        def ask(values: Any, items: Any) -> httpx.Response:
            return agent.post("/access/v1/evaluations", json={**values, "evaluations": items})

        refused = ask(large, [{}] * 100)
        assert refused.status_code == 400 and "values" in refused.json()["detail"] and not judged
        same = ask(shared, [{}] * 100).json()["evaluations"]
        assert len(judged) == 1 and len({one["context"]["evaluation_id"] for one in same}) == 100
        assert len({one["context"]["access_request"]["binding_token"] for one in same}) == 100
        others = ask(shared, [{"resource": {"type": "t", "id": str(n)}} for n in range(100)])
        assert others.status_code == 200 and len(judged) == 101
        found = [ask(shared, [{}] * 100).status_code for _ in range(3)]
        assert found == [200, 429, 429], "ten evaluations more count as a call"
