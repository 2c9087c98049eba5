"""Child processes that never outlive their parent, however it ends."""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from pathlib import Path
from typing import IO, Any

PR_SET_PDEATHSIG = 1
"""prctl(2): the signal that a process gets when the thread that started it ends."""
Output = int | IO[Any] | None
_ISOLATED = [] if os.getcwd() in sys.path else ["-P"]
"""A module of the current folder that is named like one of ours must not be taken for it."""


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
) -> subprocess.Popen[bytes]:
    """Start a program that Linux kills when this thread ends, be it by SIGKILL. Call it from the main thread.

    `own_group` keeps a terminal's Ctrl-C from it. Raises OSError when there is no such program. Elsewhere
    than on Linux a parent that is killed by SIGKILL leaves its children behind.
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
        preexec_fn=_die_with_parent() if sys.platform == "linux" else None,
    )


def python(module: str, *arguments: str) -> list[str]:
    """The command that runs one of our modules with this Python."""
    return [sys.executable, *_ISOLATED, "-m", module, *arguments]


def stop(children: Sequence[subprocess.Popen[bytes]], seconds: float) -> None:
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


def _die_with_parent() -> Callable[[], None]:
    prctl = ctypes.CDLL(None, use_errno=True).prctl  # looked up here: the forked child only calls it
    parent = os.getpid()

    def ask_the_kernel() -> None:
        prctl(PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
        if os.getppid() != parent:  # it ended before we asked
            os._exit(1)

    return ask_the_kernel
