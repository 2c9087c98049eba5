"""What a press in views of several requests says: its value, a count, a batch, a review."""

from __future__ import annotations

from typing import Any

from signoff.approvals.errors import UnknownApproval
from signoff.bot.listeners.opener import Body
from signoff.bot.text.text import Block
from signoff.bot.together.review import read_kept


def value_of(body: Body) -> str:
    """What was pressed: a button's value, or a menu's choice."""
    action = body["actions"][0]
    chosen = action.get("selected_option") or action
    return str(chosen.get("value") or "")


def number_of(value: Any) -> int:
    """A count or a page; 0 for what is none."""
    text = str(value)
    return int(text) if text.isascii() and text.isdigit() and len(text) < 7 else 0


def batch_of(value: str) -> int:
    """A batch's number; raises UnknownApproval."""
    if not (value.isascii() and value.isdigit() and len(value) < 19):
        raise UnknownApproval
    return int(value)


def came_from(view: Block) -> str:
    """The review in which this one was begun; empty where it was in none."""
    return str(read_kept(view).get("from") or "")


def external_id(view: Block) -> str:
    """Our own id for what takes a form's place, the same before and after the acknowledgement."""
    return f"signoff-{view.get('id')}-{view.get('hash')}"[:240]
