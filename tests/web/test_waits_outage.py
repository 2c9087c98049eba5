"""Waiting by HTTP while Redis goes away and comes back, and while the role is told to stop."""

from __future__ import annotations

import os
import re
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx
import pytest
from support import ANY_PORT, Core, RedisServer, eventually
from web.conftest import opened
from web.waiting import ASKED, ask, callers, wait_for_waits

from signoff.models import tokens
from signoff.sandbox.server import Sandbox


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """No database has a part in it."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


@pytest.fixture
def redis_url(own_redis: RedisServer) -> str:
    """One that may be stopped."""
    return own_redis.url


def test_nothing_is_lost_while_redis_is_away(core: Core, own_redis: RedisServer, redis_url: str) -> None:
    with opened(core, redis_url) as door, door.client() as agent, callers() as begun:
        one, two, three = (ask(agent, payload={"n": number}) for number in range(3))
        wait = begun.get(agent, f"/v1/requests/{one}?wait=30")
        stream = begun.get(agent, f"/v1/requests/{one}/events")
        parked = begun.get(agent, "/v1/decisions?wait=30")
        wait_for_waits(door, 3)
        own_redis.stop(kill=True)
        assert agent.get(f"/v1/requests/{two}?wait=1").json()["status"] == "pending"
        for request_id in (one, three):
            core.approvals.decide(request_id, 1, "U0ANA", "approve")
        ended = agent.get(f"/v1/requests/{three}?wait=1")
        refused = agent.get("/v1/decisions?wait=1")
        assert ended.status_code == refused.status_code == 503 and ended.headers["retry-after"]
        assert not wait.done()
        own_redis.start()
        assert wait.result(25).json()["status"] == "approved"
        assert stream.result(25).text.count("event: state") == 2
        for approval_id in core.store.unpublished(0):
            core.approvals.tell(core.approvals.get(approval_id))
        assert {found["id"] for found in parked.result(25).json()["decisions"]} <= {one, three}
        assert agent.get(f"/v1/requests/{three}?wait=30").json()["status"] == "approved"


def test_the_role_answers_all_that_wait_once_it_is_told_to_stop(
    core: Core, redis_url: str, database_url: str, tmp_path: Path
) -> None:
    with Sandbox.start() as slack:
        said = tmp_path / "said"
        environment = {
            name: value for name, value in os.environ.items() if not name.startswith(("SIGNOFF_", "SLACK_"))
        } | slack.settings() | ANY_PORT | {
            "SIGNOFF_DATA": str(tmp_path / "data"), "SIGNOFF_REDIS_URL": redis_url,
            "SIGNOFF_DATABASE_URL": database_url,
        }  # fmt: skip
        command = [sys.executable, "-m", "signoff"]
        subprocess.run([*command, "keys", "generate"], env=environment, cwd=tmp_path, check=True)
        with said.open("wb") as output:
            role = subprocess.Popen(
                [*command, "web"], env=environment, cwd=tmp_path,
                stdout=output, stderr=output,
            )  # fmt: skip
        try:
            where = eventually(lambda: re.search(r"http://127[0-9.:]+", said.read_text()), 60)[0]
            token = tokens.add(core.store, "billing-bot", ("ask",))
            client = httpx.Client(
                base_url=where, headers={"Authorization": f"Bearer {token}"}, timeout=60, trust_env=False
            )
            with client, callers() as begun:
                one = client.post("/v1/requests", json=ASKED).json()["id"]
                calls = [begun.get(client, f"/v1/requests/{one}?wait=30") for _ in range(5)]
                calls.append(begun.get(client, f"/v1/requests/{one}/events"))
                calls.append(begun.get(client, "/v1/decisions?wait=30"))
                publisher = core.approvals.publisher
                eventually(lambda: publisher.waited_for([("billing-bot", one)]))
                eventually(lambda: core.redis.pubsub_numsub("signoff:ntf:billing-bot")[0][1])
                began = time.monotonic()
                role.send_signal(signal.SIGTERM)
                answers = [call.result(20) for call in calls]
            assert role.wait(60) == 0 and time.monotonic() - began < 15
        finally:
            role.kill()
            role.wait(60)
    assert [answer.json()["status"] for answer in answers[:5]] == ["pending"] * 5
    assert answers[5].text.startswith("event: state") and answers[6].json() == {"decisions": []}
    assert "Traceback" not in said.read_text()
