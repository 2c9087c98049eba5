"""`signoff serve`: everything that a server needs, from the settings to all roles running."""

from __future__ import annotations

import argparse
import fcntl
import os
import shlex
import signal
import threading
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from signoff.bot.slack.errors import SlackRefused, SlackUnavailable
from signoff.cli.database import opened
from signoff.cli.output import say
from signoff.cli.parsers import Commands, command
from signoff.cli.roles import READY_FD
from signoff.errors import ConfigError, Unreachable

if TYPE_CHECKING:
    from signoff.server.settings import Settings

EPILOG = """\
Needs SLACK_BOT_TOKEN, SLACK_APP_TOKEN, SIGNOFF_APPROVERS and SIGNOFF_CHANNEL: `signoff manifest` prints
the Slack app to create, `signoff doctor` checks everything. Prints "Signoff is ready: …" when it is.

Starts a Redis of its own unless SIGNOFF_REDIS_URL names one, keeps the database in a SQLite file unless
SIGNOFF_DATABASE_URL names PostgreSQL, and makes a signing key where there is none; all in the data folder
(SIGNOFF_DATA). An agent of the same user on this machine needs no settings; `signoff env` prints them for
others. SIGTERM and Ctrl-C let what runs finish, for up to 10 s.

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
    from signoff.server import logs, settings, supervisor
    from signoff.server.own_redis import EmbeddedRedis

    given = settings.load()
    logs.setup(given.log_level, as_json=given.log_json)
    stop = threading.Event()
    for number in (signal.SIGTERM, signal.SIGINT):
        signal.signal(number, lambda *_: stop.set())
    reload, terminal = threading.Event(), _has_terminal()
    signal.signal(signal.SIGHUP, lambda *_: (stop if terminal and not _has_terminal() else reload).set())
    policy = given.policy()
    given.admin_ids()
    with ExitStack() as stack:
        stack.enter_context(only_one(given.data))
        verify_key = given.signer(create=True).verify_key
        _ask_slack(given)
        _upgrade(given)
        own = None
        if given.redis_url:
            url, where = given.redis_url, "the Redis of SIGNOFF_REDIS_URL"
            _reach(url)
        else:
            own = EmbeddedRedis(given.data)
            stack.callback(own.stop)
            own.start()
            url, where = own.url, f"its own {own.name}"
        _tell_agents(given.data, url, verify_key)

        def ready() -> None:
            print(
                f"Signoff is ready: cards go to {policy.conversation}, requests come by {where}.", flush=True
            )

        return supervisor.keep_running(url, READY_FD, stop, ready, own, reload)


def _has_terminal() -> bool:
    """Whether this process has a terminal: SIGHUP from one that was closed ends `serve`."""
    try:
        os.close(os.open("/dev/tty", os.O_RDONLY | os.O_NOCTTY))
    except OSError:
        return False
    return True


@contextmanager
def only_one(data: Path) -> Iterator[None]:
    """Hold a data folder's lock; raises ConfigError while another process has it."""
    data.mkdir(parents=True, exist_ok=True, mode=0o700)
    with (data / "serve.lock").open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            file.seek(0)
            raise ConfigError(
                f"`signoff serve` runs already in {data} (process {file.read().strip() or 'unknown'}): "
                "stop it, or set SIGNOFF_DATA to another folder."
            ) from None
        file.truncate(0)
        file.write(f"{os.getpid()}\n")
        file.flush()
        yield


def _ask_slack(settings: Settings) -> None:
    """Raise ConfigError where Slack refuses the tokens; while it is away, the bot goes on trying."""
    from signoff.bot.slack.client import Slack, client

    for name, token, method, page in (
        ("SLACK_BOT_TOKEN", settings.slack_bot_token, "auth.test", "OAuth & Permissions, has it (xoxb-…)"),
        (
            "SLACK_APP_TOKEN", settings.slack_app_token, "apps.connections.open",
            "Basic Information, App-Level Tokens, makes one (xapp-…, with connections:write)",
        ),
    ):  # fmt: skip
        if token is None or not token.get_secret_value():
            raise ConfigError(f"{name} is not set: the app's page in Slack, {page}.")
        try:
            Slack(client(token.get_secret_value(), settings.slack_api_url)).call(method)
        except SlackRefused as error:
            raise ConfigError(f"Slack does not take {name} ({error.code}): the app's page, {page}.") from None
        except SlackUnavailable as error:
            say(f"Slack cannot be asked now ({error.detail.rstrip('.')}): going on, and trying again.")


def _upgrade(settings: Settings) -> None:
    from signoff.models import migrate

    with opened(settings) as engine:
        migrate.upgrade(engine)


def _reach(url: str) -> None:
    import redis

    try:
        with redis.Redis.from_url(url, socket_timeout=5, socket_connect_timeout=5) as connection:
            connection.ping()
    except ValueError:
        raise ConfigError("SIGNOFF_REDIS_URL is no URL, such as redis://host:6379/0.") from None
    except (redis.RedisError, OSError) as error:
        raise Unreachable(f"{type(error).__name__}. Check SIGNOFF_REDIS_URL and that Redis runs.") from None


def _tell_agents(data: Path, url: str, verify_key: str) -> None:
    """Leave what an agent of this user on this machine needs, where it looks for it."""
    from signoff.queue.data_folder import write_private

    lines = f"SIGNOFF_REDIS_URL={shlex.quote(url)}\nSIGNOFF_VERIFY_KEY={shlex.quote(verify_key)}\n"
    write_private(data / "agent.env", lines)
