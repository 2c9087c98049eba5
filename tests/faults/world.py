"""A whole installation as processes, under load: it can be broken anywhere, brought to rest, and audited."""

from __future__ import annotations

import json
import os
import shutil
import signal
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import redis
from faults.accounts import collect, left
from faults.books import Breach, Facts, check
from faults.nursery import Nursery
from faults.parts import Part, PostgreSQL, RedisPart
from faults.people import Reviewers
from faults.proxy import Proxy

from signoff import receipts
from signoff.models import migrate
from signoff.models.engine import OUTAGE, open_engine
from signoff.models.identity import new_id
from signoff.models.store import Store
from signoff.queue import stream
from signoff.receipts import Signer
from signoff.sandbox.server import Sandbox
from signoff.sandbox.workspace import DEFAULT_SCOPES
from signoff.server import processes

CHANNEL = "C0APPROVE1"
POLICY = """
version: 1
rules:
  - {name: small, when: payload.amount <= 40, verdict: allow}
  - {name: told, when: payload.amount <= 80, verdict: notify}
  - name: never
    match: {action: refund.create}
    when: payload.amount > 480 && payload.amount <= 500
    verdict: block
"""
"""Of what agents ask (1 to 500) some needs nobody; what people make of it is always asked about."""
REST_SECONDS = 90.0
"""By then all that was under way has come to its end; what has not is stuck."""
PROVOKE_SECONDS = 1.0
SUPERVISOR_SECONDS = 0.5
"""A role that dies is started again after so long, as by `signoff serve`."""
HISTORY = ("channels:history", "groups:history", "im:history")
DATABASES = ("sqlite", "postgresql")
ROOT = Path(__file__).parents[2]


@dataclass(frozen=True)
class Shape:
    """How many of each part there are, and how much the agents ask: requests at once, and the pause after."""

    bots: int = 1
    intakes: int = 2
    workers: int = 2
    agents: int = 2
    at_once: int = 3
    pause: float = 0.3


