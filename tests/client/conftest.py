"""A client beside an intake that runs."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from support import Core, intake_of

from signoff import Signoff


@pytest.fixture
def serving(core: Core, redis_url: str) -> Iterator[Core]:
    """The core, with an intake that runs."""
    with intake_of(core, redis_url, "billing-bot"):
        yield core


@pytest.fixture
def signoff(serving: Core, redis_url: str) -> Iterator[Signoff]:
    """What an agent calls."""
    with Signoff(redis_url=redis_url, agent="billing-bot", verify_key=serving.signer.verify_key) as client:
        yield client
