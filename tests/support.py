"""What tests share: real servers to start and stop, waiting for things, and requests to send."""

from __future__ import annotations

import os
import random
import shutil
import socket
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NoReturn

import pytest
import redis
from sqlalchemy import Connection
from sqlalchemy import text as sql

from signoff.approvals.service import Approvals
from signoff.errors import Invalid
from signoff.models import identity
from signoff.models.identity import new_id
from signoff.models.messages import ApprovalRequest, payload_digest
from signoff.models.people import Person
from signoff.models.store import Store
from signoff.policy.loader import parse
from signoff.policy.policy import Policy
from signoff.queue import acl, stream
from signoff.queue.intake import Intake
from signoff.queue.requests import Stream
from signoff.receipts import Signer
from signoff.server import pulse

REQUIRED = os.environ.get("CI") == "true"
"""In CI a part that cannot be had is a failure, never a skip."""


ANY_PORT = {"SIGNOFF_WEB_BIND": "127.0.0.1:0", "SIGNOFF_HEALTH_BIND": "127.0.0.1:0"}
"""For servers that run beside each other: the kernel chooses where they listen."""


def missing(what: str) -> NoReturn:
    """Skip on a developer's machine, fail in CI."""
    if REQUIRED:
        pytest.fail(f"{what} is not installed")
    pytest.skip(f"{what} is not installed")


def eventually(check: Callable[[], Any], seconds: float = 60.0) -> Any:
    """Wait for the thing: the first true value of `check`."""
    deadline = time.monotonic() + seconds
    while True:
        found = check()
        if found:
            return found
        if time.monotonic() > deadline:
            raise AssertionError(f"did not happen within {seconds:g} s: {check}")
        time.sleep(0.01)


def free_port() -> int:
    """One that nobody listens on, and that the kernel lends nobody who connects: it may be come back to."""
    lent = Path("/proc/sys/net/ipv4/ip_local_port_range").read_text().split()
    while True:
        port = random.SystemRandom().randrange(10_000, max(int(lent[0]), 10_100))
        with suppress(OSError), socket.socket() as probe:
            probe.bind(("127.0.0.1", port))
            return port


class RedisServer:
    """A redis-server of the test's own, which it may stop and start again."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.port = free_port()
        self.url = f"redis://127.0.0.1:{self.port}/0"
        self.process: subprocess.Popen[bytes] | None = None

    def start(self, *more: str) -> None:
        """`more` are settings of redis-server, beside these."""
        binary = shutil.which("redis-server")
        if binary is None:
            missing("redis-server")
        self.process = subprocess.Popen(
            [str(binary), "--port", str(self.port), "--bind", "127.0.0.1", "--dir", str(self.folder),
             "--save", "", "--appendonly", "yes", "--appendfsync", "everysec", "--loglevel", "warning",
             *more],
            stdout=subprocess.DEVNULL,
        )  # fmt: skip
        client = redis.Redis(port=self.port)
        eventually(lambda: _answers(client))
        client.close()

    def give_users(self, *agents: str) -> dict[str, str]:
        """Users as docs/operating.md has them, one for each of `agents`; `default` is off → their URLs."""
        urls = {}
        with redis.Redis.from_url(self.url) as client:
            for name in (acl.ADMIN, acl.SERVER, *agents):
                password = acl.new_password()
                rules = {acl.ADMIN: acl.admin_rules, acl.SERVER: acl.server_rules}.get(name)
                given = rules() if rules else acl.agent_rules(name)
                client.execute_command("ACL", "SETUSER", name, "reset", "on", acl.hashed(password), *given)
                urls[name] = acl.with_user(self.url, name, password)
            client.execute_command("ACL", "SETUSER", "default", "off")
        return urls

    def stop(self, kill: bool = False) -> None:
        if self.process:
            self.process.kill() if kill else self.process.terminate()
            self.process.wait(timeout=20)
            self.process = None


def _answers(client: redis.Redis) -> bool:
    try:
        return bool(client.ping())
    except redis.AuthenticationError:  # it has users, and this is none of them
        return True
    except redis.RedisError:
        return False


@dataclass
class People:
    """A Directory whose people a test makes up. Slack's own is tested against the stand-in."""

    persons: dict[str, Person] = field(default_factory=dict)
    groups: dict[str, set[str]] = field(default_factory=dict)
    asked: int = 0

    def home(self) -> tuple[str, str]:
        return "T1", ""

    def person(self, user_id: str) -> Person:
        self.asked += 1
        return self.persons[user_id]

    def group(self, group_id: str) -> set[str]:
        return self.groups.get(group_id, set())


