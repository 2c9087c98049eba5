"""Faults on request, and Slack's rate limits, which are off until they are asked for."""

from __future__ import annotations

import json
import time
from collections import deque
from dataclasses import dataclass, field
from typing import Any, Final

from signoff.sandbox.errors import ActError

MODES: Final = ("ratelimited", "error", "hang", "drop_reply", "disconnect", "html", "empty", "not_json")
NOT_SLACKS: Final = {
    "html": ("<!DOCTYPE html><html><body><h1>502 Bad Gateway</h1></body></html>", "text/html"),
    "empty": ("", "text/plain"),
    "not_json": ('["upstream connect error"]', "application/json"),
}
"""What a proxy or Slack's edge answers in Slack's place: body and content type."""
_SOCKET: Final = ("socket", "apps.connections.open", "*")
_PER_MINUTE: Final = {
    "apps.connections.open": 10,
    "usergroups.list": 20,
    "usergroups.users.list": 20,
    "conversations.list": 20,
    "chat.update": 50,
    "conversations.info": 50,
    "conversations.history": 50,
    "conversations.replies": 50,
    "auth.test": 600,
    "chat.getPermalink": 600,
}
"""Slack publishes tiers (1, 20, 50, 100 and more a minute); what is not named here has 100.

The histories of conversations have one a minute in apps that are sold outside of Slack's Marketplace; an app
that an organisation makes for itself, as Signoff is, has the tier's.
"""
_POSTS_AT_ONCE: Final = 3
"""chat.postMessage: one a second and channel, with short bursts allowed. Slack does not say how short."""


@dataclass(slots=True)
class Fault:
    """What happens to the next `times` calls of `method` ("*": of any) whose arguments hold `about` as text.

    Where its answer is `NOT_SLACKS`, `status` is the HTTP status; `done` says that Slack did its part before.

    Others may be calling too: a test says which call it means by an id, a ts, an action, a run's name.
    """

    method: str
    mode: str
    times: int = 1
    seconds: float = 1.0
    error: str = "internal_error"
    about: str = ""
    status: int = 200
    done: bool = False

    @property
    def closes_sockets(self) -> bool:
        """Whether it hits Socket Mode rather than a Web API call."""
        return self.mode == "disconnect" and self.method in _SOCKET

    @property
    def reaches_slack(self) -> bool:
        """Whether the call gets as far as Slack."""
        return self.mode != "disconnect" and (self.mode not in NOT_SLACKS or self.done)

    def hits(self, method: str, arguments: dict[str, Any]) -> bool:
        """Whether it is meant for this call."""
        if self.method not in (method, "*"):
            return False
        return not self.about or self.about in json.dumps(arguments, ensure_ascii=False)

    @classmethod
    def parse(cls, fields: dict[str, Any]) -> Fault:
        """A fault from JSON. Raises ActError that says which field is wrong."""
        fault = cls(
            fields.get("method", ""),
            fields.get("mode", ""),
            fields.get("times", 1),
            fields.get("seconds", 1.0),
            fields.get("error", "internal_error"),
            fields.get("about", ""),
            fields.get("status", 200),
            fields.get("done", False),
        )
        if not isinstance(fault.method, str) or not fault.method:
            raise ActError("invalid_fault", detail='method is a Web API method, "socket" or "*"')
        if fault.mode not in MODES:
            raise ActError("invalid_fault", detail=f"mode is one of {', '.join(MODES)}")
        if type(fault.times) is not int or fault.times < 1:
            raise ActError("invalid_fault", detail="times is a whole number from 1")
        if type(fault.seconds) not in (int, float) or not 0 <= fault.seconds <= 3600:
            raise ActError("invalid_fault", detail="seconds is a number from 0 to 3600")
        if not isinstance(fault.error, str):
            raise ActError("invalid_fault", detail="error is one of Slack's error codes")
        if type(fault.status) is not int or not 200 <= fault.status < 600 or not isinstance(fault.done, bool):
            raise ActError("invalid_fault", detail="status is an HTTP status, done is true or false")
        if not isinstance(fault.about, str) or (fault.about and fault.closes_sockets):
            raise ActError("invalid_fault", detail="about is a text that a call's arguments hold")
        return fault

    def as_json(self) -> dict[str, Any]:
        """The fault with the number of times that are left."""
        return {
            "method": self.method,
            "mode": self.mode,
            "times": self.times,
            "seconds": self.seconds,
            "error": self.error,
            "about": self.about,
            "status": self.status,
            "done": self.done,
        }


@dataclass(slots=True)
class Faults:
    """The faults that wait for their call, and the rate limits."""

    pending: list[Fault] = field(default_factory=list)
    rate_limits: bool = False
    _calls: dict[tuple[str, str], deque[float]] = field(default_factory=dict)

    def take(self, method: str, arguments: dict[str, Any]) -> Fault | None:
        """The fault that hits this call, with one less of it left; the oldest first."""
        for fault in self.pending:
            if fault.hits(method, arguments):
                fault.times -= 1
                if not fault.times:
                    self.pending.remove(fault)
                return fault
        return None

    def wait_for(self, method: str, channel: str) -> float:
        """Seconds that Slack's limits make this call wait; 0 lets it through and counts it."""
        if not self.rate_limits:
            return 0.0
        per_channel = method == "chat.postMessage"
        window = float(_POSTS_AT_ONCE) if per_channel else 60.0
        most = _POSTS_AT_ONCE if per_channel else _PER_MINUTE.get(method, 100)
        calls = self._calls.setdefault((method, channel if per_channel else ""), deque())
        now = time.monotonic()
        while calls and calls[0] <= now - window:
            calls.popleft()
        if len(calls) >= most:
            return calls[0] + window - now
        calls.append(now)
        return 0.0

    def clear(self) -> None:
        """No faults and no rate limits any more."""
        self.pending.clear()
        self._calls.clear()
        self.rate_limits = False
