"""Elements in blocks: naming them, finding them, and what they hold when a person has done nothing yet."""

from __future__ import annotations

import html
import re
import secrets
from collections.abc import Iterator, Sequence
from typing import Any, Final

JSON = dict[str, Any]
STATE: Final[dict[str, tuple[str, str, Any]]] = {
    "plain_text_input": ("value", "initial_value", None),
    "email_text_input": ("value", "initial_value", None),
    "url_text_input": ("value", "initial_value", None),
    "number_input": ("value", "initial_value", None),
    "rich_text_input": ("rich_text_value", "initial_value", None),
    "file_input": ("files", "", []),
    "checkboxes": ("selected_options", "initial_options", []),
    "radio_buttons": ("selected_option", "initial_option", None),
    "datepicker": ("selected_date", "initial_date", None),
    "timepicker": ("selected_time", "initial_time", None),
    "datetimepicker": ("selected_date_time", "initial_date_time", None),
    "static_select": ("selected_option", "initial_option", None),
    "external_select": ("selected_option", "initial_option", None),
    "users_select": ("selected_user", "initial_user", None),
    "conversations_select": ("selected_conversation", "initial_conversation", None),
    "channels_select": ("selected_channel", "initial_channel", None),
    "multi_static_select": ("selected_options", "initial_options", []),
    "multi_external_select": ("selected_options", "initial_options", []),
    "multi_users_select": ("selected_users", "initial_users", []),
    "multi_conversations_select": ("selected_conversations", "initial_conversations", []),
    "multi_channels_select": ("selected_channels", "initial_channels", []),
}
"""What an element keeps: its field in `state.values`, where its initial value stands, and its empty value."""
_MENTION: Final = re.compile(r"<@([UW][A-Z0-9]+)(?:\|[^<>]*)?>")


def elements(blocks: Sequence[JSON]) -> Iterator[tuple[JSON, JSON]]:
    """Every interactive element with its block, in containers and cards too."""
    for block in blocks:
        inside = [block.get("element"), block.get("accessory"), *(block.get("elements") or ())]
        for element in (*inside, *(block.get("actions") or ())):
            if isinstance(element, dict) and ("action_id" in element):
                yield block, element
        yield from elements(block.get("child_blocks") or ())
        if block.get("type") == "carousel":
            yield from elements(block["elements"])


def with_ids(blocks: Sequence[JSON]) -> list[JSON]:
    """A copy of checked blocks in which every block and interactive element has an id; Slack adds them."""
    named = []
    for block in blocks:
        block = {**block, "block_id": block.get("block_id") or secrets.token_urlsafe(4)[:5]}
        for place in ("element", "accessory"):
            if place in block:
                block[place] = _with_action_id(block[place])
        if block["type"] in ("actions", "context_actions"):
            block["elements"] = [_with_action_id(e) for e in block["elements"]]
        elif block["type"] == "carousel":
            block["elements"] = with_ids(block["elements"])
        elif block["type"] == "card" and "actions" in block:
            block["actions"] = [_with_action_id(e) for e in block["actions"]]
        elif block["type"] == "container":
            block["child_blocks"] = with_ids(block["child_blocks"])
        named.append(block)
    return named


def _with_action_id(element: JSON) -> JSON:
    if element["type"] == "image" or element.get("action_id"):
        return element
    return {**element, "action_id": secrets.token_urlsafe(4)[:5]}


def initial(element: JSON) -> JSON:
    """The state of an element that nobody has touched, as in `state.values`."""
    name, source, empty = STATE[element["type"]]
    value = element.get(source)
    return {"type": element["type"], name: empty if value is None else value}


def initial_values(blocks: Sequence[JSON]) -> JSON:
    """`state.values` of blocks that nobody has touched: by block_id, then action_id."""
    values: dict[str, JSON] = {}
    for block, element in elements(blocks):
        if element["type"] in STATE:
            values.setdefault(block["block_id"], {})[element["action_id"]] = initial(element)
    return values


def of_text(text: str) -> list[JSON]:
    """The rich_text that Slack makes of what a person writes: plain words, and mentions of people."""
    parts: list[JSON] = []
    for index, piece in enumerate(_MENTION.split(text)):
        if index % 2:
            parts.append({"type": "user", "user_id": piece})
        elif piece:
            parts.append({"type": "text", "text": html.unescape(piece)})
    return with_ids([{"type": "rich_text", "elements": [{"type": "rich_text_section", "elements": parts}]}])
