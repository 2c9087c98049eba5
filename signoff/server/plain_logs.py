"""The log of the process that supervises: lines as `logs` has them, by the standard library alone.

structlog would be half of what that process needs of memory, for the few lines that it writes.
"""

from __future__ import annotations

import json
import logging
from datetime import UTC, datetime


class Lines(logging.Formatter):
    """A record → a line for people, or one JSON object."""

    def __init__(self, *, as_json: bool) -> None:
        super().__init__()
        self._as_json = as_json

    def format(self, record: logging.LogRecord) -> str:
        """The time in UTC, the level, what is said, and by whom."""
        at = datetime.fromtimestamp(record.created, UTC).isoformat(timespec="microseconds")
        at = at.replace("+00:00", "Z")
        level, said = record.levelname.lower(), record.getMessage()
        if self._as_json:
            return json.dumps({"event": said, "level": level, "logger": record.name, "timestamp": at})
        return f"{at} [{level:<9}] {said} [{record.name}]"


def setup(level: str = "INFO", *, as_json: bool = False) -> None:
    """Send every record of `level` and above to stderr, as `logs.setup`, without its guard over libraries."""
    handler = logging.StreamHandler()
    handler.setFormatter(Lines(as_json=as_json))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level)
