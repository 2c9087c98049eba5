"""The journal: every Web API call and every envelope, newest last, without tokens."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

JSON = dict[str, Any]
KEPT: Final = 5_000


@dataclass(slots=True)
class Journal:
    """Entries are JSON objects with `kind` (call, envelope, response_url) and `at` (Unix seconds)."""

    entries: deque[JSON] = field(default_factory=lambda: deque(maxlen=KEPT))

    def add(self, kind: str, **fields: Any) -> JSON:
        """Add an entry and give it back: an envelope's is completed when its acknowledgement comes."""
        entry: JSON = {"kind": kind, "at": time.time(), **fields}
        self.entries.append(entry)
        return entry
