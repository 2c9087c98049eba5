"""What has to hold before roles can run, seen to by a process of its own that `serve` forks for it.

So what is needed only once, and a lot of it, is not kept in memory by the process that supervises.
"""

from __future__ import annotations

import json
import os
import socket
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO, TYPE_CHECKING

from signoff.cli.database import opened
from signoff.cli.output import say
from signoff.errors import ConfigError, Unreachable
from signoff.queue import private
from signoff.server.environment import READY_FD

if TYPE_CHECKING:
    from signoff.server.settings import Settings

LONGEST = 1 << 16
"""Bytes of a Prepared, as it is sent."""


@dataclass(frozen=True)
class Prepared:
    """What `serve` itself has to know of the settings."""

    data: str
    redis_url: str | None
    verify_key: str
    deployment: str
    conversation: str
    slack_calls: bool
    log_level: str
    log_json: bool


def prepare(owner: int) -> tuple[Prepared, IO[str]]:
    """Check all settings, make what is missing, ask Slack; and the data folder's lock, for a process.

    Raises ConfigError, PolicyError, Unreachable or DatabaseAway, naming what is wrong.
    """
    from signoff.server import logs, settings
    from signoff.server.data_lock import lock
    from signoff.server.witness.kinds import witnesses

    given = settings.load()
    logs.setup(given.log_level, as_json=given.log_json)
    policy = given.policy()
    given.admin_ids()
    witnesses(given.audit_witness, given.data)
    close_to_others(given)
    held = lock(given.data, owner)
    verify_key = given.signer(create=True).verify_key
    _ask_slack(given)
    _upgrade(given)
    if given.redis_url:
        _reach(given.redis_url)
    data = str(given.data.absolute())
    level, as_json = given.log_level, given.log_json
    name, place, calls = given.deployment, policy.conversation, given.signing_secret is not None
    return Prepared(data, given.redis_url, verify_key, name, place, calls, level, as_json), held


def close_to_others(settings: Settings) -> None:
    """Take from others what they may read of the data folder and the database, and say so.

    Raises ConfigError where they may write there, or something belongs to them.
    """
    private.make_folder(settings.data)
    found = private.close_all(settings.data)
    if file := settings.database_file:
        private.check_folder(file.parent)  # else somebody lays a journal there, which SQLite would play back
        for end in ("", "-wal", "-shm", "-journal"):
            found += private.close_all(Path(f"{file}{end}"))
    if found:
        more = f" and {len(found) - 1} more" if len(found) > 1 else ""
        say(f"others could read {found[0]}{more}: now only you can.")


def send() -> int:
    """`prepare` for this process's parent, and send it what it needs, the lock among it; 0."""
    prepared, held = prepare(os.getppid())
    with held, socket.socket(fileno=int(os.environ.pop(READY_FD))) as line:
        socket.send_fds(line, [json.dumps(asdict(prepared)).encode()], [held.fileno()])
    return 0


def receive(line: socket.socket) -> tuple[Prepared, IO[str]] | None:
    """What `send` sends; None where it has ended without."""
    said, files, _, _ = socket.recv_fds(line, LONGEST, 1)
    return (Prepared(**json.loads(said)), os.fdopen(files[0], "a+")) if said else None


def _ask_slack(settings: Settings) -> None:
    """Raise ConfigError where Slack refuses the tokens; while it is away, the bot goes on trying."""
    from signoff.bot.slack.client import Slack, client
    from signoff.bot.slack.errors import SlackRefused, SlackUnavailable

    bot = settings.slack_bot_token.get_secret_value() if settings.slack_bot_token else ""
    page = "OAuth & Permissions, has it (xoxb-…)"
    if not bot:
        raise ConfigError(f"SLACK_BOT_TOKEN is not set: the app's page in Slack, {page}.")
    asked = [("SLACK_BOT_TOKEN", bot, "auth.test", page)]
    if settings.signing_secret is None:
        page = "Basic Information, App-Level Tokens, makes one (xapp-…, with connections:write)"
        asked.append(("SLACK_APP_TOKEN", settings.app_token, "apps.connections.open", page))
    for name, token, method, page in asked:
        try:
            Slack(client(token, settings.slack_api_url)).call(method)
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
