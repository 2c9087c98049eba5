"""Starts our processes by fork, with every module loaded: in a hundredth of the time, to crash very often.

They are real processes, killed for real; only what a start costs is left out. Where it is measured how long
something takes to recover, nobody uses this.
"""

from __future__ import annotations

import array
import ctypes
import json
import os
import random
import signal
import socket
import subprocess
import sys
import time
import traceback
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from signoff.server import processes

LARGEST = 1 << 18
"""Bytes of one message: a command and its environment."""
READY_FD = "SIGNOFF_READY_FD"
SHORT = "FAULTS_SHORT"
"""Its processes wait 3 s for an agent's answer and for who takes an undo, 4 s for who is gone for good."""


class Nursery:
    """This process's end: `start` as `signoff.server.processes.start`."""

    def __init__(self, env: Mapping[str, str]) -> None:
        self._socket, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        command = processes.python("faults.nursery", str(theirs.fileno()))
        self._process = processes.start(command, env=env, pass_fds=(theirs.fileno(),))
        theirs.close()

    def start(self, command: Sequence[str | Path], **given: Any) -> Born:
        """A process of `python -m …`; its output goes where `stdout` says."""
        words = [str(word) for word in command]
        said = {"words": words[words.index("-m") + 1 :], "env": given["env"], "cwd": str(given["cwd"])}
        ready = int(given["env"][READY_FD])
        return Born(self, int(self._ask(said, given["stdout"].fileno(), ready)))

    def code(self, process: int) -> int | None:
        """How one of them has ended; None while it runs."""
        found: int | None = self._ask({"code": process})
        return found

    def close(self) -> None:
        """End it, and with it all that it has started."""
        self._socket.close()
        self._process.kill()
        self._process.wait(60)

    def _ask(self, said: Mapping[str, Any], *files: int) -> Any:
        ancillary = [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", files))] if files else []
        self._socket.sendmsg([json.dumps(said).encode()], ancillary)
        return json.loads(self._socket.recv(LARGEST))


class Born:
    """One of its processes, as a Popen."""

    def __init__(self, nursery: Nursery, pid: int) -> None:
        self.pid = pid
        self._nursery = nursery
        self._code: int | None = None

    def poll(self) -> int | None:
        if self._code is None:
            self._code = self._nursery.code(self.pid)
        return self._code

    def wait(self, timeout: float) -> int:
        end = time.monotonic() + timeout
        while (code := self.poll()) is None:
            if time.monotonic() > end:
                raise subprocess.TimeoutExpired(str(self.pid), timeout)
            time.sleep(0.002)
        return code

    def send_signal(self, number: int) -> None:
        if self.poll() is None:
            os.kill(self.pid, number)

    def kill(self) -> None:
        self.send_signal(signal.SIGKILL)

    def terminate(self) -> None:
        self.send_signal(signal.SIGTERM)


def main(number: int) -> None:
    """The nursery's own process."""
    _shorten()
    from faults import agent, asking_agent  # noqa: F401

    from signoff.cli import forker

    forker.load()
    link = socket.socket(fileno=number)
    while True:
        text, files, _, _ = socket.recv_fds(link, LARGEST, 2)
        if not text:
            return
        said = json.loads(text)
        if "code" in said:
            found, status = os.waitpid(said["code"], os.WNOHANG)
            answer: Any = os.waitstatus_to_exitcode(status) if found else None
        else:
            answer = os.fork()
            if answer == 0:
                link.close()
                live(said, *files)
        for file in files:
            os.close(file)
        link.send(json.dumps(answer).encode())


def _shorten() -> None:
    """Have what is waited for be over sooner, where `SHORT` says so: before anything has read how long."""
    if not os.environ.get(SHORT):
        return
    from signoff.models import talks, undone
    from signoff.queue import hearing

    talks.ANSWER_SECONDS = undone.TAKEN_SECONDS = 3
    undone._TAKEN = 3 * hearing.SECOND
    hearing.SETTLED, hearing.GONE = 5 * hearing.SECOND // 2, 4 * hearing.SECOND


def live(said: Mapping[str, Any], log: int, ready: int) -> None:
    """A process's whole life."""
    ctypes.CDLL(None).prctl(processes.PR_SET_PDEATHSIG, int(signal.SIGKILL), 0, 0, 0)
    from signoff.cli import main as cli
    from signoff.models import crash

    code = 1
    try:
        os.setpgid(0, 0)
        os.chdir(said["cwd"])
        for number in (1, 2):
            os.dup2(log, number)
        os.environ.clear()
        os.environ.update(said["env"] | {READY_FD: str(ready)})
        random.seed()
        crash.arm_by(os.environ)
        module, *arguments = said["words"]
        code = (cli if module == "signoff" else sys.modules[module]).main(arguments)
    except BaseException:
        traceback.print_exc()
    finally:
        sys.stdout.flush()
        os._exit(code)


if __name__ == "__main__":
    main(int(sys.argv[1]))
