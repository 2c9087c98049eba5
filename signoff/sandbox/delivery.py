"""How something reaches the app: over Socket Mode or by HTTP, which the app's settings in Slack say."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Protocol

JSON = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Ack:
    """What came back; `response` is the acknowledgement's payload.

    Without one, `reason` is Slack's word for why, and `is_final` says that the app wants it not again.
    """

    acked: bool
    ms: float | None = None
    response: Any = None
    reason: str = ""
    is_final: bool = False


class Delivery(Protocol):
    """Either way. Lives in one event loop."""

    async def deliver(
        self,
        kind: str,
        payload: JSON,
        *,
        takes_response: bool = True,
        retry_attempt: int = 0,
        retry_reason: str = "",
    ) -> Ack:
        """Send a payload and wait for its acknowledgement, for Slack's three seconds.

        `kind` is interactive, slash_commands or events_api; only the last counts its attempts.
        """
        ...
