"""`signoff bot`, `intake`, `worker` and `web`: one role each, in this process, until SIGTERM or SIGINT."""

from __future__ import annotations

import argparse
import logging
import os
import signal
import threading
from _thread import start_new_thread
from collections.abc import Callable
from contextlib import suppress
from typing import TYPE_CHECKING

from signoff.cli.database import DatabaseAway, check_upgraded, opened
from signoff.cli.parsers import Commands, Run, command
from signoff.cli.preparation import close_to_others
from signoff.server import environment
from signoff.server.environment import READY_FD

if TYPE_CHECKING:
    from signoff.server.build import Server
    from signoff.server.settings import Settings

log = logging.getLogger("signoff")

AGAIN_SECONDS = 0.5
EPILOG = """\
`signoff serve` runs all four. By themselves, they share a Redis (SIGNOFF_REDIS_URL), a database
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
        ("web", web, "run only the part that answers by HTTP"),
    ):
        command(commands, name, _without_arguments(role), help, common=common, epilog=EPILOG)


def _without_arguments(role: Callable[[], int]) -> Run:
    return lambda _: role()


def bot() -> int:
    """The bot, until it is told to stop; 0."""
    return _run("bot", _bot)


def intake() -> int:
    """The intake, as `bot`."""
    return _run("intake", _intake)


def worker() -> int:
    """The worker, as `bot`."""
    return _run("worker", _worker)


def web() -> int:
    """The doors by HTTP, as `bot`."""
    return _run("web", _web)


def _run(role: str, part: Part) -> int:
    from signoff.server import build, logs, pulse, settings, tracing
    from signoff.server.perpetual import perpetual

    if role not in environment.ADMINS:  # started by hand, it may have been given what is not for it
        os.environ.pop(environment.ADMIN_URL, None)
    given = settings.load()
    logs.setup(given.log_level, as_json=given.log_json)
    if READY_FD not in os.environ:  # `serve` has done so
        close_to_others(given)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: _set(stop))
    look = threading.Event()
    signal.signal(signal.SIGHUP, lambda *_: _set(look))
    server = _built(lambda: build.build(given), given, stop)
    if server is None:
        return 0
    perpetual("policy", lambda stop: server.policy.run(stop, look), stop).start()
    perpetual("pulse", lambda stop: pulse.beat(server.redis_url, role, stop), stop).start()
    end_traces = tracing.start(role, given.deployment)
    try:
        part(server, stop)
    finally:
        end_traces()
        server.close()
    return 0


def _built(build: Callable[[], Server], given: Settings, stop: threading.Event) -> Server | None:
    """A server's parts, once its database can be reached and written to; None where `stop` is set before.

    It waits in this process: started again and again it would be down for longer than the database is.
    """
    from signoff.models.engine import OUTAGE

    while True:
        server = None
        try:
            with opened(given) as engine:
                check_upgraded(engine)
            server = build()
            server.policy.start()
            return server
        except (DatabaseAway, *OUTAGE) as error:
            log.warning("the database is not reached: %s", str(error).splitlines()[0][:200])
            if server is not None:
                server.close()
        if stop.wait(AGAIN_SECONDS):
            return None


def _set(event: threading.Event) -> None:
    """In a thread: a handler may interrupt this one just where it holds the event's lock, to wait for it."""
    start_new_thread(event.set, ())


def _bot(server: Server, stop: threading.Event) -> None:
    from signoff.server.bot_role import run_bot

    run_bot(server, stop, ready=_ready)


def _intake(server: Server, stop: threading.Event) -> None:
    from signoff.server.intake_role import run_intake

    run_intake(server, stop, ready=_ready, switch_off=server.switch_off())


def _worker(server: Server, stop: threading.Event) -> None:
    from signoff.server.worker import run_worker

    _ready()
    run_worker(server, stop)


def _web(server: Server, stop: threading.Event) -> None:
    from signoff.server.web_role import run_web

    run_web(server, stop, ready=_ready)


def _ready() -> None:
    """Tell `serve`, where it started this process."""
    number = os.environ.pop(READY_FD, "")
    if number.isdigit():
        with suppress(OSError):
            os.write(int(number), b".")
            os.close(int(number))
