"""A message as it is posted: thin, so that what it tells more of is fetched by who may."""

from __future__ import annotations

import json
from typing import Any

from signoff.models.messages import moment
from signoff.models.outbox import Message
from signoff.models.store import MICROSECONDS
from signoff.signatures import Signer
from signoff.web.webhooks.keys import OVERLAP_SECONDS, Keys
from signoff.web.webhooks.post import Letter

TEST = "webhook.test"
"""The event that `signoff webhooks test` sends: it is about nothing."""


class Letters:
    """Writes and signs them."""

    def __init__(self, signer: Signer, public_url: str) -> None:
        self._signer = signer
        self._public_url = public_url

    def about(self, message: Message) -> Letter:
        """What a message tells; it has to be about something. Its timestamp is that of this try."""
        about = message.about
        assert about is not None
        data = {
            "id": about.request_id,
            "agent": about.agent,
            "kind": about.kind,
            "action": about.action,
            "status": about.status,
            "code": about.code,
            "url": f"{self._public_url}/v1/requests/{about.request_id}",
        }
        body = _body(message.kind, about.ended_at, data)
        return self._signed(message.url, message.id, message.now, body, self._keys(message))

    def test(self, url: str, message: str, agent: str, keys: Keys, now: int) -> Letter:
        """One that is about nothing."""
        return self._signed(url, message, now, _body(TEST, now, {"agent": agent}), [keys])

    def _keys(self, message: Message) -> list[Keys]:
        """Those of today, and for a while those of before."""
        generations = [message.generation]
        rotated = message.rotated_at
        if rotated is not None and message.now - rotated < OVERLAP_SECONDS * MICROSECONDS:
            generations.append(message.generation - 1)
        return [Keys(self._signer, message.endpoint_id, one) for one in generations]

    def _signed(self, url: str, message: str, now: int, body: bytes, keys: list[Keys]) -> Letter:
        timestamp = now // MICROSECONDS
        headers = {
            "webhook-id": message,
            "webhook-timestamp": str(timestamp),
            "webhook-signature": " ".join(one.sign(message, timestamp, body) for one in keys),
        }
        return Letter(url, headers, body)


def _body(kind: str, at: int, data: dict[str, Any]) -> bytes:
    timestamp = moment(at).isoformat().replace("+00:00", "Z")
    told = {"type": kind, "timestamp": timestamp, "data": data}
    return json.dumps(told, ensure_ascii=False, separators=(",", ":")).encode()
