"""What the doors are built of."""

from __future__ import annotations

from dataclasses import dataclass, field
from functools import cached_property, partial

from signoff.approvals.service import Approvals
from signoff.models import waiters
from signoff.models.store import Store
from signoff.receipts import Signer
from signoff.web.hub import Hub
from signoff.web.rates import Rates
from signoff.web.refusals import Refusals
from signoff.web.slack import SlackDoor


@dataclass(frozen=True)
class Doors:
    """All that a door may need. `public_url` is where callers reach us, without a slash at its end."""

    approvals: Approvals
    store: Store
    signer: Signer
    deployment: str
    public_url: str
    redis_url: str
    slack: SlackDoor | None = None
    """Where Slack calls, instead of being listened to over Socket Mode."""
    rates: Rates = field(default_factory=Rates)
    refusals: Refusals = field(default_factory=Refusals)
    heartbeat_seconds: float = 15.0
    """A stream of events says something so often: what stands between forgets silent connections."""

    @cached_property
    def hub(self) -> Hub:
        """Who waits, in this process."""
        return Hub(self.redis_url, partial(waiters.ended, self.store))
