"""A bot in the test's own process, beside Slack's stand-in; without a worker: a test delivers its cards."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from bolt_bot import hang_up
from flows.conftest import APPROVERS
from flows.person import Someone, card
from slack_bolt.adapter.socket_mode import SocketModeHandler
from support import a_request

from signoff.bot.app import Running, build_bolt
from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.delivery.homes import Homes
from signoff.bot.slack.directory import SlackDirectory
from signoff.models import migrate
from signoff.sandbox.server import Sandbox
from signoff.server import build
from signoff.server.build import Server
from signoff.server.settings import Settings

SHARED = "C0SHARED01"
"""A channel that people of another organisation see too."""


@dataclass
class Local:
    """A bot in this process, and its stand-in."""

    server: Server
    slack: Sandbox
    handler: SocketModeHandler

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
    **slack_options: Any,
) -> Iterator[Local]:
    """Connected until the end of the `with`; its directory remembers people for so many seconds.

    `running` tells when its listeners have done; `slack_options` are the stand-in's.
    """
    with Sandbox.start(**slack_options) as slack, pytest.MonkeyPatch.context() as patch:
        patch.setattr(build, "SlackDirectory", partial(SlackDirectory, remembered_seconds=remembered_seconds))
        for name, value in slack.settings().items():
            patch.setenv(name, value)
        settings = Settings(data=folder, redis_url=redis_url, approvers=approvers, channel=SHARED)
        settings.signer(create=True)
        server = build.build(settings)
        migrate.upgrade(server.engine)
        logging.getLogger("slack_bolt").setLevel(logging.CRITICAL)
        handler = SocketModeHandler(build_bolt(server, running), slack.app_token, web_client=server.slack.web)
        handler.connect()
        yield Local(server, slack, handler)
        hang_up(handler)
        server.close()
