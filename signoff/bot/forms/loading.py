"""A modal on its way: what stands there until it can be shown, and what does where it cannot; pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from signoff.bot.text.text import Block, Trusted
from signoff.bot.text.views import modal, paragraph, says
from signoff.bot.text.words import opening
from signoff.bot.text.words import replies as replies_words

BLOCKS = 100
"""Slack: blocks of a view."""
_KEPT = (
    "type",
    "callback_id",
    "title",
    "submit",
    "close",
    "private_metadata",
    "clear_on_close",
    "notify_on_close",
)
_INITIAL = {
    "value": "initial_value",
    "selected_option": "initial_option",
    "selected_options": "initial_options",
    "selected_date": "initial_date",
    "selected_time": "initial_time",
    "selected_date_time": "initial_date_time",
}
"""What an element says that it holds, and what it is to start with."""
NOTICE = "notice"


def loading_view(view: Mapping[str, Any], external_id: str) -> Block:
    """What stands in the place of a view for a moment. It has no submit, so nothing is pressed twice."""
    waiting = modal("loading", opening.LOADING, [paragraph(opening.LOADING_TEXT)])
    shell = {name: view[name] for name in ("title", "close") if view.get(name)}
    return waiting | shell | {"external_id": external_id}


def again_with(text: Trusted, view: Mapping[str, Any]) -> Block:
    """A view as Slack sent it, with all that is typed in it, under a notice.

    Where there is no room for the notice, it stands in place of the last block.
    """
    values = (view.get("state") or {}).get("values") or {}
    blocks = [_filled(block, values) for block in view["blocks"] if block.get("block_id") != NOTICE]
    kept = {name: view[name] for name in _KEPT if view.get(name)}
    return kept | {"blocks": [says(text, NOTICE), *blocks[: BLOCKS - 1]]}


def not_shown_view(text: Trusted, view: Mapping[str, Any]) -> Block:
    """Why a view is not shown, with the way back that it has."""
    kept = {name: view[name] for name in ("close", "private_metadata") if view.get(name)}
    backs = [block for block in view["blocks"] if block.get("block_id") == "pages"]
    return modal("message", replies_words.NOT_POSSIBLE, [says(text, NOTICE), *backs]) | kept


def _filled(block: Mapping[str, Any], values: Mapping[str, Any]) -> Block:
    """An input that starts with what is typed in it; any other block as it is."""
    element = block.get("element")
    if block.get("type") != "input" or not isinstance(element, dict):
        return dict(block)
    state = (values.get(str(block.get("block_id"))) or {}).get(element.get("action_id"))
    if not isinstance(state, dict):
        return dict(block)
    held = {_INITIAL[name]: value for name, value in state.items() if name in _INITIAL}
    bare = {name: value for name, value in element.items() if name not in _INITIAL.values()}
    return {**block, "element": bare | {name: value for name, value in held.items() if value}}
