"""The whole road for a test: a real `signoff serve` in a folder of its own, beside Slack's stand-in."""

from __future__ import annotations

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import redis
from sqlalchemy import text as sql
from support import ANY_PORT, eventually, undelivered

from signoff import Signoff
from signoff.models.engine import open_engine
from signoff.models.store import Store
from signoff.queue import acl
from signoff.queue.data_folder import read_env_file
from signoff.queue.users import Users
from signoff.sandbox.server import Sandbox
from signoff.server.own_redis import admin_url_file

START_SECONDS = 240.0
ROLES = ("bot", "intake", "worker", "web")
FORKER = "signoff.cli.forker"


@dataclass
class Road:
    """A server in `folder`, connected to `slack`. Its agents are in this process."""

    slack: Sandbox
    folder: Path
    settings: dict[str, str] = field(default_factory=dict)
    process: subprocess.Popen[bytes] | None = None
    _clients: list[Signoff] = field(default_factory=list)
    _urls: dict[str, str] = field(default_factory=dict)
    _store: Store | None = None
    _redis: redis.Redis | None = None

    @property
    def environment(self) -> dict[str, str]:
        """This process's, without settings of ours and without a proxy: all is on this machine."""
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SIGNOFF_", "SLACK_")) and not name.lower().endswith("_proxy")
        }
        ours = {"SIGNOFF_DATA": str(self.data), "SIGNOFF_LOG_LEVEL": "DEBUG", **ANY_PORT, **self.settings}
        return kept | self.slack.settings() | ours

    @property
    def roles(self) -> tuple[str, ...]:
        """What `serve` runs: no bot where Slack calls by HTTP."""
        return tuple(name for name in ROLES if name != "bot" or not self.by_http)

    @property
    def by_http(self) -> bool:
        """Whether Slack calls it, and is not listened to over Socket Mode."""
        return "SLACK_SIGNING_SECRET" in self.slack.settings()

    @property
    def listener(self) -> str:
        """The role that hears of what people do."""
        return "web" if self.by_http else "bot"

    @property
    def began(self) -> int:
        """How often Slack could reach it so far."""
        return self.log.count("Slack can call" if self.by_http else "connected to Slack")

    def is_reached(self, began: int = 0) -> bool:
        """Whether Slack reaches it: by HTTP, whether it could more often than `began` says."""
        if self.by_http:
            return self.began > began
        return bool(self.slack.state()["connections"] == 2)

    @property
    def data(self) -> Path:
        return self.folder / "data"

    @property
    def log(self) -> str:
        """All that the server has written to stderr and stdout."""
        return (self.folder / "log").read_text(errors="replace")

    @property
    def database_url(self) -> str:
        return self.settings.get("SIGNOFF_DATABASE_URL") or f"sqlite:///{self.data / 'signoff.db'}"

    @property
    def agent_settings(self) -> dict[str, str]:
        """What `signoff serve` leaves for the agent of this user."""
        return read_env_file(self.data / "agent.env")

    @property
    def admin_url(self) -> str:
        """Who may look at all of its Redis: its own one's admin, or whoever the test's own lets in."""
        given = self.settings.get("SIGNOFF_REDIS_URL")
        return given or admin_url_file(self.data).read_text().strip()

    def settings_of(self, name: str) -> dict[str, str]:
        """What an agent of this name has to set; on its own Redis, with a user made for it."""
        if "SIGNOFF_REDIS_URL" not in self.settings and name not in self._urls:
            with Users(self.admin_url) as users:
                known = any(user.name == name for user in users.agents())
                password = users.rotate(name) if known else users.add(name)
                assert users.save() is None
            self._urls[name] = acl.with_user(self.admin_url, name, password)
        url = self._urls.get(name, self.admin_url)
        return self.agent_settings | {"SIGNOFF_AGENT": name, "SIGNOFF_REDIS_URL": url}

    def start(self) -> None:
        """Until it says that it is ready."""
        said = self.log.count("Signoff is ready") if (self.folder / "log").exists() else 0
        self.spawn()
        eventually(lambda: self._has_said_so(said), START_SECONDS)

    def spawn(self) -> subprocess.Popen[bytes]:
        """Start it, and do not wait."""
        with (self.folder / "log").open("ab") as log:
            self.process = subprocess.Popen(
                [sys.executable, "-m", "signoff", "serve"],
                env=self.environment, cwd=self.folder, stdout=log, stderr=log,
            )  # fmt: skip
        return self.process

    def _has_said_so(self, before: int) -> bool:
        assert self.process is not None
        assert self.process.poll() is None, self.log[-3000:]
        return self.log.count("Signoff is ready") > before

    def stop(self, number: int = signal.SIGTERM) -> int:
        """Send it a signal, and wait for its end; its exit code."""
        assert self.process is not None
        self.process.send_signal(number)
        return self.process.wait(timeout=60)

    def close(self) -> None:
        """End everything that a test has started on this road."""
        for client in self._clients:
            client.close()
        if self._redis:
            self._redis.close()
        if self._store:
            self._store.engine.dispose()
        if self.process and self.process.poll() is None:
            self.stop()

    def children(self) -> dict[str, int]:
        """The server's processes: role (or `redis`, or `forker`) → process id."""
        assert self.process is not None
        found = {}
        for path in Path("/proc").glob("[0-9]*"):
            with suppress(OSError):
                parent = (path / "stat").read_text().rpartition(")")[2].split()[1]
                if int(parent) == self.process.pid:
                    words = (path / "cmdline").read_bytes().decode().split("\0")
                    role = next((role for role in ROLES if role in words), "redis")
                    found["forker" if FORKER in words else role] = int(path.name)
        return found

    def kill(self, role: str) -> int:
        """SIGKILL one of the server's processes; its id."""
        found = self.children()[role]
        os.kill(found, signal.SIGKILL)
        return found

    def write_policy(self, text: str) -> None:
        """As editors do: another file takes the place of the one in `SIGNOFF_POLICY`."""
        path = Path(self.settings["SIGNOFF_POLICY"])
        path.with_suffix(".new").write_text(text)
        os.replace(path.with_suffix(".new"), path)

    def follow(self, text: str) -> None:
        """Put a policy in force, in all roles."""
        if Path(self.settings["SIGNOFF_POLICY"]).read_text() != text:
            said = self.log.count("policy in force")
            self.write_policy(text)
            assert self.process is not None
            self.process.send_signal(signal.SIGHUP)  # it would look by itself, but later
            eventually(lambda: self.log.count("policy in force") >= said + len(self.roles), 60)

    def agent(self, name: str = "billing-bot") -> Signoff:
        """A client in this process."""
        given = self.settings_of(name)
        client = Signoff(
            redis_url=given["SIGNOFF_REDIS_URL"], agent=name, verify_key=given["SIGNOFF_VERIFY_KEY"]
        )
        self._clients.append(client)
        return client

    @property
    def store(self) -> Store:
        """The server's database, to look into."""
        if self._store is None:
            self._store = Store(open_engine(self.database_url))
        return self._store

    @property
    def redis(self) -> Any:
        """The server's Redis, to look into."""
        if self._redis is None:
            self._redis = redis.Redis.from_url(self.admin_url, socket_timeout=10)
        return self._redis

    def move(self, approval_id: str, **columns: int) -> None:
        """Set an approval's times. Tests move rows, not clocks."""
        values = ", ".join(f"{name} = :{name}" for name in columns)
        with self.store.transaction() as connection:
            statement = sql(f"UPDATE approval SET {values} WHERE id = :id")
            assert connection.execute(statement, {"id": approval_id, **columns}).rowcount == 1

    def run_out(self, approval_id: str) -> None:
        """Its time is over, as of now."""
        self.move(approval_id, expires_at=self.store.clock() - 1)

    def let_no_card_age(self) -> None:
        """Nothing approved so far tells once more that nobody has reported on it."""
        with self.store.transaction() as connection:
            connection.execute(sql("UPDATE approval SET ages_at = NULL"))

    def row(self, approval_id: str) -> Any:
        """An Approval as it stands in the database."""
        return eventually(lambda: self.store.get(approval_id))

    def decisions(self, approval_id: str) -> int:
        """How many decisions are recorded."""
        with self.store.reading() as connection:
            counted = sql("SELECT count(*) FROM decision WHERE approval_id = :id")
            return int(connection.execute(counted, {"id": approval_id}).scalar_one())

    def faults(self, approval_id: str) -> str | None:
        """Why an approval's card cannot be shown."""
        with self.store.reading() as connection:
            statement = sql("SELECT fault FROM card WHERE approval_id = :id")
            code: str | None = connection.execute(statement, {"id": approval_id}).scalar()
            return code

    @contextmanager
    def fault(self, **fields: Any) -> Iterator[None]:
        """Slack misbehaves inside the `with`; what was under way before is done by then.

        Say which call is meant (`about`: see `signoff.sandbox.faults`): replies and edits of another test may
        still be on their way.
        """
        eventually(lambda: not undelivered(self.store))
        self.slack.faults(**fields)
        try:
            yield
        finally:
            self.slack.faults(clear=True)

    def faults_left(self) -> int:
        return len(self.slack.faults()["faults"])


def alive(process_id: int) -> bool:
    """Whether a process runs; a zombie does not."""
    try:
        return Path(f"/proc/{process_id}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except OSError:
        return False
