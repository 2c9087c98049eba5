"""Slack's limits on blocks and views, checked; pure.

`check_message` and `check_view` answer what Slack would refuse, as a list of `Problem`; an empty list means
that Slack would take it. Two rules hold everywhere: an empty text is refused, and so is a field or a type
that is not known here. Blocks that an app cannot send, that Slack still rolls out (layout, whose `fallback`
is what others get), or that Signoff has no use for (file, call, task_card, plan, auth_provider,
data_visualization, workflow_button), count as not known.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from signoff.bot.blocks.elements import SUGGESTED, options_of
from signoff.bot.blocks.kinds import BLOCKS
from signoff.bot.blocks.limits import (
    ACTIONS_ELEMENTS,
    ALERT_TEXT,
    ALT_TEXT,
    BUTTON_TEXT,
    BUTTON_VALUE,
    CARD_BODY,
    CARD_TITLE,
    CAROUSEL_CARDS,
    CHECKBOX_OPTIONS,
    CONFIRM_BUTTON,
    CONFIRM_TEXT,
    CONFIRM_TITLE,
    CONTAINER_BLOCKS,
    CONTEXT_ACTIONS_ELEMENTS,
    CONTEXT_ELEMENTS,
    DATA_TABLE_PAGE,
    DATA_TABLE_ROWS,
    DATA_TABLE_TEXT,
    FIELD_TEXT,
    FRAME_BYTES,
    HEADER_COUNTS,
    HEADER_TEXT,
    ID,
    INPUT_VALUE,
    LABEL,
    MARKDOWN_TEXT,
    MESSAGE_BLOCKS,
    MESSAGE_TEXT,
    MESSAGE_TOTAL,
    MESSAGE_TOTAL_REFUSED,
    METADATA_BYTES,
    OPTION_TEXT,
    OPTION_VALUE,
    OVERFLOW_OPTIONS,
    PLACEHOLDER,
    POSTED_TEXT,
    PRIVATE_METADATA,
    RICH_ITEMS,
    RICH_TEXT,
    SECTION_FIELDS,
    SECTION_TEXT,
    SELECT_OPTIONS,
    TABLE_COLUMNS,
    TABLE_ROWS,
    TEXT,
    URL,
    VIDEO_AUTHOR,
    VIDEO_TITLE,
    VIEW_BLOCKS,
    VIEW_BYTES,
    VIEW_STACK,
    VIEW_TITLE,
)
from signoff.bot.blocks.rules import Check, Problem, Rule, Shape, boolean, items, plain, string, typed

__all__ = [
    "ACTIONS_ELEMENTS",
    "ALERT_TEXT",
    "ALT_TEXT",
    "BUTTON_TEXT",
    "BUTTON_VALUE",
    "CARD_BODY",
    "CARD_TITLE",
    "CAROUSEL_CARDS",
    "CHECKBOX_OPTIONS",
    "CONFIRM_BUTTON",
    "CONFIRM_TEXT",
    "CONFIRM_TITLE",
    "CONTAINER_BLOCKS",
    "CONTEXT_ACTIONS_ELEMENTS",
    "CONTEXT_ELEMENTS",
    "DATA_TABLE_PAGE",
    "DATA_TABLE_ROWS",
    "DATA_TABLE_TEXT",
    "FIELD_TEXT",
    "FRAME_BYTES",
    "HEADER_COUNTS",
    "HEADER_TEXT",
    "ID",
    "INPUT_VALUE",
    "LABEL",
    "MARKDOWN_TEXT",
    "MESSAGE_BLOCKS",
    "MESSAGE_TEXT",
    "MESSAGE_TOTAL",
    "MESSAGE_TOTAL_REFUSED",
    "METADATA_BYTES",
    "OPTION_TEXT",
    "OPTION_VALUE",
    "OVERFLOW_OPTIONS",
    "PLACEHOLDER",
    "POSTED_TEXT",
    "PRIVATE_METADATA",
    "RICH_ITEMS",
    "RICH_TEXT",
    "SECTION_FIELDS",
    "SECTION_TEXT",
    "SELECT_OPTIONS",
    "TABLE_COLUMNS",
    "TABLE_ROWS",
    "TEXT",
    "URL",
    "VIDEO_AUTHOR",
    "VIDEO_TITLE",
    "VIEW_BLOCKS",
    "VIEW_BYTES",
    "VIEW_STACK",
    "VIEW_TITLE",
    "Problem",
    "check_message",
    "check_metadata",
    "check_options",
    "check_view",
    "is_too_long",
    "options_of",
    "total_length",
    "view_bytes",
]

_NOT_COUNTED = frozenset({"type", "block_id", "action_id", "style", "range", "format", "align", "level"})
_OWN_TOTAL = ("markdown", "data_table")
_PLACE = typed(BLOCKS)


def check_message(
    blocks: Sequence[Any] | None, text: str | None = None, metadata: Any = None
) -> list[Problem]:
    """What Slack would refuse in a message; pointers start at /blocks, /text or /metadata.

    `text` is held to `MESSAGE_TEXT`, as chat.update does, because every message may be updated. All blocks
    together stay below `MESSAGE_TOTAL_REFUSED`; plan for `MESSAGE_TOTAL`.
    """
    check = Check("message")
    if not blocks and not text:
        check.add("", "a message needs text or blocks")
    if text is not None and len(text.encode("utf-8", "surrogatepass")) > MESSAGE_TEXT:
        check.add("/text", f"must be less than {MESSAGE_TEXT + 1} bytes")
    if blocks is not None:
        _check_blocks(check, list(blocks), 0, MESSAGE_BLOCKS)
        if is_too_long(blocks):
            check.add("/blocks", f"all blocks together must be less than {MESSAGE_TOTAL_REFUSED} characters")
    if metadata is not None:
        check.problems += check_metadata(metadata)
    return check.problems


def check_view(view: Any) -> list[Problem]:
    """What Slack would refuse in a modal or a Home; pointers start at the view: /title/text, /blocks/0 …"""
    if not isinstance(view, dict) or view.get("type") not in ("modal", "home"):
        return [Problem("/type", "must be one of: modal, home")]
    check = Check(view["type"])
    _VIEWS[view["type"]](check, view, "")
    blocks = view.get("blocks")
    if isinstance(blocks, list):
        _check_blocks(check, blocks, 1, VIEW_BLOCKS)
        inputs = any(isinstance(b, dict) and b.get("type") == "input" for b in blocks)
        if inputs and view["type"] == "modal" and not view.get("submit"):
            check.add("", "missing required field: submit, because the view has input blocks")
    if view_bytes(view) > VIEW_BYTES:
        check.add("", f"a view holds {VIEW_BYTES} bytes")
    return check.problems


def check_metadata(metadata: Any) -> list[Problem]:
    """What Slack would refuse as metadata: its values are scalars, or flat objects or arrays of them."""
    check = Check("message")
    _METADATA(check, metadata, "/metadata")
    if not check.problems and len(json.dumps(metadata)) > METADATA_BYTES:
        check.add("/metadata", f"must be less than {METADATA_BYTES + 1} bytes")
    return check.problems


def check_options(answer: Any) -> list[Problem]:
    """What Slack would refuse as an answer to block_suggestion: `options` or `option_groups`, maybe empty."""
    check = Check("options")
    if not isinstance(answer, dict) or ("options" in answer) is ("option_groups" in answer):
        check.add("", "must hold either options or option_groups")
    else:
        SUGGESTED(check, answer, "")
    return check.problems


def total_length(blocks: Sequence[Any]) -> int:
    """Characters over all blocks that count towards Slack's hidden limit: every text, value and URL.

    Slack does not say what it counts; this leaves out only types, ids and other keywords, and adds what
    header blocks were seen to count. To be planned with; what is refused is less (`is_too_long`).
    """
    total, left = 0, list(blocks)
    while left:
        value = left.pop()
        if isinstance(value, str):
            total += len(value)
        elif isinstance(value, dict):
            total += HEADER_COUNTS if value.get("type") == "header" else 0
            left += [item for name, item in value.items() if name not in _NOT_COUNTED]
        elif isinstance(value, list):
            left += value
    return total


def is_too_long(blocks: Sequence[Any]) -> bool:
    """Whether Slack would say `msg_blocks_too_long`. Blocks with a total of their own are not counted."""
    counted = [block for block in blocks if not (isinstance(block, dict) and block.get("type") in _OWN_TOTAL)]
    return total_length(counted) >= MESSAGE_TOTAL_REFUSED


def view_bytes(view: Any) -> int:
    """The size of a view as JSON, in bytes."""
    return len(json.dumps(view, ensure_ascii=False, separators=(",", ":")).encode("utf-8", "surrogatepass"))


def _check_blocks(check: Check, blocks: list[Any], least: int, most: int) -> None:
    def place(check: Check, value: Any, at: str) -> None:
        check.action_ids = set()
        _PLACE(check, value, at)

    items(place, least, most)(check, blocks, "/blocks")


def _array(check: Check, value: Any, at: str) -> None:
    """The blocks of a view; what they hold is checked on its own."""
    if not isinstance(value, list):
        check.add(at, "must be an array")


def _payload(check: Check, value: Any, at: str) -> None:
    if not isinstance(value, dict):
        check.add(at, "must be an object")
        return
    for name, item in value.items():
        inner = item.values() if isinstance(item, dict) else item if isinstance(item, list) else ()
        if any(isinstance(part, (dict, list)) for part in inner):
            check.add(f"{at}/{name}", "must be a scalar, or a flat object or array of scalars")


_METADATA = Shape({"event_type": string(ID), "event_payload": _payload}, ("event_type", "event_payload"))
_common: dict[str, Rule] = {
    "blocks": _array,
    "private_metadata": string(PRIVATE_METADATA, 0),
    "callback_id": string(ID, 0),
    "external_id": string(ID, 0),
}
_VIEWS: dict[str, Rule] = {
    "home": Shape(_common, ("blocks",)),
    "modal": Shape(
        {
            **_common,
            "title": plain(VIEW_TITLE),
            "submit": plain(VIEW_TITLE),
            "close": plain(VIEW_TITLE),
            "clear_on_close": boolean,
            "notify_on_close": boolean,
            "submit_disabled": boolean,
        },
        ("title", "blocks"),
    ),
}
