"""What every demo runs on: Slack's stand-in and Signoff's server, as processes, in one folder."""

from __future__ import annotations

import errno
import os
import socket
import subprocess
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import IO

from signoff.errors import Unreachable
from signoff.queue import acl
from signoff.queue.data_folder import agent_settings, read_env_file, write_private
from signoff.queue.neighbours import DEMO_SERVER
from signoff.server import environment, processes
from signoff.server.own_redis import admin_url as admin_url_of
from signoff.server.own_redis import kept_url

START_SECONDS = 60.0
STOP_SECONDS = 15.0
FIRST_PORT = 9100
POLICY = Path(__file__).with_name("policy.yml")
PORTS = 100
"""How many ports are tried, from the first one on."""


class Failed(Exception):
    """One of the parts did not do its part."""


class Stage:
    """Start the parts, one after the other; `close` ends them all. Use it from the main thread.

    `more` are settings for all of them.
    """

    def __init__(self, folder: Path, more: Mapping[str, str] | None = None) -> None:
        self.folder = folder
        self.server_data = folder / DEMO_SERVER
        self.log = folder / "log"
        self._said = folder / "said"
        self._running: dict[str, subprocess.Popen[bytes]] = {}
        self.policy = folder / "policy.yml"
        policy = {"SIGNOFF_POLICY": str(self.policy)}
        self._environment = {**_environment(self.server_data), **policy, **(more or {})}

    @property
    def slack(self) -> dict[str, str]:
        """The settings that point at the stand-in."""
        return read_env_file(self._settings)

    @property
    def url(self) -> str:
        """Where the stand-in listens, without a slash at its end."""
        return self.slack["SLACK_API_URL"].removesuffix("/api/")

    @property
    def _settings(self) -> Path:
        return self.folder / "slack.env"

    def open(self, port: int = 0, *more: str) -> None:
        """Start the stand-in, then the server; returns when both are ready. Raises Failed.

        `more` are options of `signoff sandbox`; port 0 takes any free one.
        """
        self._settings.unlink(missing_ok=True)
        for file in (self._said, self.log):
            file.unlink(missing_ok=True)
        sandbox = ("sandbox", "--port", str(port), "--env-file", str(self._settings), *more)
        if not self.policy.exists():  # what somebody has changed stays
            write_private(self.policy, POLICY.read_text(encoding="utf-8"))
        self._begin("the stand-in", *sandbox)
        self._until("the stand-in", self._settings.exists)
        self._begin("the server", "serve", "--env-file", str(self._settings))
        self._until("the server", lambda: b"Signoff is ready" in self._said.read_bytes())

    def start(
        self,
        *arguments: str,
        module: str = "signoff",
        cwd: Path | None = None,
        stdout: int | IO[bytes] | None = None,
        stderr: int | IO[bytes] | None = None,
        more: Mapping[str, str] | None = None,
    ) -> subprocess.Popen[bytes]:
        """One more program of ours, with the server's data folder and `more` settings; the caller ends it.

        Like all the others it is out of the terminal's reach, so that Ctrl-C comes to us alone and they are
        ended in order.
        """
        return processes.start(
            processes.python(module, *arguments),
            env={**self._environment, **(more or {})},
            cwd=cwd or self.folder,
            stdout=stdout,
            stderr=stderr,
            own_group=True,
        )

    def agent(self, name: str) -> dict[str, str]:
        """What an agent of this name has to set: a Redis user of its own, made anew at each start."""
        from signoff.queue.users import Users

        redis_url, admin_url = kept_url(self.server_data), admin_url_of(self.server_data, None, None)
        if not admin_url:
            raise Failed("the server has left no Redis")
        try:
            with Users(admin_url) as users:
                known = any(user.name == name for user in users.agents())
                password = users.rotate(name) if known else users.add(name)
                users.save()
        except Unreachable:
            self.check()  # it went with its server: that is what to say
            raise
        key = agent_settings(self.server_data)["SIGNOFF_VERIFY_KEY"]
        url = acl.with_user(redis_url, name, password)
        return {"SIGNOFF_AGENT": name, "SIGNOFF_REDIS_URL": url, "SIGNOFF_VERIFY_KEY": key}

    def check(self) -> None:
        """Raise Failed where a part has ended by itself."""
        for name, process in self._running.items():
            if process.poll() is not None:
                raise Failed(f"{name} ended with {process.returncode}")

    def tail(self, lines: int = 20) -> str:
        """The last lines of the log of all parts."""
        text = self.log.read_text(errors="replace") if self.log.exists() else ""
        return "\n".join(text.splitlines()[-lines:])

    def close(self) -> None:
        """End all parts, the server before the stand-in that it talks to."""
        for name in reversed(list(self._running)):
            processes.stop([self._running.pop(name)], STOP_SECONDS)

    def _begin(self, name: str, *arguments: str) -> None:
        with self._said.open("ab") as out, self.log.open("ab") as log:
            self._running[name] = self.start(*arguments, stdout=out, stderr=log)

    def _until(self, what: str, ready: Callable[[], bool]) -> None:
        give_up = time.monotonic() + START_SECONDS
        while not ready():
            self.check()
            if time.monotonic() > give_up:
                raise Failed(f"{what} was not ready within {START_SECONDS:g} s")
            time.sleep(0.05)


def free_port(first: int = FIRST_PORT) -> int:
    """The first port from `first` on that nobody listens at on this machine; raises OSError."""
    for port in range(first, first + PORTS):
        with socket.socket() as probe:
            probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                probe.bind(("127.0.0.1", port))
            except OSError:
                continue
            return port
    raise OSError(errno.EADDRINUSE, f"no port from {first} to {first + PORTS - 1} is free")


def _environment(server_data: Path) -> Mapping[str, str]:
    """This process's, without settings of ours, secrets or a proxy: all is on this machine."""
    kept = environment.plain(os.environ)
    kept |= {"SIGNOFF_WEB_BIND": "127.0.0.1:0", "SIGNOFF_HEALTH_BIND": "127.0.0.1:0"}  # beside a real one
    kept |= {"SIGNOFF_DATA": str(server_data), "PYTHONWARNINGS": "ignore", "PYTHONUNBUFFERED": "1"}
    if processes.from_source():  # and the children run elsewhere
        before = filter(None, [kept.get("PYTHONPATH")])
        kept["PYTHONPATH"] = os.pathsep.join([str(processes.SOURCE), *before])
    return kept
