"""What an attack has to work with: a server, its Redis as an agent sees it, its people, its files."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

import redis

from signoff import Signoff
from signoff.queue import acl, stream
from signoff.queue.data_folder import read_env_file
from signoff.queue.users import Users
from signoff.sandbox.remote import Remote
from signoff.server.own_redis import admin_url, kept_url

JSON = dict[str, Any]
T = TypeVar("T")
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
    """A server in the sandbox. `data` is its data folder, `env_file` what points at the stand-in."""

    env_file: Path
    data: Path
    folder: Path
    """Where an attack may write."""
    _clients: dict[str, Signoff] = field(default_factory=dict)
    _urls: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        settings = read_env_file(self.env_file)
        self.slack = Remote(settings["SLACK_API_URL"].removesuffix("/api/"))
        self.channel = settings["SIGNOFF_CHANNEL"]
        self.approvers = settings["SIGNOFF_APPROVERS"].replace(",", " ").split()
        self.approver = self.approvers[0]
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
            client.close()
        self.redis.close()
        self.users.close()
        self.slack.let_go()

    def signoff(self, *arguments: str, cwd: Path | None = None, **environment: str) -> tuple[int, str]:
        """The command line as an executor or operator of this server runs it: exit code and all it says."""
        kept = {n: v for n, v in os.environ.items() if not n.startswith(("SIGNOFF_", "SLACK_"))}
        told = {"SIGNOFF_DATA": str(self.data), "SIGNOFF_VERIFY_KEY": self.verify_key, **environment}
        command = [sys.executable, "-P", "-m", "signoff", *arguments]
        source = str(Path(__file__).parents[1])
        run = subprocess.run(
            command, cwd=cwd or self.folder, env=kept | {"PYTHONPATH": source} | told, capture_output=True,
            text=True, timeout=120, check=False,
        )  # fmt: skip
        return run.returncode, run.stdout + run.stderr

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

    def approved(self, name: str, action: str, payload: JSON, **ask: Any) -> Any:
        """A receipt, come by honestly: an agent asks, and the approver approves."""
        ticket = self.agent(name).request(action, payload, reversible=True, **ask)
        self.click(self.card(action), "approve")
        return ticket.wait(SECONDS)

    @staticmethod
    def _is_of(message: JSON, action: str) -> bool:
        metadata = message.get("metadata") or {}
        return metadata.get("event_type") == "signoff_approval" and action in json.dumps(message["blocks"])


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
