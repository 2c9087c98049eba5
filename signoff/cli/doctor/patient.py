"""What is examined: settings and connections, made when a check first needs them."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import ExitStack
from functools import cached_property

import redis
from pydantic import SecretStr
from redis.backoff import NoBackoff
from redis.retry import Retry
from sqlalchemy import Engine

from signoff.bot.slack.client import Slack, client
from signoff.bot.slack.directory import SlackDirectory
from signoff.models.engine import open_engine
from signoff.models.store import Store
from signoff.server import settings
from signoff.server.own_redis import admin_url, kept_url

SECONDS = 5
"""How long anything that is asked may take to answer."""


class Fault(Exception):
    """A check failed: what was found, and what to do."""

    def __init__(self, found: str, fix: str) -> None:
        super().__init__(found)
        self.found, self.fix = found, fix


class Note(Exception):
    """A check holds, and has found what somebody may want to know: what, and what to do about it."""

    def __init__(self, found: str, fix: str) -> None:
        super().__init__(found)
        self.found, self.fix = found, fix


class Skip(Exception):
    """A check has nothing to look at."""


class Patient:
    """One server's settings, Slack, Redis and database. `clock` gives seconds since 1970."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self.clock = clock
        self._open = ExitStack()

    @cached_property
    def settings(self) -> settings.Settings:
        """The settings; raises ConfigError."""
        return settings.load()

    @cached_property
    def slack(self) -> Slack:
        """The Web API as the bot."""
        return self.slack_as(self.settings.slack_bot_token)

    def slack_as(self, token: SecretStr | None) -> Slack:
        """The Web API with one of the tokens."""
        text = token.get_secret_value() if token else ""
        return Slack(client(text, self.settings.slack_api_url, seconds=SECONDS))

    @cached_property
    def directory(self) -> SlackDirectory:
        """Who people are."""
        return SlackDirectory(self.slack)

    @cached_property
    def redis_url(self) -> str | None:
        """The Redis of the settings, or the one that `serve` keeps here; None where there was none yet.

        Raises ConfigError where somebody else could have named it.
        """
        return self.settings.redis_url or kept_url(self.settings.data) or None

    @cached_property
    def admin_url(self) -> str | None:
        """Who may make users there, where that is known; raises as `redis_url`."""
        found, given = self.settings, self.settings.redis_admin_url
        return admin_url(found.data, found.redis_url, given.get_secret_value() if given else None)

    @cached_property
    def redis(self) -> redis.Redis:
        """A connection to it; raises ValueError for a URL that is none."""
        found = redis.Redis.from_url(
            self.redis_url or "",
            socket_timeout=SECONDS,
            socket_connect_timeout=SECONDS,
            retry=Retry(NoBackoff(), 0),
        )
        self._open.callback(found.close)
        return found

    @cached_property
    def engine(self) -> Engine:
        """The database."""
        found = open_engine(self.settings.database)
        self._open.callback(found.dispose)
        return found

    @cached_property
    def store(self) -> Store:
        """Its queries."""
        return Store(self.engine)

    def close(self) -> None:
        """Let all connections go."""
        self._open.close()
