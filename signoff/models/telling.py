"""What of a request tells it from others, in a line of a list or a notification; pure."""

from __future__ import annotations

from typing import Any

from signoff.models.approval import Approval
from signoff.models.questions import QUESTION


def told_of(approval: Approval) -> dict[str, Any]:
    """The payload whose first values it is known by: of a question only what it asks."""
    if approval.request.kind != QUESTION:
        return approval.payload
    return {name: approval.payload[name] for name in ("question",) if name in approval.payload}