@dataclass
class Core:
    """Approvals with all real parts but Slack; `changed` are the ids that `on_change` was called with.

    `policy` is the one in force; `follow` puts another one there.
    """

    approvals: Approvals
    store: Store
    signer: Signer
    people: People
    redis: Any
    changed: list[str]
    policy: Policy

    def follow(self, text: str) -> None:
        """Put a policy file's text in force, without `version: 1`."""
        data = f"version: 1\n{text}".encode()
        self.policy = parse(data, "policy.yml", approvers=("S0FIN",), conversation="C0APPROVE").policy

    def submit(self, agent: str = "billing-bot", **fields: Any) -> Any:
        return self.approvals.submit(agent, a_request(agent=agent, **fields))


def undelivered(store: Store) -> list[str]:
    """Ids of approvals whose cards do not show their last revision, and may be delivered now."""
    query = "SELECT id FROM approval WHERE delivered_revision < revision AND not_before <= :now ORDER BY id"
    with store.reading() as connection:
        return list(connection.execute(sql(query), {"now": store.clock()}).scalars())


def send_entry(client: Any, agent: str, kind: str, request_id: str, body: str | bytes) -> None:
    """One entry as a client sends it, a request's body under its key."""
    if kind == "request":
        client.set(stream.body(agent, request_id), body, ex=stream.BODY_SECONDS)
    client.xadd(stream.requests(agent), stream.entry(kind, request_id, body))


@contextmanager
def beating(url: str, *roles: str) -> Iterator[None]:
    """These roles show that they live, inside the `with`."""
    stop = threading.Event()
    threads = [threading.Thread(target=pulse.beat, args=(url, role, stop)) for role in roles]
    for thread in threads:
        thread.start()
    try:
        with redis.Redis.from_url(url) as client:
            eventually(lambda: pulse.heard(client.client_list(), acl.SERVER).keys() == set(roles))
        yield
    finally:
        stop.set()
        for thread in threads:
            thread.join(10)


@contextmanager
def intake_of(core: Core, redis_url: str, *agents: str) -> Iterator[None]:
    """An intake that runs inside the `with`. It knows `agents` from its start; others it finds in 0.5 s."""
    client, stop = redis.Redis.from_url(redis_url, socket_timeout=10), threading.Event()
    requests = Stream(client, "test")
    for agent in agents:
        requests.join(agent)
    running = threading.Thread(target=Intake(core.approvals, requests).run, args=(stop,))
    running.start()
    yield
    stop.set()
    running.join(20)
    client.close()


def a_request(
    action: str = "refund.create", payload: Any = None, *, agent: str = "billing-bot", **fields: Any
) -> ApprovalRequest:
    """A request as `agent` asks it; with a key its id is the same each time, as the client's is."""
    payload = {"customer": "cus_42", "amount": 120} if payload is None else payload
    key = fields.get("key")
    nonce = identity.keyed_nonce(key, None) if key else identity.new_nonce()
    values = {"nonce": nonce, "kind": "approval", "action": action, "payload": payload, **fields}
    with suppress(Invalid):  # what no agent could send commits to nothing
        sent = payload_digest(payload)
        made = identity.request_id(values["kind"], agent, action, sent, values["nonce"])
        values = {"id": made, **values}
    return ApprovalRequest.model_validate({"id": new_id(), **values})


def without_triggers(connection: Connection) -> None:
    """What an attacker with the database's owner's rights can do."""
    if connection.dialect.name == "postgresql":
        connection.execute(sql("ALTER TABLE audit_event DISABLE TRIGGER ALL"))
        return
    names = connection.execute(sql("SELECT name FROM sqlite_master WHERE type='trigger'")).scalars().all()
    for name in names:
        connection.execute(sql(f"DROP TRIGGER {name}"))
