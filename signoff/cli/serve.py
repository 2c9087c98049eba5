"""`signoff serve`: everything that a server needs, from the settings to all roles running."""

from __future__ import annotations

import argparse
import os
import socket
import sys
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from importlib.util import find_spec
from pathlib import Path
from typing import IO, TYPE_CHECKING

from signoff.cli.local_agent import leave_settings
from signoff.cli.parsers import Commands, command
from signoff.cli.preparation import Prepared, prepare, receive
from signoff.server import environment, processes

if TYPE_CHECKING:
    from signoff.server.forker import Forker
    from signoff.server.signals import Signals

WAIT_SECONDS = 1.0
"""How often it is seen whether somebody still lives who is waited for."""
SAME_USER = (
    "Signoff starts. Agents that run as this user ({user}) are not kept apart from it:\n"
    "they can read its keys. Run them as another user, with what\n"
    "`signoff agent add NAME` prints."
)
"""What `serve` says first, at 80 columns."""
EPILOG = """\
Needs SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SIGNOFF_APPROVERS and SIGNOFF_CHANNEL: `signoff init` asks for them,
and keeps them; `signoff doctor` checks everything. Prints "Signoff is ready: …" when it is. With
SLACK_SIGNING_SECRET instead of the app's token Slack calls the role `web`, and there is no role `bot`.

Starts a Redis of its own unless SIGNOFF_REDIS_URL names one, keeps the database in a SQLite file unless
SIGNOFF_DATABASE_URL names PostgreSQL, and makes a signing key where there is none; all in the data folder
(SIGNOFF_DATA). The agent `local`, of the same user on this machine, needs no settings; `signoff agent add`
makes others, each with a Redis user of its own. SIGTERM and Ctrl-C let what runs finish, for up to 10 s.

SIGNOFF_POLICY names the policy's file (see docs/policy.md); without it everything asks. It is read again
when it changes, and on SIGHUP: one that is wrong leaves the policy from before in force; the admins are told.
"""


def add(commands: Commands, common: argparse.ArgumentParser) -> None:
    """Describe the command."""
    command(
        commands, "serve", _serve, "run the server: all roles, and a Redis where none is given",
        common=common, epilog=EPILOG,
    )  # fmt: skip


def _serve(_: argparse.Namespace) -> int:
    from signoff.server import forker, plain_logs, supervisor
    from signoff.server.own_redis import EmbeddedRedis
    from signoff.server.signals import Signals

    with Signals() as signals, ExitStack() as stack:
        source = stack.enter_context(_forker())
        code, prepared, held = _prepared(source, signals)
        if prepared is None or held is None:
            return code
        stack.enter_context(held)
        plain_logs.setup(prepared.log_level, as_json=prepared.log_json)
        print(SAME_USER.format(user=_user()), flush=True)
        data, own = Path(prepared.data), None
        if prepared.redis_url:
            url, where = prepared.redis_url, "the Redis of SIGNOFF_REDIS_URL"
        else:
            own = EmbeddedRedis(data)
            stack.callback(own.stop)
            own.start()
            url, where = own.url, f"its own {own.name}"
        leave_settings(data, own.local_url if own else "", prepared.verify_key, prepared.deployment)

        def ready() -> None:
            what = f"cards go to {prepared.conversation}, requests come by {where}"
            print(f"Signoff is ready: {what}.", flush=True)

        given = environment.for_role(os.environ) | {"SIGNOFF_REDIS_URL": url}
        if own:
            given[environment.ADMIN_URL] = own.admin_url
        start = source.fork if source else forker.spawn
        names = supervisor.BY_HTTP if prepared.slack_calls else supervisor.ROLES
        return supervisor.keep_running(given, start, signals, ready, source, own, names)


@contextmanager
def _forker() -> Iterator[Forker | None]:
    """Whoever forks, on its way to being ready; None on systems where roles are spawned."""
    from signoff.server.forker import Forker

    if sys.platform != "linux":
        yield None
        return
    if find_spec("sqlalchemy") is None:  # the forker would say so, but later
        raise ModuleNotFoundError("No module named 'sqlalchemy'", name="sqlalchemy")
    # PostgreSQL's library is loaded only where it will be used.
    more = ["psycopg"] if os.environ.get("SIGNOFF_DATABASE_URL", "").startswith("postgres") else []
    forker = Forker(processes.python("signoff.cli.forker", *more))
    try:
        forker.begin()
        yield forker
    finally:
        forker.close()


def _prepared(source: Forker | None, signals: Signals) -> tuple[int, Prepared | None, IO[str] | None]:
    """All that has to hold before roles run; where it does not, or `serve` is to stop, its exit code."""
    if source is None:
        return 0, *prepare(os.getpid())
    while not source.ready:
        if signals.stop:
            return 0, None, None
        if (code := source.code()) is not None:  # it has said why
            return max(code, 1), None, None
        signals.wait(WAIT_SECONDS, source.files)
        source.listen()
    ours, theirs = socket.socketpair()
    with ours:
        with theirs:
            process = source.fork("prepare", environment.for_role(os.environ), theirs.fileno())
        while not signals.stop:
            if signals.wait(WAIT_SECONDS, [ours.fileno()]):
                found = receive(ours)
                code = process.wait()
                return (code, *found) if found else (max(code, 1), None, None)
        process.kill()
        process.wait()
    return 0, None, None


def _user() -> str:
    """Who runs this, as the system calls them."""
    import pwd  # here, as an agent's commands are loaded with this one, and Windows has none

    with suppress(KeyError):
        return pwd.getpwuid(os.getuid()).pw_name
    return str(os.getuid())
