"""The composition root: Settings → engine, Redis, Slack, Approvals. Nothing is built at import."""

from __future__ import annotations

import logging
import os
import socket
from collections.abc import Callable, Sequence
from dataclasses import dataclass

from sqlalchemy import Engine

from signoff.approvals.channel import Channel
from signoff.approvals.lists import Lists
from signoff.approvals.receipts import Receipts
from signoff.approvals.service import Approvals
from signoff.approvals.vault import FILE, Vault
from signoff.bot.channel import NAME, SlackChannel
from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.delivery.turns import Turns
from signoff.bot.slack.client import Slack, client
from signoff.bot.slack.directory import SlackDirectory
from signoff.errors import ConfigError
from signoff.models.engine import open_engine
from signoff.models.store import Store
from signoff.queue.mac import PURPOSE, Mac
from signoff.queue.publisher import Publisher
from signoff.queue.requests import Stream
from signoff.queue.users import Users
from signoff.queue.wakeups import HOME, Enqueue
from signoff.server import redis_link
from signoff.server.own_redis import admin_url
from signoff.server.policy_file import InForce
from signoff.server.settings import Settings
from signoff.server.witness.kinds import Witness, witnesses

log = logging.getLogger("signoff")

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
    delivery: Delivery
    channel: Channel
    lists: Lists
    wake_home: Callable[[str], None]
    mac: Mac
    witnesses: Sequence[Witness]
    admins: Admins

    def stream(self, read_seconds: float) -> Stream:
        """The requests' streams, on a connection whose reads may block for `read_seconds`."""
        connection = redis_link.patient(self.redis_url, read_seconds + 5)
        return Stream(connection, f"{socket.gethostname()}-{os.getpid()}-{os.urandom(4).hex()}")

    def switch_off(self) -> Callable[[str], int | None] | None:
        """What keeps an agent out of Redis; None where this process knows no admin of it."""
        given = self.settings.redis_admin_url
        url = admin_url(
            self.settings.data, self.settings.redis_url, given.get_secret_value() if given else None
        )
        return Users(url).switch_off if url else None

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
    admin_ids = settings.admin_ids()
    heads_to = witnesses(settings.audit_witness, settings.data)
    signer = settings.signer()
    receipts, mac = Receipts(signer, settings.receipt_hours, settings.deployment), Mac(signer.derive(PURPOSE))
    if settings.slack_bot_token is None:
        raise ConfigError("SLACK_BOT_TOKEN is not set: the app's page in Slack, OAuth & Permissions, has it.")
    slack = Slack(client(settings.slack_bot_token.get_secret_value(), settings.slack_api_url))
    directory = SlackDirectory(slack)
    engine = open_engine(settings.database)
    store = Store(engine)
    admins = Admins(slack, admin_ids)
    policy = InForce(settings, store, admins.tell_of_policy)
    quick = redis_link.quick(url, PUBLISH_SECONDS)
    approvals = Approvals(
        store=store,
        receipts=receipts,
        publisher=Publisher(quick, receipts.lifetime),
        policy=policy.today,
        directory=directory,
        on_change=Enqueue(quick, mac),
        channel=NAME,
        admins=admin_ids,
        vault=Vault(settings.data / FILE),
    )
    lists = Lists(approvals, directory, admin_ids)
    wake_home = Enqueue(quick, mac, HOME)
    delivery = Delivery(approvals, slack, admins)
    channel = SlackChannel(delivery, Turns(store, delivery, delivery.beside), admins, directory)
    return Server(
        settings, engine, store, url, slack, directory, policy, approvals,
        delivery, channel, lists, wake_home, mac, heads_to, admins,
    )  # fmt: skip
