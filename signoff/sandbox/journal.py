"""The journal: every Web API call and every envelope, newest last, without tokens."""

from __future__ import annotations

import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from signoff.sandbox.feed import Feed

JSON = dict[str, Any]
KEPT: Final = 5_000


@dataclass(slots=True)
class Journal:
    """Entries are JSON objects with `n`, `kind` (call, envelope, response_url, frame) and `at`, Unix time."""

    feed: Feed = field(default_factory=Feed)
    entries: deque[JSON] = field(default_factory=lambda: deque(maxlen=KEPT))
    _count: int = 0

    def add(self, kind: str, **fields: Any) -> JSON:
        """Add an entry and give it back: an envelope's is completed when its acknowledgement comes."""
        self._count += 1
        entry: JSON = {"n": self._count, "kind": kind, "at": time.time(), **fields}
        self.entries.append(entry)
        self.changed(entry)
        return entry

    def changed(self, entry: JSON) -> None:
        """An entry was added or completed: whoever listens is told."""
        self.feed.tell("log", brief(entry))

    def find(self, number: int) -> JSON | None:
        """An entry by its `n`, while it is kept."""
        return next((entry for entry in self.entries if entry["n"] == number), None)


def brief(entry: JSON) -> JSON:
    """One line of the inspector: `n`, `kind`, `at`, `name`, `who`, `ok` (None: not yet), `error`, `ms`."""
    line = {name: entry[name] for name in ("n", "kind", "at")} | {"who": "", "error": ""}
    answer = entry.get("answer")
    if entry["kind"] == "envelope":
        return line | _envelope(entry)
    if entry["kind"] == "response_url":
        ok = entry["status"] == 200
        return line | {"name": "response_url", "ok": ok, "error": "" if ok else answer, "ms": None}
    if entry["kind"] == "frame":
        return (
            line
            | {"name": f"frame of {entry['bytes']} bytes", "ok": False, "ms": None}
            | {"error": entry["error"]}
        )
    ok = isinstance(answer, dict) and answer.get("ok") is True
    error = "" if ok else str((answer or {}).get("error") or entry["fault"] or "")
    return line | {"name": entry["method"], "ok": ok, "error": error, "ms": entry["ms"]}


def _envelope(entry: JSON) -> JSON:
    payload = entry["payload"]
    inner = payload.get("event") or payload
    user = inner.get("user") or payload.get("user_name") or ""
    late = "acknowledged too late" if entry.get("late") else "not acknowledged" if "late" in entry else ""
    return {
        "name": str(inner.get("type") or payload.get("command") or entry["type"]),
        "who": str(_named(user) if isinstance(user, dict) else user),
        "ok": True if entry["acked"] else False if late else None,
        "error": late,
        "ms": entry.get("ack_ms"),
    }


def _named(user: JSON) -> Any:
    """A payload's user: not every kind of payload has both names."""
    return user.get("name") or user.get("username") or user.get("id")
