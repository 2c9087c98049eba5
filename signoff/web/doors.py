"""What the doors are built of."""

from __future__ import annotations

from dataclasses import dataclass, field

from signoff.approvals.service import Approvals
from signoff.models.store import Store
from signoff.receipts import Signer
from signoff.web.rates import Rates


@dataclass(frozen=True)
class Doors:
    """All that a door may need. `public_url` is where callers reach us, without a slash at its end."""

    approvals: Approvals
    store: Store
    signer: Signer
    deployment: str
    public_url: str
    redis_url: str
    rates: Rates = field(default_factory=Rates)
