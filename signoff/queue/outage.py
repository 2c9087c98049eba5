"""What is an outage of Redis or the database, whoever asks for whatever: all else is somebody's fault."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import redis
from redis.exceptions import ClusterDownError, NoPermissionError

from signoff.models.engine import OUTAGE as DATABASE_OUTAGE

OUTAGE = (redis.ConnectionError, redis.TimeoutError, OSError, *DATABASE_OUTAGE)
REFUSES_ALL = (redis.OutOfMemoryError, redis.ReadOnlyError, ClusterDownError, NoPermissionError)
"""Answers that have nothing to do with what was asked: it is full, no longer the primary, or our user has not
the rights that docs/operating.md gives it."""
_REFUSES_ALL = re.compile("(^|error: )(MISCONF|NOREPLICAS|UNBLOCKED|LOADING|MASTERDOWN) ")
"""Such replies that redis-py has no class for: it cannot save, or has just become a replica."""


def refuses_all(error: BaseException) -> bool:
    """Whether Redis is in no state to take anything now."""
    if isinstance(error, REFUSES_ALL):
        return True
    return isinstance(error, redis.ResponseError) and bool(_REFUSES_ALL.search(str(error)))


def is_outage(error: BaseException) -> bool:
    """Whether to pause and try again; else it is a fault of what was asked, or of a key, and no more."""
    return isinstance(error, OUTAGE) or refuses_all(error)


def raise_outage(replies: Iterable[Any]) -> None:
    """Raise the first reply of a pipeline that is an outage; others are about their key alone."""
    for reply in replies:
        if isinstance(reply, Exception) and refuses_all(reply):
            raise reply
