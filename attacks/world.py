"""What an attack has to work with: a server, its Redis as an agent sees it, its people, its files."""

from __future__ import annotations

import json
import os
import sqlite3
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import redis

from attacks import rules
from attacks.database import Copy
from signoff import Signoff, Ticket
from signoff.approvals import audit
from signoff.approvals.audit import heads
from signoff.models.engine import open_engine
from signoff.queue import acl, stream
from signoff.queue.data_folder import read_env_file
from signoff.queue.users import Users
from signoff.receipts import Signer, verify_keys
from signoff.sandbox.remote import Remote
from signoff.server.own_redis import admin_url, kept_url

JSON = dict[str, Any]
T = TypeVar("T")
SOURCE = str(Path(__file__).parents[1])
SECONDS = 30.0
"""How long what has to happen may take."""


class GotThrough(Exception):
    """An attack did what nobody may do."""


class NotTried(Exception):
    """What an attack needs is not there, or did not behave: nothing is shown by it."""


def held(what: object, why: str) -> None:
    """Raise GotThrough unless `what` is true; `why` says what happened instead."""
    if not what:
        raise GotThrough(why)


@dataclass
class World:
    """A server in the sandbox. `data` is its data folder, `env_file` what points at the stand-in.

    `policy` is the policy file that it goes by: it is written over, and put back by who started it.
    """

    env_file: Path
    data: Path
    folder: Path
    """Where an attack may write."""
    policy: Path | None = None
    _clients: dict[str, Signoff] = field(default_factory=dict)
    _urls: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = read_env_file(self.env_file)
        self.slack = Remote(settings["SLACK_API_URL"].removesuffix("/api/"))
        self.channel = settings["SIGNOFF_CHANNEL"]
        self.approvers = settings["SIGNOFF_APPROVERS"].replace(",", " ").split()
        self.approver, self.other = self.approvers[:2]
        self.bot_token = settings["SLACK_BOT_TOKEN"]
        self.left = read_env_file(self.data / "agent.env")
        self.verify_key = self.left["SIGNOFF_VERIFY_KEY"]
        self.server_url, self.admin_url = kept_url(self.data), admin_url(self.data, None, None) or ""
        self.users = Users(self.admin_url)
        # Whoever writes to Redis as they like: as nobody but its admin can.
        self.redis: Any = redis.Redis.from_url(self.admin_url, socket_timeout=10)

    def redis_url(self, name: str) -> str:
        """What an agent of this name has to set, with a Redis user of its own."""
        if name not in self._urls:
            known = any(user.name == name for user in self.users.agents())
            password = self.users.rotate(name) if known else self.users.add(name)
            self._urls[name] = acl.with_user(self.server_url, name, password)
        return self._urls[name]

    def agent(self, name: str) -> Signoff:
        """A client that asks under this name."""
        if name not in self._clients:
            url = self.redis_url(name)
            self._clients[name] = Signoff(redis_url=url, agent=name, verify_key=self.verify_key)
        return self._clients[name]

    def own(self, name: str) -> Any:
        """Redis with no more than this agent's rights."""
        return redis.Redis.from_url(self.redis_url(name), socket_timeout=10)

    def post(self, agent: str, kind: str, request_id: str, body: str) -> None:
        """An entry on an agent's stream, written by hand."""
        if kind == "request":
            self.redis.set(stream.body(agent, request_id), body, ex=stream.BODY_SECONDS)
        self.redis.xadd(stream.requests(agent), stream.entry(kind, request_id, body))

    def put(self, key: str, value: bytes) -> None:
        """A value under a key, written by hand."""
        self.redis.set(key, value)

    def close(self) -> None:
        """Let everything go."""
        for client in self._clients.values():
            with suppress(redis.RedisError):
                client.close()
        self.redis.close()
        self.users.close()
        self.slack.let_go()

    def signoff(self, *arguments: str, cwd: Path | None = None, **environment: str) -> tuple[int, str]:
        """The command line as an executor or operator of this server runs it: exit code and all it says."""
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("SIGNOFF_", "SLACK_"))}
        told = {"SIGNOFF_DATA": str(self.data), "SIGNOFF_VERIFY_KEY": self.verify_key, **environment}
        environment = kept | {"PYTHONPATH": SOURCE} | told
        return _run([sys.executable, "-P", "-m", "signoff", *arguments], cwd or self.folder, environment)

    def python(self, *arguments: str) -> tuple[int, str]:
        """A program that knows nothing of Signoff: exit code and all it says."""
        return _run([sys.executable, "-I", *arguments], self.folder, dict(os.environ))

    def card(self, action: str) -> JSON:
        """The newest card of an action that stands in the channel."""

        def look() -> JSON | None:
            cards = [one for one in self.slack.messages(self.channel) if self._is_of(one, action)]
            return cards[-1] if cards else None

        return until(f"a card of {action}", look)

    def click(self, card: JSON, action_id: str, user: str = "") -> JSON:
        """A person presses one of a card's buttons."""
        who = user or self.approver
        return self.slack.act(
            type="click", user=who, channel=self.channel, ts=card["ts"], action_id=action_id
        )

    def asked(self, name: str, action: str, payload: JSON, **ask: Any) -> tuple[Ticket, JSON]:
        """A request that waits for a person, and its card."""
        ask = {"reversible": True, **ask}
        ticket = self.agent(name).request(action, payload, **ask)
        return ticket, self.card(action)

    def status(self, ticket: Ticket) -> str:
        """What has become of a request, once the server has taken it; what still waits is withdrawn."""
        found = until("an answer", ticket.get)
        if found.status == "pending":
            ticket.cancel()
        return found.status

    def waits(self, ticket: Ticket) -> None:
        """Nobody has decided it, and nothing has let it run. Withdraws it."""
        found = self.status(ticket)
        held(found == "pending", f"it is {found}")

    def serves(self, name: str = "good-bot") -> float:
        """Seconds until another agent has an answer of the policy."""
        began = time.monotonic()
        self.agent(name).request("free.ask", {"n": began}, reversible=True).wait(SECONDS * 2)
        return time.monotonic() - began

    def head(self) -> str:
        """The head of the server's log, signed as for a witness."""
        signer = Signer.from_text((self.data / "signing.key").read_text())
        with self.copied() as copy, open_engine(copy.url).connect() as connection:
            return heads.sealed(signer, audit.last_line(connection), "signoff")

    @contextmanager
    def database(self) -> Iterator[sqlite3.Connection]:
        """The server's rows, to be changed; what was changed is there at the end of the `with`."""
        with closing(sqlite3.connect(self._file(), timeout=30)) as connection, connection:
            connection.row_factory = sqlite3.Row
            yield connection

    def write(self, statement: str, *values: object) -> None:
        """Change the server's rows."""
        with self.database() as connection:
            connection.execute(statement, values)

    def rows(self, table: str, approval_id: str = "") -> list[JSON]:
        """The rows of a table, all of them or those of a request."""
        query = f"SELECT * FROM {table}" + (" WHERE approval_id = ?" if approval_id else "")
        with self.database() as connection:
            return [dict(row) for row in connection.execute(query, [approval_id] if approval_id else [])]

    def row(self, approval_id: str) -> JSON:
        """The row of a request."""
        return next(row for row in self.rows("approval") if row["id"] == approval_id)

    @contextmanager
    def copied(self) -> Iterator[Copy]:
        """A copy of the server's database that may be changed in any way."""
        copy = Copy(self._file(), self.folder / "copy.db", verify_keys(self.verify_key))
        try:
            yield copy
        finally:
            copy.close()

    def _file(self) -> Path:
        file = self.data / "signoff.db"
        if not file.exists():
            raise NotTried("this server's database is no SQLite file in its data folder")
        return file

    @contextmanager
    def under(self, text: str) -> Iterator[None]:
        """Inside the `with` this one of our rules' texts is in force."""
        if self.policy is None:
            raise NotTried("which policy file the server goes by is not known: --policy")
        before = self.policy.read_text()
        rules.write(self.policy, text)
        try:
            rules.until_in_force(self, text)
            yield
        finally:
            rules.write(self.policy, before)
            rules.until_in_force(self, before)

    def approved(self, name: str, action: str, payload: JSON, **ask: Any) -> Any:
        """A receipt, come by honestly: an agent asks, and the approver approves."""
        ticket = self.agent(name).request(action, payload, reversible=True, **ask)
        self.click(self.card(action), "approve")
        return ticket.wait(SECONDS)

    @staticmethod
    def _is_of(message: JSON, action: str) -> bool:
        metadata = message.get("metadata") or {}
        return metadata.get("event_type") == "signoff_approval" and action in json.dumps(message["blocks"])


def _run(command: list[str], folder: Path, environment: dict[str, str]) -> tuple[int, str]:
    run = subprocess.run(
        command, cwd=folder, env=environment, capture_output=True, text=True, timeout=120, check=False
    )
    return run.returncode, run.stdout + run.stderr


def until(what: str, look: Callable[[], T | None]) -> T:
    """The first thing that `look` gives; raises NotTried after 30 s."""
    give_up = time.monotonic() + SECONDS
    while time.monotonic() < give_up:
        if found := look():
            return found
        time.sleep(0.05)
    raise NotTried(f"{what} did not appear within {SECONDS:g} s")


@contextmanager
def refused(*kinds: type[Exception]) -> Iterator[None]:
    """Inside the `with` one of these has to be raised."""
    try:
        yield
    except kinds:
        return
    raise GotThrough("it was taken, and nothing was refused")
