"""Keeping a server's processes running: what dies is started again, and all end together."""

from __future__ import annotations

import logging
import os
import signal
import subprocess
import threading
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from contextlib import suppress

from signoff.errors import ConfigError
from signoff.server import processes
from signoff.server.own_redis import EmbeddedRedis

log = logging.getLogger("signoff.serve")

ROLES = ("bot", "intake", "worker")
PAUSES = (0.5, 1.0, 2.0, 5.0, 10.0, 30.0)
"""Seconds before something that died is started again; the last one goes on."""
STEADY_SECONDS = 60.0
"""After this long a death counts as the first again."""
FINISH_SECONDS = 10.0
"""What a role has to finish what it runs."""
LOOK_SECONDS = 0.1
BAD_SETTINGS = 2
"""The exit code of a role that cannot run with these settings: starting it again changes nothing."""


class Member(ABC):
    """One process that is kept running. `ready` is set once it has said so, the first time."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.ready = False
        self._failures = 0
        self._started = 0.0
        self._due = 0.0

    @abstractmethod
    def start(self) -> None:
        """Start its process; raises OSError or ConfigError."""

    @abstractmethod
    def code(self) -> int | None:
        """Its exit code; None while it runs."""

    def keep(self) -> None:
        """Look after it: where it has ended, start it again in a while."""
        now = time.monotonic()
        if self.code() is None:
            return
        if not self._due:
            steady = now - self._started > STEADY_SECONDS
            self._failures = 1 if steady else self._failures + 1
            pause = PAUSES[min(self._failures, len(PAUSES)) - 1]
            self._due = now + pause
            log.error("%s ended with %s; starting it again in %g s", self.name, self.code(), pause)
        elif now >= self._due:
            try:
                self.begin()
            except (OSError, ConfigError) as error:
                log.error("%s cannot be started: %s", self.name, type(error).__name__)
                self._started = now

    def begin(self) -> None:
        """Start it, and remember when."""
        self._due, self._started = 0.0, time.monotonic()
        self.start()


class Role(Member):
    """A child process that runs one role, and says on a pipe when it is ready."""

    def __init__(self, name: str, redis_url: str, ready_variable: str) -> None:
        super().__init__(name)
        self._environment = {**os.environ, "SIGNOFF_REDIS_URL": redis_url}
        self._ready_variable = ready_variable
        self._pipe: int | None = None
        self.process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start the child."""
        self._drop_pipe()
        reading, writing = os.pipe()
        os.set_blocking(reading, False)
        environment = {**self._environment, self._ready_variable: str(writing)}
        try:
            self.process = processes.start(
                processes.python("signoff", self.name), env=environment, pass_fds=[writing]
            )
        finally:
            os.close(writing)
        self._pipe = reading

    def code(self) -> int | None:
        """The child's exit code."""
        return self.process.poll() if self.process else None

    def keep(self) -> None:
        """As for every member, and hear whether it is ready."""
        if self._pipe is not None and not self.ready:
            with suppress(BlockingIOError):
                self.ready = os.read(self._pipe, 1) == b"."
        super().keep()

    def reload(self) -> None:
        """Tell the child to look at the policy's file; one that is not ready has just read it."""
        if self.process and self.ready:
            self.process.send_signal(signal.SIGHUP)

    def _drop_pipe(self) -> None:
        if self._pipe is not None:
            os.close(self._pipe)
            self._pipe = None


class OwnRedis(Member):
    """The embedded Redis; it keeps its URL."""

    def __init__(self, server: EmbeddedRedis) -> None:
        super().__init__("redis")
        self._server = server
        self.ready = True

    def start(self) -> None:
        """Start it again."""
        self._server.start()

    def code(self) -> int | None:
        """Its exit code."""
        return None if self._server.running() else 1


def keep_running(
    redis_url: str,
    ready_variable: str,
    stop: threading.Event,
    on_ready: Callable[[], None],
    own_redis: EmbeddedRedis | None = None,
    reload: threading.Event | None = None,
) -> int:
    """Run all roles until `stop` is set, or one of them finds the settings wrong; the exit code.

    Whenever `reload` is set, the roles are told to look at the policy's file.
    `on_ready` is called once, when every role is ready. The roles have ended when this returns.
    """
    roles = [Role(name, redis_url, ready_variable) for name in ROLES]
    members: Sequence[Member] = [*roles, *([OwnRedis(own_redis)] if own_redis else [])]
    told = False
    try:
        for role in roles:
            role.begin()
        while not stop.wait(LOOK_SECONDS):
            for member in members:
                member.keep()
            if reload and reload.is_set():
                reload.clear()
                for role in roles:
                    role.reload()
            if any(role.code() == BAD_SETTINGS for role in roles):
                return BAD_SETTINGS
            if not told and all(member.ready for member in members):
                told = True
                on_ready()
        return 0
    finally:
        processes.stop([role.process for role in roles if role.process], FINISH_SECONDS)
