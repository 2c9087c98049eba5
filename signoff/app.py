"""The composition root: Settings → engine, Redis, Slack, Approvals. Nothing is built at import."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError
from redis.retry import Retry
from rq import Queue
from rq.serializers import JSONSerializer
from sqlalchemy import Engine

from signoff.answers import Publisher, Receipts
from signoff.approvals import Approvals
from signoff.bot import words
from signoff.bot.directory import SlackDirectory
from signoff.bot.post import Slack, client
from signoff.errors import ConfigError, SlackRefused, SlackUnavailable
from signoff.lists import Lists
from signoff.models.engine import open_engine
from signoff.models.store import Store
from signoff.queue.mac import PURPOSE, Mac
from signoff.queue.stream import Stream
from signoff.reloading import InForce
from signoff.settings import Settings

log = logging.getLogger("signoff")

QUEUE = "signoff"
"""RQ's queue."""
DELIVER = "deliver"
"""The job that brings a card up to date: its only argument is an approval's id."""
HOME = "home"
"""The job that publishes the App Home of a person who has just opened it: their id."""
WAKE_UP_SECONDS = 600
"""A job that no worker has taken for so long goes: sweep finds what it was about."""
PUBLISH_SECONDS = 0.5
"""How long a publish or an enqueue may take: sweep repeats what failed, and a reviewer waits behind it."""


@dataclass(frozen=True)
class Server:
    """What a role (bot, intake, worker) works with."""

    settings: Settings
    engine: Engine
    store: Store
    redis_url: str
    slack: Slack
    directory: SlackDirectory
    policy: InForce
    approvals: Approvals
    lists: Lists
    wake_home: Callable[[str], None]
    mac: Mac

    def stream(self, read_seconds: float) -> Stream:
        """The requests' streams, on a connection whose reads may block for `read_seconds`."""
        seconds = read_seconds + 5
        connection = redis.Redis.from_url(self.redis_url, socket_timeout=seconds, socket_connect_timeout=5)
        return Stream(connection, f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}")

    def close(self) -> None:
        """Let the database's connections go."""
        self.engine.dispose()


def build(settings: Settings, redis_url: str | None = None) -> Server:
    """Settings → a server's parts; raises ConfigError naming what is missing.

    Connects to nothing yet, but to the database where the policy's file cannot be used.
    """
    url = redis_url or settings.redis_url
    if not url:
        raise ConfigError("SIGNOFF_REDIS_URL is not set: `signoff serve` starts a Redis of its own then.")
    admins = settings.admin_ids()
    signer = settings.signer()
    receipts, mac = Receipts(signer, settings.receipt_hours), Mac(signer.derive(PURPOSE))
    if settings.slack_bot_token is None:
        raise ConfigError("SLACK_BOT_TOKEN is not set: the app's page in Slack, OAuth & Permissions, has it.")
    slack = Slack(client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url))
    directory = SlackDirectory(slack)
    engine = open_engine(settings.database)
    store = Store(engine)
    policy = InForce(settings, store, Telling(slack, admins))
    quick = redis.Redis.from_url(
        url,
        socket_timeout=PUBLISH_SECONDS,
        socket_connect_timeout=PUBLISH_SECONDS,
        retry=Retry(NoBackoff(), 0),
    )
    approvals = Approvals(
        store=store,
        receipts=receipts,
        publisher=Publisher(quick, receipts.lifetime),
        policy=policy.now,
        directory=directory,
        on_change=Enqueue(quick, mac),
    )
    lists = Lists(approvals, directory, admins)
    wake_home = Enqueue(quick, mac, HOME)
    return Server(settings, engine, store, url, slack, directory, policy, approvals, lists, wake_home, mac)


class Telling:
    """Tells the admins of a policy file that cannot be used."""

    def __init__(self, slack: Slack, admins: tuple[str, ...]) -> None:
        self._slack = slack
        self._admins = admins

    def __call__(self, faults: Sequence[str]) -> bool:
        """False where there are admins and none of them could be told. Never raises."""
        told = not self._admins
        for admin in self._admins:
            try:
                self._slack.post(admin, words.admin_bad_policy(faults))
                told = True
            except (SlackUnavailable, SlackRefused) as error:
                log.warning("admin not told: %s", error)
        return told


class Enqueue:
    """Wakes a worker for a job about one id. A wake-up only: the timers find what was missed."""

    def __init__(self, connection: redis.Redis, mac: Mac, job: str = DELIVER) -> None:
        self._queue = Queue(QUEUE, connection=connection, serializer=JSONSerializer)
        self._mac = mac
        self._job = job

    def __call__(self, about: str) -> None:
        """Never raises."""
        job = self._job
        try:
            self._queue.enqueue(
                job,
                about,
                job_id=self._mac.job_id(QUEUE, job, [about]),
                description=job,
                ttl=WAKE_UP_SECONDS,
            )
        except (RedisError, OSError) as error:
            log.warning("%s not queued, a timer will find it: id=%s %s", job, about, type(error).__name__)
