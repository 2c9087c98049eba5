"""How much the app may send over Socket Mode at once; pure.

Slack cuts the connection where a frame is over 20,480 bytes, and what it acknowledged with it is lost.
"""

from __future__ import annotations

import json
from typing import Any

ROOM = 19_000
"""Bytes of an acknowledgement as it is sent, with the envelope's id around it."""
_ENVELOPE_ID = "0" * 36
"""Slack's are UUIDs."""


def sent_bytes(payload: Any) -> int:
    """Bytes of an acknowledgement as the SDK sends it: JSON in ASCII, where a Cyrillic letter takes six."""
    return len(json.dumps({"envelope_id": _ENVELOPE_ID, "payload": payload}))


def fits(payload: Any) -> bool:
    """Whether Slack takes this acknowledgement."""
    return sent_bytes(payload) <= ROOM