class World:
    """Everything but faults. Start, break and close it from the main thread."""

    def __init__(self, folder: Path, database: str, shape: Shape = Shape(), **options: Any) -> None:
        self.folder = folder
        self.database = database
        self.shape = shape
        self.supervised = options.pop("supervisor_seconds", SUPERVISOR_SECONDS)
        self.preload = options.pop("preload", {})
        """What the parts that keep data have in their environment."""
        self.data: Path = options.pop("data", folder)
        """Where database and Redis keep what they have."""
        self._migrated: Callable[[Path], None] | None = options.pop("migrated", None)
        """Is given `data` once the tables are there, while no database runs."""
        self._forking = options.pop("forking", False)
        self._reviewers = options.pop("reviewers", True)
        self._people = options.pop("people", Reviewers)
        self._program: str = options.pop("program", "faults.agent")
        """What the agents run, and the policy."""
        self._policy: str = options.pop("policy", POLICY)
        self.proxies: dict[str, Proxy] = {}
        """Between the parts and `redis`, `postgresql` or `slack`; those that `proxied` named."""
        self._proxied: tuple[str, ...] = options.pop("proxied", ())
        self._scopes: tuple[str, ...] = options.pop("scopes", ())
        """What the app has beside what it needs: `HISTORY`, to find cards again."""
        self._provoked = 0.0
        self.left_open = 0
        """Doubles of what is over that could be pressed when all had come to rest."""
        self.deaths: list[str] = []
        """Parts that ended by themselves."""
        self.parts: dict[str, Part] = {}
        self._killed: dict[str, float] = {}

    def start(self) -> None:
        """Until every part is ready and the agents ask."""
        self.slack = Sandbox.start()
        self.slack.team(bot={"scopes": [*DEFAULT_SCOPES, *self._scopes]})
        self.redis = RedisPart(self.data, env=self.preload, logs=self.folder)
        self.redis.start()
        self.parts["redis"] = self.redis
        self.database_url = f"sqlite:///{self.data / 'signoff.db'}"
        if self.database == "postgresql":
            cluster = PostgreSQL(self.data, env=self.preload, logs=self.folder)
            cluster.start()
            cluster.wait_ready()
            self.parts["postgresql"], self.database_url = cluster, cluster.url
        self.redis.wait_ready()
        self._put_proxies()
        self.store = Store(open_engine(self.database_url))
        migrate.upgrade(self.store.engine)
        if self._migrated:
            self._remember()
        self.signer = Signer.generate()
        self.people = self._people(self.slack, CHANNEL)
        (self.folder / "policy.yml").write_text(self._policy)
        self.environment = self._environment()
        self.nursery = Nursery(self.environment) if self._forking else None
        for role in ("bot", "intake", "worker"):
            for number in range(getattr(self.shape, f"{role}s")):
                self._add(f"{role}-{number}", processes.python("signoff", role))
        for part in self.parts.values():
            part.wait_ready()
        for number in range(self.shape.agents):
            given = [str(self.folder), f"agent-{number}", str(self.shape.at_once), str(self.shape.pause)]
            self._add(f"agent-{number}", processes.python(self._program, *given))
        if self._reviewers:
            self.people.start()

    def _remember(self) -> None:
        assert self._migrated
        self.store.engine.dispose()
        cluster = self.parts.get("postgresql")
        if cluster:
            cluster.stop()
        self._migrated(self.data)
        if cluster:
            cluster.start()
            cluster.wait_ready()

    def _put_proxies(self) -> None:
        """The parts' addresses are the proxies'; this process goes straight to everything."""
        self.server_redis_url, self.server_database_url = self.redis.url, self.database_url
        slack = urlsplit(self.slack.url).port or 0
        ports = {"redis": self.redis.port, "slack": slack}
        if isinstance(cluster := self.parts.get("postgresql"), PostgreSQL):
            ports["postgresql"] = cluster.port
        for name in self._proxied:
            if name not in ports:
                continue
            proxy = self.proxies[name] = Proxy(ports[name])
            changed = (f":{ports[name]}", f":{proxy.port}")
            if name == "redis":
                self.server_redis_url = self.server_redis_url.replace(*changed)
            elif name == "postgresql":
                self.server_database_url = self.server_database_url.replace(*changed)
            else:  # its sockets' and response URLs are made of this
                self.slack._service.workspace.base_url = self.slack.url.replace(*changed)

    def _environment(self) -> dict[str, str]:
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SIGNOFF_", "SLACK_")) and not name.lower().endswith("_proxy")
        }
        return (
            kept
            | self.slack._service.settings()
            | {
                "SIGNOFF_DATA": str(self.folder),
                "SIGNOFF_REDIS_URL": self.server_redis_url,
                "SIGNOFF_DATABASE_URL": self.server_database_url,
                "SIGNOFF_SIGNING_KEY": self.signer.private_text(),
                "SIGNOFF_VERIFY_KEY": self.signer.verify_key,
                "SIGNOFF_APPROVERS": ",".join(self.people.users),
                "SIGNOFF_POLICY": str(self.folder / "policy.yml"),
                "PYTHONPATH": f"{ROOT / 'tests'}:{ROOT}",
            }
        )

    def _add(self, name: str, command: list[str]) -> None:
        env = self.environment
        if name.startswith("agent"):
            env = env | {"SIGNOFF_AGENT": name}
        if not name.startswith("agent") and self.database == "sqlite":
            env = env | self.preload
        self.parts[name] = Part(name, command, env, self.folder)
        if self.nursery:
            self.parts[name].begin = self.nursery.start
        self.parts[name].start()

    def journal(self) -> Iterator[tuple[str, dict[str, Any]]]:
        """(agent, line) of all that the agents have written."""
        for number in range(self.shape.agents):
            path = self.folder / f"agent-{number}.journal"
            if path.exists():
                for line in path.read_text().splitlines():
                    yield f"agent-{number}", json.loads(line)

    def keep(self) -> None:
        """Start again what has died by itself, and note it; what was killed, when its time has come."""
        stopping = (self.folder / "stop").exists()
        for name, part in self.parts.items():
            if not part.running and not (stopping and name.startswith("agent") and part.code == 0):
                if name not in self._killed:
                    self.deaths.append(f"{name} ended with {part.code}")
                    self._killed[name] = time.monotonic() + self.supervised
                elif time.monotonic() >= self._killed[name]:
                    del self._killed[name]
                    part.start()

    def kill(self, name: str) -> float:
        """SIGKILL one part, to be started again after a supervisor's pause; when, as a Unix time."""
        at = time.time()
        self.parts[name].kill()
        pause = 0.0 if name in ("redis", "postgresql") else self.supervised
        self._killed[name] = time.monotonic() + pause
        return at

    def provoke(self) -> None:
        """Once a second, have rarer points passed: an entry is refused, and all answers published anew."""
        if time.monotonic() - self._provoked > PROVOKE_SECONDS:
            self._provoked = time.monotonic()
            self.redis.client.delete(stream.INSTANCE)
            entry = stream.entry("nonsense", str(new_id()), "{}")
            self.redis.client.xadd(stream.requests("nobody"), entry)

    def kill_group(self) -> float:
        """SIGKILL all of a server at once, as a machine's end does: its roles and its Redis."""
        at = time.time()
        names = [name for name in self.parts if not name.startswith(("agent", "postgresql"))]
        for name in names:
            self.parts[name].signal(signal.SIGKILL)
        for name in names:
            self.kill(name)
        return at

    @contextmanager
    def frozen(self, name: str) -> Iterator[None]:
        """A part does nothing inside the `with`, and its connections stay."""
        self.parts[name].freeze()
        try:
            yield
        finally:
            self.parts[name].thaw()

    def rest(self) -> None:
        """Let the agents ask nothing more, and everything come to its end, within 90 s."""
        (self.folder / "stop").touch()
        deadline = time.monotonic() + REST_SECONDS
        while time.monotonic() < deadline and self.left():
            self.keep()
            time.sleep(0.05)
        self.people.stop()
        self.left_open = self.people.press_what_is_over(self.over)

    def over(self, approval_id: str) -> bool:
        """Whether nobody can decide it any more."""
        found = self.store.get(approval_id)
        return found is not None and not found.pending

    def left(self) -> dict[str, int]:
        """What is undone now, by name; only what is not nothing."""
        try:
            return {what: count for what, count in left(self).items() if count}
        except (redis.RedisError, OSError, *OUTAGE) as error:
            return {f"parts that cannot be reached ({type(error).__name__})": 1}

    def audit(self) -> tuple[Facts, list[Breach]]:
        """The books of a world at rest."""
        facts = collect(self)
        keys = receipts.verify_keys(self.signer.verify_key)
        return facts, check(facts, lambda token, agent: receipts.verify(token, keys, agent))

    def close(self) -> None:
        """End everything."""
        with suppress(Exception):
            self.people.stop()
        for part in reversed(self.parts.values()):
            part.kill()
            part.stop()
        if self.nursery:
            self.nursery.close()
        for proxy in self.proxies.values():
            proxy.close()
        self.store.engine.dispose()
        self.redis.client.close()
        self.slack.stop()

    def remove(self) -> None:
        """Delete all that it has written."""
        shutil.rmtree(self.folder, ignore_errors=True)
