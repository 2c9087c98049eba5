"""The Redis users that docs/operating.md gives out: enough for what each does, and for nothing else."""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import redis
from support import ANY_PORT, Core, RedisServer, eventually, missing

from signoff import Signoff
from signoff.cli.doctor import backends
from signoff.cli.doctor.patient import Patient
from signoff.models.stops import STOPS_KEY
from signoff.queue import acl, stream
from signoff.queue.intake import Intake
from signoff.queue.requests import Stream
from signoff.sandbox.server import Sandbox
from signoff.spent import RedisStore, Spent

GUIDE = Path(__file__).parents[2] / "docs" / "operating.md"
AGENT, OTHER = "billing-bot", "billing"
OWN, THEIRS = "01a1fe18-23a9-7070-bfbf-9c46f8e61a59", "01a1fe18-23a9-7070-bfbf-9c46f8e61a60"
PAYLOAD = {"customer": "cus_42", "amount": 120}


def users() -> dict[str, list[str]]:
    """The guide's users and their rules; the agent's line once more for another agent."""
    text = GUIDE.read_text(encoding="utf-8").partition("```acl\n")[2].partition("```")[0]
    lines = [line.split() for line in text.splitlines() if line]
    assert all(line[0] == "user" for line in lines)
    found = {line[1]: line[2:] for line in lines}
    found[OTHER] = [rule.replace(AGENT, OTHER) for rule in found[AGENT]]
    return found


@pytest.fixture
def database_url(tmp_path: Path) -> str:
    """Redis does not care which database it is."""
    return f"sqlite:///{tmp_path / 'signoff.db'}"


@pytest.fixture
def url_of(own_redis: RedisServer) -> Callable[[str], str]:
    """A Redis with the guide's users; a user's name → the URL."""
    rules = users()
    client = redis.Redis.from_url(own_redis.url)
    for name in sorted(rules, key="default".__eq__):  # once that one is off, nobody else may change a thing
        client.execute_command("ACL", "SETUSER", name, *rules[name])
    client.close()

    def url(name: str) -> str:
        password = next(rule[1:] for rule in rules[name] if rule.startswith(">"))
        return own_redis.url.replace("//", f"//{name}:{password}@")

    return url


@pytest.fixture
def redis_url(url_of: Callable[[str], str]) -> str:
    """What the core and the commands are given: the server's user."""
    return url_of("signoff-server")


@pytest.fixture
def admin(url_of: Callable[[str], str]) -> Iterator[redis.Redis]:
    client = redis.Redis.from_url(url_of("signoff-admin"), decode_responses=True)
    yield client
    client.close()


def denied(admin: redis.Redis, user: str) -> set[str]:
    """What Redis has refused this user, but for what a client library tries for its own sake."""
    log: Any = admin.acl_log()
    return {entry["object"] for entry in log if entry["username"] == user} - {
        "client|setinfo", "client|maint_notifications", "client"
    }  # fmt: skip


@pytest.fixture
def serving(core: Core, redis_url: str) -> Iterator[Core]:
    client, stop = redis.Redis.from_url(redis_url, socket_timeout=10), threading.Event()
    running = threading.Thread(target=Intake(core.approvals, Stream(client, "test")).run, args=(stop,))
    running.start()
    yield core
    stop.set()
    running.join(20)
    client.close()


@pytest.fixture
def agent(core: Core, url_of: Callable[[str], str]) -> Iterator[Signoff]:
    with Signoff(redis_url=url_of(AGENT), agent=AGENT, verify_key=core.signer.verify_key) as client:
        yield client


def test_an_agent_may_do_all_that_its_client_does(serving: Core, agent: Signoff, admin: redis.Redis) -> None:
    ticket = agent.request("refund.create", PAYLOAD, reversible=False)
    assert agent.received(ticket.id, 20)
    found = serving.store.find(AGENT, ticket.id)
    assert found is not None
    serving.approvals.decide(found.id, 1, "U0ANA", "approve")
    assert ticket.wait(60).payload == PAYLOAD
    agent.report(ticket.id, succeeded=True)
    withdrawn = agent.request("refund.create", PAYLOAD, reversible=False)
    assert agent.cancel(withdrawn.id).status == "cancelled"
    for delivery in agent.decisions():
        delivery.ack()
        if delivery.receipt.id == withdrawn.id:
            break
    assert denied(admin, AGENT) == set()
    assert denied(admin, "signoff-server") == set()


def test_the_server_may_see_whether_somebody_waits_and_no_more_of_it(
    core: Core, url_of: Callable[[str], str], admin: redis.Redis
) -> None:
    topic = stream.notification(AGENT, OWN)
    with redis.Redis.from_url(url_of(AGENT)) as client, client.pubsub() as ears:
        assert list(stream.subscribed(core.redis, [topic])) == []
        ears.subscribe(topic)
        eventually(lambda: list(stream.subscribed(core.redis, [topic])) == [topic])
    assert core.approvals.publisher.waited_for([(AGENT, THEIRS)]) == set()
    core.redis.xadd(stream.decisions(AGENT), {"id": OWN})
    assert [agent for agent, _ in Stream(core.redis, "test").some_decisions(0)[1]] == [AGENT]
    assert denied(admin, "signoff-server") == set()
    for command in ("PUBSUB CHANNELS", "PSUBSCRIBE signoff:ntf:*", "SUBSCRIBE signoff:other"):
        with pytest.raises(redis.exceptions.NoPermissionError):
            core.redis.execute_command(*command.split())


