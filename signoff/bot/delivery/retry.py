"""Noting what Slack has done: tried again for some seconds while the database is away.

What is not noted is done once more, and stands there twice: Slack has no way to post a message only once.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from typing import TypeVar

from signoff.models.engine import OUTAGE

log = logging.getLogger("signoff.deliver")

T = TypeVar("T")
PAUSES = (0.1, 0.3, 1.0, 2.0, 4.0)
"""Seconds before each further try: a PostgreSQL that was killed is back by then, and a writer done."""


def retry(note: Callable[[], T]) -> T:
    """What `note` gives, a transaction about what stands in Slack by now; raises its last outage."""
    for pause in PAUSES:
        try:
            return note()
        except OUTAGE as error:
            log.warning("not noted yet: %s", type(error).__name__)
            time.sleep(pause)
    return note()
