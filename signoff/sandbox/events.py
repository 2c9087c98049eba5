"""Events to the app: the ones it subscribes to, again where they are not acknowledged.

Slack sends an event that nobody acknowledged again at once, after one minute and after five. The waits can be
shortened: `POST /sandbox/faults {"redelivery_seconds": [0, 0.1, 0.2]}`; an empty list sends nothing again.
Every delivery has an envelope of its own; `event_id` stays, by which an app knows that it is the same event.
"""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import Any, Final

from signoff.sandbox.delivery import Ack, Delivery
from signoff.sandbox.errors import ActError
from signoff.sandbox.payloads import Payloads
from signoff.sandbox.subscriptions import SCOPES
from signoff.sandbox.workspace import Workspace

JSON = dict[str, Any]
REDELIVERY: Final = (0.0, 60.0, 300.0)
"""Seconds before each further delivery."""
_LAST_WORDS: Final = ("app_uninstalled", "tokens_revoked")


@dataclass(frozen=True, slots=True)
class Sent:
    """An event that was sent, and what came back for its first delivery."""

    type: str
    event_id: str
    ack: Ack

    def as_json(self) -> JSON:
        """As an act answers it."""
        return {
            "type": self.type,
            "event_id": self.event_id,
            "acked": self.ack.acked,
            "ack_ms": self.ack.ms,
        }


@dataclass(slots=True)
class Events:
    """Sends events. Lives in one event loop; what runs on in the background ends with `cancel`."""

    workspace: Workspace
    app: Delivery
    payloads: Payloads
    redelivery: tuple[float, ...] = REDELIVERY
    _tasks: set[asyncio.Task[Any]] = field(default_factory=set)

    def subscribed(self, name: str) -> bool:
        """Whether the app gets events of this name: it subscribes to them and has their scope."""
        workspace = self.workspace
        scope = SCOPES[name]
        granted = not scope or scope in workspace.scopes
        return name in workspace.events and granted and (workspace.installed or name in _LAST_WORDS)

    async def send(self, event: JSON, name: str = "", *, is_ext_shared: bool = False) -> Sent | None:
        """Send an event and wait for its first acknowledgement; None where the app does not want it.

        `name` is what the app subscribes to, where that is not the event's type.
        """
        if not self.subscribed(name or event["type"]):
            return None
        payload = self.payloads.event(event, is_ext_shared=is_ext_shared)
        ack = await self.app.deliver("events_api", payload, takes_response=False)
        if not ack.acked:
            self._run(self._redeliver(payload, ack))
        return Sent(event["type"], payload["event_id"], ack)

    def announce(self, event: JSON, name: str = "", *, is_ext_shared: bool = False) -> None:
        """Send an event in the background."""
        if self.subscribed(name or event["type"]):
            self._run(self.send(event, name, is_ext_shared=is_ext_shared))

    def shorten(self, seconds: Any) -> None:
        """Set the waits before each further delivery. Raises ActError."""
        wrong = ActError(
            "invalid_fault", detail="redelivery_seconds holds up to three numbers from 0 to 3600"
        )
        if not isinstance(seconds, list) or len(seconds) > len(REDELIVERY):
            raise wrong
        if not all(type(wait) in (int, float) and 0 <= wait <= 3600 for wait in seconds):
            raise wrong
        self.redelivery = tuple(map(float, seconds))

    def cancel(self) -> None:
        """Forget what waits to be sent again."""
        for task in self._tasks:
            task.cancel()
        self._tasks.clear()

    async def _redeliver(self, payload: JSON, ack: Ack) -> None:
        for attempt, seconds in enumerate(self.redelivery, 1):
            if ack.acked or ack.is_final:
                return
            await asyncio.sleep(seconds)
            ack = await self.app.deliver(
                "events_api", payload, takes_response=False, retry_attempt=attempt, retry_reason=ack.reason
            )

    def _run(self, work: Coroutine[Any, Any, Any]) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
