"""What stops and resumes without a server: the shell writes the rows, and tells Redis where it can."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from signoff.approvals.receipts import Receipts
from signoff.approvals.service import Approvals
from signoff.approvals.stopping import Stopping
from signoff.models.people import Person
from signoff.models.store import Store
from signoff.policy.policy import Policy
from signoff.queue.mac import PURPOSE, Mac
from signoff.queue.publisher import Publisher
from signoff.queue.wakeups import Enqueue
from signoff.server import own_redis, redis_link
from signoff.server.settings import Settings

SECONDS = 2.0
"""How long Redis may take: rows are the truth, and a server tells it again."""
NOWHERE = "unix:///nonexistent/signoff"
"""In place of a Redis that there is none of yet."""


class Nobody:
    """A directory without people: the shell acts for the operator alone."""

    def home(self) -> tuple[str, str]:
        """No workspace."""
        return "", ""

    def person(self, user_id: str) -> Person:
        """Nobody in particular."""
        return Person(user_id, user_id)

    def group(self, group_id: str) -> set[str]:
        """Nobody."""
        return set()


@contextmanager
def stopping(settings: Settings, store: Store) -> Iterator[Stopping]:
    """What stops and resumes, on these rows, for the operator; raises ConfigError without a signing key."""
    url = settings.redis_url or own_redis.kept_url(settings.data) or NOWHERE
    signer = settings.signer()
    receipts = Receipts(signer, settings.receipt_hours, settings.deployment)
    client = redis_link.quick(url, SECONDS)
    try:
        approvals = Approvals(
            store=store,
            receipts=receipts,
            publisher=Publisher(client, receipts.lifetime),
            policy=lambda: Policy((), ""),
            directory=Nobody(),
            on_change=Enqueue(client, Mac(signer.derive(PURPOSE))),
        )
        yield approvals.stopping
    finally:
        client.close()
