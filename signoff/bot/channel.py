"""Slack as a channel: what the one writer's room asks of any way to reach people."""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event

from signoff.bot.delivery.admins import Admins
from signoff.bot.delivery.delivery import Delivery
from signoff.bot.delivery.turns import Turns
from signoff.models.people import Directory

NAME = "slack"


class SlackChannel:
    """A `signoff.approvals.channel.Channel`."""

    name = NAME

    def __init__(self, delivery: Delivery, turns: Turns, admins: Admins, directory: Directory) -> None:
        self._delivery = delivery
        self._turns = turns
        self._admins = admins
        self.directory = directory

    def deliver(self, approval_id: str) -> None:
        """Show an approval's last revision, and what else is due, each in its turn."""
        self._turns.wake(approval_id)

    def run(self, stop: Event) -> None:
        """Deliver what nobody was woken for, or what had to wait for Slack, until `stop` is set."""
        self._turns.run(stop)

    def warn(self, agent: str) -> None:
        """Tell a conversation, once, that an agent asks for too much."""
        self._delivery.warn(agent)

    def tell_admins(self, faults: Sequence[str]) -> bool:
        """Tell the admins what is wrong; False where there are some and none could be told."""
        return self._admins.tell_of(faults)
