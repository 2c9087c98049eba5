"""Keeping a server's processes running: what dies is started again, and all end together."""

from __future__ import annotations

import logging
import os
import signal
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from signoff.server import environment, processes
from signoff.server.forker import Forker, Start
from signoff.server.members import BAD_SETTINGS, Member
from signoff.server.own_redis import EmbeddedRedis
from signoff.server.processes import Process
from signoff.server.signals import Signals

log = logging.getLogger("signoff.serve")

ROLES = ("bot", "intake", "worker", "web")
FINISH_SECONDS = 10.0
"""What a role has to finish what it runs."""
LOOK_SECONDS = 0.1
BY_HTTP = tuple(name for name in ROLES if name != "bot")
"""Where Slack calls the role `web`."""


class Role(Member):
    """A child process that runs one role, and says on a pipe when it is ready."""

    def __init__(
        self, name: str, given: Mapping[str, str], start: Start, startable: Callable[[], bool]
    ) -> None:
        super().__init__(name)
        self._given = given
        self._start = start
        self._startable = startable
        self._pipe: int | None = None
        self._running = False
        self._due = 0.0  # as soon as it can be
        self.process: Process | None = None

    @property
    def files(self) -> list[int]:
        """What can be read from as soon as it is ready, or has ended before."""
        return [self._pipe] if self._pipe is not None else []

    def start(self) -> None:
        """Start the child."""
        self._drop_pipe()
        self._running = False
        self._pipe, theirs = os.pipe()
        os.set_blocking(self._pipe, False)
        try:
            self.process = self._start(self.name, self._given, theirs)
        finally:
            os.close(theirs)

    def startable(self) -> bool:
        """Whether whoever forks it is there."""
        return self._startable()

    def hopeless(self) -> bool:
        """A role that cannot run with its settings never can."""
        return True

    def code(self) -> int | None:
        """The child's exit code."""
        return self.process.poll() if self.process else None

    def keep(self) -> None:
        """As for every member, and hear whether it is ready."""
        if self._pipe is not None:
            with suppress(BlockingIOError):
                self._running = os.read(self._pipe, 1) == b"."
                self.ready = self.ready or self._running
                self._drop_pipe()
        super().keep()

    def reload(self) -> None:
        """Tell the child to look at the policy's file; one that is not ready has just read it."""
        if self.process and self._running:
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
    given: Mapping[str, str],
    start: Start,
    signals: Signals,
    on_ready: Callable[[], None],
    forker: Forker | None = None,
    own_redis: EmbeddedRedis | None = None,
    names: Sequence[str] = ROLES,
) -> int:
    """Run these roles until a signal says stop, or one of them finds the settings wrong; the exit code.

    `given` is their environment, `start` starts one; it is the `forker`'s, where there is one. SIGHUP has
    them look at the policy's file. `on_ready` is called once, when every role is ready. The roles have ended
    when this returns.
    """
    roles = [
        Role(name, environment.of(name, given), start, lambda: forker is None or forker.ready)
        for name in names
    ]
    helpers: Sequence[Member] = [
        *([forker] if forker else []), *([OwnRedis(own_redis)] if own_redis else [])
    ]  # fmt: skip
    told = False
    try:
        while not signals.stop:
            for member in (*helpers, *roles):
                member.keep()
            if signals.reload:
                signals.reload = False
                for role in roles:
                    role.reload()
            if wrong := [role.name for role in roles if role.code() == BAD_SETTINGS]:
                log.error("%s cannot run with these settings, so all of it ends", wrong[0])
                return BAD_SETTINGS
            if not told and all(member.ready for member in roles):
                told = True
                on_ready()
            processes.bury(_known(roles, forker, own_redis))
            files = [file for role in roles for file in role.files] + (forker.files if forker else [])
            signals.wait(LOOK_SECONDS, files)
        return 0
    finally:
        processes.stop([role.process for role in roles if role.process], FINISH_SECONDS)


def _known(roles: Sequence[Role], forker: Forker | None, own_redis: EmbeddedRedis | None) -> set[int]:
    """Children whose end somebody asks for."""
    found = {role.process.pid for role in roles if role.process}
    return found | {part.pid for part in (forker, own_redis) if part}
