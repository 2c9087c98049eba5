"""`signoff bot`, `intake` and `worker`: one role each, in this process, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import os
import signal
import threading
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from signoff.cli.database import check_upgraded, opened
from signoff.cli.parsers import Commands, Run, command
from signoff.cli.preparation import close_to_others
from signoff.server.environment import READY_FD

if TYPE_CHECKING:
    from signoff.server.build import Server

EPILOG = """\
`signoff serve` runs all three. By themselves, they share a Redis (SIGNOFF_REDIS_URL), a database
(SIGNOFF_DATABASE_URL; run `signoff db upgrade` first) and a signing key. Each may run several times.
The file of SIGNOFF_POLICY is read again when it changes, and on SIGHUP.
"""
Part = Callable[["Server", threading.Event], None]


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the commands."""
    for name, role, help in (
        ("bot", bot, "run only the part that listens to Slack"),
        ("intake", intake, "run only the part that takes agents' requests"),
        ("worker", worker, "run only the part that posts cards and ends what is overdue"),
    ):
        command(commands, name, _without_arguments(role), help, common=common, epilog=EPILOG)


def _without_arguments(role: Callable[[], int]) -> Run:
    return lambda _: role()


def bot() -> int:
    """The bot, until it is told to stop; 0."""
    return _run(_bot)


def intake() -> int:
    """The intake, as `bot`."""
    return _run(_intake)


def worker() -> int:
    """The worker, as `bot`."""
    return _run(_worker)


def _run(part: Part) -> int:
    from signoff.server import build, logs, settings

    given = settings.load()
    logs.setup(given.log_level, as_json=given.log_json)
    if READY_FD not in os.environ:  # `serve` has done so
        close_to_others(given)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _set(stop))
    look = threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: _set(look))
    with opened(given) as engine:
        check_upgraded(engine)
    server = build.build(given)
    server.policy.start()
    watch = threading.Thread(target=server.policy.run, args=(stop, look), name="policy", daemon=True)
    watch.start()
    try:
        part(server, stop)
    finally:
        server.close()
    return 0


def _set(event: threading.Event) -> None:
    """In a thread: a handler may interrupt this one just where it holds the event's lock, to wait for it."""
    start_new_thread(event.set, ())


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
