"""What a person presses: finding it among the blocks, and the action that Slack makes of it."""

from __future__ import annotations

from typing import Any

from signoff.bot.blocks import options_of
from signoff.sandbox import blocks, forms
from signoff.sandbox.errors import ActError

JSON = dict[str, Any]


def pressed(
    on: list[JSON], action_id: str, value: Any, user_id: str, block_id: str | None = None
) -> tuple[JSON, JSON]:
    """The block and the element with this action_id that can take `value`; without a value, the first.

    For a button, `value` is its value; for a menu or checkboxes, that of an option (or a list of them); for
    an input, what is typed. Raises ActError no_such_element: nobody can press what is not there.
    """
    for block, element in blocks.elements(on):
        named = element["action_id"] == action_id and block_id in (None, block["block_id"])
        if named and _shown_to(element, user_id) and _takes(element, value):
            return block, element
    raise ActError("no_such_element", 404, action_id=action_id)


def _shown_to(element: JSON, user_id: str) -> bool:
    return not element.get("visible_to_user_ids") or user_id in element["visible_to_user_ids"]


def _takes(element: JSON, value: Any) -> bool:
    offered = [option.get("value") for option in options_of(element)]
    if element["type"] == "button":
        return value is None or element.get("value") == value
    if element["type"] == "feedback_buttons":
        return value in [element[name]["value"] for name in ("positive_button", "negative_button")]
    if element["type"] == "icon_button":
        return value is None or element.get("value") == value
    if not offered:
        return value is not None
    return all(item in offered for item in (value if isinstance(value, list) else [value]))


def action(block: JSON, element: JSON, value: Any, ts: str) -> tuple[JSON, JSON | None]:
    """`actions[0]` of the payload, and the element's new state where it keeps one."""
    sent: JSON = {"type": element["type"], "action_id": element["action_id"], "block_id": block["block_id"]}
    state = None
    if element["type"] in blocks.STATE:
        name, _, empty = blocks.STATE[element["type"]]
        several = isinstance(empty, list) and not isinstance(value, list)
        state = forms.typed(element, {name: [value] if several else value})
        sent |= state
    elif element["type"] == "overflow":
        sent["selected_option"] = next(o for o in options_of(element) if o["value"] == value)
    elif element["type"] == "feedback_buttons":
        sent["value"] = value
    else:
        sent["text"] = element["text"]
        if "value" in element:
            sent["value"] = element["value"]
        if "style" in element:
            sent["style"] = element["style"]
    return {**sent, "action_ts": ts}, state
