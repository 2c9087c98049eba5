"""What happens in the stand-in, told as it happens to whoever listens: each open page is one listener."""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass, field
from typing import Any, Final

JSON = dict[str, Any]
_BEHIND: Final = 2_000
"""Changes that a listener may be behind; then it is let go, and its page begins anew."""


@dataclass(frozen=True, slots=True)
class Change:
    """One thing that happened: `data` is JSON text; for `user` alone, or for all who see `channel`."""

    kind: str
    data: str
    user: str = ""
    channel: str = ""


@dataclass(slots=True, eq=False)
class Listener:
    """The changes that one page has not yet had; None is the end."""

    changes: asyncio.Queue[Change | None] = field(default_factory=asyncio.Queue)


@dataclass(slots=True)
class Feed:
    """Lives in one event loop. Without listeners it costs nothing."""

    _listeners: set[Listener] = field(default_factory=set)

    def listen(self) -> Listener:
        """Hear of everything from now on, until `leave`."""
        listener = Listener()
        self._listeners.add(listener)
        return listener

    def leave(self, listener: Listener) -> None:
        """Hear of nothing more."""
        self._listeners.discard(listener)

    def tell(self, kind: str, data: JSON, *, user: str = "", channel: str = "") -> None:
        """Tell everybody; `user` and `channel` narrow down whom it concerns."""
        if not self._listeners:
            return
        change = Change(kind, json.dumps(data, separators=(",", ":")), user, channel)
        for listener in list(self._listeners):
            if listener.changes.qsize() >= _BEHIND:
                self._end(listener)
            else:
                listener.changes.put_nowait(change)

    def close(self) -> None:
        """Let all listeners go."""
        for listener in list(self._listeners):
            self._end(listener)

    def _end(self, listener: Listener) -> None:
        self.leave(listener)
        listener.changes.put_nowait(None)
