"""What Redis says when it can take nothing now, whoever asks for whatever."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import Any

import redis
from redis.exceptions import ClusterDownError, NoPermissionError

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


def raise_for_all(replies: Iterable[Any]) -> None:
    """Raise the first reply of a pipeline that is an outage; others are about their key alone."""
    for reply in replies:
        if isinstance(reply, Exception) and refuses_all(reply):
            raise reply
