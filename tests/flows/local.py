"""A bot in the test's own process, beside Slack's stand-in; without a worker: a test delivers its cards."""

from __future__ import annotations

import logging
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
import redis
from bolt_bot import hang_up
from flows.conftest import APPROVERS
from flows.person import Someone, card
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from support import a_request

from signoff.bot.app import Running, build_bolt
from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.delivery.homes import Homes
from signoff.bot.incoming import Signing, dispatched
from signoff.bot.slack.directory import SlackDirectory
from signoff.models import migrate
from signoff.queue.answered import Answered
from signoff.sandbox.server import Sandbox
from signoff.server import build, web_role
from signoff.server.build import Server
from signoff.server.settings import Settings
from signoff.web.app import build_app
from signoff.web.replays import Replays
from signoff.web.slack import THREADS, SlackDoor

SHARED = "C0SHARED01"
"""A channel that people of another organisation see too."""


@dataclass
class Local:
    """A bot in this process, and its stand-in."""

    server: Server
    slack: Sandbox
    running: Running
    handler: SocketModeHandler | None
    """The connection; None where Slack calls by HTTP."""
    door: SlackDoor | None = None
    """Where it calls then."""

    def ask(self, **fields: Any) -> str:
        """A request whose card stands; its id."""
        approval = self.server.approvals.submit("billing-bot", a_request(**fields))
        self.deliver(approval.id)
        return str(approval.id)

    def deliver(self, approval_id: str) -> None:
        Delivery(self.server.approvals, self.server.slack, Admins(self.server.slack, ())).deliver(approval_id)

    def draw_homes(self) -> None:
        """What workers do for the Homes that were opened."""
        Homes(self.server.store, self.server.lists, self.server.slack).step()

    def card(self, approval_id: str) -> dict[str, Any]:
        return card(self.slack, approval_id, SHARED)

    def person(self, user: str) -> Someone:
        return Someone(self.slack, user, SHARED)

    def pending(self, approval_id: str) -> bool:
        approval = self.server.approvals.get(approval_id)
        return approval.pending and approval.decision is None and approval.revision == 1


@contextmanager
def local_bot(
    folder: Path,
    redis_url: str,
    *,
    remembered_seconds: float = 60,
    approvers: str = APPROVERS,
    running: Running | None = None,
    transport: str = "socket",
    policy: Path | None = None,
    **slack_options: Any,
) -> Iterator[Local]:
    """Reached by this `transport` until the end of the `with`; its directory remembers people for a while.

    `running` tells when its listeners have done; `slack_options` are the stand-in's.
    """
    if transport == "http":
        slack_options["http"] = ""
    with Sandbox.start(**slack_options) as slack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "SlackDirectory", partial(SlackDirectory, remembered_seconds=remembered_seconds))
        for name, value in slack.settings().items():
            patch.setenv(name, value)
        settings = Settings(
            data=folder, redis_url=redis_url, approvers=approvers, channel=SHARED, policy_file=policy
        )
        settings.signer(create=True)
        server = build.build(settings)
        migrate.upgrade(server.engine)
        logging.getLogger("slack_bolt").setLevel(logging.CRITICAL)
        running = running or Running()
        app = build_bolt(server, running)
        if transport == "http":
            with called_by_slack(slack, app, server) as door:
                yield Local(server, slack, running, None, door)
        else:
            handler = SocketModeHandler(app, slack.app_token, web_client=server.slack.web)
            handler.connect()
            yield Local(server, slack, running, handler)
            hang_up(handler)
        server.close()


@contextmanager
def called_by_slack(slack: Sandbox, app: App, server: Server) -> Iterator[SlackDoor]:
    """A web role's part for Slack, in this process, which the stand-in calls inside the `with`."""
    with redis.Redis.from_url(server.redis_url) as client, ThreadPoolExecutor(THREADS) as pool:
        door = SlackDoor(Signing(slack.signing_secret), Replays(Answered(client)), pool)
        door.open(partial(dispatched, app))
        with web_role.listen("SIGNOFF_WEB_BIND", "127.0.0.1:0") as listener:
            url = f"http://127.0.0.1:{listener.getsockname()[1]}"
            web = web_role.listener(build_app(web_role.doors(server, url, door)))
            serving = threading.Thread(target=web.run, args=([listener],))
            serving.start()
            slack.call_at(url)
            yield door
            web.should_exit = True
            serving.join(30)
