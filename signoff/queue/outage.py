"""What is an outage of Redis or the database, whoever asks for whatever: all else is somebody's fault."""

from __future__ import annotations

import redis

from signoff.models.engine import OUTAGE as DATABASE_OUTAGE
from signoff.queue.refusals import refuses_all

OUTAGE = (redis.ConnectionError, redis.TimeoutError, OSError, *DATABASE_OUTAGE)


def is_outage(error: BaseException) -> bool:
    """Whether to pause and try again; else it is a fault of what was asked, or of a key, and no more."""
    return isinstance(error, OUTAGE) or refuses_all(error)
