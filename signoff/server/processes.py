"""Child processes that never outlive their parent, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Collection, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any, Protocol

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when the thread that started it ends."""
PR_SET_CHILD_SUBREAPER = 36
"""prctl(2): orphans among a process's descendants become its children."""
WAIT_SECONDS = 0.005
"""How often somebody who waits for an adopted child looks."""
Output = int | IO[Any] | None
SOURCE = Path(__file__).parents[2]
"""The folder that Signoff lies in."""


class Process(Protocol):
    """A child process; a Popen is one."""

    @property
    def pid(self) -> int: ...
    def poll(self) -> int | None: ...
    def wait(self, timeout: float | None = None) -> int: ...
    def send_signal(self, sig: int) -> None: ...
    def terminate(self) -> None: ...
    def kill(self) -> None: ...


class Adopted:
    """A child that another process has started for this one. As of a Popen, its exit code is its own."""

    def __init__(self, pid: int) -> None:
        self.pid = pid
        self._code: int | None = None

    def poll(self) -> int | None:
        """Its exit code, a signal's number negative; None while it runs."""
        if self._code is None:
            try:
                found, status = os.waitpid(self.pid, os.WNOHANG)
            except ChildProcessError:  # it is nobody of ours: what started it was killed
                self._code = 1
            else:
                self._code = os.waitstatus_to_exitcode(status) if found else None
        return self._code

    def wait(self, timeout: float | None = None) -> int:
        """Its exit code; raises TimeoutExpired after so many seconds."""
        end = None if timeout is None else time.monotonic() + timeout
        while (code := self.poll()) is None:
            if end is not None and time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout or 0)
            time.sleep(WAIT_SECONDS)
        return code

    def send_signal(self, sig: int) -> None:
        """Send it a signal, where it still runs."""
        if self.poll() is None:
            os.kill(self.pid, sig)

    def terminate(self) -> None:
        """SIGTERM."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """SIGKILL."""
        self.send_signal(signal.SIGKILL)


def start(
    command: Sequence[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    stdin: Output = subprocess.DEVNULL,
    stdout: Output = None,
    stderr: Output = None,
    own_group: bool = False,
    pass_fds: Sequence[int] = (),
    umask: int = -1,
) -> subprocess.Popen[bytes]:
    """Start a program that Linux kills when this thread ends, be it by SIGKILL. Call it from the main thread.

    `own_group` keeps a terminal's Ctrl-C from it; `umask` is its own, -1 this process's. Raises OSError when
    there is no such program. Elsewhere than on Linux a parent that is killed by SIGKILL leaves its children
    behind.
    """
    return subprocess.Popen(
        [str(part) for part in command],
        env=env,
        cwd=cwd,
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        pass_fds=pass_fds,
        process_group=0 if own_group else None,
        umask=umask,
        preexec_fn=_die_with_parent() if sys.platform == "linux" else None,
    )


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules with this Python.

    -P: a module of the current folder that is named like one of ours, or like one that ours need, must not be
    taken for it. Run from its source, Signoff is in the current folder itself.
    """
    return [sys.executable, *([] if from_source() else ["-P"]), "-m", module, *arguments]


def from_source() -> bool:
    """Whether this Signoff is found only because it lies in the current folder."""
    try:
        return os.getcwd() == str(SOURCE) and str(SOURCE) in sys.path
    except OSError:  # the current folder was deleted
        return False


def stop(children: Sequence[Process], seconds: float) -> None:
    """SIGTERM to all, `seconds` to finish, then SIGKILL to who is left."""
    for child in children:
        if child.poll() is None:
            child.terminate()
    for child in children:
        with suppress(subprocess.TimeoutExpired):
            child.wait(seconds)
    for child in children:
        if child.poll() is None:
            child.kill()
            child.wait()


def adopt() -> None:
    """From now on what a descendant leaves behind is this process's child; raises OSError if it cannot be."""
    if ctypes.CDLL(None, use_errno=True).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0):
        raise OSError(ctypes.get_errno(), "prctl")


def bury(known: Collection[int]) -> None:
    """Take leave of children that have ended and are nobody's concern: orphans of `known` ones, say."""
    with suppress(ChildProcessError):
        while (found := os.waitid(os.P_ALL, 0, os.WEXITED | os.WNOHANG | os.WNOWAIT)) is not None:
            if found.si_pid in known:  # whoever knows it asks for its code
                return
            os.waitpid(found.si_pid, 0)


def _die_with_parent() -> Callable[[], None]:
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up here: the forked child only calls it
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)

    return ask_the_kernel
