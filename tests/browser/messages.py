"""What tests of the page post, and how wide a phone is."""

from __future__ import annotations

from typing import Any

JSON = dict[str, Any]
PHONE = {"width": 390, "height": 844}


def row(*names: str) -> JSON:
    """Buttons, each with its name in small letters for an action id."""
    text = [{"type": "plain_text", "text": name} for name in names]
    elements = [{"type": "button", "action_id": t["text"].lower(), "text": t, "value": "v"} for t in text]
    return {"type": "actions", "elements": elements}
