"""`signoff bot`, `intake` and `worker`: one role each, in this process, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from signoff.cli.database import check_upgraded, opened
from signoff.cli.parsers import Commands, command

if TYPE_CHECKING:
    from signoff.server.build import Server

READY_FD = "SIGNOFF_READY_FD"
"""Set by `serve` for its children: the number of a pipe that is told when a role is ready."""
EPILOG = """\
`signoff serve` runs all three. By themselves, they share a Redis (SIGNOFF_REDIS_URL), a database
(SIGNOFF_DATABASE_URL; run `signoff db upgrade` first) and a signing key. Each may run several times.
The file of SIGNOFF_POLICY is read again when it changes, and on SIGHUP.
"""
Role = Callable[["Server", threading.Event], None]


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    for name, role, help in (
        ("bot", _bot, "run only the part that listens to Slack"),
        ("intake", _intake, "run only the part that takes agents' requests"),
        ("worker", _worker, "run only the part that posts cards and ends what is overdue"),
    ):
        command(commands, name, _runner(role), help, common=common, epilog=EPILOG)


def _runner(role: Role) -> Callable[[argparse.Namespace], int]:
    def run(_: argparse.Namespace) -> int:
        from signoff.server import build, logs, settings

        given = settings.load()
        logs.setup(given.log_level, as_json=given.log_json)
        stop = threading.Event()
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: stop.set())
        look = threading.Event()
        signal.signal(signal.SIGHUP, lambda *_: look.set())
        with opened(given) as engine:
            check_upgraded(engine)
        server = build.build(given)
        server.policy.start()
        watch = threading.Thread(target=server.policy.run, args=(stop, look), name="policy", daemon=True)
        watch.start()
        try:
            role(server, stop)
        finally:
            server.close()
        return 0

    return run


def _bot(server: Server, stop: threading.Event) -> None:
    from signoff.server.bot_role import run_bot

    run_bot(server, stop, ready=_ready)


def _intake(server: Server, stop: threading.Event) -> None:
    from signoff.queue.intake import BLOCK_SECONDS, Intake

    intake = Intake(server.approvals, server.stream(BLOCK_SECONDS))
    _ready()
    intake.run(stop)


def _worker(server: Server, stop: threading.Event) -> None:
    from signoff.server.worker import run_worker

    _ready()
    run_worker(server, stop)


def _ready() -> None:
    """Tell `serve`, where it started this process."""
    number = os.environ.pop(READY_FD, "")
    if number.isdigit():
        with suppress(OSError):
            os.write(int(number), b".")
            os.close(int(number))
