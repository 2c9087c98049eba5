"""What runs while the road is measured: Signoff as anybody runs it, and the floor beside it.

Both use the Redis that `signoff serve` starts, and a SQLite file each in the same folder.
"""

from __future__ import annotations

import json
import os
import secrets
import socket
import subprocess
import time
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from typing import Any, TypeVar
from urllib.request import Request, urlopen

from bench.floor import REQUESTS
from bench.raw import Resp
from signoff.models import migrate
from signoff.models.engine import open_engine
from signoff.models.store import Store
from signoff.queue.data_folder import read_env_file
from signoff.server import processes

T = TypeVar("T")
START_SECONDS = 60.0
STOP_SECONDS = 15.0
CHANNEL, APPROVER = "C0APPROVE1", "U0ANA00001"
"""Of the stand-in's own team."""
ROLES = ("stand-in", "bot", "intake", "worker")


def until(check: Callable[[], T | None], seconds: float = START_SECONDS) -> T:
    """The first true value of `check`; raises TimeoutError."""
    give_up = time.monotonic() + seconds
    while not (found := check()):
        if time.monotonic() > give_up:
            raise TimeoutError(f"{check} did not come true within {seconds:g} s")
        time.sleep(0.002)
    return found


class Stage:
    """Starts everything in `folder`; `close` ends it. `policy` is a policy file's text.

    `settings` are for `signoff serve`, beside its own.
    """

    def __init__(self, folder: Path, policy: str = "", **settings: str) -> None:
        self.folder = folder
        self._children: list[subprocess.Popen[bytes]] = []
        self._log = (folder / "log").open("wb")
        self.web_port = _free_port()
        kept = {
            name: value
            for name, value in os.environ.items()
            if not name.startswith(("SIGNOFF_", "SLACK_")) and not name.lower().endswith("_proxy")
        }
        self._environment = kept | {
            "SIGNOFF_DATA": str(folder / "data"),
            "SIGNOFF_WEB_BIND": f"127.0.0.1:{self.web_port}",
            "SIGNOFF_HEALTH_BIND": "127.0.0.1:0",
            "SIGNOFF_APPROVERS": APPROVER,
            "SIGNOFF_CHANNEL": CHANNEL,
            "PYTHONPATH": str(Path(__file__).parents[1]),
            **settings,
        }
        if policy:
            (folder / "policy.yml").write_text(policy)
            self._environment["SIGNOFF_POLICY"] = str(folder / "policy.yml")
        try:
            self._start_signoff()
        except BaseException:
            self._stop()
            raise
        self.agent = read_env_file(folder / "data" / "agent.env")
        # An admin's: what is measured looks at all of it, and asks as any agent.
        self.redis_url = (folder / "data" / "redis-admin.url").read_text().strip()
        database = settings.get("SIGNOFF_DATABASE_URL") or f"sqlite:///{folder / 'data' / 'signoff.db'}"
        self.store = Store(open_engine(database))

    def start_floor(self, card: dict[str, Any]) -> None:
        """The floor's processes; `card` is the message that its worker posts."""
        engine = open_engine(f"sqlite:///{self.folder / 'floor.db'}")
        migrate.upgrade(engine)
        engine.dispose()
        self.floor_port = _free_port()
        self.floor_key = secrets.token_bytes(32)
        settings = {
            "redis": self.redis_url, "database": str(self.folder / "floor.db"), "port": self.floor_port,
            "key": self.floor_key.hex(), "card": card,
        }  # fmt: skip
        (self.folder / "floor.json").write_text(json.dumps(settings))
        for role in ROLES:
            self._spawn(processes.python("bench.floor", role, str(self.folder / "floor.json")))
            if role == "stand-in":
                until(lambda: _listens(self.floor_port))
            if role == "bot":
                time.sleep(0.5)  # the stand-in takes the first connection for the bot's
        with closing(Resp(self.redis_url)) as redis:
            until(lambda: redis.call("EXISTS", REQUESTS))
            until(lambda: "blpop" in redis.call("CLIENT", "LIST").decode())

    def start_bare(self, card: dict[str, Any]) -> tuple[str, subprocess.Popen[bytes]]:
        """Another stand-in, and a bare Bolt app on it that posts `card`: the stand-in's address, the app."""
        env_file = self.folder / "bare.env"
        self._spawn(processes.python("signoff", "sandbox", "--port", "0", "--env-file", str(env_file)))
        until(env_file.exists)
        slack = read_env_file(env_file)
        settings = {
            "bot_token": slack["SLACK_BOT_TOKEN"], "app_token": slack["SLACK_APP_TOKEN"],
            "api_url": slack["SLACK_API_URL"], "channel": CHANNEL, "card": card,
        }  # fmt: skip
        (self.folder / "bare.json").write_text(json.dumps(settings))
        app = self._spawn(processes.python("bench.bare", str(self.folder / "bare.json")), pipes=True)
        assert app.stdout is not None
        app.stdout.readline()  # it is connected
        return settings["api_url"].removesuffix("/api/"), app

    def ask(self, path: str, **said: Any) -> Any:
        """GET something of the stand-in; with fields, POST them."""
        body = json.dumps(said).encode() if said else None
        with urlopen(Request(f"{self.slack_url}/sandbox/{path}", body), timeout=30) as answer:
            return json.load(answer)

    def another(self, role: str) -> subprocess.Popen[bytes]:
        """One more process of a role, beside those of `signoff serve`."""
        self._environment["SIGNOFF_REDIS_URL"] = (self.folder / "data" / "redis.url").read_text().strip()
        return self._spawn(processes.python("signoff", role))

    def settled(self, approval_id: str, *, ended: bool) -> tuple[str, str] | None:
        """(channel, ts) of a card once nothing is left to be done for it."""
        found = self.store.get(approval_id)
        done = found is not None and found.card is not None and found.card.message is not None
        if not done or found is None or found.card is None or (found.published_at is not None) is not ended:
            return None
        if found.card.shown_revision < found.revision:
            return None
        assert found.card.conversation and found.card.message
        return found.card.conversation, found.card.message

    def start_server(self) -> None:
        """Start `signoff serve`, and do not wait."""
        self.server = self._spawn(processes.python("signoff", "serve"))

    def kill_server(self) -> None:
        """SIGKILL to `signoff serve`; all that it has started ends with it."""
        self.server.kill()
        self.server.wait()
        self._children.remove(self.server)

    def close(self) -> None:
        """End everything."""
        self.store.engine.dispose()
        self._stop()

    def _stop(self) -> None:
        for process in reversed(self._children):
            processes.stop([process], STOP_SECONDS)
        self._log.close()

    def _start_signoff(self) -> None:
        env_file = self.folder / "slack.env"
        self._spawn(processes.python("signoff", "sandbox", "--port", "0", "--env-file", str(env_file)))
        until(env_file.exists)
        own = {name: value for name, value in self._environment.items() if name.startswith("SIGNOFF_")}
        self._environment |= read_env_file(env_file) | own
        self.slack_url = self._environment["SLACK_API_URL"].removesuffix("/api/")
        self.start_server()
        server = self.server

        def ready() -> bool:
            said = (self.folder / "log").read_text()
            if server.poll() is not None or "Traceback" in said:
                raise RuntimeError(f"signoff serve does not start:\n{said[-3000:]}")
            return "Signoff is ready" in said

        until(ready)

    def _spawn(self, command: list[str], *, pipes: bool = False) -> subprocess.Popen[bytes]:
        process = processes.start(
            command,
            env=self._environment,
            cwd=self.folder,
            stdin=subprocess.PIPE if pipes else subprocess.DEVNULL,
            stdout=subprocess.PIPE if pipes else self._log,
            stderr=self._log,
            own_group=True,
        )
        self._children.append(process)
        return process


def _free_port() -> int:
    with closing(socket.create_server(("127.0.0.1", 0))) as probe:
        return int(probe.getsockname()[1])


def _listens(port: int) -> bool:
    """Whether somebody listens there: by /proc, since to connect would be to pass for the bot."""
    return f":{port:04X} 00000000:0000 0A" in Path("/proc/net/tcp").read_text()