@pytest.mark.parametrize(
    "command",
    [
        f"XADD signoff:req:{OTHER} * v 1",
        f"XADD signoff:dec:{AGENT} * id {OWN}",
        f"SET signoff:dec:{AGENT}:{OWN} forged",
        f"DEL signoff:dec:{AGENT}:{OWN}",
        f"GET signoff:dec:{OTHER}:{THEIRS}",
        f"MGET signoff:dec:{AGENT}:{OWN} signoff:dec:{OTHER}:{THEIRS}",
        f"GET signoff:dec:{AGENT}",
        f"XREAD STREAMS signoff:dec:{OTHER} 0",
        f"XREADGROUP GROUP g c STREAMS signoff:dec:{OTHER} >",
        f"XGROUP CREATE signoff:req:{AGENT} g 0 MKSTREAM",
        f"XREADGROUP GROUP intake c STREAMS signoff:req:{AGENT} >",
        f"XGROUP DESTROY signoff:req:{AGENT} intake",
        f"XTRIM signoff:req:{OTHER} MAXLEN 0",
        f"XACK signoff:req:{OTHER} intake 0-1",
        f"XRANGE signoff:req:{AGENT} - +",
        f"BLPOP signoff:dec:{AGENT}:{OWN} 1",
        f"SUBSCRIBE signoff:ntf:{OTHER}:{THEIRS}",
        f"SUBSCRIBE signoff:ntf:{AGENT}:{OWN}{'x' * 1000}",
        "SUBSCRIBE rq:pubsub:worker",
        f"PSUBSCRIBE signoff:ntf:{AGENT}:*",
        f"PUBSUB NUMSUB signoff:ntf:{AGENT}:{OWN}",
        "PSUBSCRIBE *",
        f"PUBLISH signoff:ntf:{AGENT}:{OWN} 1",
        "RPUSH rq:queue:signoff evil",
        "HSET rq:job:evil data x",
        "XADD signoff:dead * reason none",
        "KEYS *",
        "SCAN 0",
        "EVAL return(1) 0",
        "MULTI",
        "INFO",
        "CONFIG GET requirepass",
        "CLIENT LIST",
        "CLIENT KILL TYPE normal",
        "MONITOR",
        "ACL LIST",
        "FLUSHALL",
        "SHUTDOWN NOSAVE",
        "SELECT 1",
        f"GET signoff:body:{AGENT}:{OWN}",
        f"SET signoff:body:{AGENT}:{OWN} x GET",
        f"SET signoff:body:{OTHER}:{OWN} x",
        f"DEL signoff:body:{AGENT}:{OWN}",
        f"SET signoff:body:{AGENT}:{OWN}x x",
        f"SET signoff:body:{AGENT}:short x",
        f"EXPIRE signoff:body:{OTHER}:{OWN} 1",
    ],
)
def test_an_agent_may_do_nothing_else(url_of: Callable[[str], str], admin: redis.Redis, command: str) -> None:
    with redis.Redis.from_url(url_of(AGENT)) as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command.split())


@pytest.mark.parametrize(
    "command",
    [
        "FLUSHALL", "CONFIG GET requirepass", "ACL LIST", "KEYS *", "MONITOR", "SHUTDOWN NOSAVE",
        "SCRIPT FLUSH", "SET else x", "GET else", "DEL signoff:dec:billing-bot",
        "XADD signoff:req:billing-bot * v 1",
        "PUBLISH rq:pubsub:x 1", "PUBLISH else 1", "CLIENT KILL TYPE normal", "PSUBSCRIBE *",
    ],
)  # fmt: skip
def test_the_server_may_not_do_what_it_never_does(url_of: Callable[[str], str], command: str) -> None:
    url = url_of("signoff-server")
    with redis.Redis.from_url(url) as client, pytest.raises(redis.exceptions.NoPermissionError):
        client.execute_command(*command.split())


def test_the_guide_says_what_the_code_does() -> None:
    expected = {
        "default": [*acl.DEFAULT_RULES],
        acl.ADMIN: ["on", ">ADMIN-PASSWORD", *acl.admin_rules()],
        acl.SERVER: ["on", ">SERVER-PASSWORD", *acl.server_rules()],
        AGENT: ["on", ">AGENT-PASSWORD", *acl.agent_rules(AGENT)],
    }
    assert {name: " ".join(users()[name]) for name in expected} == {
        name: " ".join(rules) for name, rules in expected.items()
    }


