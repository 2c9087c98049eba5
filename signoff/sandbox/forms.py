"""What Slack's client does with a form before it submits: takes what was typed, and checks it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from decimal import Decimal
from typing import Any, Final

from signoff.bot.blocks import options_of
from signoff.sandbox import blocks
from signoff.sandbox.errors import ActError

JSON = dict[str, Any]
_KEPT_AS: Final[dict[str, type]] = {
    "value": str,
    "selected_date": str,
    "selected_time": str,
    "selected_date_time": int,
    "selected_user": str,
    "selected_conversation": str,
    "selected_channel": str,
    "rich_text_value": dict,
}
_EMAIL: Final = re.compile(r"[^@\s]+@[^@\s.]+(\.[^@\s.]+)+")
_URL: Final = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*://[^\s/]\S*")
_INTEGER: Final = re.compile(r"-?[0-9]{1,300}")
_DECIMAL: Final = re.compile(r"-?[0-9]{1,300}(\.[0-9]{1,300})?")


def merged(view: JSON, given: Any) -> JSON:
    """`state.values` of the view with what a person has typed now: {block_id: {action_id: element}}.

    An option may be given by its value alone, a type may be left out. Raises ActError for what is not there
    or cannot be chosen.
    """
    values: JSON = {block_id: dict(actions) for block_id, actions in view["state"]["values"].items()}
    if not isinstance(given, dict) or not all(isinstance(actions, dict) for actions in given.values()):
        raise ActError("invalid_state", detail="state is {block_id: {action_id: element}}")
    places = {(b["block_id"], e["action_id"]): e for b, e in blocks.elements(view["blocks"])}
    for block_id, actions in given.items():
        for action_id, state in actions.items():
            element = places.get((block_id, action_id))
            if element is None or element["type"] not in blocks.STATE:
                raise ActError("no_such_element", 404, block_id=block_id, action_id=action_id)
            values[block_id][action_id] = typed(element, state)
    return values


def typed(element: JSON, state: Any) -> JSON:
    """The state of one element after a person has set it to `state`. Raises ActError."""
    name = blocks.STATE[element["type"]][0]
    wrong = ActError("invalid_state", action_id=element["action_id"], expected=f"{element['type']}: {name}")
    if (
        not isinstance(state, dict)
        or state.get("type", element["type"]) != element["type"]
        or name not in state
    ):
        raise wrong
    value = state[name]
    if name == "selected_option" and value is not None:
        value = _offered(element, value)
    elif name == "selected_options":
        value = [_offered(element, option) for option in _list(value, wrong)]
    elif name.startswith("selected_") and isinstance(blocks.STATE[element["type"]][2], list):
        value = _list(value, wrong)
    elif not isinstance(value, _KEPT_AS.get(name, object) | None):
        raise wrong
    return {"type": element["type"], name: value}


def _list(value: Any, wrong: ActError) -> list[Any]:
    if value is not None and not isinstance(value, list):
        raise wrong
    return value or []


def _offered(element: JSON, option: Any) -> JSON:
    wanted = option.get("value") if isinstance(option, dict) else option
    if element["type"].endswith("external_select") and isinstance(option, dict):
        return option
    for offered in options_of(element):
        if offered["value"] == wanted:
            return offered
    raise ActError("no_such_option", 404, action_id=element["action_id"], value=wanted)


def complaints(view: JSON, values: JSON) -> JSON:
    """What Slack's client would say instead of submitting: `missing` block ids, and `errors` by block id."""
    missing = []
    wrong: dict[str, str] = {}
    for block in _inputs(view["blocks"]):
        element = block["element"]
        state = values[block["block_id"]][element["action_id"]]
        value = state[blocks.STATE[element["type"]][0]]
        if value in (None, "", []):
            if not block.get("optional"):
                missing.append(block["block_id"])
        elif complaint := _complaint(element, value):
            wrong[block["block_id"]] = complaint
    return ({"missing": missing} if missing else {}) | ({"errors": wrong} if wrong else {})


def _inputs(view_blocks: list[JSON]) -> Iterator[JSON]:
    return (block for block in view_blocks if block["type"] == "input")


def _complaint(element: JSON, value: Any) -> str:
    kind = element["type"]
    if kind == "plain_text_input":
        least, most = element.get("min_length", 0), element.get("max_length", 3000)
        if not least <= len(value) <= most:
            return f"Enter {least} to {most} characters."
    elif kind == "number_input":
        return _number_complaint(element, value)
    elif kind == "email_text_input" and not _EMAIL.fullmatch(value):
        return "Enter an e-mail address."
    elif kind == "url_text_input" and not _URL.fullmatch(value):
        return "Enter a URL."
    elif isinstance(value, list) and len(value) > element.get("max_selected_items", len(value)):
        return f"Choose at most {element['max_selected_items']}."
    return ""


def _number_complaint(element: JSON, value: str) -> str:
    if not element["is_decimal_allowed"] and not _INTEGER.fullmatch(value):
        return "Enter a whole number."
    if not _DECIMAL.fullmatch(value):
        return "Enter a number."
    least, most = element.get("min_value"), element.get("max_value")
    if least is not None and Decimal(value) < Decimal(least):
        return f"Enter at least {least}."
    if most is not None and Decimal(value) > Decimal(most):
        return f"Enter at most {most}."
    return ""
