"""Where roles come from: forked by one process that has everything loaded, or, not on Linux, spawned.

`serve` has a `Forker`, which starts that process (`nursery`), asks it for roles, and starts it again should
it die. What it asks goes over a socket, and so do the ends of two files: one holds the role's environment,
which only the role reads, and on the other the role says that it is ready. The nursery knows no secret.

A role's parent is `serve`: the nursery forks twice, and Linux gives what is orphaned to `serve`, which has
asked for that. So `serve` hears of a role's end as of any child's, and a nursery that dies takes none along.
"""

from __future__ import annotations

import json
import os
import select
import socket
import subprocess
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress

from signoff.server import environment, processes
from signoff.server.members import Member
from signoff.server.processes import Process

FORK_SECONDS = 10.0
"""How long a nursery that is ready may take to fork."""
READY = b"ready"
LONGEST = 256
"""Bytes of one message."""
Start = Callable[[str, Mapping[str, str], int], Process]
"""Starts a role: its name, its environment, and the end of a pipe that it tells when it is ready."""


class Forker(Member):
    """`serve`'s end. `command` runs the nursery; its last argument will be the number of a socket."""

    def __init__(self, command: Sequence[str]) -> None:
        super().__init__("forker")
        self._command = command
        self._process: subprocess.Popen[bytes] | None = None
        self._link: socket.socket | None = None
        processes.adopt()

    @property
    def pid(self) -> int:
        """The nursery's process; 0 before it was started."""
        return self._process.pid if self._process else 0

    @property
    def files(self) -> list[int]:
        """What can be read from as soon as it is ready."""
        return [self._link.fileno()] if self._link and not self.ready else []

    def start(self) -> None:
        """Start the nursery, and do not wait until it is ready."""
        self.close()
        self._link, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        with theirs:
            self._process = processes.start(
                [*self._command, str(theirs.fileno())],
                env=environment.plain(os.environ),
                pass_fds=[theirs.fileno()],
            )

    def code(self) -> int | None:
        """The nursery's exit code."""
        return self._process.poll() if self._process else None

    def keep(self) -> None:
        """As for every member, and hear whether it is ready."""
        self.listen()
        if self.code() is not None:
            self.ready = False
        super().keep()

    def listen(self) -> None:
        """Hear whether it is ready, without waiting."""
        if self._link and not self.ready and select.select([self._link], [], [], 0)[0]:
            with suppress(OSError):
                self.ready = self._link.recv(LONGEST) == READY

    def fork(self, name: str, given: Mapping[str, str], line: int) -> Process:
        """Start what it knows by this name; raises OSError where it cannot."""
        if self._link is None or not self.ready:
            raise ChildProcessError("the forker is not ready")
        holder = _written(given)
        try:
            socket.send_fds(self._link, [name.encode()], [holder, line])
            self._link.settimeout(FORK_SECONDS)
            said = self._link.recv(LONGEST)
            if not said:
                raise ChildProcessError("the forker has ended")
        except OSError:
            self.close()  # it died, or stands still: `keep` starts another one
            raise
        finally:
            os.close(holder)
        if (number := int(said)) < 0:
            raise OSError(-number, os.strerror(-number))
        return processes.Adopted(number)

    def close(self) -> None:
        """End the nursery. What it has forked goes on."""
        self.ready = False
        if self._link:
            self._link.close()
            self._link = None
        if self._process:
            self._process.kill()
            self._process.wait()


def spawn(name: str, given: Mapping[str, str], line: int) -> Process:
    """Start a role as a program of its own, for systems without what a `Forker` needs."""
    return processes.start(
        processes.python("signoff", name),
        env={**given, environment.READY_FD: str(line)},
        pass_fds=[line],
    )


def _written(given: Mapping[str, str]) -> int:
    """An environment in a file that is in memory only, to be read from its beginning; its number."""
    holder = os.memfd_create("environment")
    with open(holder, "wb", closefd=False) as file:
        file.write(json.dumps(dict(given)).encode())
    os.lseek(holder, 0, os.SEEK_SET)
    return holder
