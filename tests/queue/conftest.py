"""An intake beside the core."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
import redis
from support import Core

from signoff.queue.intake import Intake
from signoff.queue.requests import Stream


@pytest.fixture
def intake(core: Core, redis_url: str) -> Iterator[Intake]:
    client = redis.Redis.from_url(redis_url, socket_timeout=10)
    yield Intake(core.approvals, Stream(client, "test-consumer"))
    client.close()
