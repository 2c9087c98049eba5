"""Where a form leads once it is submitted: back to the review of several that it was opened from; pure."""

from __future__ import annotations

import json
from typing import Any

from signoff.bot.text.text import Block

NAME = "back"
"""In a view's private_metadata: `review id:place`, the place counted from 0."""


def with_back(view: Block, back: str) -> Block:
    """A form that leads back there; as it is where `back` is empty."""
    if not back:
        return view
    kept = json.loads(view.get("private_metadata") or "{}")
    return view | {"private_metadata": json.dumps(kept | {NAME: back}, separators=(",", ":"))}


def back_of(view: Block) -> str:
    """Where a form leads; empty where it leads nowhere."""
    try:
        kept: Any = json.loads(view.get("private_metadata") or "{}")
    except ValueError:
        return ""
    found = kept.get(NAME) if isinstance(kept, dict) else None
    return found if isinstance(found, str) else ""


def read_back(back: str) -> tuple[str, int]:
    """(review's id, place in it); an empty id for what is none."""
    review_id, _, at = back.rpartition(":")
    if not at.isascii() or not at.isdigit() or len(at) > 6:
        return "", 0
    return review_id, int(at)
