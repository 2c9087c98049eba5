"""The process that roles are forked from: it has everything loaded, one thread, no secret and no open file.

`run` is its whole life: `serve` asks on a socket, and a child that lives one of the `lives` is the answer.
What a child gets of its environment comes in a file that this process hands on unread.
"""

from __future__ import annotations

import ctypes
import errno
import gc
import json
import logging
import os
import signal
import socket
import sys
import time
import traceback
from collections.abc import Callable, Mapping
from pathlib import Path

from signoff.models import crash
from signoff.server import environment, processes
from signoff.server.forker import LONGEST, READY

Life = Callable[[], int]
"""What a child does; its exit code."""
HELD = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""For this process to pass over, and for a child from its first moment on to obey."""


def run(link: socket.socket, lives: Mapping[str, Life]) -> int:
    """Fork whom `serve` asks for, until it closes the socket; 0. Call it once everything is loaded."""
    signal.pthread_sigmask(signal.SIG_BLOCK, HELD)
    signal.signal(signal.SIGINT, signal.SIG_DFL)  # a child that has no handlers yet just ends
    link.set_inheritable(False)
    parent = os.getppid()
    gc.disable()
    gc.freeze()  # a child's collections pass over what it has from here, and leave these pages shared
    link.send(READY)
    while True:
        name, files, _, _ = socket.recv_fds(link, LONGEST, 2)
        if not name:
            return 0
        if len(os.listdir("/proc/self/task")) != 1:
            raise RuntimeError("what is forked must have one thread, and something has started another one")
        if code := _fork(link, parent, lives[name.decode()], name.decode(), *files):
            link.send(str(-code).encode())
        for file in files:
            os.close(file)


def _fork(link: socket.socket, parent: int, life: Life, name: str, holder: int, line: int) -> int:
    """0, or the number of the error for which there is no child."""
    try:
        between = os.fork()
        if between == 0:
            _fork_again(link, parent, life, name, holder, line)
        code = os.waitstatus_to_exitcode(os.waitpid(between, 0)[1])
        return code if code >= 0 else errno.ECHILD  # it was killed: nobody knows what it left behind
    except OSError as error:
        return error.errno or 1


def _fork_again(link: socket.socket, parent: int, life: Life, name: str, holder: int, line: int) -> None:
    """Leave a child behind; never returns."""
    between = os.getpid()
    try:
        if os.fork():
            os._exit(0)
    except OSError as error:
        os._exit(error.errno or 1)
    while os.getppid() == between:  # until it has ended
        os.sched_yield()
    ctypes.CDLL(None).prctl(processes.PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    if os.getppid() != parent:  # `serve` has ended meanwhile
        os._exit(1)
    code = 1
    try:
        link.send(str(os.getpid()).encode())
        link.close()
        _be_born(name, holder, line)
        code = life()
        logging.shutdown()
        sys.stdout.flush()
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stderr.flush()
        os._exit(code)


def _be_born(name: str, holder: int, line: int) -> None:
    """Have what a process has that was started by itself: environment, signals, command line."""
    with open(holder, "rb") as file:
        given = json.load(file)
    os.environ.clear()
    os.environ.update(given | {environment.READY_FD: str(line)})
    time.tzset()
    crash.arm_by(os.environ)
    _show([sys.executable, "-m", "signoff", name])
    gc.enable()
    signal.pthread_sigmask(signal.SIG_UNBLOCK, HELD)


def _show(words: list[str]) -> None:
    """What `ps` shows: written over the command line of the process that was forked, where that is longer."""
    fields = Path("/proc/self/stat").read_text().rpartition(")")[2].split()
    start, end = int(fields[45]), int(fields[46])  # arg_start and arg_end: proc(5)
    line = b"".join(os.fsencode(word) + b"\0" for word in words)
    if start > 0 and len(line) <= end - start:
        ctypes.memmove(start, line.ljust(end - start, b"\0"), end - start)