def test_rules_name_the_keys_that_the_stream_has() -> None:
    said = " ".join(acl.agent_rules(AGENT))
    for name in (stream.requests(AGENT), stream.decisions(AGENT), STOPS_KEY):
        assert f"~{name})" in said
    assert f"~{stream.decision(AGENT, '*')} " in said
    of_any_id = acl._ID  # a channel's name of any length would be an agent's to fill Redis with
    for name in (of_any_id, stream.spent(of_any_id)):
        assert f"&{stream.notification(AGENT, name)}" in said
    for name in (stream.requests("*"), stream.decisions("*"), stream.DEAD):
        assert f"~{name})" in " ".join(acl.server_rules())


def test_the_guards_line_is_taken_by_every_redis_and_is_enough(own_redis: RedisServer) -> None:
    text = (GUIDE.parent / "executor.md").read_text(encoding="utf-8")
    [line] = [line for line in text.splitlines() if line.startswith("ACL SETUSER guard ")]
    with redis.Redis.from_url(own_redis.url) as client:
        client.execute_command(*shlex.split(line.replace("(", "'(").replace(")", ")'")))
    url = acl.with_user(own_redis.url, "guard", "SECRET")
    store, now = RedisStore(url), datetime.now(UTC)
    for by in ("first", "second"):
        found = store.spend(("kid", AGENT, OWN), Spent(by, now), until=now + timedelta(hours=1))
        assert found.by == "first"
    assert [store.highest("signoff", number) for number in (2**51, 7)] == [2**51, 2**51]
    with redis.Redis.from_url(url) as client:
        for words in ("GET signoff:dec:a:1", "XADD signoff:req:a * v 1", "KEYS *", "DEL signoff:spent:k:a:1"):
            with pytest.raises(redis.exceptions.NoPermissionError):
                client.execute_command(*words.split())


def test_nobody_gets_in_without_a_password(own_redis: RedisServer, url_of: Callable[[str], str]) -> None:
    with redis.Redis.from_url(own_redis.url) as client, pytest.raises(redis.exceptions.AuthenticationError):
        client.ping()


def test_a_whole_server_runs_and_is_examined_as_its_own_user(
    url_of: Callable[[str], str], admin: redis.Redis, redis_url: str, tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
) -> None:  # fmt: skip
    with Sandbox.start() as slack:
        for name in [name for name in os.environ if name.startswith(("SIGNOFF_", "SLACK_"))]:
            monkeypatch.delenv(name)
        data, said = tmp_path / "data", tmp_path / "said"
        for name, value in {
            **slack.settings(), **ANY_PORT, "SIGNOFF_DATA": str(data), "SIGNOFF_REDIS_URL": redis_url
        }.items():  # fmt: skip
            monkeypatch.setenv(name, value)
        with said.open("wb") as output:
            server = subprocess.Popen([sys.executable, "-m", "signoff", "serve"], stdout=output, cwd=tmp_path)
        try:
            eventually(lambda: b"Signoff is ready" in said.read_bytes(), 60)
            local = dict(line.split("=", 1) for line in (data / "agent.env").read_text().splitlines())
            key = local["SIGNOFF_VERIFY_KEY"].strip("'")
            with Signoff(redis_url=url_of(AGENT), agent=AGENT, verify_key=key) as agent:
                ticket = agent.request("refund.create", PAYLOAD, reversible=False)
                given = slack.settings()
                channel, reviewer = given["SIGNOFF_CHANNEL"], given["SIGNOFF_APPROVERS"].partition(",")[0]
                card = eventually(lambda: slack.messages(channel))[0]
                slack.act(type="click", user=reviewer, channel=channel, ts=card["ts"], action_id="approve")
                assert ticket.wait(60).payload == PAYLOAD
            eventually(lambda: admin.exists("rq:workers:signoff") and not admin.llen("rq:queue:signoff"))
            patient = Patient(lambda: 0.0)
            assert backends.redis_server(patient) and backends.queues(patient)
            patient.close()
        finally:
            server.terminate()
            server.wait(60)
    assert denied(admin, "signoff-server") == set()
    assert denied(admin, AGENT) == set()


def test_the_lines_are_a_file_that_redis_loads(tmp_path: Path) -> None:
    text = GUIDE.read_text(encoding="utf-8").partition("```acl\n")[2].partition("```")[0]
    (tmp_path / "users.acl").write_text(text)
    server = RedisServer(tmp_path)
    binary = shutil.which("redis-server")
    if binary is None:
        missing("redis-server")
    command = [
        str(binary),
        "--port",
        str(server.port),
        "--aclfile",
        str(tmp_path / "users.acl"),
        "--save",
        "",
    ]
    server.process = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    try:
        url = server.url.replace("//", "//signoff-admin:ADMIN-PASSWORD@")
        with redis.Redis.from_url(url, decode_responses=True) as client:
            eventually(lambda: _pings(client))
            assert sorted(client.acl_users()) == [AGENT, "default", "signoff-admin", "signoff-server"]
    finally:
        server.stop()


def _pings(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.ConnectionError:
        return False
