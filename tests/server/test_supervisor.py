"""What is kept running, and when it is started again."""

from __future__ import annotations

import json
import logging
import os
import signal
import sys
import threading
import time
from collections.abc import Mapping

import pytest
from support import eventually

from signoff.server import logs, plain_logs, processes, supervisor
from signoff.server.members import PAUSES, Member
from signoff.server.processes import Process
from signoff.server.signals import Signals


class Fake(Member):
    """A process that has always ended, with a code."""

    def __init__(self, ends_with: int) -> None:
        super().__init__("fake")
        self.ends_with = ends_with
        self.starts = 0

    def start(self) -> None:
        self.starts += 1

    def code(self) -> int:
        return self.ends_with


def waits(member: Fake, count: int) -> list[float]:
    """The pauses of so many ends, one after the other."""
    found = []
    for _ in range(count):
        member._due = None
        found.append(member._wait(member.ends_with))
    return found


def test_the_first_time_it_is_started_again_at_once_then_after_longer_and_longer() -> None:
    member = Fake(-signal.SIGKILL)
    member.begin()
    member.keep()
    assert member.starts == 2
    assert waits(member, 7) == [*PAUSES[1:], PAUSES[-1]]


def test_a_death_after_a_long_time_counts_as_the_first() -> None:
    member = Fake(-signal.SIGKILL)
    member.begin()
    waits(member, 4)
    member._started -= 61
    assert waits(member, 1) == [0.0]


@pytest.mark.parametrize("code", [1, 7])
def test_an_end_for_what_is_around_it_is_tried_again_soon(code: int) -> None:
    member = Fake(code)
    member.begin()
    assert max(waits(member, 12)) == 2.0


def test_what_cannot_be_started_is_tried_again_later() -> None:
    class Unable(Fake):
        def start(self) -> None:
            super().start()
            raise OSError("no more processes")

    member = Unable(-signal.SIGKILL)
    member.keep()
    member.keep()
    assert member.starts == 1
    member._due = 0.0
    member.keep()
    assert member.starts == 2


def test_what_cannot_be_started_for_want_of_room_is_tried_again_soon() -> None:
    class Unable(Fake):
        def start(self) -> None:
            super().start()
            raise OSError("no more processes")

    member, pauses = Unable(-signal.SIGKILL), []
    for _ in range(10):
        member._due = 0.0
        member.keep()
        pauses.append((member._due or 0.0) - time.monotonic())
    assert member.starts == 10 and max(pauses) <= 2.0


def role(name: str, given: Mapping[str, str], line: int) -> Process:
    """A role that is ready at once and lives until it is told to end; `BAD` ends for its settings."""
    program = (
        "import os, signal, sys; name, line, bad = sys.argv[1:]\n"
        "if name == bad: sys.exit(2)\n"
        "os.write(int(line), b'.'); os.close(int(line)); signal.pause()"
    )
    return processes.start(
        [sys.executable, "-c", program, name, str(line), given.get("BAD", "")], pass_fds=[line]
    )


def kept(given: Mapping[str, str], *, when_ready: int = 0) -> tuple[int, int]:
    """(exit code, how often it was ready) of three such roles; this process is sent a signal then."""
    told = []

    def ready() -> None:
        told.append(1)
        os.kill(os.getpid(), when_ready)

    with Signals() as signals:
        return supervisor.keep_running(given, role, signals, ready), len(told)


def test_it_tells_once_when_all_are_ready_and_ends_all_when_told() -> None:
    assert kept({}, when_ready=signal.SIGTERM) == (0, 1)


def test_a_role_with_wrong_settings_ends_all_and_is_not_started_again(
    caplog: pytest.LogCaptureFixture,
) -> None:
    assert kept({"BAD": "worker"}) == (2, 0)
    said = [record.getMessage() for record in caplog.records if record.name == "signoff.serve"]
    assert said == ["worker cannot run with these settings, so all of it ends"]


def test_a_signal_and_a_file_end_a_wait_at_once() -> None:
    heard, told = os.pipe()
    with Signals() as signals:
        threading.Timer(0.1, os.kill, (os.getpid(), signal.SIGHUP)).start()
        started = time.monotonic()
        assert not signals.wait(60)
        eventually(lambda: signals.reload)
        os.write(told, b".")
        eventually(lambda: signals.wait(20, [heard]))
        assert time.monotonic() - started < 10 and not signals.stop
    os.close(heard)
    os.close(told)


@pytest.mark.parametrize("as_json", [False, True])
def test_its_log_looks_as_that_of_the_roles(as_json: bool, capsys: pytest.CaptureFixture[str]) -> None:
    root = logging.getLogger()
    before, level = root.handlers[:], root.level
    said = []
    try:
        for module in (logs, plain_logs):
            module.setup("INFO", as_json=as_json)
            logging.getLogger("signoff.serve").error("%s ended with %s", "bot", -9)
            said.append(capsys.readouterr().err)
    finally:
        root.handlers[:] = before
        root.setLevel(level)
    if as_json:
        full, plain = (json.loads(line) for line in said)
        assert len(full.pop("timestamp")) == len(plain.pop("timestamp"))
        assert full == plain
    else:
        full, plain = (line.split(" ", 1) for line in said)
        assert full[1] == plain[1] and len(full[0]) == len(plain[0])
