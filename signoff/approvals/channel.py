"""What a channel has to offer: a way to reach people, such as Slack.

A channel is told of an approval's id and reads the rows; what it shows it notes through `Approvals`, and a
person's vote comes back through `Approvals.decide`. Conversations and messages are its own words for where
something stands: opaque text to everybody else.
"""

from __future__ import annotations

from collections.abc import Sequence
from threading import Event
from typing import Protocol

from signoff.models.people import Directory


class Channel(Protocol):
    """One way to reach people. Any number of processes may call it at once."""

    @property
    def name(self) -> str:
        """Its kind, as the rows of cards have it."""

    @property
    def directory(self) -> Directory:
        """Who somebody is."""

    def deliver(self, approval_id: str) -> None:
        """Show an approval's last revision, or bring what is shown up to date; trouble postpones it."""

    def run(self, stop: Event) -> None:
        """The timer, in a thread of its own until `stop` is set: delivers what is due and was missed."""

    def warn(self, agent: str) -> None:
        """Tell a conversation, once, that an agent asks for too much."""

    def tell_admins(self, faults: Sequence[str]) -> bool:
        """Tell the admins what is wrong; False where there are admins and none of them could be told."""
