"""How many receipts this process has refused to executors' guards, by why: a row is made of none of them."""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Mapping


class Refusals:
    """Counts, from any thread, since this process began."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._counts: Counter[str] = Counter()

    def count(self, why: str) -> None:
        """One more; `why` is the problem's type."""
        with self._lock:
            self._counts[why] += 1

    def counts(self) -> Mapping[str, int]:
        """How many there were, by why."""
        with self._lock:
            return dict(self._counts)
